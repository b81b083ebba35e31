import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { apiKeysSchema } from './api-keys.ts';
import { ServiceError } from './errors.ts';

const MiB = 1024 * 1024;
const hour = 3_600_000;

const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

/** The longest that a timer can wait, in milliseconds (2^31 - 1, about 24 days). */
const LONGEST_MS = 2 ** 31 - 1;

/** A comma-separated list. */
const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item));

/** An address or a network in CIDR notation. */
const addressSchema = z.string().refine((text) => {
  const [address = '', bits = '0', ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}, 'must be addresses or networks such as 10.0.0.0/8');

/** First segments of the service's own paths. A base path that begins with one of them would be ambiguous. */
const OWN_PATHS: ReadonlySet<string> = new Set([
  'client',
  'docs',
  'health',
  'inspector',
  'machines',
  'metrics',
  'openapi.json',
  'pipelines',
  'ready',
  'session',
  'sign-in',
  'video',
  'web',
]);

/** Settings that are never printed. */
export const SECRETS: ReadonlySet<string> = new Set(['API_KEYS']);

/** All settings, from the environment, all optional. Sizes in bytes, durations in milliseconds. */
export const configSchema = z.object({
  HOST: z
    .string()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .default('127.0.0.1')
    .describe('Address to listen on'),
  API_KEYS: apiKeysSchema
    .optional()
    .describe(
      'Keys, `key[:scope+scope],…`, with the scopes `submit`, `read` and `admin`; without scopes a key has all. `sha256:<hex>` is the hash of a key',
    ),
  API_KEYS_FILE: z.string().optional().describe('File with more keys, one per line; reloaded when it changes'),
  ALLOWED_HOSTS: list(z.string().regex(/^[\w.-]+$/, 'must be names such as reelstate.example.org'))
    .transform((names) => names.map((name) => name.toLowerCase()))
    .optional()
    .describe('Host names of the service, in addition to addresses and names of this machine'),
  ALLOW_ANONYMOUS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('`true` needs no keys, on any address'),
  PORT: integer(0, 65_535).default(8000).describe('Port to listen on; 0 picks a free one'),
  BASE_PATH: z
    .string()
    .regex(/^(?:\/[\w.~-]+)*\/?$/, 'must be a path such as /reelstate')
    .transform((path) => path.replace(/\/$/, ''))
    .refine((path) => !OWN_PATHS.has(path.split('/')[1] ?? ''), 'begins like one of the paths of the service')
    .default('')
    .describe('Path of the service behind a proxy, such as `/reelstate`'),
  DATA_DIR: z.string().min(1).default('./data').describe('Folder for `jobs.duckdb` and `video_jobs/`'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Lowest level that is logged: trace, debug, info, warn, error, fatal or silent'),
  MAX_UPLOAD_BYTES: integer(1)
    .default(4096 * MiB)
    .describe('Largest upload; else 413 `upload_too_large`'),
  MAX_UPLOADS: integer(1).default(100).describe('Concurrent uploads; else 503 `too_many_uploads`'),
  CLIENT_SHARE_PERCENT: integer(1, 100)
    .default(50)
    .describe(
      'Share of `MAX_UPLOADS` and `MAX_PENDING` of one key, or of one address with a single key or none; else 429 `too_many_requests`',
    ),
  MIN_UPLOAD_BYTES_PER_S: integer(0)
    .default(1024)
    .describe('Minimum upload rate over 30 seconds; else 408 `upload_too_slow`'),
  UPLOAD_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(12 * hour)
    .describe(
      'Longest upload, or less: one minute and the time for its length at the minimum rate; else 408 `upload_too_slow`',
    ),
  REQUESTS_PER_S: integer(1)
    .default(2_000)
    .describe(
      'Requests per second of one key, or one address without a key, with bursts of twice as many; else 429 `too_many_requests`',
    ),
  MAX_CONNECTIONS: integer(1).default(4_000).describe('Open connections; more are closed'),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1)
    .default(200)
    .describe('Open connections of one address or IPv6 /64 network; more are closed'),
  TRUSTED_PROXIES: list(addressSchema)
    .optional()
    .describe(
      'Addresses or networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are used, such as `127.0.0.1,10.0.0.0/8`',
    ),
  IDEMPOTENCY_TTL_MS: integer(1)
    .default(24 * hour)
    .describe('Lifetime of an `Idempotency-Key`'),
  WORKER_CONCURRENCY: integer(1, 64).default(1).describe('Concurrent jobs'),
  PIPELINE_THREADS: integer(1, 64)
    .optional()
    .describe('Inference threads per job; default: number of cores, at most 16 and what fits into memory'),
  MAX_ATTEMPTS: integer(1, 100).default(3).describe('Lost attempts after which a job fails'),
  MAX_PENDING: integer(1).default(100_000).describe('Pending jobs; else 503 `queue_full`'),
  RETENTION_MS: integer(1)
    .optional()
    .describe('Time from the end of a job to the deletion of its video and results; default: never'),
  JOB_RETENTION_MS: integer(1)
    .optional()
    .describe('Time from the end of a job to the deletion of its row, history, sidecar and files; default: never'),
  QUARANTINE_RETENTION_MS: integer(1)
    .optional()
    .describe('Time after which files in `quarantine/` are deleted; default: never'),
  JOB_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(6 * hour)
    .describe('Longest attempt'),
  STALL_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(60_000)
    .describe(
      'Longest time without a decoded or analysed frame, not counting time in which the process did not get a processor',
    ),
  PIPELINES_DIR: z.string().min(1).optional().describe('Folder of declared pipelines, one YAML or JSON file each'),
  MAX_FRAME_PIXELS: integer(1)
    .default(7680 * 4320)
    .describe('Largest frame, width × height'),
  MAX_DURATION_MS: integer(1)
    .default(12 * hour)
    .describe('Longest video, in presentation time'),
  MAX_DECODED_FRAMES: integer(1)
    .default(12 * 60 * 60 * 60)
    .describe('Decoded frames of one video'),
  MAX_DECODED_PIXELS: integer(1).default(12_000_000_000_000).describe('Decoded pixels of one video'),
  MAX_PIXELS_PER_BYTE: integer(1)
    .default(100_000)
    .describe('Decoded pixels per byte of a video, after the first 20,000 million'),
  EXTRA_DECODERS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.string().regex(/^[a-z0-9_.-]+$/, 'has a name that is not a decoder of FFmpeg')))
    .default([])
    .describe('Additional decoders, as named by `ffmpeg -decoders`, separated by commas'),
  MAX_RESULTS_BYTES: integer(1)
    .default(1024 * MiB)
    .describe('Largest results file'),
  KEEP_FILE_NAMES: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('`false`: do not store the names of uploaded files'),
  DISK_RESERVE_BYTES: integer(0)
    .default(512 * MiB)
    .describe('Free disk space that uploads must leave; else 507 `storage_full`'),
  CHILD_MEMORY_BYTES: integer(64 * MiB)
    .optional()
    .describe('Memory of one child process; default: by threads and the memory of the machine'),
  CHILD_MAX_JOBS: integer(1).default(100).describe('Jobs after which a child process is replaced'),
  SHUTDOWN_GRACE_MS: integer(0, LONGEST_MS).default(10_000).describe('Time for running jobs to finish at shutdown'),
});

