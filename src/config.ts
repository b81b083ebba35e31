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

/** A list with commas. */
const list = <T>(item: z.ZodType<T, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item));

/** An address, or a network in CIDR notation. */
const addressSchema = z.string().refine((text) => {
  const [address = '', bits = '0', ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}, 'must be addresses or networks such as 10.0.0.0/8');

/** First parts of the service's own paths: a base path among them could not be told from a path without it. */
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
const SECRETS: ReadonlySet<string> = new Set(['API_KEYS']);

/** Every setting, from the environment; all are optional. Sizes in bytes, durations in milliseconds. */
export const configSchema = z.object({
  HOST: z
    .string()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .default('127.0.0.1')
    .describe('Address to listen on'),
  API_KEYS: apiKeysSchema
    .optional()
    .describe(
      'Keys: `key[:scope+scope],…` with the scopes submit, read and admin; a key without scopes has all. `sha256:<hex>` may stand in place of a key',
    ),
  API_KEYS_FILE: z
    .string()
    .optional()
    .describe('File with more keys, one a line as in `API_KEYS`; read again when it changes'),
  ALLOWED_HOSTS: list(z.string().regex(/^[\w.-]+$/, 'must be names such as reelstate.example.org'))
    .transform((names) => names.map((name) => name.toLowerCase()))
    .optional()
    .describe('Names by which clients may address the service, beside addresses and names of this machine'),
  ALLOW_ANONYMOUS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('`true` serves everyone who reaches the service, without keys and on any address'),
  PORT: integer(0, 65_535).default(8000).describe('Port to listen on; 0 picks a free one'),
  BASE_PATH: z
    .string()
    .regex(/^(?:\/[\w.~-]+)*\/?$/, 'must be a path such as /reelstate')
    .transform((path) => path.replace(/\/$/, ''))
    .refine((path) => !OWN_PATHS.has(path.split('/')[1] ?? ''), 'begins like one of the paths of the service')
    .default('')
    .describe('Path under which a proxy serves the service, such as `/reelstate`; default: `/`'),
  DATA_DIR: z.string().min(1).default('./data').describe('Folder for `jobs.duckdb` and `video_jobs/`'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least level that is logged'),
  MAX_UPLOAD_BYTES: integer(1)
    .default(4096 * MiB)
    .describe('Largest video accepted, in bytes'),
  MAX_UPLOADS: integer(1).default(100).describe('Uploads received at once; beyond it they are refused with 503'),
  CLIENT_SHARE_PERCENT: integer(1, 100)
    .default(50)
    .describe(
      'Part of `MAX_UPLOADS` and of `MAX_PENDING` that one key may have, or one address without keys; beyond it 429. Where there is one key, or where only this machine can ask, it may have all',
    ),
  MIN_UPLOAD_BYTES_PER_S: integer(0)
    .default(1024)
    .describe('Slowest upload, in bytes per second over half a minute; a slower one is cut off with 408'),
  UPLOAD_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(12 * hour)
    .describe('Time that one upload may take; less where its length needs less at the slowest rate. Then 408'),
  REQUESTS_PER_S: integer(1)
    .default(2_000)
    .describe(
      'Requests per second of one key, or of one address without a key; beyond it 429. Twice as many may come at once',
    ),
  MAX_CONNECTIONS: integer(1).default(4_000).describe('Open connections; one more is closed at once'),
  MAX_CONNECTIONS_PER_ADDRESS: integer(1)
    .default(200)
    .describe('Open connections of one address, or of one IPv6 network of 64 bits; one more is closed at once'),
  TRUSTED_PROXIES: list(addressSchema)
    .optional()
    .describe(
      'Addresses or networks of proxies, such as `127.0.0.1,10.0.0.0/8`; of them `X-Forwarded-For` and `X-Forwarded-Proto` are believed',
    ),
  IDEMPOTENCY_TTL_MS: integer(1)
    .default(24 * hour)
    .describe('Time for which an `Idempotency-Key` is remembered'),
  WORKER_CONCURRENCY: integer(1, 64).default(1).describe('Jobs analysed at once'),
  PIPELINE_THREADS: integer(1, 64)
    .optional()
    .describe('Inference threads per job; default: one for each core, at most 16 and what fits into the memory'),
  MAX_ATTEMPTS: integer(1, 100).default(3).describe('Attempts that a job may lose before it fails'),
  MAX_PENDING: integer(1)
    .default(100_000)
    .describe('Jobs that may wait at once; beyond it uploads are refused with 503'),
  RETENTION_MS: integer(1)
    .optional()
    .describe('Time after which the video and the results of a job that has ended are deleted; default: never'),
  JOB_RETENTION_MS: integer(1)
    .optional()
    .describe(
      'Time after which a job that has ended is forgotten: its row, its history, its sidecar and its files; default: never',
    ),
  QUARANTINE_RETENTION_MS: integer(1)
    .optional()
    .describe('Time after which files that were set aside in `quarantine/` are deleted; default: never'),
  JOB_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(6 * hour)
    .describe('Time that one attempt may take in all'),
  STALL_TIMEOUT_MS: integer(1, LONGEST_MS)
    .default(60_000)
    .describe(
      'Time without a decoded frame or a result after which an attempt is given up, without the time in which other processes had the processors',
    ),
  PIPELINES_DIR: z.string().min(1).optional().describe('Folder with more pipelines, one YAML or JSON file each'),
  MAX_FRAME_PIXELS: integer(1)
    .default(7680 * 4320)
    .describe('Largest frame analysed, width times height in pixels'),
  MAX_DURATION_MS: integer(1)
    .default(12 * hour)
    .describe('Longest video analysed, in presentation time'),
  MAX_DECODED_FRAMES: integer(1)
    .default(12 * 60 * 60 * 60)
    .describe('Most frames decoded of one video, sampled or not'),
  MAX_DECODED_PIXELS: integer(1)
    .default(12_000_000_000_000)
    .describe('Most pixels decoded of one video, in all frames'),
  MAX_PIXELS_PER_BYTE: integer(1)
    .default(100_000)
    .describe('Most pixels decoded for each byte of a video, beyond 20,000 million that every video may have'),
  EXTRA_DECODERS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.string().regex(/^[a-z0-9_.-]+$/, 'has a name that is no decoder of FFmpeg')))
    .default([])
    .describe('Decoders allowed beside the usual ones, by the names of `ffmpeg -decoders`, separated by commas'),
  MAX_RESULTS_BYTES: integer(1)
    .default(1024 * MiB)
    .describe('Largest results file'),
  KEEP_FILE_NAMES: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('`false` stores no names of uploaded files'),
  DISK_RESERVE_BYTES: integer(0)
    .default(512 * MiB)
    .describe('Free space that no upload may use'),
  CHILD_MEMORY_BYTES: integer(64 * MiB)
    .optional()
    .describe('Memory that one analysing process may use; default: by the threads and the memory of the machine'),
  CHILD_MAX_JOBS: integer(1).default(100).describe('Jobs after which an analysing process is replaced'),
  SHUTDOWN_GRACE_MS: integer(0, LONGEST_MS)
    .default(10_000)
    .describe('Time that the job in hand may take to finish at shutdown'),
});

export type Config = z.infer<typeof configSchema>;

/** @throws ServiceError `invalid_config`, one line that names the variable */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // Compose files and the like pass variables that are not set as empty ones.
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

/** Removes the settings that no child process and no dump should see. The system shows what a process was started with all the same. */
export function removeSecrets(environment: Record<string, string | undefined>): void {
  for (const name of SECRETS) delete environment[name];
}

export function hasKeys(config: Config): boolean {
  return config.API_KEYS !== undefined || config.API_KEYS_FILE !== undefined;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** What decides on threads and memory of the analysing processes; undefined: derived from the machine. */
export function childSettingsOf(config: Config) {
  const { WORKER_CONCURRENCY, PIPELINE_THREADS, CHILD_MEMORY_BYTES } = config;
  return { concurrency: WORKER_CONCURRENCY, threads: PIPELINE_THREADS, memoryBytes: CHILD_MEMORY_BYTES };
}

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
