import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { messageOf } from '../errors.ts';

/** The kernel accepts one such write of ordinary users per 100 ms, from all of them together. */
const RETRY_MS = 150;

/**
 * Lowers the priority of a child with all of its threads below the service. Returns what could not be set; the child
 * works without it.
 */
export async function lowerPriority(pid: number): Promise<string[]> {
  const threadsPath = `/proc/${pid}/task`;
  const autogroup = `/proc/${pid}/autogroup`;
  const notices: string[] = [];
  // Priorities belong to threads; a later thread inherits that of its creator.
  const threads = existsSync(threadsPath) ? readdirSync(threadsPath).map(Number) : [pid];
  for (const thread of threads) {
    await attempt('priority', notices, () => setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL));
  }
  // If the kernel groups processes by session, it weighs the groups, and the child is its own session (sched(7)).
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
