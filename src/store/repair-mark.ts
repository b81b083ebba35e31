import { open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Beside the database: it was found damaged, and its jobs are not all restored yet. */
function repairMarkOf(path: string): string {
  return `${path}.repair`;
}

/** Durable before anything is repaired: a start that is killed in between is continued by the next one. */
export async function markForRepair(path: string, reason: string): Promise<void> {
  const file = await open(repairMarkOf(path), 'w', 0o600);
  try {
    await file.write(`${new Date().toISOString()} ${reason}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(path);
}

/** What was found damaged, and when; undefined where nothing is marked. */
export async function readRepairMark(path: string): Promise<string | undefined> {
  try {
    return (await readFile(repairMarkOf(path), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function removeRepairMark(path: string): Promise<void> {
  await rm(repairMarkOf(path), { force: true });
}

/** Makes the entries of the folder that holds the path survive a loss of power. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
