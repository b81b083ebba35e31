import { createHash } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ServiceError } from './errors.ts';
import type { Log } from './log.ts';

/** Permissions of a key. Scopes do not include each other. */
const SCOPES = ['submit', 'read', 'admin'] as const;
/** Minimum length of a key; a shorter one could be guessed from its hash or by trying. */
const MIN_KEY_LENGTH = 16;
/** Milliseconds between checks of the file of keys. */
const LOOK_EVERY_MS = 2_000;

/** A key, stored as its hash. */
export interface ApiKey {
  /** Hexadecimal. */
  readonly sha256: string;
  readonly scopes: readonly (typeof SCOPES)[number][];
}

const scopesSchema = z.array(z.enum(SCOPES, `a scope is none of ${SCOPES.join(', ')}`));

/** `key[:scope+scope]`, or `sha256:<hex>[:scope+scope]` with the hash of the key. Without scopes, all. */
const apiKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'a key is empty, or has characters other than printable ASCII')
  .transform((text, context): ApiKey => {
    const [first = '', ...rest] = text.split(':');
    const hash = first === 'sha256' ? rest.shift() : undefined;
    if (hash !== undefined && !/^[\da-f]{64}$/i.test(hash)) {
      context.addIssue('after sha256: there must be 64 hexadecimal digits');
    }
    if (hash === undefined && first.length < MIN_KEY_LENGTH) {
      context.addIssue(`a key has fewer than ${MIN_KEY_LENGTH} characters: make one with \`openssl rand -base64 24\``);
    }
    const scopes = scopesSchema.safeParse(rest.length === 0 ? SCOPES : rest.join(':').split('+'));
    for (const { message } of scopes.error?.issues ?? []) context.addIssue(message);
    const sha256 = hash?.toLowerCase() ?? createHash('sha256').update(first).digest('hex');
    return { sha256, scopes: scopes.data ?? [] };
  });

/** Comma-separated keys. */
export const apiKeysSchema = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(z.array(apiKeySchema));

export interface KeyRingOptions {
  /** Keys that do not change. */
  readonly keys: readonly ApiKey[] | undefined;
  /** Path of a file with one key per line. */
  readonly file: string | undefined;
  readonly log: Log;
  readonly lookEveryMs?: number;
}

/** The keys of the service. Those in the file can change while it runs. */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #current: readonly ApiKey[] | undefined;

  private constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** Rejects with `invalid_config` if the file cannot be read or has no valid key. */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    const { file, lookEveryMs: interval = LOOK_EVERY_MS } = options;
    ring.#current = options.keys;
    if (file !== undefined) {
      await ring.#read(file);
      watchFile(file, { interval, persistent: false }, () => void ring.#readAgain(file));
    }
    return ring;
  }

  /** Undefined: no key is needed. */
  current(): readonly ApiKey[] | undefined {
    return this.#current;
  }

  close(): void {
    if (this.#options.file !== undefined) unwatchFile(this.#options.file);
  }

  async #read(file: string): Promise<void> {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new ServiceError('invalid_config', `API_KEYS_FILE=${JSON.stringify(file)} cannot be read`, { cause });
    });
    const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
    const parsed = apiKeysSchema.safeParse(lines.filter((line) => line !== '').join(','));
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ message }) => message);
      throw new ServiceError('invalid_config', `API_KEYS_FILE=${JSON.stringify(file)}: ${faults.join('; ')}`);
    }
    this.#current = [...(this.#options.keys ?? []), ...parsed.data];
  }

  async #readAgain(file: string): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#read(file);
      log.info({ keys: this.#current?.length }, 'keys reloaded');
    } catch (error) {
      log.error({ err: error }, 'keys not reloaded; the old ones stay valid');
    }
  }
}
