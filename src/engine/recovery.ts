import type { QueueService } from '../queue/queue-service.ts';
import type { JobStore } from '../store/job-store.ts';
import { sweepFiles, type FileSweepOptions } from './file-sweep.ts';
import type { JobEngine } from './job-engine.ts';

/** Ids read at once: decoding so many takes some 10 ms of the event loop. */
const IDS_AT_ONCE = 10_000;
/** Running rows read at once; there are no more of them than there were workers. */
const ROWS_AT_ONCE = 100;

export interface RecoveryOptions extends FileSweepOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  /** True when the database lost what it had: the sidecars are then read before anything else. */
  readonly damaged: boolean;
}

/**
 * Removes what was left half-received and makes the queue agree with the database. Called once, by the owner of the data
 * folder, before anything is accepted or claimed.
 * One process owns the database, so whatever is `running` now was interrupted. What this costs does not grow with the
 * number of jobs that have ended, unless the database is damaged.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { store, storage, queue, recovery, log, damaged } = options;
  await storage.sweepIncoming();
  if (damaged) {
    log.error('the database is damaged: its jobs are reconciled with their sidecars');
    await sweepFiles(options);
  }
  const waiting = await queuePending(store, queue);
  recovery.countWaiting(waiting);
  const interrupted = await interruptRunning(options);
  log.info({ waiting, interrupted }, 'jobs recovered');
}

async function queuePending(store: JobStore, queue: QueueService): Promise<number> {
  let waiting = 0;
  for (let after = 0; ;) {
    const page = await store.pendingIds(after, IDS_AT_ONCE);
    for (const { jobId } of page) queue.enqueue(jobId);
    waiting += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < IDS_AT_ONCE) return waiting;
    after = last.acceptedSeq;
  }
}

/** Each goes to the head of the queue, so none that was interrupted waits for a later one. */
async function interruptRunning({ store, engine, recovery }: RecoveryOptions): Promise<number> {
  let interrupted = 0;
  const message = 'the service stopped while the job was running';
  for (let after = 0; ;) {
    const page = await store.page('running', after, ROWS_AT_ONCE);
    for (const { jobId, attempt } of page) {
      await recovery.reconcile(jobId);
      if ((await store.get(jobId))?.status !== 'running') continue;
      await engine.dispatch(jobId, { type: 'INTERRUPT', attempt, code: 'interrupted', message });
      interrupted += 1;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ROWS_AT_ONCE) return interrupted;
    after = last.acceptedSeq;
  }
}
