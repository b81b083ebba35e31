import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Mounts a file system of this many MiB in memory. @returns the reason of a failure, or undefined */
export function mountSmallDisk(at: string, sizeMiB: number): string | undefined {
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', at], { encoding: 'utf8' });
  return mount.status === 0 ? undefined : (mount.error?.message ?? mount.stderr.trim());
}

export function unmount(at: string): void {
  spawnSync('umount', ['--lazy', at]);
}

/** Skips a suite with a reason if no file system can be mounted. Call it in `before`. */
export function requireSmallDisks(context: Mocha.Context): void {
  const probe = mkdtempSync(join(tmpdir(), 'reelstate-disk-'));
  const refusal = mountSmallDisk(probe, 1);
  if (refusal === undefined) unmount(probe);
  rmdirSync(probe);
  if (refusal === undefined) return;
  console.log(`    skipped: no file system can be mounted here (${refusal})`);
  context.skip();
}
