import { open, type FileHandle } from 'node:fs/promises';
import { errnoOf, type ServiceError } from '../../errors.ts';

export interface StoredFile {
  /** Open, to be closed by who got it; a stream made of it closes it. */
  readonly handle: FileHandle;
  readonly size: number;
}

/**
 * Opens a stored file for a response.
 * @param missing makes the error for a file that was deleted since it was looked up
 */
export async function openStoredFile(path: string, missing: () => ServiceError): Promise<StoredFile> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? missing() : error;
  }
  try {
    const { size } = await handle.stat();
    return { handle, size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
