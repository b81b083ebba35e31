/** A file that is already on the storage's disk, to be taken over without a second copy. */
export interface AdoptableFile {
  readonly adopt: string;
}

/** A stored file, by its stored path, to be stored under another path as well. */
export interface CopiedFile {
  readonly copyOf: string;
}

/** What is saved: bytes or text as they come, or a file that exists. */
export type SavedSource = AsyncIterable<Uint8Array | string> | AdoptableFile | CopiedFile;

/**
 * Files by path, relative to one base folder that no path can leave (`path_refused`). Every method rejects with
 * `storage_unavailable` when the operating system refuses (and with `storage_full` when the disk is full).
 */
export interface StorageService {
  /**
   * Saves whole or not at all: written beside, fsynced, renamed, and the folder fsynced. Parent folders are made.
   * Constant memory in the size of the source. Rejects with an error of the source as it is, and with the signal's
   * reason when aborted before the rename: then nothing is left.
   * @param source bytes or text as they come; a file inside the incoming folder, which is moved; or a stored file, which
   * takes no room a second time where the file system has links; `file_missing` names it when it is gone
   * @returns the stored path, to be given to the other methods
   */
  saveFile(source: SavedSource, destPath: string, options?: { readonly signal?: AbortSignal }): Promise<string>;
  /** The absolute path of a stored file, for those who must open one; `file_missing` names the path when there is none. */
  loadFile(path: string): Promise<string>;
  /** Deletes a file durably; a missing one is no error. */
  deleteFile(path: string): Promise<void>;
  /** Deletes what an earlier process was receiving or writing when it ended. Call it before anything is received. */
  sweepIncoming(): Promise<void>;
  /** The stored paths that lie in no folder, in no order, in constant memory. One saved or deleted meanwhile may be missed. */
  list(): AsyncIterable<string>;
  /** Gives a stored file another path, durably; `file_missing` names it when there is none. @returns the new path */
  moveFile(path: string, destPath: string): Promise<string>;
  /** The names of the folders in a stored folder; none when there is no such folder. */
  foldersIn(path: string): Promise<readonly string[]>;
  /** Deletes a stored folder and all that is in it; a missing one is no error. */
  deleteFolder(path: string): Promise<void>;
}
