import { createHash, randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileSaver } from '../analysis/store-analysis.ts';
import { syncPath, writeWhole, type Source } from '../storage/durable-file.ts';

export interface SaveOptions {
  readonly signal?: AbortSignal | undefined;
  /** Part of the draft's name. A fixed one lets a later save replace the draft of a killed process. */
  readonly draftTag?: string | undefined;
}

/** Permissions before the umask. */
const MODE = 0o666;
/** Bytes that leave room for the rest of a draft's name. */
const MAX_NAME_BYTES = 200;

/** Writes a file durably and atomically: a draft beside the target, fsync, rename, fsync of the folder. */
export async function saveFile(path: string, source: Source, { signal, draftTag }: SaveOptions = {}): Promise<void> {
  const draft = join(dirname(path), `.${shortName(basename(path))}.${draftTag ?? randomUUID()}.part`);
  try {
    if (draftTag !== undefined) await rm(draft, { force: true });
    await writeWhole(draft, source, signal, MODE);
    signal?.throwIfAborted();
    await rename(draft, path);
    await syncPath(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** A file name has at most 255 bytes, and the name of a draft is longer than that of its file. */
function shortName(name: string): string {
  return Buffer.byteLength(name) > MAX_NAME_BYTES ? createHash('sha256').update(name).digest('hex') : name;
}

export interface FileFacts {
  /** Hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Saves files by path and keeps the hash and size of each. */
export class SummingSaver implements FileSaver {
  readonly #draftTag: string | undefined;
  readonly #saved = new Map<string, FileFacts>();

  constructor(draftTag: string | undefined) {
    this.#draftTag = draftTag;
  }

  async saveFile(source: Source, path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    const hash = createHash('sha256');
    let bytes = 0;
    async function* summed(): Source {
      for await (const chunk of source) {
        const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        hash.update(part);
        bytes += part.length;
        yield part;
      }
    }
    await saveFile(path, summed(), { signal, draftTag: this.#draftTag });
    this.#saved.set(path, { sha256: hash.digest('hex'), bytes });
    return path;
  }

  /** Of a saved file. */
  factsOf(path: string): FileFacts {
    const facts = this.#saved.get(path);
    if (facts === undefined) throw new Error(`${path} was not saved`);
    return facts;
  }
}
