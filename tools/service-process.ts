import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A service in its own process. */
export interface ServiceProcess {
  readonly url: string;
  readonly pid: number;
  /** The last lines of its output. */
  readonly lines: readonly string[];
  /** Sends SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
  /** Sends SIGTERM; resolves with the exit code, or the name of the signal that ended the process. */
  stop(): Promise<number | string>;
}

export interface StartServiceOptions {
  readonly dataDir: string;
  /** Aborting it kills the process. */
  readonly signal: AbortSignal;
  /** Settings in addition to the environment. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The compiled service; default: the one of this build. */
  readonly main?: string;
  /** User and group ids of the process; default: the current ones. */
  readonly user?: number;
}

/** The compiled service. */
export const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const READY = /Reelstate ready at (http:\/\/\S+)/;
/** Milliseconds; longer than the service takes to drain with a short job on a busy machine. */
const STOP_WITHIN_MS = 300_000;
const KEPT_LINES = 20;

/**
 * Starts the compiled service on a free port and resolves when it is ready.
 * @throws if it ends before, with its last output
 */
export async function startService({
  dataDir,
  signal,
  settings,
  main = MAIN,
  user,
}: StartServiceOptions): Promise<ServiceProcess> {
  // Keys in the environment would lock this program out.
  const { API_KEYS: _, ...environment } = process.env;
  const child = spawn(process.execPath, [main], {
    env: { ...environment, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
    ...(user === undefined ? {} : { uid: user, gid: user, cwd: '/' }),
  });
  const lines: string[] = [];
  const url = new Promise<string>((resolve) => {
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => {
        lines.push(line);
        if (lines.length > KEPT_LINES) lines.shift();
        const address = READY.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    }
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('close', (code, by) => resolve(code ?? by ?? 'no reason'));
    child.once('error', reject);
  });
  // The caller of the end receives a failed start or an abort; before that, the race below does.
  ended.catch(() => undefined);

  const failed = ended.then((code) => {
    throw new Error(`the service ended (${code}) before it was ready:\n${lines.join('\n')}`);
  });
  failed.catch(() => undefined);
  const ready = await Promise.race([url, failed]);
  if (child.pid === undefined) throw new Error('the service was ready without a process');
  return {
    url: ready,
    pid: child.pid,
    lines,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      try {
        return await ended;
      } finally {
        clearTimeout(kill);
      }
    },
  };
}
