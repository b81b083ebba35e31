import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readThumbnail } from '../../src/analysis/thumbnails-document.ts';
import { isFinal } from '../../src/engine/job-change.ts';
import {
  inputPathOf,
  ownerOf,
  readSidecar,
  resultsPathOf,
  segmentsPathOf,
  thumbnailsPathOf,
  sidecarOf,
  sidecarPathOf,
  type Sidecar,
} from '../../src/engine/sidecar.ts';
import type { Job, JobId } from '../../src/job.ts';
import { JOB_STATES } from '../../machines/job.ts';
import type { StorageService } from '../../src/storage/storage-service.ts';
import type { JobStore } from '../../src/store/job-store.ts';

/** What a client knew before the service died. */
export interface Ledger {
  readonly accepted: ReadonlySet<string>;
  /** Observed final status by job. */
  readonly ended: ReadonlyMap<string, string>;
}

export interface Kept {
  readonly store: JobStore;
  readonly storage: StorageService;
  /** The base folder of the storage. */
  readonly baseDir: string;
}

/**
 * Returns every broken promise in words; empty if all hold. Call it when nothing waits or runs and background work is
 * done.
 */
export async function brokenPromises({ store, storage, baseDir }: Kept, ledger: Ledger): Promise<readonly string[]> {
  const broken: string[] = [];
  const check = (holds: boolean, what: string): void => void (holds || broken.push(what));
  const jobs = await allJobs(store);
  const known = new Map<string, Job>(jobs.map((job) => [job.jobId, job]));
  check(known.size === jobs.length, 'two rows of one job');
  for (const jobId of ledger.accepted) check(known.has(jobId), `${jobId} was accepted and is lost`);
  for (const [jobId, status] of ledger.ended) {
    check(known.get(jobId)?.status === status, `${jobId} was ${status} and is ${known.get(jobId)?.status}`);
  }
  const stored = new Set(
    (await readdir(baseDir, { withFileTypes: true })).filter((e) => e.isFile()).map((e) => e.name),
  );
  for (const job of jobs) {
    const { jobId } = job;
    check(isFinal(job.status), `${jobId} is ${job.status} for ever`);
    await checkTransitions(job, store, check);
    const kept = job.expiredAt === null;
    check(stored.has(inputPathOf(jobId)) === kept, `${jobId}: video kept ${!kept}, expired ${!kept}`);
    check(stored.has(sidecarPathOf(jobId)), `${jobId} has no sidecar`);
    const hasResults = stored.has(resultsPathOf(jobId));
    check(hasResults === (job.status === 'completed' && kept), `${jobId} is ${job.status}, results: ${hasResults}`);
    const hasSegments = stored.has(segmentsPathOf(jobId));
    check(hasSegments === hasResults, `${jobId} is ${job.status}, segments: ${hasSegments}`);
    if (hasSegments) JSON.parse(await readFile(await storage.loadFile(segmentsPathOf(jobId)), 'utf8'));
    const hasThumbnails = stored.has(thumbnailsPathOf(jobId));
    // They are created again if missing.
    check(hasResults || !hasThumbnails, `${jobId} is ${job.status}, thumbnails: ${hasThumbnails}`);
    if (hasThumbnails) {
      const picture = await readThumbnail(await storage.loadFile(thumbnailsPathOf(jobId)), 'first');
      check(picture instanceof Uint8Array, `${jobId}: thumbnails cannot be read`);
    }
    if (hasResults) await checkResults(jobId, storage, check);
    const sidecar = await readSidecar(storage, jobId);
    check(essenceOf(sidecar) === essenceOf(sidecarOf(job)), `${jobId}: sidecar and row disagree`);
  }
  for (const name of stored) {
    const owner = ownerOf(name);
    check(owner !== undefined && known.has(owner), `${name} belongs to no job`);
  }
  check((await readdir(join(baseDir, 'incoming'))).length === 0, 'something is left in the incoming folder');
  return broken;
}

/** Except the number of the attempt, which counts again in a restored job, and the key, which is not in its row. */
function essenceOf(sidecar: Sidecar | 'unreadable' | undefined): string {
  if (sidecar === 'unreadable') return sidecar;
  const outcome = sidecar?.outcome && { ...sidecar.outcome, attempt: null };
  return JSON.stringify({ ...sidecar, outcome, submission: null });
}

type Check = (holds: boolean, what: string) => void;

async function checkTransitions(job: Job, store: JobStore, check: Check): Promise<void> {
  const rows = await store.transitionsOf(job.jobId);
  check(rows.length === job.revision, `${job.jobId}: ${rows.length} transitions, revision ${job.revision}`);
  for (const [index, row] of rows.entries()) {
    check(row.seq === index + 1, `${job.jobId}: transition ${index + 1} has number ${row.seq}`);
    check(row.fromState === (rows[index - 1]?.toState ?? null), `${job.jobId}: transition ${row.seq} begins elsewhere`);
  }
  check(rows.at(-1)?.toState === job.status, `${job.jobId}: status is not where its transitions end`);
  check(rows.filter(({ toState }) => isFinal(toState)).length === 1, `${job.jobId}: not exactly one end`);
}

async function checkResults(jobId: JobId, storage: StorageService, check: Check): Promise<void> {
  const text = await readFile(await storage.loadFile(resultsPathOf(jobId)), 'utf8');
  check(text.startsWith('{"results": [') && text.endsWith(']}\n'), `${jobId}: results are not whole`);
  JSON.parse(text);
}

export async function allJobs(store: JobStore): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  for (const status of JOB_STATES) {
    for (let after = 0; ;) {
      const page = await store.page(status, after, 1_000);
      jobs.push(...page);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.acceptedSeq;
    }
  }
  return jobs.toSorted((a, b) => a.acceptedSeq - b.acceptedSeq);
}
