import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { ServiceError } from '../errors.ts';
import type { AdoptableFile, StorageService } from './storage-service.ts';

/** Videos are their owners' business: nobody else on the machine may read them. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const INCOMING = 'incoming';

type Source = AsyncIterable<Uint8Array | string>;

/**
 * Files in one folder of the local disk. What is being received or written lies in `incoming/` until it is whole, so
 * whatever is found there at the next start was cut off and is swept. The folder belongs to this process alone:
 * links are checked before a path is used, not while it is.
 */
export class LocalStorageService implements StorageService {
  readonly #baseDir: string;
  /** Absolute path of the folder for uploads that are still arriving; the only one from which files are adopted. */
  readonly incomingDir: string;

  private constructor(baseDir: string, incomingDir: string) {
    this.#baseDir = baseDir;
    this.incomingDir = incomingDir;
  }

  /** Makes the folder where it is missing and removes what an earlier process left half-received. */
  static async open(options: { readonly baseDir: string }): Promise<LocalStorageService> {
    const incoming = join(options.baseDir, INCOMING);
    await mkdir(incoming, { recursive: true, mode: FOLDER_MODE });
    const incomingDir = await realpath(incoming);
    for (const name of await readdir(incomingDir)) await rm(join(incomingDir, name), { recursive: true, force: true });
    return new LocalStorageService(await realpath(options.baseDir), incomingDir);
  }

  async saveFile(
    source: Source | AdoptableFile,
    destPath: string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const { signal } = options;
    const target = await this.#resolve(destPath);
    const whole = 'adopt' in source ? await this.#adoptable(source.adopt) : join(this.incomingDir, randomUUID());
    try {
      signal?.throwIfAborted();
      if ('adopt' in source) await syncPath(whole, FILE_MODE);
      else await writeWhole(whole, source, signal);
      await this.#makeFolder(dirname(target));
      signal?.throwIfAborted();
      await moveInto(whole, target);
      await syncPath(dirname(target));
      return destPath;
    } catch (error) {
      // A file to be adopted stays its giver's until it is moved.
      if (!('adopt' in source)) await rm(whole, { force: true });
      throw diskTrouble(error, `saving ${destPath}`);
    }
  }

  async loadFile(path: string): Promise<string> {
    const absolute = await this.#resolve(path);
    const found = await stat(absolute).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (!found?.isFile()) throw new ServiceError('file_missing', `no stored file ${path}`);
    return absolute;
  }

  async deleteFile(path: string): Promise<void> {
    const absolute = await this.#resolve(path);
    try {
      await unlink(absolute);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** The absolute form of a stored path; refuses one that leaves the base folder, by name or through a link. */
  async #resolve(path: string): Promise<string> {
    const segments = path.split('/');
    const plain = segments.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0'));
    if (!plain || segments[0] === INCOMING) throw refused(path);
    const absolute = join(this.#baseDir, path);
    // The part that exists decides where the rest will be: follow its links.
    for (let existing = absolute; existing !== this.#baseDir; existing = dirname(existing)) {
      const real = await realpath(existing).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (real === undefined) continue;
      if (!real.startsWith(this.#baseDir + sep)) throw refused(path);
      break;
    }
    return absolute;
  }

  async #adoptable(path: string): Promise<string> {
    const found = await lstat(path).catch((error: unknown) => {
      throw isMissing(error) ? new ServiceError('file_missing', `no incoming file ${path}`, { cause: error }) : error;
    });
    const real = await realpath(path);
    if (!found.isFile() || !real.startsWith(this.incomingDir + sep)) throw refused(path);
    return real;
  }

  /** Makes a folder and everything above it, each entry durable: a file that survives in a lost folder is lost. */
  async #makeFolder(folder: string): Promise<void> {
    const firstMade = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (firstMade === undefined) return;
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncPath(dirname(made));
  }
}

/** Writes a new file and makes it durable; takes from the source no faster than the disk takes from it. */
async function writeWhole(path: string, source: Source, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, 'wx', FILE_MODE);
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

/** The source's chunks; an abort ends the wait for the next one at once, even when the source never yields again. */
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
    // Not awaited: a source that hangs would hang this too.
    if (!exhausted) iterator.return?.().catch(() => undefined);
  }
}

/** Not a race against one long-lived promise, which would keep something for every chunk. */
function orAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    step.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Renames where it can, which copies nothing; a folder on another disk gets a copy that is whole before it has its name. */
async function moveInto(whole: string, target: string): Promise<void> {
  try {
    await rename(whole, target);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
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

/** Makes a file's bytes, or a folder's entries, survive a loss of power. */
async function syncPath(path: string, mode?: number): Promise<void> {
  const handle = await open(path, 'r');
  try {
    if (mode !== undefined) await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function refused(path: string): ServiceError {
  return new ServiceError('path_refused', `path leaves the storage folder: ${JSON.stringify(path)}`);
}

function diskTrouble(error: unknown, what: string): unknown {
  const code = codeOf(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new ServiceError('storage_full', `the disk is full: ${what}`, { cause: error });
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
