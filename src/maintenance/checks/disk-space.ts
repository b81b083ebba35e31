import { statfs } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { warning, ok, failed, type CheckResult } from '../check-result.ts';
import { mib } from '../mib.ts';
import { nearestFolder } from './data-folder.ts';

const CHECK = 'disk';

export interface DiskSpaceOptions {
  readonly dataDir: string;
  /** Below this, uploads are rejected. */
  readonly reserveBytes: number;
  readonly maxUploadBytes: number;
}

export async function checkDiskSpace({
  dataDir,
  reserveBytes,
  maxUploadBytes,
}: DiskSpaceOptions): Promise<CheckResult> {
  try {
    const { bavail, bsize } = await statfs(await nearestFolder(dataDir));
    const freeBytes = bavail * bsize;
    const message = `${mib(freeBytes)} are free, and DISK_RESERVE_BYTES keeps ${mib(reserveBytes)} of them`;
    if (freeBytes < reserveBytes) {
      return failed(
        CHECK,
        `${message}: every upload is refused`,
        `Make room on the disk of ${dataDir}, or set RETENTION_MS`,
      );
    }
    if (freeBytes < reserveBytes + maxUploadBytes) {
      const fix = 'Make room, or lower MAX_UPLOAD_BYTES';
      return warning(CHECK, `${message}: the largest video allowed (${mib(maxUploadBytes)}) does not fit`, fix);
    }
    return ok(CHECK, message);
  } catch (error) {
    return failed(CHECK, `cannot be measured: ${messageOf(error)}`, 'Set DATA_DIR to a folder');
  }
}
