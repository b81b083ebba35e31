const KEY = 'file-names';
/** Number of kept names. */
const KEPT = 500;

/** The names of files that this browser uploaded. If it may not store them, jobs are shown by id. */
export function rememberFile(jobId: string, fileName: string): void {
  try {
    const entries = [...Object.entries(names()).filter(([id]) => id !== jobId), [jobId, fileName]];
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-KEPT))));
  } catch {
    // The storage is full or disabled; only the names are lost.
  }
}

/** Deletes all names, because the next user may be another person. */
export function forgetFiles(): void {
  localStorage.removeItem(KEY);
}

/** Returns the name of the file if known, else the end of the id, because the beginnings look alike. */
export function nameOfJob(jobId: string): string {
  return names()[jobId] ?? `…${jobId.slice(-8)}`;
}

let read: { readonly text: string | null; readonly names: Readonly<Record<string, string>> } = {
  text: null,
  names: {},
};

function names(): Readonly<Record<string, string>> {
  let text: string | null = null;
  try {
    text = localStorage.getItem(KEY);
    if (text !== read.text) read = { text, names: text === null ? {} : JSON.parse(text) };
  } catch {
    read = { text, names: {} };
  }
  return read.names;
}
