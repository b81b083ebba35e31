import { access, constants, statfs } from 'node:fs/promises';
import { ServiceError } from '../../errors.ts';

export interface RoomOptions {
  /** Absolute path of the folder that gets uploads. */
  readonly incomingDir: string;
  /** Bytes of the disk that no upload may take: the database and the results need room too. */
  readonly diskReserveBytes: number;
}

/** Returns the bytes that the disk of this folder has left for the service. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Rejects with `storage_full` when an upload of this size would use the reserve, or with what keeps it from being written. */
export async function requireRoom(bytes: number, { incomingDir, diskReserveBytes }: RoomOptions): Promise<void> {
  await access(incomingDir, constants.W_OK | constants.X_OK);
  if ((await freeBytes(incomingDir)) >= bytes + diskReserveBytes) return;
  throw new ServiceError('storage_full', 'There is no room on the disk for this upload');
}
