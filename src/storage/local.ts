import { randomUUID } from 'node:crypto';
import { lstat, opendir, readdir, realpath, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { errnoOf, ServiceError } from '../errors.ts';
import { FILE_MODE, linkOrCopy, makeFolder, moveInto, syncPath, writeWhole, type Source } from './durable-file.ts';
import { FolderSync } from './folder-sync.ts';
import type { SavedSource, UploadStorage } from './storage-service.ts';

const INCOMING = 'incoming';
const LINKS = 'links';
/** Names read from a folder at once. Node's default of 32 costs a turn of the thread pool for each few. */
const ENTRIES_AT_ONCE = 1_024;

/**
 * Files in one folder of the local disk. Incomplete files are in `incoming/`, so every file there at the next start is
 * incomplete (`sweepIncoming`). The folder belongs to this process alone: links are checked before a path is used, not
 * during use.
 */
export class LocalStorageService implements UploadStorage {
  readonly #baseDir: string;
  /** Absolute path of the folder for uploads in progress, the only one from which files are adopted. */
  readonly incomingDir: string;
  /** Absolute path of a folder for links to stored videos, for processes that may read no other. */
  readonly linksDir: string;
  readonly #folders = new FolderSync();

  private constructor(baseDir: string, incomingDir: string) {
    this.#baseDir = baseDir;
    this.incomingDir = incomingDir;
    this.linksDir = join(baseDir, LINKS);
  }

  /** Creates the folder if it is missing. Deletes nothing. */
  static async open(options: { readonly baseDir: string }): Promise<LocalStorageService> {
    const incoming = resolve(options.baseDir, INCOMING);
    await makeFolder(incoming);
    return new LocalStorageService(await realpath(options.baseDir), await realpath(incoming));
  }

  async sweepIncoming(): Promise<void> {
    const names = await readdir(this.incomingDir);
    for (const name of names) await rm(join(this.incomingDir, name), { recursive: true, force: true });
  }

  saveFile(source: SavedSource, destPath: string, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    const { signal } = options;
    return orUnavailable(`save ${destPath}`, async () => {
      const target = await this.#resolve(destPath);
      if ('adopt' in source) {
        // The file belongs to the caller until it is moved.
        const whole = await this.#adoptable(source.adopt);
        signal?.throwIfAborted();
        await syncPath(whole, FILE_MODE);
        await this.#moveInto(whole, target, signal);
        return destPath;
      }
      signal?.throwIfAborted();
      const whole = join(this.incomingDir, randomUUID());
      try {
        if ('copyOf' in source) await linkOrCopy(await this.loadFile(source.copyOf), whole);
        else await writeWhole(whole, marked(source), signal);
        await this.#moveInto(whole, target, signal);
        return destPath;
      } catch (error) {
        await rm(whole, { force: true }).catch(() => undefined);
        throw error;
      }
    });
  }

  async #moveInto(whole: string, target: string, signal: AbortSignal | undefined): Promise<void> {
    await makeFolder(dirname(target));
    signal?.throwIfAborted();
    await moveInto(whole, target);
    await this.#folders.sync(dirname(target));
  }

  loadFile(path: string): Promise<string> {
    return orUnavailable(`read ${path}`, async () => {
      const absolute = await this.#resolve(path);
      const found = await stat(absolute).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      return found?.isFile() ? absolute : this.#rejectMissing(`no stored file ${path}`);
    });
  }

  deleteFile(path: string): Promise<void> {
    return orUnavailable(`delete ${path}`, async () => {
      const absolute = await this.#resolve(path);
      try {
        await unlink(absolute);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await this.#folders.sync(dirname(absolute));
    });
  }

  async *list(): AsyncGenerator<string> {
    try {
      for await (const entry of await opendir(this.#baseDir, { bufferSize: ENTRIES_AT_ONCE })) {
        if (entry.isFile()) yield entry.name;
      }
    } catch (error) {
      throw storageError(error, 'list the stored files');
    }
  }

  async moveFile(path: string, destPath: string): Promise<string> {
    const absolute = await this.loadFile(path);
    return orUnavailable(`move ${path}`, async () => {
      const target = await this.#resolve(destPath);
      await this.#moveInto(absolute, target, undefined);
      await this.#folders.sync(dirname(absolute));
      return destPath;
    });
  }

  foldersIn(path: string): Promise<readonly string[]> {
    return orUnavailable(`list ${path}`, async () => {
      const entries = await readdir(await this.#resolve(path), { withFileTypes: true }).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    });
  }

  deleteFolder(path: string): Promise<void> {
    return orUnavailable(`delete ${path}`, async () => {
      await rm(await this.#resolve(path), { recursive: true, force: true });
    });
  }

  /** Returns the absolute form of a stored path. Throws if it leaves the base folder, by name or through a link. */
  async #resolve(path: string): Promise<string> {
    const segments = path.split('/');
    const plain = segments.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0'));
    if (!plain || segments[0] === INCOMING) throw refused(path);
    const absolute = join(this.#baseDir, path);
    // Follows the links of the existing part of the path, which decide where the rest will be.
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

  /** Rejects with `file_missing`, or as unavailable if the folder is missing too: its disk may not be mounted. */
  async #rejectMissing(message: string, cause?: unknown): Promise<never> {
    await stat(this.incomingDir);
    throw new ServiceError('file_missing', message, { cause });
  }

  async #adoptable(path: string): Promise<string> {
    const found = await lstat(path).catch((error: unknown) => {
      if (isMissing(error)) return this.#rejectMissing('the uploaded file is gone', error);
      throw error;
    });
    const real = await realpath(path);
    if (!found.isFile() || !real.startsWith(this.incomingDir + sep)) throw refused(path);
    return real;
  }
}

function refused(path: string): ServiceError {
  return new ServiceError('path_refused', `path leaves the storage folder: ${JSON.stringify(path)}`);
}

/** An error of a source, to be distinguished from an error of the disk. */
class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Yields the chunks of a source and marks its errors. */
async function* marked(source: Source): Source {
  try {
    yield* source;
  } catch (cause) {
    throw new SourceError('the source failed', { cause });
  }
}

/** Rejects with a ServiceError if the operating system refuses. */
async function orUnavailable<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof SourceError ? error.cause : storageError(error, what);
  }
}

/** The message contains no path of the machine; the cause does. */
function storageError(cause: unknown, what: string): unknown {
  const errno = errnoOf(cause);
  if (errno === undefined) return cause;
  const isFull = errno === 'ENOSPC' || errno === 'EDQUOT';
  return new ServiceError(
    isFull ? 'storage_full' : 'storage_unavailable',
    isFull ? `the disk is full: cannot ${what}` : `the storage cannot ${what} now (${errno})`,
    { cause, retryable: true },
  );
}

function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
