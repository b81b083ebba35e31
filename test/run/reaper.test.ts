import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { z } from 'zod';
import { childrenOf } from '../../tools/child-processes.ts';
import { projectRoot } from '../tools/sample-project.ts';
import { startOf } from './run-processes.ts';

const MOCHA = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
const LOOK_EVERY_MS = 50;
const leftSchema = z.object({ pids: z.array(z.int()), folders: z.array(z.string()) });

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await wait(LOOK_EVERY_MS);
};

/** Starts an endless run; resolves with the things it started. */
async function startEndlessRun(command: string, args: readonly string[]) {
  const endless = fileURLToPath(new URL('endless-run.js', import.meta.url));
  const runner = spawn(command, [...args, endless], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: runner.stdout })) {
    if (!line.startsWith('{')) continue;
    const { pids, folders } = leftSchema.parse(JSON.parse(line));
    const children = pids.flatMap((pid) => childrenOf(pid));
    return { runner, pids: [...new Set([...pids, ...children])], folders };
  }
  throw new Error('the run ended');
}

describe('a test run that is killed', () => {
  for (const { what, command, args } of [
    { what: 'mocha', command: process.execPath, args: [MOCHA] },
    { what: 'mocha with parallel workers', command: process.execPath, args: [MOCHA, '--parallel', '--jobs', '2'] },
    { what: 'npm, which has a shell and mocha below it', command: 'npm', args: ['exec', '--offline', '--', 'mocha'] },
  ]) {
    it(`leaves no process and no file: ${what}`, async () => {
      const { runner, pids, folders } = await startEndlessRun(command, args);
      expect(pids.length).to.be.at.least(4);
      for (const pid of pids) expect(startOf(pid), `${pid}`).not.to.equal(undefined);
      for (const folder of folders) expect(existsSync(folder)).to.equal(true);
      const closed = once(runner, 'exit');
      runner.kill('SIGKILL');
      await closed;
      await until(() => pids.every((pid) => startOf(pid) === undefined));
      await until(() => folders.every((folder) => !existsSync(folder)));
    });
  }
});

describe('a test run with a failure', () => {
  for (const args of [[], ['--parallel', '--jobs', '2']]) {
    it(`ends with an exit code that says so: mocha ${args.join(' ')}`, async () => {
      const failing = fileURLToPath(new URL('failing-run.js', import.meta.url));
      const runner = spawn(process.execPath, [MOCHA, ...args, failing], { cwd: projectRoot, stdio: 'ignore' });
      expect(await once(runner, 'exit')).to.deep.equal([1, null]);
    });
  }
});
