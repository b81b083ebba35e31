import { once } from 'node:events';
import type { Server } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { JobSegments } from './analysis/job-segments.ts';
import { JobThumbnails } from './analysis/job-thumbnails.ts';
import { Closers } from './closers.ts';
import type { Config } from './config.ts';
import { DataFolder } from './data-folder.ts';
import { createEngine } from './engine/job-engine.ts';
import { forgetSubmissions, keepHouse } from './engine/housekeeping.ts';
import { recover } from './engine/recovery.ts';
import { SearchableJobs } from './engine/searchable-jobs.ts';
import { Workers } from './engine/workers.ts';
import { Metrics } from './http/metrics.ts';
import { listen } from './listen.ts';
import type { JobId } from './job.ts';
import { createLog, type Log } from './log.ts';
import { CountedPipeline } from './pipeline/counted-pipeline.ts';
import type { VideoFilePipelineService } from './pipeline/pipeline-service.ts';
import { openPipelines } from './pipelines.ts';
import { InMemoryQueueService } from './queue/memory.ts';
import type { QueueService } from './queue/queue-service.ts';
import { SearchIndex } from './search/search-index.ts';
import type { UploadStorage } from './storage/storage-service.ts';
import type { JobStore } from './store/job-store.ts';

export interface Service {
  /** The address it listens on. */
  readonly url: string;
  /**
   * Resolves when the child processes are ready and jobs are analysed. Rejects if the first ones cannot be started;
   * then the settings or the machine do not allow it, and the caller must close the service.
   */
  readonly ready: Promise<void>;
  /**
   * Drains: stops accepting connections and jobs, lets current work finish within the grace time, gives the rest back,
   * and closes the database last.
   */
  close(): Promise<void>;
}

/**
 * Replacement parts of an embedding program, which closes them after the service. The contract suites
 * (`reelstate/contracts/…`) verify the first three.
 */
export interface ServiceParts {
  /** Default: ids in memory. Empty; the service fills it from the store. */
  readonly queue?: QueueService;
  /** Default: files below `DATA_DIR`. */
  readonly storage?: UploadStorage;
  /** Default: the database in `DATA_DIR`, which otherwise stays empty. */
  readonly store?: JobStore;
  /** Default: the declared pipelines, in child processes. */
  readonly pipelines?: VideoFilePipelineService;
  /** Default: JSON lines on stderr from `LOG_LEVEL` on. */
  readonly log?: Log;
  /** Aborts the start: `createService` rejects with its reason when what was opened is closed again. */
  readonly signal?: AbortSignal;
}

/**
 * Opens everything, recovers the jobs of an earlier process, and listens. Names the concrete classes. Once it listens,
 * reads are served and uploads are accepted; jobs are durable and wait. It listens only after recovery, because a job
 * that is not restored yet would be unknown (404).
 * Narrows the umask of the process, so that what the service writes is private. Installs no handlers of signals.
 */
export async function createService(config: Config, parts: ServiceParts = {}): Promise<Service> {
  const closers = new Closers();
  const log = parts.log ?? createLog(config.LOG_LEVEL);
  try {
    const opened = await open(config, { ...parts, log }, closers);
    return { ...opened, close: () => closers.close() };
  } catch (error) {
    await closers
      .close()
      .catch((failure: unknown) => log.error({ err: failure }, 'closing after a failed start failed'));
    throw error;
  }
}

