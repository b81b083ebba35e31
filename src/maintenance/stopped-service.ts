import { DataFolder, type DataFolderOptions } from '../data-folder.ts';
import { createEngine } from '../engine/job-engine.ts';
import type { JobRecovery } from '../engine/job-recovery.ts';
import { ServiceError } from '../errors.ts';
import { InMemoryQueueService } from '../queue/memory.ts';

/** A data folder that is opened for maintenance: its jobs can be moved on, and none is analysed. */
export interface StoppedService extends AsyncDisposable {
  readonly folder: DataFolder;
  readonly recovery: JobRecovery;
}

/**
 * Becomes the owner of the folder. Rejects with `store_unavailable` while a service has it.
 * @param maxAttempts attempts that a job brought back may lose
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
