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
import type { Log } from './log.ts';
import { CountedPipeline } from './pipeline/counted-pipeline.ts';
import { openPipelines } from './pipelines.ts';
import { InMemoryQueueService } from './queue/memory.ts';
import { SearchIndex } from './search/search-index.ts';

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
 * Opens everything, recovers the jobs of an earlier process, and listens. Names the concrete classes. Once it listens,
 * reads are served and uploads are accepted; jobs are durable and wait. It listens only after recovery, because a job
 * that is not restored yet would be unknown (404).
 * @param signal aborts the start, which rejects with its reason after it has closed what it opened
 */
export async function createService(config: Config, log: Log, signal: AbortSignal): Promise<Service> {
  const closers = new Closers();
  try {
    const opened = await open(config, log, closers, signal);
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
  log: Log,
  closers: Closers,
  signal: AbortSignal,
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

  const pool = await openPipelines(config, log, { linksFolder: folder.storage.linksDir });
  closers.push(() => pool.processes.close());
  closers.push(() => pool.pictureProcesses.close());
  const pipelines = new CountedPipeline(pool.pipelines, (id) => metrics.countFrame(id));
  signal.throwIfAborted();

  const { store, storage } = folder;
  const segments = new JobSegments({ storage, log });
  const search = new SearchIndex({
    path: folder.searchIndexPath,
    source: new SearchableJobs({ store, segments }),
    log,
  });
  closers.push(() => search.close());
  const onFilesDeleted = (jobIds: readonly JobId[]): void => search.remove(jobIds);
  const queue = new InMemoryQueueService();
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
  metrics.watch({ engine, reads: store, queued: () => queue.size(), childRestarts: () => pool.processes.restarts });
  const housekeeping = new AbortController();
  const kept = { store, storage, engine, recovery, queue, log, signal: housekeeping.signal, onFilesDeleted };
  await recover({ ...kept, signal, damaged: store.damage !== undefined });
  if (store.damage !== undefined) await store.confirmRepair();
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
    metrics,
    deadWorkers: () => workers.dead,
    refusals: () => workers.refusals(),
    workers: () => workers.states(),
    isDamaged: () => store.isDamaged,
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
  const reading = store.readAllRows(housekeeping.signal);
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
