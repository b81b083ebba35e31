import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Only the user of the service may read videos and results. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export type Source = AsyncIterable<Uint8Array | string>;

/** Writes a new file and makes it durable. Reads the source no faster than the disk writes. */
export async function writeWhole(
  path: string,
  source: Source,
  signal: AbortSignal | undefined,
  mode = FILE_MODE,
): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    for await (const chunk of untilAborted(source, signal)) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Yields the chunks of the source. An abort ends the wait for the next one at once, even if the source hangs. */
async function* untilAborted(source: Source, signal: AbortSignal | undefined): Source {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    while (true) {
      const next = await orAborted(iterator.next(), signal);
      exhausted = next.done === true;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited, because a hanging source would hang this too.
    if (!exhausted) iterator.return?.().catch(() => undefined);
  }
}

/** Not a race against one long-lived promise, which would leak memory per chunk. */
function orAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Renames the file without copying. On another disk, copies it completely before it gets its name. */
export async function moveInto(whole: string, target: string): Promise<void> {
  try {
    await rename(whole, target);
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error;
    const beside = `${target}.${randomUUID()}`;
    try {
      await copyFile(whole, beside, constants.COPYFILE_EXCL);
      await syncPath(beside, FILE_MODE);
      await rename(beside, target);
    } catch (failure) {
      await rm(beside, { force: true });
      throw failure;
    }
    await unlink(whole);
  }
}

/** Errors that mean that the file system or folder has no links. A copy may succeed. */
const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EXDEV',
  'EMLINK',
]);

/** Gives a durable file another name. Copies it durably if the file system has no links. */
export async function linkOrCopy(file: string, target: string, tryLink = link): Promise<void> {
  try {
    await tryLink(file, target);
  } catch (error) {
    if (!NO_LINKS.has(errnoOf(error) ?? '')) throw error;
    await copyFile(file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await syncPath(target, FILE_MODE);
  }
}

/**
 * Creates a folder (absolute path) and its parents. Every entry is durable, because a file in a lost folder is lost.
 */
export async function makeFolder(folder: string): Promise<void> {
  const firstMade = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (firstMade === undefined) return;
  for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncPath(dirname(made));
}

/** Makes the bytes of a file or the entries of a folder durable. */
export async function syncPath(path: string, mode?: number): Promise<void> {
  const handle = await open(path, 'r');
  try {
    if (mode !== undefined) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
