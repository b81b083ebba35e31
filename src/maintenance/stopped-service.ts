import { DataFolder, type DataFolderOptions } from '../data-folder.ts';
import { createEngine } from '../engine/job-engine.ts';
import type { JobRecovery } from '../engine/job-recovery.ts';
import { ServiceError } from '../errors.ts';
import { InMemoryQueueService } from '../queue/memory.ts';

/** A data folder opened for maintenance. Its jobs can change state, but none is analysed. */
export interface StoppedService extends AsyncDisposable {
  readonly folder: DataFolder;
  readonly recovery: JobRecovery;
}

/**
 * Locks the folder. Rejects with `store_unavailable` while a service has it.
 * @param maxAttempts lost attempts after which a restored job fails
 */
export async function openStoppedService(options: DataFolderOptions, maxAttempts: number): Promise<StoppedService> {
  const folder = await DataFolder.open(options);
  const { store, storage } = folder;
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
    log: options.log,
  });
  return { folder, recovery, [Symbol.asyncDispose]: () => folder.close() };
}
