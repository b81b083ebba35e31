import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { JOB_MACHINE_VERSION } from '../../machines/job.ts';
import { storeAnalysis } from '../analysis/store-analysis.ts';
import { classify } from '../engine/classify-error.ts';
import { isFinal } from '../engine/job-change.ts';
import { inputPathOf, resultsPathOf, saveSidecar, segmentsPathOf, type Sidecar } from '../engine/sidecar.ts';
import { errnoOf, messageOf, ServiceError } from '../errors.ts';
import { jobIdSchema, type JobId } from '../job.ts';
import { isRecordPath, readRecord, type AnalysisRecord } from '../local/analysis-record.ts';
import { checkedFrames } from '../local/checked-results.ts';
import type { Log } from '../log.ts';
import { openStoppedService, type StoppedService } from './stopped-service.ts';

export interface ImportOptions {
  /** The data folder of a stopped service; created if missing. */
  readonly dataDir: string;
  readonly maxAttempts: number;
  readonly maxResultsBytes: number;
  /** False: do not store the names of the videos. */
  readonly keepFileNames: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The result for one record. */
export type Imported =
  | { readonly status: 'imported' | 'known'; readonly path: string; readonly jobId: JobId; readonly fileName: string }
  | { readonly status: 'rejected'; readonly path: string; readonly reason: string };

/** Concurrent imports, which share the fsync of the folder and of the database. */
const AT_ONCE = 16;
/** A record has some hundred bytes. */
const MAX_RECORD_BYTES = 64 * 1024;

/**
 * Creates finished jobs from analyses made elsewhere. The id follows from the content, so a second import finds the job
 * of the first. Rejects if the machine or the database refuses; a fault of one record is reported for that record.
 */
export async function* importAnalyses(paths: readonly string[], options: ImportOptions): AsyncGenerator<Imported> {
  const { dataDir: path, log, maxAttempts, signal } = options;
  await using opened = await openStoppedService({ path, log }, maxAttempts);
  await opened.folder.storage.sweepIncoming();
  for (let first = 0; first < paths.length; first += AT_ONCE) {
    signal.throwIfAborted();
    const group = paths.slice(first, first + AT_ONCE);
    const records = await Promise.all(group.map(readChecked));
    const running = new Map<JobId, Promise<Imported>>();
    yield* await settled(records.map((record) => importOne(record, opened, running, options)));
  }
}

/** Returns the records in these paths: records, results with a record beside them, and folders of records. */
export async function recordsIn(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) {
      found.push(path.replace(/_results\.json$/, '_analysis.json'));
      continue;
    }
    const names = await readdir(path, { recursive: true });
    found.push(
      ...names
        .filter((name) => isRecordPath(name))
        .toSorted()
        .map((name) => join(path, name)),
    );
  }
  return [...new Set(found)];
}

/** Waits for all, so that the folder is not closed during an import. */
async function settled(batch: readonly Promise<Imported>[]): Promise<readonly Imported[]> {
  await Promise.allSettled(batch);
  return Promise.all(batch);
}

type ReadRecord = { readonly path: string } & ({ readonly record: AnalysisRecord } | { readonly fault: unknown });

async function readChecked(path: string): Promise<ReadRecord> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new ServiceError('invalid_record', `${path} is not a regular file`);
    const { size } = found;
    if (size > MAX_RECORD_BYTES) throw new ServiceError('invalid_record', `${path} is too long for a record`);
    return { path, record: await readRecord(path) };
  } catch (error) {
    return { path, fault: error };
  }
}

async function importOne(
  read: ReadRecord,
  opened: StoppedService,
  running: Map<JobId, Promise<Imported>>,
  options: ImportOptions,
): Promise<Imported> {
  const { path } = read;
  try {
    if ('fault' in read) throw read.fault;
    const { record } = read;
    const jobId = idOf(record);
    // One after another, in the order of the paths: the first valid one is imported, and the others find its job.
    const importing = Promise.allSettled([running.get(jobId)]).then(() =>
      importRecord(path, record, jobId, opened, options),
    );
    running.set(jobId, importing);
    return await importing;
  } catch (error) {
    const isOfThisRecord = error instanceof ServiceError ? classify(error).kind !== 'environment' : errnoOf(error);
    if (isOfThisRecord === undefined || isOfThisRecord === false) throw error;
    return { status: 'rejected', path, reason: messageOf(error) };
  }
}

/**
 * Files first, then the row. A crash leaves files without a sidecar, which the next import replaces and a start moves
 * to quarantine, or a sidecar with an outcome, from which the next start or import creates the row.
 */
async function importRecord(
  path: string,
  record: AnalysisRecord,
  jobId: JobId,
  { folder: { store, storage }, recovery }: StoppedService,
  { maxResultsBytes, keepFileNames, signal }: ImportOptions,
): Promise<Imported> {
  const common = { path, jobId, fileName: record.file_name };
  const known = await store.retentionStatesOf([jobId]);
  const standing = known.get(jobId);
  if (standing !== undefined) {
    if (!isFinal(standing.status)) await recovery.reconcile(jobId);
    return { status: 'known', ...common };
  }
  const frames = checkedFrames(path, record, { maxBytes: maxResultsBytes, signal });
  const { outputPath } = await storeAnalysis(frames, {
    storage,
    resultsPath: resultsPathOf(jobId),
    segmentsPath: segmentsPathOf(jobId),
    maxResultsBytes,
    signal,
  });
  const sidecar = sidecarOfImport(record, { jobId, outputPath, keepFileNames });
  await saveSidecar(storage, sidecar);
  await recovery.restore(sidecar);
  return { status: 'imported', ...common };
}

function sidecarOfImport(
  { pipeline_id, options, file_name, media }: AnalysisRecord,
  { jobId, outputPath, keepFileNames }: Pick<ImportOptions, 'keepFileNames'> & { jobId: JobId; outputPath: string },
): Sidecar {
  const now = new Date().toISOString();
  return {
    job_id: jobId,
    pipeline_id,
    options,
    file_name: keepFileNames ? file_name : null,
    tag: null,
    // The video stays where it was analysed.
    input_path: inputPathOf(jobId),
    accepted_at: now,
    machine_version: JOB_MACHINE_VERSION,
    outcome: {
      status: 'completed',
      output_path: outputPath,
      error_code: null,
      error_message: null,
      attempt: 1,
      ended_at: now,
      media,
    },
    submission: null,
    expired_at: null,
  };
}

/**
 * Returns a UUIDv8 of the video, the analysis and its findings. Its first 48 bits are zero, so that imported ids are
 * adjacent; random ids would spoil the zone maps by which DuckDB finds an id without an index. 74 bits remain: among
 * 100 million imports, two share an id with a probability of 3 in 10 million.
 */
function idOf({ video, pipeline_id, options, results }: AnalysisRecord): JobId {
  const content = JSON.stringify([video.sha256, pipeline_id, options, results.sha256]);
  const hex = createHash('sha256').update(content).digest('hex');
  const variant = ((Number.parseInt(hex[3] ?? '0', 16) & 3) | 8).toString(16);
  return jobIdSchema.parse(`00000000-0000-8${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`);
}
