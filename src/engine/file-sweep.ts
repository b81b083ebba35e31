import { ServiceError } from '../errors.ts';
import type { Job, JobId } from '../job.ts';
import type { Log } from '../log.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobRetentionState, JobStore } from '../store/job-store.ts';
import { classify } from './classify-error.ts';
import { isFinal } from './job-change.ts';
import type { JobRecovery } from './job-recovery.ts';
import { filesOf, ownerOf, readSidecar, resultsPathsOf, sidecarPathOf, type Sidecar } from './sidecar.ts';
import type { StepListener } from './step.ts';

/** Jobs looked up in one statement: about 10 ms at a million rows. */
const FILES_AT_ONCE = 5_000;
/** Sidecars read at once. */
const SIDECARS_AT_ONCE = 64;

/** The quarantine, with one folder per time. */
export const QUARANTINE = 'quarantine';

/** Returns when the files in a quarantine folder were set aside; undefined for a name that the sweep did not create. */
export function quarantineTimeOf(name: string): Date | undefined {
  const time = new Date(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

export interface FileSweepOptions {
  readonly store: JobStore;
  readonly storage: StorageService;
  readonly recovery: JobRecovery;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly onStep?: StepListener;
}

interface OwnedFile {
  readonly path: string;
  readonly owner: JobId;
}

/**
 * Makes the stored files and the database agree. Resolves with the restored pending jobs in order of acceptance, which
 * the caller queues. A job missing in the database is restored from its sidecar; an unfinished job whose sidecar has an
 * outcome ends with it. Files of unknown jobs are moved to quarantine, never deleted. Only files that a known job no
 * longer owns are deleted: all of an expired job, and the results of a failed one. May run while jobs are accepted and
 * analysed. Memory: the ids of the jobs missing in the database.
 */
export async function sweepFiles(options: FileSweepOptions): Promise<readonly Job[]> {
  const { store, storage, recovery, log, signal } = options;
  const unknown = new Set<JobId>();
  for await (const files of batches(ownedFiles(storage, log), FILES_AT_ONCE)) {
    signal.throwIfAborted();
    // Read before the lookup: a job that is not being accepted has its row by now, or never will.
    const settled = files.filter(({ owner }) => !recovery.isAdmitting(owner));
    const standings = await store.retentionStatesOf([...new Set(settled.map(({ owner }) => owner))]);
    for (const file of settled) {
      const standing = standings.get(file.owner);
      if (standing === undefined) unknown.add(file.owner);
      else await forJob(file.owner, log, () => tidy(file, standing, options));
    }
  }
  return bringBack([...unknown].toSorted(), options);
}

/** Ids are UUIDv7, so their order is the order of acceptance. */
async function bringBack(jobIds: readonly JobId[], options: FileSweepOptions): Promise<readonly Job[]> {
  const { storage, recovery, log, signal, onStep } = options;
  const folder = `${QUARANTINE}/${new Date().toISOString().replaceAll(':', '-')}`;
  const waiting: Job[] = [];
  for (let start = 0; start < jobIds.length; start += SIDECARS_AT_ONCE) {
    signal.throwIfAborted();
    const found = await Promise.all(
      jobIds.slice(start, start + SIDECARS_AT_ONCE).map(async (jobId) => ({
        jobId,
        sidecar: await usableSidecar(storage, jobId),
      })),
    );
    const restored = await Promise.all(
      found.flatMap(({ jobId, sidecar }) =>
        typeof sidecar === 'object' ? [forJob(jobId, log, () => recovery.restore(sidecar))] : [],
      ),
    );
    for (const job of restored.filter((made) => made !== undefined)) {
      log.warn({ job_id: job.jobId, status: job.status }, 'job restored from its sidecar');
      if (job.status === 'pending') waiting.push(job);
    }
    for (const { jobId, sidecar } of found) {
      if (sidecar === 'unreadable') {
        log.error({ job_id: jobId }, 'sidecar of a lost job cannot be read; its files are left until it can');
      }
      if (sidecar !== undefined) continue;
      for (const path of filesOf(jobId)) {
        if (!(await isStored(storage, path))) continue;
        const movedTo = await storage.moveFile(path, `${folder}/${path}`);
        log.warn({ job_id: jobId, path, moved_to: movedTo }, 'file of an unknown job moved to quarantine');
        onStep?.('reconcile: file set aside');
      }
    }
  }
  return waiting;
}

/** An unfinished job without a video was never accepted. */
async function usableSidecar(storage: StorageService, jobId: JobId): Promise<Sidecar | 'unreadable' | undefined> {
  const sidecar = await readSidecar(storage, jobId);
  if (typeof sidecar !== 'object' || sidecar.outcome !== null) return sidecar;
  return (await isStored(storage, sidecar.input_path)) ? sidecar : undefined;
}

/** Handles one job. An error that concerns only this job is logged, and the others continue. */
async function forJob<T>(jobId: JobId, log: Log, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (classify(error).kind === 'environment') throw error;
    log.error({ job_id: jobId, err: error }, 'the files of a job could not be compared with its row');
    return undefined;
  }
}

async function tidy({ path, owner }: OwnedFile, { status, expiredAt }: JobRetentionState, options: FileSweepOptions) {
  const { recovery, storage } = options;
  if (path === sidecarPathOf(owner)) {
    if (!isFinal(status)) await recovery.reconcile(owner);
    return;
  }
  const isOrphan = status === 'failed' && resultsPathsOf(owner).includes(path);
  if (expiredAt !== null || isOrphan) await storage.deleteFile(path);
}

async function isStored(storage: StorageService, path: string): Promise<boolean> {
  try {
    await storage.loadFile(path);
    return true;
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'file_missing') return false;
    throw error;
  }
}

async function* ownedFiles(storage: StorageService, log: Log): AsyncGenerator<OwnedFile> {
  for await (const path of storage.list()) {
    const owner = ownerOf(path);
    if (owner === undefined) log.warn({ path }, 'file with a foreign name ignored');
    else yield { path, owner };
  }
}

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
