import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { QueueService } from '../queue/queue-service.ts';
import { sweepFiles, type FileSweepOptions } from './file-sweep.ts';
import type { JobEngine } from './job-engine.ts';
import { retain, type RetentionSettings } from './retention.ts';
import { readSidecar } from './sidecar.ts';

/** Jobs that may have ended just before a crash, with outdated sidecars. */
const LAST_ENDED = 1_000;
/** Milliseconds between deletions of old keys: an hour, or a tenth of their lifetime if that is shorter. */
const longestPauseMs = 3_600_000;

export interface HousekeepingOptions extends FileSweepOptions, RetentionSettings {
  readonly engine: JobEngine;
  readonly queue: QueueService;
}

/** Background work of the service, until the signal aborts. Resolves at its end; never rejects. */
export async function keepHouse(options: HousekeepingOptions): Promise<void> {
  const { log, signal, queue } = options;
  const tasks = [
    () => healSidecars(options),
    async () => {
      for (const { jobId } of await sweepFiles(options)) queue.enqueue(jobId);
    },
  ];
  for (const task of tasks) {
    if (signal.aborted) return;
    await task().catch((error: unknown) => {
      if (!signal.aborted) log.error({ reason: messageOf(error) }, 'background work failed; retried at the next start');
    });
  }
  await retain(options);
}

/** Deletes old idempotency keys every tenth of their lifetime until the signal aborts. Never rejects. */
export async function forgetSubmissions({
  store,
  log,
  signal,
  ttlMs,
}: Pick<FileSweepOptions, 'store' | 'log' | 'signal'> & { readonly ttlMs: number }): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, Math.ceil(ttlMs / 10));
  while (!signal.aborted) {
    await store.forgetSubmissions(new Date(Date.now() - ttlMs).toISOString()).catch((error: unknown) => {
      log.error({ reason: messageOf(error) }, 'expired idempotency keys not deleted; retried later');
    });
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Rewrites sidecars that a crash left outdated. */
export async function healSidecars({ store, storage, recovery, log, signal }: FileSweepOptions): Promise<void> {
  for (const job of await store.lastEnded(LAST_ENDED)) {
    signal.throwIfAborted();
    const sidecar = await readSidecar(storage, job.jobId);
    if (typeof sidecar === 'object' && sidecar.outcome?.status === job.status && sidecar.expired_at === job.expiredAt) {
      continue;
    }
    await recovery.rewriteSidecar(job);
    log.info({ job_id: job.jobId }, 'sidecar brought up to its row');
  }
}
