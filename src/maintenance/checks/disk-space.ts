import { statfs } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { warning, well, wrong, type Finding } from '../finding.ts';
import { mib } from '../mib.ts';
import { nearestFolder } from './data-folder.ts';

const CHECK = 'disk';

export interface DiskSpaceOptions {
  readonly dataDir: string;
  /** Beneath it, uploads are refused. */
  readonly reserveBytes: number;
  readonly maxUploadBytes: number;
}

export async function checkDiskSpace({ dataDir, reserveBytes, maxUploadBytes }: DiskSpaceOptions): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(await nearestFolder(dataDir));
    const freeBytes = bavail * bsize;
    const says = `${mib(freeBytes)} are free, and DISK_RESERVE_BYTES keeps ${mib(reserveBytes)} of them`;
    if (freeBytes < reserveBytes) {
      return wrong(
        CHECK,
        `${says}: every upload is refused`,
        `Make room on the disk of ${dataDir}, or set RETENTION_MS`,
      );
    }
    if (freeBytes < reserveBytes + maxUploadBytes) {
      const remedy = 'Make room, or lower MAX_UPLOAD_BYTES';
      return warning(CHECK, `${says}: the largest video allowed (${mib(maxUploadBytes)}) does not fit`, remedy);
    }
    return well(CHECK, says);
  } catch (error) {
    return wrong(CHECK, `cannot be measured: ${messageOf(error)}`, 'Set DATA_DIR to a folder');
  }
}
