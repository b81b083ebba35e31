import { readdirSync, readFileSync } from 'node:fs';

/** The environment variable of all processes of a test run: ids of runs and workers, the outermost first. */
export const RUN_VARIABLE = 'TEST_RUN';

/** Returns the pids of the living processes of a run or worker, direct or not; Linux only, otherwise none. */
export function processesOfRun(id: string): readonly number[] {
  return numbersIn('/proc').filter((pid) => environmentOf(pid).get(RUN_VARIABLE)?.split(' ').includes(id));
}

/** Returns a process and its ancestors up to the npm that started it, if any. */
export function runnersFrom(pid: number): readonly number[] {
  const runners = [pid];
  let last = pid;
  while (environmentOf(last).has('npm_lifecycle_event')) {
    const parent = Number(statOf(last)?.[1] ?? 0);
    if (parent <= 1) break;
    runners.push(parent);
    last = parent;
  }
  return runners;
}

/** Returns the start of a process in ticks since boot; undefined if it has ended. A pid is reused, the pair is not. */
export function startOf(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

export function commandOf(pid: number): string {
  return readOf(pid, 'cmdline').replaceAll('\0', ' ').trim();
}

/** Fields of /proc/PID/stat from the third on, the state (proc_pid_stat(5)). */
function statOf(pid: number): readonly string[] | undefined {
  const stat = readOf(pid, 'stat');
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Returns the initial environment of a process; empty if it has ended or belongs to another user. */
function environmentOf(pid: number): ReadonlyMap<string, string> {
  const pairs = readOf(pid, 'environ').split('\0');
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
