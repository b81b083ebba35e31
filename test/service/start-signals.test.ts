import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Ownership } from '../../src/store/ownership.ts';
import { childrenOf } from '../../tools/child-processes.ts';

const ROOT = fileURLToPath(new URL('.', import.meta.resolve('#package.json')));
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));
const LOOK_EVERY_MS = 5;

const COMMANDS = {
  'main.js': [process.execPath, MAIN],
  'reelstate serve': [process.execPath, REELSTATE, 'serve'],
  'npm start': ['npm', 'start'],
} as const;
/** A new process namespace with the service as process 1; not every machine allows it. */
const AS_PROCESS_1 = ['unshare', '--pid', '--fork', '--kill-child'] as const;

describe('a signal during the start', () => {
  let folder: string;
  let dataDir: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-start-'));
  });
  beforeEach(async () => {
    dataDir = await mkdtemp(join(folder, 'data-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [name, command] of Object.entries(COMMANDS)) {
    it(`ends ${name} before it listens, with the code of the signal, and leaves no process and no lock`, async () => {
      for (const [signal, exitCode] of [
        ['SIGTERM', 143],
        ['SIGINT', 130],
      ] as const) {
        const service = start(command);
        await service.until(() => existsSync(join(dataDir, 'owner.lock')));
        expect(await service.end(signal)).to.equal(exitCode);
        expect(service.survivors()).to.deep.equal([]);
        (await Ownership.acquire(dataDir)).release();
        await rm(join(dataDir, 'owner.lock'));
      }
    });

    it(`drains ${name} that listens and whose children are not warm yet, and leaves no process and no lock`, async () => {
      const service = start(command);
      await service.until(() => service.printed().includes('"msg":"listening"'));
      expect(await service.end('SIGTERM')).to.equal(0);
      expect(service.survivors()).to.deep.equal([]);
      (await Ownership.acquire(dataDir)).release();
    });
  }

  for (const [name, command] of Object.entries(COMMANDS)) {
    it(`reaches ${name} also as process 1 of a container`, async function () {
      if (spawnSync(AS_PROCESS_1[0], [...AS_PROCESS_1.slice(1), 'true']).status !== 0) {
        console.log('      process namespaces are not allowed here: not tested');
        this.skip();
      }
      const service = start([...AS_PROCESS_1, ...command]);
      await service.until(() => existsSync(join(dataDir, 'owner.lock')));
      const [first] = childrenOf(service.pid);
      expect(await service.end('SIGTERM', first)).to.equal(143);
      (await Ownership.acquire(dataDir)).release();
    });
  }

  function start([program, ...args]: readonly string[]) {
    const child = spawn(program ?? '', args, {
      cwd: ROOT,
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        HOST: '127.0.0.1',
        PORT: '0',
        PIPELINE_THREADS: '1',
        API_KEYS: undefined,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${program} did not start`);
    const lines: string[] = [];
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => lines.push(line));
    }
    const ended = once(child, 'exit');
    let family: readonly number[] = [];
    return {
      pid,
      printed: () => lines.join('\n'),
      async until(holds: () => boolean): Promise<void> {
        while (!holds()) {
          if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}:\n${lines.join('\n')}`);
          await wait(LOOK_EVERY_MS);
        }
      },
      /** Sends the signal; resolves with the exit code, or the name of the signal that ended the process. */
      async end(signal: NodeJS.Signals, to = pid): Promise<unknown> {
        family = descendantsOf(pid);
        process.kill(to, signal);
        const [code, by] = await ended;
        return code ?? by;
      },
      /** Processes that existed at the signal and still live. */
      survivors: () => family.filter((each) => existsSync(`/proc/${each}`)),
    };
  }
});

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}
