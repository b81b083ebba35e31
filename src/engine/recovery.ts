import type { Job, JobStatus } from '../job.ts';
import type { Log } from '../log.ts';
import type { QueueService } from '../queue/queue-service.ts';
import type { JobStore } from '../store/job-store.ts';
import type { JobEngine } from './job-engine.ts';

/** Rows read at once: decoding so many takes a few milliseconds of the event loop. */
const PAGE = 1_000;

export interface RecoveryOptions {
  readonly store: JobStore;
  readonly queue: QueueService;
  readonly engine: JobEngine;
  readonly log: Log;
}

/**
 * Makes the queue agree with the database; called once, before anything is accepted or claimed.
 * One process owns the database, so whatever is `running` now was interrupted.
 */
export async function recover({ store, queue, engine, log }: RecoveryOptions): Promise<void> {
  let waiting = 0;
  for await (const { jobId } of all(store, 'pending')) {
    queue.enqueue(jobId);
    waiting += 1;
  }
  let interrupted = 0;
  for await (const { jobId, attempt } of all(store, 'running')) {
    const message = 'the service stopped while the job was running';
    await engine.dispatch(jobId, { type: 'INTERRUPT', attempt, code: 'interrupted', message });
    interrupted += 1;
  }
  log.info({ waiting, interrupted }, 'jobs recovered');
}

async function* all(store: JobStore, status: JobStatus): AsyncGenerator<Job> {
  for (let after = 0; ;) {
    const page = await store.page(status, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.acceptedSeq;
  }
}
