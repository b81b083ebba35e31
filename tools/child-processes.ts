import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Returns the process ids of the living children of a process; Linux only. */
export function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => fieldOf(other, 'PPid') === pid);
}

/** Current and peak memory of a process in bytes; undefined if it has ended. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } | undefined {
  const now = fieldOf(pid, 'VmRSS');
  const peak = fieldOf(pid, 'VmHWM');
  return now === undefined || peak === undefined ? undefined : { now: now * 1024, peak: peak * 1024 };
}

/** Ticks of /proc/PID/stat in a second (sysconf(_SC_CLK_TCK) is 100 on every Linux that Node.js runs on). */
const TICKS_PER_SECOND = 100;

/**
 * Returns the processor time of a process with all of its threads, in seconds (proc_pid_stat(5), fields 14 and 15);
 * Linux only.
 */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Returns the targets of the files that a process has open. */
export function openFilesOf(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((name) => {
      try {
        return readlinkSync(`${folder}/${name}`);
      } catch {
        // Closed meanwhile.
        return '';
      }
    });
  } catch {
    // The process has ended.
    return [];
  }
}

/** Returns a number in the process's status; undefined if the process has ended. */
function fieldOf(pid: number, name: string): number | undefined {
  try {
    const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return found?.[1] === undefined ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
