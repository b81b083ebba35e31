import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobStore } from '../store/job-store.ts';
import { classify } from './classify-error.ts';
import { quarantineTimeOf, QUARANTINE } from './file-sweep.ts';
import type { FilesDeletedListener, JobEngine } from './job-engine.ts';
import { inputPathOf, resultsPathOf, segmentsPathOf, sidecarPathOf } from './sidecar.ts';

/** Jobs looked up in one statement. */
const JOBS_AT_ONCE = 500;
/** The longest pause between two looks, in milliseconds: an hour. It is a tenth of the retention where that is shorter. */
const LONGEST_PAUSE_MS = 3_600_000;

export interface RetentionOptions {
  readonly store: JobStore;
  readonly storage: StorageService;
  readonly engine: Pick<JobEngine, 'deleteFiles'>;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called when jobs are forgotten. Must not throw. */
  readonly onFilesDeleted?: FilesDeletedListener;
}

/** Milliseconds for which things are kept; undefined: for ever. */
export interface RetentionSettings {
  /** The video and the results of a job that has ended. */
  readonly retentionMs: number | undefined;
  /** All that is known of a job that has ended. */
  readonly jobRetentionMs?: number | undefined;
  /** Files that were set aside. */
  readonly quarantineRetentionMs?: number | undefined;
}

/** Deletes what has been kept long enough, again and again until the signal. Resolves when it has ended; never rejects. */
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
        if (!signal.aborted) log.error({ reason: messageOf(error) }, 'expired files not deleted; tried again later');
      }
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Deletes the video and the results of every job that ended before this time, and keeps its row; resolves with the
 * number of jobs. A job whose files cannot be deleted is logged and tried again at the next call.
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
 * Deletes all that is known of every job that ended before this time: its files, its sidecar, its row, its transitions
 * and the key that it was submitted with. The row goes last, so that what a crash interrupts is found again; without a
 * sidecar nothing brings the job back.
 */
export async function forgetJobs(
  options: Omit<RetentionOptions, 'engine'> & { readonly endedBefore: Date },
): Promise<number> {
  const { store, storage, log, endedBefore, onFilesDeleted } = options;
  const forgotten = await forEachJob(options, {
    find: (limit) => store.forgettable(endedBefore.toISOString(), limit),
    act: async (jobId) => {
      for (const path of [segmentsPathOf(jobId), resultsPathOf(jobId), inputPathOf(jobId), sidecarPathOf(jobId)]) {
        await storage.deleteFile(path);
      }
    },
    finish: async (jobIds) => {
      await store.forget(jobIds);
      onFilesDeleted?.(jobIds);
    },
  });
  if (forgotten > 0) log.info({ jobs: forgotten, ended_before: endedBefore }, 'expired jobs forgotten');
  return forgotten;
}

/** Deletes the files that were set aside before this time. */
export async function emptyQuarantine(
  options: Pick<RetentionOptions, 'storage' | 'log' | 'signal'> & { readonly endedBefore: Date },
): Promise<void> {
  const { storage, log, signal, endedBefore } = options;
  for (const name of await storage.foldersIn(QUARANTINE)) {
    signal.throwIfAborted();
    const setAside = quarantineTimeOf(name);
    if (setAside === undefined || setAside >= endedBefore) continue;
    await storage.deleteFolder(`${QUARANTINE}/${name}`);
    log.info({ path: `${QUARANTINE}/${name}` }, 'files that were set aside deleted');
  }
}

interface Sweep {
  /** The jobs that are left, at most so many. */
  readonly find: (limit: number) => Promise<readonly JobId[]>;
  readonly act: (jobId: JobId) => Promise<void>;
  /** Ends the work for those that were dealt with, in one statement. */
  readonly finish?: (jobIds: readonly JobId[]) => Promise<void>;
}

/** Resolves with the number of jobs that were dealt with. One that is refused by itself is logged and passed over. */
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
        log.error({ job_id: jobId, err: error }, 'expired files not deleted; tried again later');
      }
    }
    await finish?.(done);
    total += done.length;
    if (left.length < JOBS_AT_ONCE) return total;
  }
}
