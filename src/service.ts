import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { isLoopback, type Config } from './config.ts';
import { createEngine } from './engine/job-engine.ts';
import { forgetSubmissions, keepHouse } from './engine/housekeeping.ts';
import { recover } from './engine/recovery.ts';
import { Workers } from './engine/workers.ts';
import { ServiceError } from './errors.ts';
import { createApp } from './http/app.ts';
import { SHOWN_MACHINES } from './http/routes/machines.ts';
import { Metrics } from './http/metrics.ts';
import { Pages } from './http/routes/pages.ts';
import { createHttpServer } from './http/server.ts';
import type { Log } from './log.ts';
import { CountedPipeline } from './pipeline/counted-pipeline.ts';
import { videoLimitsSchema } from './pipeline/limits.ts';
import { PipelineRegistry } from './pipeline/registry.ts';
import { detectIsolation } from './pool/isolation.ts';
import { PooledPipeline } from './pool/pooled-pipeline.ts';
import { ProcessPool } from './pool/process-pool.ts';
import { InMemoryQueueService } from './queue/memory.ts';
import { LocalStorageService } from './storage/local.ts';
import { DuckDBJobStore } from './store/duckdb.ts';

/** Milliseconds over which an upload's rate is measured: longer than a network that changes its path is silent. */
const UPLOAD_WINDOW_MS = 30_000;

const packageSchema = z.object({ version: z.string() });

export interface Service {
  /** Where it listens. */
  readonly url: string;
  /**
   * Drains: no connection and no job is taken any more, what is in hand may finish within the grace time, then it is
   * given back; the database is closed last. Resolves when nothing of the service is left.
   */
  close(): Promise<void>;
}

/** Opens everything, takes up what an earlier process left, and serves. The only place that names concrete classes. */
export async function createService(config: Config, log: Log): Promise<Service> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    const url = await open(config, log, closers);
    return { url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param closers gets what undoes each step, to be called in reverse */
async function open(config: Config, log: Log, closers: (() => Promise<void>)[]): Promise<string> {
  const metrics = new Metrics();
  const dataDir = resolve(config.DATA_DIR);
  const modelsFolder = join(dataDir, 'models');
  const storage = await LocalStorageService.open({ baseDir: join(dataDir, 'video_jobs') });
  const store = await DuckDBJobStore.open({
    path: join(dataDir, 'jobs.duckdb'),
    log,
    onCommit: (seconds, writes) => metrics.observeCommit(seconds, writes),
  });
  closers.push(() => store.close());

  const registry = await PipelineRegistry.open({
    modelsFolder,
    ...(config.PIPELINES_DIR === undefined ? {} : { directory: resolve(config.PIPELINES_DIR) }),
  });
  const pool = ProcessPool.open({
    size: config.WORKER_CONCURRENCY,
    threads: config.PIPELINE_THREADS,
    isolation: await detectIsolation({ memoryBytes: config.CHILD_MEMORY_BYTES, environment: process.env }),
    memoryBytes: config.CHILD_MEMORY_BYTES,
    stallTimeoutMs: config.STALL_TIMEOUT_MS,
    recycleAfterJobs: config.CHILD_MAX_JOBS,
    warmUp: registry.list(),
    modelsFolder,
    log,
  });
  closers.push(() => pool.close());
  await pool.ready;
  const limits = videoLimitsSchema.parse({
    maxFramePixels: config.MAX_FRAME_PIXELS,
    maxDurationMs: config.MAX_DURATION_MS,
    maxDecodedFrames: config.MAX_DECODED_FRAMES,
  });
  const pipelines = new CountedPipeline(
    new PooledPipeline({ registry, pool, limits, extraDecoders: config.EXTRA_DECODERS }),
    (id) => metrics.countFrame(id),
  );

  const queue = new InMemoryQueueService();
  const { engine, recovery } = createEngine({
    store,
    queue,
    storage,
    pipelines,
    maxAttempts: config.MAX_ATTEMPTS,
    maxPending: config.MAX_PENDING,
    log,
  });
  metrics.watch({ engine, reads: store, queued: () => queue.size(), childRestarts: () => pool.restarts });
  const housekeeping = new AbortController();
  const kept = { store, storage, engine, recovery, queue, log, signal: housekeeping.signal };
  await recover({ ...kept, damaged: store.damage !== undefined });

  const workers = new Workers({
    count: config.WORKER_CONCURRENCY,
    engine,
    queue,
    storage,
    pipelines,
    jobTimeoutMs: config.JOB_TIMEOUT_MS,
    maxResultsBytes: config.MAX_RESULTS_BYTES,
    log,
  });
  const ended = workers.run();
  closers.push(async () => {
    workers.halt();
    await ended;
  });

  const { version } = packageSchema.parse(
    JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
  );
  const app = createApp({
    engine,
    reads: store,
    storage,
    pipelines,
    incomingDir: storage.incomingDir,
    basePath: config.BASE_PATH,
    keys: config.API_KEYS,
    isPrivate: isLoopback(config.HOST) && config.API_KEYS === undefined && !config.ALLOW_ANONYMOUS,
    requestsPerS: config.REQUESTS_PER_S,
    maxUploads: config.MAX_UPLOADS,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    minUploadBytesPerS: config.MIN_UPLOAD_BYTES_PER_S,
    uploadWindowMs: UPLOAD_WINDOW_MS,
    idempotencyTtlMs: config.IDEMPOTENCY_TTL_MS,
    diskReserveBytes: config.DISK_RESERVE_BYTES,
    isolation: pool.levels,
    machines: SHOWN_MACHINES,
    pages: await Pages.open(),
    metrics,
    deadWorkers: () => workers.dead,
    refusals: () => workers.refusals(),
    workers: () => workers.states(),
    version,
    log,
  });
  const server = createHttpServer(app, { maxConnections: config.MAX_CONNECTIONS });
  if (config.ALLOW_ANONYMOUS) {
    log.warn({ host: config.HOST }, 'ALLOW_ANONYMOUS: whoever reaches this address may do everything, without a key');
  }
  server.listen(config.PORT, config.HOST);
  await once(server, 'listening');
  closers.push(async () => {
    const closed = once(server, 'close');
    server.close();
    workers.drain();
    const grace = new AbortController();
    const patience = setTimeout(config.SHUTDOWN_GRACE_MS, undefined, { signal: grace.signal }).catch(() => undefined);
    await Promise.race([Promise.all([closed, ended]), patience]);
    grace.abort();
    server.closeAllConnections();
    await closed;
  });
  const house = keepHouse({ ...kept, retentionMs: config.RETENTION_MS });
  const forgetting = forgetSubmissions({ ...kept, ttlMs: config.IDEMPOTENCY_TTL_MS });
  closers.push(async () => {
    housekeeping.abort();
    await Promise.all([house, forgetting]);
  });
  return urlOf(server.address());
}

function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new ServiceError('internal', 'the server has no port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
