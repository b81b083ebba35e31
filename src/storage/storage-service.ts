/** A file on the disk of the storage, to be adopted without a copy. */
export interface AdoptableFile {
  readonly adopt: string;
}

/** A stored file, to be stored under another path as well. */
export interface CopiedFile {
  readonly copyOf: string;
}

/** The content to save: bytes or text as they arrive, or an existing file. */
export type SavedSource = AsyncIterable<Uint8Array | string> | AdoptableFile | CopiedFile;

/**
 * Files by path relative to a base folder that no path can leave (`path_refused`). Every method rejects with
 * `storage_unavailable` if the operating system refuses, and with `storage_full` if the disk is full.
 */
export interface StorageService {
  /**
   * Saves atomically: write elsewhere, fsync, rename, fsync the folder. Creates parent folders. Memory is constant.
   * Rejects with an error of the source unchanged, and with the signal's reason if aborted before the rename; then
   * nothing is left.
   * @param source bytes or text as they arrive; a file in the incoming folder, which is moved; or a stored file, which
   * needs no second space if the file system has links; `file_missing` names it if it does not exist
   * @returns the stored path for the other methods
   */
  saveFile(source: SavedSource, destPath: string, options?: { readonly signal?: AbortSignal }): Promise<string>;
  /** Returns the absolute path of a stored file. Rejects with `file_missing`, which names the path. */
  loadFile(path: string): Promise<string>;
  /** Deletes a file durably. A missing one is not an error. */
  deleteFile(path: string): Promise<void>;
  /** Deletes incomplete files of an earlier process. Call it before any upload. */
  sweepIncoming(): Promise<void>;
  /**
   * Yields the stored paths outside folders, unordered, in constant memory. May omit files that are saved or deleted
   * meanwhile.
   */
  list(): AsyncIterable<string>;
  /** Moves a stored file durably. Rejects with `file_missing`, which names it. @returns the new path */
  moveFile(path: string, destPath: string): Promise<string>;
  /** Returns the names of the folders in a stored folder; empty if it does not exist. */
  foldersIn(path: string): Promise<readonly string[]>;
  /** Deletes a stored folder with its content. A missing one is not an error. */
  deleteFolder(path: string): Promise<void>;
}

/** A storage that a service receives uploads into. */
export interface UploadStorage extends StorageService {
  /** Absolute path of the folder for uploads that are still arriving; the only one from which files are adopted. */
  readonly incomingDir: string;
}
