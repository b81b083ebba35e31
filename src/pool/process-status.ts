/** Reads the state of another process from /proc. Unknown on other systems and for an ended process. */
import { readdirSync, readFileSync } from 'node:fs';

/** Bytes of anonymous memory in use, without mapped files; 0: unknown. */
export function usedMemoryOf(pid: number): number {
  const status = read(pid, 'status');
  const kibibytes = [...status.matchAll(/^Rss(?:Anon|Shmem):\s+(\d+) kB$/gm)].map((line) => Number(line[1]));
  return kibibytes.reduce((sum, part) => sum + part, 0) * 1024;
}

/** Bytes of private memory mapped, used or not; 0: unknown. */
export function mappedMemoryOf(pid: number): number {
  return Number(/^VmData:\s+(\d+) kB$/m.exec(read(pid, 'status'))?.[1] ?? 0) * 1024;
}

/**
 * A number that grows while the process works: page faults and processor ticks of all threads (fields 10, 12, 14 and 15
 * of proc_pid_stat(5)). 0: unknown.
 */
export function workDoneBy(pid: number): number {
  const stat = read(pid, 'stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const counted = [7, 9, 11, 12].map((index) => Number(fields[index] ?? 0));
  return counted.reduce((sum, part) => sum + part, 0);
}

/** Nanoseconds that the threads of a process ran, and that they waited for a processor. */
export interface ProcessorTime {
  readonly ran: number;
  readonly waited: number;
}

/** Per thread, from the kernel's sched-stats; zeros: unknown. */
export function processorTimeOf(pid: number): ProcessorTime {
  let ran = 0;
  let waited = 0;
  for (const thread of threadsOf(pid)) {
    const [ranHere = 0, waitedHere = 0] = read(pid, `task/${thread}/schedstat`).split(' ').map(Number);
    ran += ranHere;
    waited += waitedHere;
  }
  return { ran, waited };
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
