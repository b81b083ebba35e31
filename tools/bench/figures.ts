import { readFile } from 'node:fs/promises';

/** Ticks of /proc/PID/stat in a second (sysconf(_SC_CLK_TCK) is 100 on every Linux that Node.js runs on). */
const TICKS_PER_SECOND = 100;

/** Returns the median; NaN without values. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Returns a percentile; NaN without values. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** Prints one figure per line. */
export function print(what: string, figure: string): void {
  console.log(`${what.padEnd(44)} ${figure}`);
}

/** Returns user and system time of a process with all of its threads (proc_pid_stat(5), fields 14 and 15). */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
