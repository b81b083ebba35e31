import { open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file beside a damaged database whose jobs are not all restored yet. */
function repairMarkOf(path: string): string {
  return `${path}.repair`;
}

/** Durable before the repair starts, so that the next start continues a repair that was killed. */
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

/** Returns what was found damaged and when; undefined without a mark. */
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

/** Makes the entries of the folder of this path durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