/** @param closers gets the function that undoes each step */
async function open(
  config: Config,
  { log, signal = new AbortController().signal, ...parts }: ServiceParts & { readonly log: Log },
  closers: Closers,
): Promise<Pick<Service, 'url' | 'ready'>> {
  const metrics = new Metrics();
  const dataDir = resolve(config.DATA_DIR);
  const folder = await DataFolder.open({
    path: dataDir,
    log,
    onCommit: (seconds, writes) => metrics.observeCommit(seconds, writes),
  });
  closers.push(() => folder.close());
  signal.throwIfAborted();

  const pool = await openPipelines(config, log, {
    // The videos of another storage may be on a disk where links to them are not possible.
    ...(parts.storage === undefined && { linksFolder: folder.storage.linksDir }),
    // With replaced pipelines, the child processes only create pictures.
    isLazy: parts.pipelines !== undefined,
  });
  closers.push(() => pool.processes.close());
  closers.push(() => pool.pictureProcesses.close());
  const pipelines = new CountedPipeline(parts.pipelines ?? pool.pipelines, (id) => metrics.countFrame(id));
  signal.throwIfAborted();

  const database = parts.store === undefined ? folder.store : undefined;
  const { store = folder.store, storage = folder.storage, queue = new InMemoryQueueService() } = parts;
  const segments = new JobSegments({ storage, log });
  const search = new SearchIndex({
    path: folder.searchIndexPath,
    source: new SearchableJobs({ store, segments }),
    log,
  });
  closers.push(() => search.close());
  const onFilesDeleted = (jobIds: readonly JobId[]): void => search.remove(jobIds);
  const { engine, recovery } = createEngine({
    store,
    queue,
    storage,
    pipelines,
    maxAttempts: config.MAX_ATTEMPTS,
    maxPending: config.MAX_PENDING,
    onFilesDeleted,
    log,
  });
  engine.onTransition(({ jobId, status }) => {
    if (status === 'completed') search.add(jobId);
  });
  metrics.watch({
    engine,
    reads: store,
    queued: () => queue.size(),
    search,
    childRestarts: () => pool.processes.restarts + pool.pictureProcesses.restarts,
  });
  const housekeeping = new AbortController();
  const kept = { store, storage, engine, recovery, queue, log, signal: housekeeping.signal, onFilesDeleted };
  await recover({ ...kept, signal, damaged: database?.damage !== undefined });
  if (database?.damage !== undefined) await database.confirmRepair();
  signal.throwIfAborted();

  const workers = new Workers({
    count: config.WORKER_CONCURRENCY,
    engine,
    queue,
    storage,
    pipelines,
    pictures: pool.jobPictures,
    jobTimeoutMs: config.JOB_TIMEOUT_MS,
    maxResultsBytes: config.MAX_RESULTS_BYTES,
    log,
  });
  // Workers start only when the child processes are ready; otherwise a job would be running while it waits for one.
  let work: Promise<void> | undefined;
  closers.push(async () => {
    workers.halt();
    await work;
  });
  if (config.ALLOW_ANONYMOUS) {
    log.warn(
      { host: config.HOST },
      'ALLOW_ANONYMOUS: every client that reaches this address has all scopes without a key',
    );
  }
  const { url, server } = await listen({
    config,
    engine,
    reads: store,
    storage,
    segments,
    search,
    thumbnails: new JobThumbnails({ storage, segments, pictures: pool.pictures, log }),
    pictures: pool.pictures,
    pipelines,
    incomingDir: storage.incomingDir,
    isolation: pool.processes.levels,
    ffmpeg: () => pool.processes.ffmpeg,
    metrics,
    deadWorkers: () => workers.dead,
    refusals: () => workers.refusals(),
    workers: () => workers.states(),
    isDamaged: () => database?.isDamaged ?? false,
    waitingFor: () => (work !== undefined ? [] : ['the processes that analyse videos are starting']),
    log,
  });
  closers.push(() =>
    drain(server, config.SHUTDOWN_GRACE_MS, () => {
      workers.drain();
      return work;
    }),
  );

  search.start();
  const house = keepHouse({
    ...kept,
    retentionMs: config.RETENTION_MS,
    jobRetentionMs: config.JOB_RETENTION_MS,
    quarantineRetentionMs: config.QUARANTINE_RETENTION_MS,
  });
  const reading = database?.readAllRows(housekeeping.signal);
  const forgetting = forgetSubmissions({ ...kept, ttlMs: config.IDEMPOTENCY_TTL_MS });
  closers.push(async () => {
    housekeeping.abort();
    await Promise.all([house, forgetting, reading]);
  });
  const ready = (async () => {
    await pool.processes.ready;
    work = workers.run();
  })();
  // The caller may await it later, or close the service first.
  ready.catch(() => undefined);
  return { url, ready };
}

/** Stops accepting connections and jobs, and waits for current work for at most the grace time. */
async function drain(server: Server, graceMs: number, drainWorkers: () => Promise<void> | undefined): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const grace = new AbortController();
  const patience = setTimeout(graceMs, undefined, { signal: grace.signal }).catch(() => undefined);
  await Promise.race([Promise.all([closed, drainWorkers()]), patience]);
  grace.abort();
  server.closeAllConnections();
  await closed;
}
