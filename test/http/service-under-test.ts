import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { checkAnswers } from './answer-check.ts';
import { JobSegments } from '../../src/analysis/job-segments.ts';
import { JobThumbnails } from '../../src/analysis/job-thumbnails.ts';
import { parseConfig, type Config } from '../../src/config.ts';
import { DataFolder } from '../../src/data-folder.ts';
import { SearchableJobs } from '../../src/engine/searchable-jobs.ts';
import { createEngine } from '../../src/engine/job-engine.ts';
import type { WorkerRefusal } from '../../src/engine/worker.ts';
import type { ApiKey } from '../../src/http/middleware/access.ts';
import type { StateValue } from '../../src/http/routes/activity.ts';
import { SHOWN_MACHINES, type ShownMachine } from '../../src/http/routes/machines.ts';
import { Metrics } from '../../src/http/metrics.ts';
import { problemSchema, submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { listen } from '../../src/listen.ts';
import { createLog, type Log } from '../../src/log.ts';
import { SearchIndex } from '../../src/search/search-index.ts';
import type { VideoSearch } from '../../src/search/video-search.ts';
import { InMemoryQueueService } from '../../src/queue/memory.ts';
import type { VideoPictureService } from '../../src/pipeline/picture-service.ts';
import type { VideoFilePipelineService } from '../../src/pipeline/pipeline-service.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';

export const MAX_UPLOAD_BYTES = 256 * 1024;

const registry = await PipelineRegistry.open();

/** Only listed here: most of these tests analyse nothing. */
const LISTED: VideoFilePipelineService = {
  list: () => registry.describe(),
  runOnFile: () => {
    throw new Error('not in these tests');
  },
};

const NONE: VideoPictureService = {
  pictures: () => {
    throw new Error('not in these tests');
  },
};

export interface ServiceSettings {
  /** Of an earlier service that was closed and kept its folder. */
  readonly folder?: string;
  readonly diskReserveBytes?: number;
  readonly maxUploadBytes?: number;
  readonly basePath?: string;
  readonly keys?: readonly ApiKey[];
  readonly keysFile?: string;
  readonly allowedHosts?: readonly string[];
  /** False: as if other machines could reach it. */
  readonly isPrivate?: boolean;
  readonly requestsPerS?: number;
  readonly maxUploads?: number;
  readonly maxPending?: number;
  readonly clientSharePercent?: number;
  readonly minUploadBytesPerS?: number;
  readonly uploadTimeoutMs?: number;
  readonly uploadWindowMs?: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly trustedProxies?: readonly string[];
  readonly lingerMs?: number;
  readonly idempotencyTtlMs?: number;
  readonly keepFileNames?: boolean;
  readonly deadWorkers?: () => number;
  readonly refusals?: () => readonly WorkerRefusal[];
  readonly waitingFor?: () => readonly string[];
  readonly log?: Log;
  readonly pipelines?: VideoFilePipelineService;
  readonly pictures?: VideoPictureService;
  readonly search?: Pick<VideoSearch, 'search' | 'state'>;
  readonly machines?: readonly ShownMachine[];
  readonly workers?: () => readonly StateValue[];
}

/** The real parts of the service over HTTP on a free port, in a folder that `close` removes; no worker. */
export async function openService(settings: ServiceSettings = {}) {
  const folder = settings.folder ?? (await mkdtemp(join(tmpdir(), 'http-')));
  const { log = createLog('silent'), pipelines = LISTED, pictures = NONE, maxPending = 1_000 } = settings;
  const opened = await DataFolder.open({ path: folder, log });
  const { store, storage } = opened;
  const queue = new InMemoryQueueService();
  const segments = new JobSegments({ storage, log });
  const search = new SearchIndex({
    path: opened.searchIndexPath,
    source: new SearchableJobs({ store, segments }),
    log,
  });
  const { engine, recovery } = createEngine({
    store,
    queue,
    storage,
    pipelines,
    maxAttempts: 3,
    maxPending,
    onFilesDeleted: (jobIds) => search.remove(jobIds),
    log,
  });
  engine.onTransition(({ jobId, status }) => {
    if (status === 'completed') search.add(jobId);
  });
  const metrics = new Metrics();
  metrics.watch({ engine, reads: store, queued: () => queue.size(), search, childRestarts: () => 0 });
  const { server, url } = await listen({
    config: configOf(settings),
    engine,
    reads: store,
    storage,
    segments,
    search: settings.search ?? search,
    thumbnails: new JobThumbnails({ storage, segments, pictures, log }),
    pictures,
    pipelines,
    incomingDir: storage.incomingDir,
    ...(settings.lingerMs === undefined ? {} : { lingerMs: settings.lingerMs }),
    uploadWindowMs: settings.uploadWindowMs ?? 30_000,
    isolation: ['process'],
    ffmpeg: () => '8.1',
    machines: settings.machines ?? SHOWN_MACHINES,
    metrics,
    isDamaged: () => store.isDamaged,
    deadWorkers: settings.deadWorkers ?? (() => 0),
    refusals: settings.refusals ?? (() => []),
    waitingFor: settings.waitingFor ?? (() => []),
    workers: settings.workers ?? (() => []),
    log,
  });
  const faults = checkAnswers(server, settings.basePath);
  const { port } = addressSchema.parse(server.address());
  return {
    folder,
    url,
    port,
    engine,
    recovery,
    storage,
    store,
    queue,
    server,
    search,
    closeStore: () => store.close(),
    /** Submits a file over HTTP and returns the id of its job. */
    async submit(file = VIDEO): Promise<JobId> {
      const body = form({ pipeline_id: 'ocr_only' }, file);
      const response = await fetch(`${url}/video/submit`, { method: 'POST', body });
      return submitResponseSchema.parse(await response.json()).job_id;
    },
    /** Returns every file of the storage, the incoming folder included. */
    async files(): Promise<string[]> {
      const entries = await readdir(join(folder, 'video_jobs'), { withFileTypes: true, recursive: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    /** Numbers of files, rows and queued ids, all 0 if nothing was accepted. */
    async traces() {
      const rows = Object.values(await store.countByStatus()).reduce((sum, count) => sum + count, 0);
      return { files: await this.files(), rows, queued: queue.size() };
    },
    async close({ keepFolder = false } = {}): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await search.close();
      await opened.close();
      if (!keepFolder) await rm(folder, { recursive: true });
      if (faults.length > 0) throw new Error(`answers that are not as described:\n${faults.join('\n')}`);
    },
  };
}

function configOf(settings: ServiceSettings): Config {
  const { isPrivate = settings.keys === undefined } = settings;
  return {
    ...parseConfig({ HOST: '127.0.0.1', PORT: '0' }),
    API_KEYS: settings.keys?.map(({ sha256, scopes }) => ({ sha256, scopes: [...scopes] })),
    API_KEYS_FILE: settings.keysFile,
    ALLOWED_HOSTS: settings.allowedHosts === undefined ? undefined : [...settings.allowedHosts],
    BASE_PATH: settings.basePath ?? '',
    ALLOW_ANONYMOUS: settings.keys === undefined && !isPrivate,
    MAX_UPLOAD_BYTES: settings.maxUploadBytes ?? MAX_UPLOAD_BYTES,
    MAX_UPLOADS: settings.maxUploads ?? 100,
    MIN_UPLOAD_BYTES_PER_S: settings.minUploadBytesPerS ?? 0,
    REQUESTS_PER_S: settings.requestsPerS ?? 2_000,
    IDEMPOTENCY_TTL_MS: settings.idempotencyTtlMs ?? 86_400_000,
    DISK_RESERVE_BYTES: settings.diskReserveBytes ?? 0,
    MAX_PENDING: settings.maxPending ?? 1_000,
    CLIENT_SHARE_PERCENT: settings.clientSharePercent ?? 100,
    UPLOAD_TIMEOUT_MS: settings.uploadTimeoutMs ?? 3_600_000,
    MAX_CONNECTIONS: settings.maxConnections ?? 1_000,
    MAX_CONNECTIONS_PER_ADDRESS: settings.maxConnectionsPerAddress ?? 1_000,
    TRUSTED_PROXIES: settings.trustedProxies === undefined ? undefined : [...settings.trustedProxies],
    KEEP_FILE_NAMES: settings.keepFileNames ?? true,
  };
}

export type ServiceUnderTest = Awaited<ReturnType<typeof openService>>;
export const NOTHING = { files: [], rows: 0, queued: 0 };

const addressSchema = z.custom<AddressInfo>((value) => typeof value === 'object' && value !== null && 'port' in value);

/** The start of a video that passes the check of the file type. */
export const VIDEO = fileTypeBox('isom', 'isom', 'mp42');

export function fileTypeBox(major: string, ...compatible: readonly string[]): Buffer {
  const body = Buffer.from(`ftyp${major}\0\0\x02\0${compatible.join('')}`, 'latin1');
  const size = Buffer.alloc(4);
  size.writeUInt32BE(4 + body.length);
  return Buffer.concat([size, body]);
}

export function form(fields: Readonly<Record<string, string>>, file?: Buffer, fileName = 'video.mp4'): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  if (file !== undefined) data.append('file', new Blob([file]), fileName);
  return data;
}

/** Returns the problem document of a response and checks its status. */
export async function problemOf(response: Response) {
  const problem = checkedProblem(response.headers.get('content-type'), await response.text());
  if (problem.status !== response.status) throw new Error(`${response.status} says it is ${problem.status}`);
  return problem;
}

export function checkedProblem(contentType: string | null | undefined, text: string) {
  if (contentType !== 'application/problem+json') throw new Error(`not a problem document: ${contentType} ${text}`);
  return problemSchema.parse(JSON.parse(text));
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a body byte for byte to its end before it reads the response. */
export async function send(
  port: number,
  options: Pick<RequestOptions, 'path' | 'method' | 'headers' | 'localAddress'>,
  body: Iterable<Buffer | string> = [],
): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, method: 'POST', agent: false, ...options });
  const answered = once(sent, 'response');
  for (const part of body) if (!sent.write(part)) await once(sent, 'drain');
  sent.end();
  const [response] = await answered;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

/** Sends bytes that no client library would send, then returns everything received until the connection ends. */
export async function sendRaw(
  port: number,
  bytes: Iterable<Buffer | string>,
  { end = false }: { readonly end?: boolean } = {},
): Promise<string> {
  const socket = connect(port, '127.0.0.1').pause();
  for (const part of bytes) if (!socket.write(part)) await once(socket, 'drain');
  if (end) socket.end();
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** Returns a multipart body. */
export function multipart(
  parts: readonly { readonly head: string; readonly body: string | Buffer }[],
  end = '--',
): Buffer {
  const pieces = parts.flatMap(({ head, body }) => [
    Buffer.from(`--b\r\n${head}\r\n\r\n`),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--b${end}\r\n`)]);
}
export const MULTIPART = { 'content-type': 'multipart/form-data; boundary=b' };
export const FILE_HEAD =
  'Content-Disposition: form-data; name="file"; filename="v.mp4"\r\nContent-Type: application/octet-stream';
