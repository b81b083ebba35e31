import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../errors.ts';

/** The kernel takes one such write of ordinary users in 100 ms, from all of them together. */
const RETRY_MS = 150;

/**
 * Puts a child, with every thread it has, behind the service in the scheduler's favour. Returns what could not be set:
 * the child works without.
 */
export async function lowerPriority(pid: number): Promise<string[]> {
  const threadsPath = `/proc/${pid}/task`;
  const autogroup = `/proc/${pid}/autogroup`;
  const notices: string[] = [];
  // A priority belongs to a thread; one that is started later inherits that of its starter.
  const threads = existsSync(threadsPath) ? readdirSync(threadsPath).map(Number) : [pid];
  for (const thread of threads) {
    await attempt('priority', notices, () => setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL));
  }
  // Where the kernel groups processes by session it weighs the groups, and the child is a session of its own (sched(7)).
  if (existsSync(autogroup)) {
    const write = () => writeFileSync(autogroup, String(constants.priority.PRIORITY_BELOW_NORMAL));
    const first: string[] = [];
    await attempt(autogroup, first, write);
    if (first.length > 0) {
      await setTimeout(RETRY_MS * (1 + Math.random()));
      await attempt(autogroup, notices, write);
    }
  }
  return notices;
}

async function attempt(name: string, notices: string[], set: () => void): Promise<void> {
  try {
    set();
  } catch (error) {
    notices.push(`${name} was not set: ${messageOf(error)}`);
  }
}
