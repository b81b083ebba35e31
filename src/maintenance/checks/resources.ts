import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { warning, well, wrong, type Finding } from '../finding.ts';
import { mib } from '../mib.ts';

/** Files that are open at rest: the database, libraries, pipes to child processes. */
const OWN_FILES = 200;
/** What the service itself needs, in bytes (docs/DEPLOYING.md, Sizing). */
const OWN_BYTES = 200 * 1024 * 1024;

/** Every connection is an open file, and so is every upload. */
export async function checkOpenFiles(maxConnections: number, maxUploads: number): Promise<Finding> {
  const check = 'open files';
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (soft === undefined) return well(check, 'this system does not tell its limit');
  const needed = maxConnections + maxUploads + OWN_FILES;
  const says = `${soft} may be open; MAX_CONNECTIONS and MAX_UPLOADS need ${needed}`;
  if (Number(soft) >= needed) return well(check, says);
  return wrong(check, says, 'Raise the limit (ulimit -n, LimitNOFILE= of systemd), or lower MAX_CONNECTIONS');
}

export function checkMemory(concurrency: number, childBytes: number): Finding {
  const check = 'memory';
  // 0, or more than there is, where no limit was set.
  const limit = process.constrainedMemory();
  const present = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  const needed = OWN_BYTES + concurrency * childBytes;
  const says = `${mib(present)}; the service and WORKER_CONCURRENCY processes of CHILD_MEMORY_BYTES may use ${mib(needed)}`;
  if (present >= needed) return well(check, says);
  return warning(check, says, 'Lower WORKER_CONCURRENCY or CHILD_MEMORY_BYTES');
}
