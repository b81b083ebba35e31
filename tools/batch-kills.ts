import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeVideo } from './make-video.ts';
import { startService, type ServiceProcess } from './service-process.ts';

const REELSTATE = fileURLToPath(new URL('../src/cli/reelstate.js', import.meta.url));
/** Enough attempts that no job fails because of the kills. */
const SETTINGS = { LOG_LEVEL: 'error', PIPELINE_THREADS: '1', WORKER_CONCURRENCY: '2', MAX_ATTEMPTS: '100' };

export interface BatchKillOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly videos: number;
  /** Number of kills; fewer if the batch ends before. */
  readonly kills: number;
  /** Ends the batch, the service and the waiting. */
  readonly signal: AbortSignal;
  readonly onKill?: (kills: number, outputs: number) => void;
}

export interface BatchKillReport {
  readonly kills: { readonly command: number; readonly service: number };
  /** The report of the last run. */
  readonly report: unknown;
  /** Outputs by name: of a batch without kills, and of the batch with kills. */
  readonly expected: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  /** Complete analyses of a local batch that were written again. */
  readonly rewritten: readonly string[];
}

/** Creates short videos with different content. */
async function makeShortVideos(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const name = `V${String(index).padStart(3, '0')}`;
    makeVideo({
      path: path.join(folder, `${name}.mp4`),
      width: 128,
      height: 64,
      frames: 1,
      picture: 'color=c=navy',
      captions: [{ text: name, x: 10, y: 15, size: 30 }],
    });
  }
}

/** A batch at a service. The command or the service is killed (SIGKILL) at random times and restarted. */
export async function killServiceBatch(options: BatchKillOptions): Promise<BatchKillReport> {
  const { folder, signal } = options;
  const dataDir = path.join(folder, 'data');
  let service: ServiceProcess = await startService({ dataDir, signal, settings: SETTINGS });
  const args = () => ['--url', service.url, '--jobs', '8'];
  // The address stays the same, as after a restart by a supervisor.
  const settings = { ...SETTINGS, PORT: new URL(service.url).port };
  const kills = { command: 0, service: 0 };
  const run = await runWithKills(options, args, async (command) => {
    if (Math.random() < 0.5) {
      kills.command += 1;
      command.kill('SIGKILL');
      return true;
    }
    kills.service += 1;
    await service.kill();
    service = await startService({ dataDir, signal, settings });
    return false;
  });
  const code = await service.stop();
  if (code !== 0) throw new Error(`the last stop of the service ended with ${code}`);
  return { ...run, kills, rewritten: [] };
}

/** A batch on this machine. The command is killed at random times. */
export async function killLocalBatch(options: BatchKillOptions): Promise<BatchKillReport> {
  const analyses = path.join(options.folder, 'state', 'analyses');
  const kills = { command: 0, service: 0 };
  /** Time when each complete analysis was written. */
  const whole = new Map<string, number>();
  const rewritten = new Set<string>();
  const look = async (): Promise<void> => {
    for (const name of await readdir(analyses).catch(() => [])) {
      if (name.startsWith('.') || !name.endsWith('_analysis.json')) continue;
      const { mtimeMs } = await stat(path.join(analyses, name));
      if ((whole.get(name) ?? mtimeMs) !== mtimeMs) rewritten.add(name);
      whole.set(name, mtimeMs);
    }
  };
  const run = await runWithKills(
    options,
    () => ['--analyse', '--jobs', '2', '--threads', '1'],
    async (command) => {
      kills.command += 1;
      command.kill('SIGKILL');
      await command.ended;
      await look();
      return true;
    },
  );
  await look();
  return { ...run, kills, rewritten: [...rewritten] };
}

interface Command {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly code: unknown; readonly lines: readonly string[] }>;
}

async function runWithKills(
  { folder, videos, kills, signal, onKill }: BatchKillOptions,
  args: () => readonly string[],
  /** Resolves with true if it killed the command. */
  kill: (command: Command) => Promise<boolean>,
): Promise<Pick<BatchKillReport, 'report' | 'expected' | 'outputs'>> {
  const source = path.join(folder, 'videos');
  await makeShortVideos(source, videos);
  const batch = (state: string, output: string, flags: readonly string[]): Command =>
    start(
      ['batch', source, '--json', '--output', `${output}/{name}.txt`, '--format', 'txt', '--state', state, ...flags],
      folder,
      signal,
    );
  const undisturbed = await batch('undisturbed', 'expected', ['--analyse', '--threads', '1']).ended;
  if (undisturbed.code !== 0) throw new Error(`the batch without kills ended with ${String(undisturbed.code)}`);

  const output = path.join(folder, 'outputs');
  const written = async (): Promise<number> => (await readdir(output).catch(() => [])).length;
  for (let done = 0; ;) {
    const command = batch('state', 'outputs', args());
    for (let isKilled = false; !isKilled && done < kills;) {
      // Random moments, spread over the batch; closer together than its videos, so that all kills happen before its end.
      const enough = (await written()) + Math.random() * 1.2 * (videos / kills);
      const killing = new AbortController();
      const moment = momentAfter(async () => (await written()) >= enough, AbortSignal.any([killing.signal, signal]));
      const first = await Promise.race([moment, command.ended]);
      killing.abort();
      if (first !== 'now') break;
      isKilled = await kill(command);
      done += 1;
      onKill?.(done, await written());
    }
    const { code, lines } = await command.ended;
    if (code === 'SIGKILL') continue;
    if (code !== 0) throw new Error(`the batch ended with ${String(code)}: ${lines.slice(-3).join('\n')}`);
    const last: { readonly report: unknown } = JSON.parse(lines.at(-1) ?? '');
    const expected = await textsIn(path.join(folder, 'expected'));
    return { report: last.report, expected, outputs: await textsIn(output) };
  }
}

/** Resolves within a second after the condition holds; with undefined when it is aborted. */
async function momentAfter(holds: () => Promise<boolean>, signal: AbortSignal): Promise<'now' | undefined> {
  try {
    while (!(await holds())) await wait(50, undefined, { signal });
    return await wait(Math.random() * 1_000, 'now' as const, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

function start(args: readonly string[], cwd: string, signal: AbortSignal): Command {
  const child = spawn(process.execPath, [REELSTATE, ...args], {
    cwd,
    signal,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    printed += piece;
  });
  const ended = once(child, 'close').then(([code, by]: unknown[]) => ({
    code: code ?? by,
    lines: printed.split('\n').filter((line) => line !== ''),
  }));
  ended.catch(() => undefined);
  return { kill: (by) => child.kill(by), ended };
}

async function textsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const name of await readdir(folder)) texts.set(name, await readFile(path.join(folder, name), 'utf8'));
  return texts;
}
