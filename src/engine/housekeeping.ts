import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { JobId } from '../job.ts';
import type { QueueService } from '../queue/queue-service.ts';
import { sweepFiles, type FileSweepOptions } from './file-sweep.ts';
import type { JobEngine } from './job-engine.ts';
import { readSidecar } from './sidecar.ts';

/** Jobs that may have ended in the moment before a crash, their sidecars not yet rewritten. */
const LAST_ENDED = 1_000;
/** Expired jobs looked up in one statement. */
const EXPIRED_AT_ONCE = 500;
/** Milliseconds between two looks for expired files: an hour, or a tenth of the retention where that is shorter. */
const longestPauseMs = 3_600_000;

export interface HousekeepingOptions extends FileSweepOptions {
  readonly engine: JobEngine;
  readonly queue: QueueService;
  /** Milliseconds after which the files of a job that has ended are deleted; undefined: never. */
  readonly retentionMs: number | undefined;
}

/** What is done beside the service's work: begun when it is ready, ended by the signal. Resolves when it has ended; never rejects. */
export async function keepHouse(options: HousekeepingOptions): Promise<void> {
  const { log, signal, retentionMs, queue } = options;
  const tasks = [
    () => healSidecars(options),
    async () => {
      for (const { jobId } of await sweepFiles(options)) queue.enqueue(jobId);
    },
  ];
  for (const task of tasks) {
    if (signal.aborted) return;
    await task().catch((error: unknown) => {
      if (!signal.aborted)
        log.error({ reason: messageOf(error) }, 'housekeeping failed; tried again at the next start');
    });
  }
  if (retentionMs === undefined) return;
  const pauseMs = Math.min(longestPauseMs, Math.ceil(retentionMs / 10));
  while (!signal.aborted) {
    try {
      await expireFiles({ ...options, endedBefore: new Date(Date.now() - retentionMs) });
    } catch (error) {
      if (!signal.aborted) log.error({ reason: messageOf(error) }, 'expired files not deleted; tried again later');
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Forgets old keys of submissions at every tenth of the time for which they are kept; ended by the signal, never rejects. */
export async function forgetSubmissions({
  store,
  log,
  signal,
  ttlMs,
}: Pick<FileSweepOptions, 'store' | 'log' | 'signal'> & { readonly ttlMs: number }): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, Math.ceil(ttlMs / 10));
  while (!signal.aborted) {
    await store.forgetSubmissions(new Date(Date.now() - ttlMs).toISOString()).catch((error: unknown) => {
      log.error({ reason: messageOf(error) }, 'old keys not forgotten; tried again later');
    });
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Rewrites the sidecars that a crash left behind their rows. */
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

/**
 * Deletes the files of every job that ended before this time; resolves with the number of jobs. A job whose files
 * cannot be deleted is logged and tried again at the next call.
 */
export async function expireFiles(
  options: Pick<HousekeepingOptions, 'store' | 'engine' | 'signal' | 'log'> & { readonly endedBefore: Date },
): Promise<number> {
  const { store, engine, signal, log, endedBefore } = options;
  const refused = new Set<JobId>();
  for (let expired = 0; ;) {
    const jobIds = await store.endedBefore(endedBefore.toISOString(), EXPIRED_AT_ONCE + refused.size);
    const left = jobIds.filter((jobId) => !refused.has(jobId));
    for (const jobId of left) {
      signal.throwIfAborted();
      try {
        await engine.deleteFiles(jobId);
        expired += 1;
      } catch (error) {
        refused.add(jobId);
        log.error({ job_id: jobId, err: error }, 'expired files not deleted; tried again later');
      }
    }
    if (left.length < EXPIRED_AT_ONCE) {
      if (expired > 0) log.info({ jobs: expired, ended_before: endedBefore }, 'files of expired jobs deleted');
      return expired;
    }
  }
}