export type Config = z.infer<typeof configSchema>;

/** @throws ServiceError `invalid_config` with one line that names the variable */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // Compose files pass unset variables as empty ones.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return SECRETS.has(name)
        ? `${name}: ${message}`
        : `${name}=${JSON.stringify(environment[name] ?? '')}: ${message}`;
    });
    throw new ServiceError('invalid_config', `Bad setting in the environment: ${faults.join('; ')}`);
  }
  const config = parsed.data;
  if (!isLoopback(config.HOST) && !hasKeys(config) && !config.ALLOW_ANONYMOUS) {
    throw new ServiceError(
      'invalid_config',
      `HOST=${JSON.stringify(config.HOST)} can be reached from other machines: set API_KEYS or API_KEYS_FILE, or ALLOW_ANONYMOUS=true to serve everyone`,
    );
  }
  return config;
}

/** Removes secrets from the environment. `/proc` still shows the initial one, see `protectProcess`. */
export function removeSecrets(environment: Record<string, string | undefined>): void {
  for (const name of SECRETS) delete environment[name];
}

export function hasKeys(config: Config): boolean {
  return config.API_KEYS !== undefined || config.API_KEYS_FILE !== undefined;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Returns the settings that determine threads and memory of child processes; undefined means derived from the machine. */
export function childSettingsOf(config: Config) {
  const { WORKER_CONCURRENCY, PIPELINE_THREADS, CHILD_MEMORY_BYTES } = config;
  return { concurrency: WORKER_CONCURRENCY, threads: PIPELINE_THREADS, memoryBytes: CHILD_MEMORY_BYTES };
}

/** Returns true for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
