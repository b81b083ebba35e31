import { randomUUID } from 'node:crypto';
import { lstat, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { messageOf, ServiceError } from '../errors.ts';

export interface TargetOptions {
  /** Replace an existing file. */
  readonly force: boolean;
  /** The service's folder, where nothing may be written. */
  readonly dataDir: string;
}

/**
 * Writes a file atomically: calls `write` for a draft beside the target and renames it.
 *
 * @throws ServiceError `path_refused` when the target exists or lies in the data folder, `file_missing` when its folder
 * does not exist
 */
export async function saveWhole(
  target: string,
  options: TargetOptions,
  write: (draft: string) => Promise<void>,
): Promise<void> {
  const folder = await realFolderOf(target);
  const path = join(folder, basename(target));
  const dataDir = await realpath(options.dataDir).catch(() => resolve(options.dataDir));
  if (!relative(dataDir, path).startsWith('..')) {
    throw new ServiceError('path_refused', `${target} is in the data folder of the service: choose another folder`);
  }
  const refuse = async (): Promise<void> => {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory()) throw new ServiceError('path_refused', `${target} is a folder`);
    if (found !== undefined && !options.force) {
      throw new ServiceError('path_refused', `${target} exists; use --force to replace it`);
    }
  };
  await refuse();
  const draft = join(folder, `.${basename(target)}.${randomUUID()}.part`);
  try {
    await write(draft);
    await refuse();
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function realFolderOf(target: string): Promise<string> {
  try {
    return await realpath(dirname(resolve(target)));
  } catch (cause) {
    throw new ServiceError('file_missing', `${target} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
