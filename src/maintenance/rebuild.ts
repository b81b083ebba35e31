import { sweepFiles } from '../engine/file-sweep.ts';
import { healSidecars } from '../engine/housekeeping.ts';
import type { Log } from '../log.ts';
import { deleteIndex } from '../search/index-file.ts';
import { openStoppedService } from './stopped-service.ts';

/**
 * Restores the database of a stopped service from the sidecars, as a start after damage does. Resolves with the number
 * of jobs in each state. The next start makes the search index anew.
 * @param path the data folder of the service
 * @param maxAttempts lost attempts after which a restored job fails
 */
export async function rebuild(path: string, maxAttempts: number, log: Log) {
  await using opened = await openStoppedService({ path, log, thorough: true }, maxAttempts);
  const { recovery, folder } = opened;
  const { store, storage } = folder;
  await storage.sweepIncoming();
  const options = { store, storage, recovery, log, signal: new AbortController().signal };
  await sweepFiles(options);
  await healSidecars(options);
  await store.confirmRepair();
  await deleteIndex(folder.searchIndexPath);
  return await store.countByStatus();
}
