const KEY = 'file-names';
/** Names kept: those of the last uploads. */
const KEPT = 500;

/**
 * The service keeps no names of files, so the browser remembers those that it uploaded itself. Where it may not keep
 * anything, jobs go by their ids.
 */
export function rememberFile(jobId: string, fileName: string): void {
  try {
    const entries = [...Object.entries(names()).filter(([id]) => id !== jobId), [jobId, fileName]];
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-KEPT))));
  } catch {
    // Full, or forbidden by the user: only the names are lost.
  }
}

/** Forgets them all: the next who signs in is somebody else. */
export function forgetFiles(): void {
  localStorage.removeItem(KEY);
}

/** The file's name where it is known; else the end of the id: its beginning is the time of acceptance and looks alike. */
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
