import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobStore } from '../store/job-store.ts';
import { classify } from './classify-error.ts';
import { quarantineTimeOf, QUARANTINE } from './file-sweep.ts';
import type { FilesDeletedListener, JobEngine } from './job-engine.ts';
import { filesOf } from './sidecar.ts';

/** Jobs looked up in one statement. */
const JOBS_AT_ONCE = 500;
/** Longest pause between deletions in milliseconds: an hour, or a tenth of the retention if that is shorter. */
const LONGEST_PAUSE_MS = 3_600_000;

export interface RetentionOptions {
  readonly store: JobStore;
  readonly storage: StorageService;
  readonly engine: Pick<JobEngine, 'deleteFiles'>;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called when jobs are deleted. Must not throw. */
  readonly onFilesDeleted?: FilesDeletedListener;
}

/** Retention in milliseconds; undefined means for ever. */
export interface RetentionSettings {
  /** Video and results of an ended job. */
  readonly retentionMs: number | undefined;
  /** Everything about an ended job. */
  readonly jobRetentionMs?: number | undefined;
  /** Quarantined files. */
  readonly quarantineRetentionMs?: number | undefined;
}

/** Deletes what exceeds its retention until the signal aborts. Resolves at its end; never rejects. */
export async function retain(options: RetentionOptions & RetentionSettings): Promise<void> {
  const { log, signal, retentionMs, jobRetentionMs, quarantineRetentionMs } = options;
  const duties = [
    { keptMs: retentionMs, run: expireFiles },
    { keptMs: jobRetentionMs, run: forgetJobs },
    { keptMs: quarantineRetentionMs, run: emptyQuarantine },
  ].flatMap(({ keptMs, run }) => (keptMs === undefined ? [] : [{ keptMs, run }]));
  if (duties.length === 0) return;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, ...duties.map(({ keptMs }) => Math.ceil(keptMs / 10)));
  while (!signal.aborted) {
    for (const { keptMs, run } of duties) {
      try {
        await run({ ...options, endedBefore: new Date(Date.now() - keptMs) });
      } catch (error) {
        if (!signal.aborted) log.error({ reason: messageOf(error) }, 'expired files not deleted; retried later');
      }
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Deletes the video and results of every job that ended before this time and keeps its row. Resolves with the number of
 * jobs. A job whose files cannot be deleted is logged and retried at the next call.
 */
export async function expireFiles(
  options: Omit<RetentionOptions, 'storage'> & { readonly endedBefore: Date },
): Promise<number> {
  const { store, engine, log, endedBefore } = options;
  const expired = await forEachJob(options, {
    find: (limit) => store.endedBefore(endedBefore.toISOString(), limit),
    act: async (jobId) => void (await engine.deleteFiles(jobId)),
  });
  if (expired > 0) log.info({ jobs: expired, ended_before: endedBefore }, 'files of expired jobs deleted');
  return expired;
}

/**
 * Deletes everything about every job that ended before this time: files, sidecar, row, transitions and idempotency key.
 * The row goes last, so that an interrupted deletion is found again; without a sidecar nothing restores the job.
 */
export async function forgetJobs(
  options: Omit<RetentionOptions, 'engine'> & { readonly endedBefore: Date },
): Promise<number> {
  const { store, storage, log, endedBefore, onFilesDeleted } = options;
  const forgotten = await forEachJob(options, {
    find: (limit) => store.forgettable(endedBefore.toISOString(), limit),
    act: async (jobId) => {
      for (const path of filesOf(jobId)) {
        await storage.deleteFile(path);
      }
    },
    finish: async (jobIds) => {
      await store.forget(jobIds);
      onFilesDeleted?.(jobIds);
    },
  });
  if (forgotten > 0) log.info({ jobs: forgotten, ended_before: endedBefore }, 'expired jobs deleted');
  return forgotten;
}

/** Deletes files that were quarantined before this time. */
export async function emptyQuarantine(
  options: Pick<RetentionOptions, 'storage' | 'log' | 'signal'> & { readonly endedBefore: Date },
): Promise<void> {
  const { storage, log, signal, endedBefore } = options;
  for (const name of await storage.foldersIn(QUARANTINE)) {
    signal.throwIfAborted();
    const setAside = quarantineTimeOf(name);
    if (setAside === undefined || setAside >= endedBefore) continue;
    await storage.deleteFolder(`${QUARANTINE}/${name}`);
    log.info({ path: `${QUARANTINE}/${name}` }, 'quarantined files deleted');
  }
}

interface Sweep {
  /** Returns at most this many remaining jobs. */
  readonly find: (limit: number) => Promise<readonly JobId[]>;
  readonly act: (jobId: JobId) => Promise<void>;
  /** Completes the work for the handled jobs in one statement. */
  readonly finish?: (jobIds: readonly JobId[]) => Promise<void>;
}

/** Resolves with the number of handled jobs. A job that fails alone is logged and skipped. */
async function forEachJob(
  { log, signal }: Pick<RetentionOptions, 'log' | 'signal'>,
  { find, act, finish }: Sweep,
): Promise<number> {
  const refused = new Set<JobId>();
  for (let total = 0; ;) {
    const left = (await find(JOBS_AT_ONCE + refused.size)).filter((jobId) => !refused.has(jobId));
    const done: JobId[] = [];
    for (const jobId of left) {
      signal.throwIfAborted();
      try {
        await act(jobId);
        done.push(jobId);
      } catch (error) {
        if (classify(error).code === 'store_unavailable') throw error;
        refused.add(jobId);
        log.error({ job_id: jobId, err: error }, 'expired files not deleted; retried later');
      }
    }
    await finish?.(done);
    total += done.length;
    if (left.length < JOBS_AT_ONCE) return total;
  }
}
