import { open, readFile, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';

/** The progress of a batch: one JSON object per line, only appended to. The last line about a subject counts. */
const lineSchema = z.discriminatedUnion('type', [
  /** The hash of a video's content, valid while the file is unchanged. */
  z.object({
    type: z.literal('video'),
    path: z.string(),
    bytes: z.number(),
    mtime_ms: z.number(),
    ctime_ms: z.number(),
    sha256: z.string(),
  }),
  /** The job of a content at a service. */
  z.object({
    type: z.literal('job'),
    key: z.string(),
    url: z.string(),
    job_id: z.string(),
    /** Number of submissions of this content, from 1. */
    round: z.int(),
  }),
  /** A content that would fail again. */
  z.object({ type: z.literal('failure'), key: z.string(), code: z.string(), message: z.string() }),
  /** A complete output file. */
  z.object({ type: z.literal('output'), path: z.string(), key: z.string() }),
]);
export type LedgerLine = z.infer<typeof lineSchema>;
type LineOf<T extends LedgerLine['type']> = Extract<LedgerLine, { readonly type: T }>;

/** The ledger of a batch: read once, then appended to. A line that a kill truncated is ignored. */
export class Ledger implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #lines = new Map<string, LedgerLine>();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(path: string): Promise<Ledger> {
    const ledger = new Ledger(await open(path, 'a'));
    const text = await readFile(path, 'utf8');
    for (const line of text.split('\n')) ledger.#remember(parsed(line));
    if (text !== '' && !text.endsWith('\n')) await ledger.#file.appendFile('\n');
    return ledger;
  }

  video(path: string): LineOf<'video'> | undefined {
    return this.#last('video', path);
  }

  job(key: string, url: string): LineOf<'job'> | undefined {
    return this.#last('job', `${key} ${url}`);
  }

  failure(key: string): LineOf<'failure'> | undefined {
    return this.#last('failure', key);
  }

  output(path: string): LineOf<'output'> | undefined {
    return this.#last('output', path);
  }

  /** Resolves when the line survives the end of the process. */
  async append(line: LedgerLine): Promise<void> {
    this.#remember(line);
    await this.#file.appendFile(`${JSON.stringify(line)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }

  #last<T extends LedgerLine['type']>(type: T, subject: string): LineOf<T> | undefined {
    const line = this.#lines.get(`${type} ${subject}`);
    return line !== undefined && isOf(line, type) ? line : undefined;
  }

  #remember(line: LedgerLine | undefined): void {
    if (line !== undefined) this.#lines.set(`${line.type} ${subjectOf(line)}`, line);
  }
}

function isOf<T extends LedgerLine['type']>(line: LedgerLine, type: T): line is LineOf<T> {
  return line.type === type;
}

function subjectOf(line: LedgerLine): string {
  if (line.type === 'video' || line.type === 'output') return line.path;
  return line.type === 'job' ? `${line.key} ${line.url}` : line.key;
}

function parsed(line: string): LedgerLine | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
