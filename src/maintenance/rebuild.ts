import { DataFolder } from '../data-folder.ts';
import { sweepFiles } from '../engine/file-sweep.ts';
import { healSidecars } from '../engine/housekeeping.ts';
import { createEngine } from '../engine/job-engine.ts';
import { ServiceError } from '../errors.ts';
import type { Log } from '../log.ts';
import { InMemoryQueueService } from '../queue/memory.ts';

/**
 * Brings the database of a stopped service back to what the sidecars beside the videos tell, as a start after damage
 * does; resolves with the number of jobs in each state.
 * @param folder the service's data folder
 * @param maxAttempts attempts that a job brought back may lose
 */
export async function rebuild(folder: string, maxAttempts: number, log: Log) {
  await using opened = await DataFolder.open({ path: folder, log, thorough: true });
  const { store, storage } = opened;
  const { recovery } = createEngine({
    store,
    storage,
    queue: new InMemoryQueueService(),
    pipelines: {
      list: () => [],
      runOnFile: () => {
        throw new ServiceError('internal', 'no job is run here');
      },
    },
    maxAttempts,
    maxPending: 1,
    log,
  });
  await storage.sweepIncoming();
  const options = { store, storage, recovery, log, signal: new AbortController().signal };
  await sweepFiles(options);
  await healSidecars(options);
  await store.confirmRepair();
  return await store.countByStatus();
}
