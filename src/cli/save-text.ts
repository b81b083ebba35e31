import { open, rename, rm, stat } from 'node:fs/promises';

/** Writes a file atomically: beside the target, then renamed. */
export async function saveText(
  path: string,
  pieces: AsyncIterable<string> | Iterable<string | Uint8Array>,
): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    const file = await open(draft, 'w');
    try {
      for await (const piece of pieces) await file.appendFile(piece);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
