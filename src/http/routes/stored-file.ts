import { open, type FileHandle } from 'node:fs/promises';
import { errnoOf, type ServiceError } from '../../errors.ts';

export interface StoredFile {
  /** An open file. The caller closes it, or a stream of it does. */
  readonly handle: FileHandle;
  readonly size: number;
}

/**
 * Opens a stored file for a response.
 * @param missing returns the error for a file that was deleted since the lookup
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
