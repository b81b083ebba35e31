/** Locks a data folder in its own process. As a program: the argument is the folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Ownership } from '../../src/store/ownership.ts';

export interface FolderHolder {
  readonly pid: number;
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
}

/** Resolves when the process has the folder; rejects with its output if it cannot. */
export async function holdFolder(folder: string): Promise<FolderHolder> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), folder], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const printed = text(child.stderr);
  const failed = ended.then(async () => Promise.reject(new Error(await printed)));
  await Promise.race([once(child.stdout, 'data'), failed]);
  failed.catch(() => undefined);
  if (child.pid === undefined) throw new Error('the holder has no process');
  return {
    pid: child.pid,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const [, program, folder] = process.argv;
if (program === fileURLToPath(import.meta.url) && folder !== undefined) {
  // Ends it if the test run was killed.
  process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGKILL'));
  await Ownership.acquire(folder);
  process.stdout.write('owned\n');
}
