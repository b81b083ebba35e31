import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isOfSegments, type ResultChoice } from './results-text.ts';

/** Writes a file atomically: beside the target, then renamed. */
export async function saveText(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    const file = await open(draft, 'w');
    try {
      for await (const piece of pieces) await file.write(piece);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Returns the path for a job's results: `{job_id}_results.json` or the like in a folder, else the path itself. */
export async function resultsPath(output: string, jobId: string, choice: ResultChoice): Promise<string> {
  const name = `${jobId}_${isOfSegments(choice) ? 'segments' : 'results'}.${choice.format}`;
  return (await isFolder(output)) ? join(output, name) : output;
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
