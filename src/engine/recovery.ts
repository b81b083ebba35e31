import type { JobStatus } from '../job.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { JobPlace, JobStore } from '../store/job-store.ts';
import { classify } from './classify-error.ts';
import { sweepFiles, type FileSweepOptions } from './file-sweep.ts';
import type { JobEngine } from './job-engine.ts';

/** Ids read at once; decoding them takes some 10 ms of the event loop. */
const IDS_AT_ONCE = 10_000;

export interface RecoveryOptions extends FileSweepOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  /** True if the database was damaged. The sidecars are then read first. */
  readonly damaged: boolean;
}

/**
 * Deletes incomplete files and fills the queue. Called once by the owner of the data folder, before anything is
 * accepted or claimed. One process owns the database, so a `running` job was interrupted. The cost does not grow with
 * the number of ended jobs, unless the database is damaged.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { storage, recovery, log, damaged } = options;
  await storage.sweepIncoming();
  if (damaged) {
    log.error('the database is damaged: its jobs are reconciled with their sidecars');
    await sweepFiles(options);
  }
  const waiting = await queuePending(options);
  recovery.countWaiting(waiting);
  const interrupted = await interruptRunning(options);
  log.info({ waiting, interrupted }, 'jobs recovered');
}

async function queuePending({ store, queue, recovery }: RecoveryOptions): Promise<number> {
  let waiting = 0;
  const nowMs = Date.now();
  for await (const { jobId, attempt } of jobsIn('pending', store)) {
    const delayMs = attempt === 0 ? 0 : await recovery.delayLeft(jobId, nowMs);
    if (delayMs === 0) queue.enqueue(jobId);
    else queue.requeue(jobId, delayMs);
    waiting += 1;
  }
  return waiting;
}

/** Each goes to the head of the queue, so that no interrupted job waits for a later one. */
async function interruptRunning({ store, engine, recovery }: RecoveryOptions): Promise<number> {
  let interrupted = 0;
  const message = 'the service stopped while the job was running';
  for await (const { jobId } of jobsIn('running', store)) {
    try {
      await recovery.reconcile(jobId);
      const job = await store.get(jobId);
      if (job?.status !== 'running') continue;
      await engine.dispatch(jobId, { type: 'INTERRUPT', attempt: job.attempt, code: 'interrupted', message });
      interrupted += 1;
    } catch (error) {
      if (classify(error).kind === 'environment') throw error;
      await recovery.setAside(jobId, error);
    }
  }
  return interrupted;
}

/** In order of acceptance. */
async function* jobsIn(status: JobStatus, store: JobStore): AsyncGenerator<JobPlace> {
  for (let after = 0; ;) {
    const page = await store.placesIn(status, after, IDS_AT_ONCE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < IDS_AT_ONCE) return;
    after = last.acceptedSeq;
  }
}
