import { access, constants, statfs } from 'node:fs/promises';
import { ServiceError } from '../../errors.ts';

export interface RoomOptions {
  /** Absolute path of the folder of uploads. */
  readonly incomingDir: string;
  /** Bytes of the disk that uploads must leave for the database and the results. */
  readonly diskReserveBytes: number;
}

/** Returns the free bytes of the folder's disk. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Rejects with `storage_full` if an upload of this size would use the reserve, or with the error of a folder that
 * cannot be written.
 */
export async function requireRoom(bytes: number, { incomingDir, diskReserveBytes }: RoomOptions): Promise<void> {
  await access(incomingDir, constants.W_OK | constants.X_OK);
  if ((await freeBytes(incomingDir)) >= bytes + diskReserveBytes) return;
  throw new ServiceError('storage_full', 'There is not enough disk space for this upload');
}
