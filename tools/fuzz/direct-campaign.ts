import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ServiceError } from '../../src/errors.ts';
import type { MediaFacts } from '../../src/job.ts';
import { createLog } from '../../src/log.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PICTURE_FORMATS } from '../../src/pipeline/picture-encoder.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { ProcessPool } from '../../src/pool/process-pool.ts';
import { cpuSecondsOf, memoryOf } from '../child-processes.ts';
import { CANARY_PICTURE, placeCanaries } from './canary.ts';
import { FileTrace } from './file-trace.ts';
import { makeMutant, type Mutant } from './mutant.ts';
import { Random } from './random.ts';
import { makeSeedVideos, type SeedVideo } from './seed-videos.ts';

export interface DirectOptions {
  /** For videos, and mutants to keep. */
  readonly folder: string;
  readonly seed: number;
  /** Indices of the mutants. */
  readonly indices: readonly number[];
  /** Whether to trace the child and to check every file that it opens. */
  readonly isTraced: boolean;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface DirectReport {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly findings: readonly string[];
  readonly slowest: { readonly index: number; readonly ms: number };
  readonly childPeakBytes: number;
  readonly childCpuSeconds: number;
  /** Number of traced system calls; undefined without a trace. */
  readonly tracedCalls: number | undefined;
}

const MEMORY_BYTES = 900 * 1024 * 1024;
/** More than a mutant takes in milliseconds on a busy machine, with progress and without. */
const LIMIT_MS = 600_000;
const STALL_MS = 60_000;
/** A few of the largest frames, each of which costs half a second of CPU time. */
const LIMITS = { ...DEFAULT_VIDEO_LIMITS, maxDecodedPixels: 80_000_000 };
const SAY_EVERY = 1_000;
/** Several, because a mutant waits more than it computes. */
const CHILDREN = 6;
/** The whole process: index, decoder, conversion and a model, which sees a tiny picture. */
const PIPELINE: PipelineDefinition = {
  id: 'fuzz',
  description: 'Reads text in as little time as possible',
  nodes: [{ id: 'text', tool: 'ocr.read', params: { detection_side: 64 } }],
  edges: [{ from: 'frame', to: 'text' }],
  outputs: ['text'],
};
/** Expected ends of a mutant, after which its child is used again. */
const VERDICTS: ReadonlySet<string> = new Set(['completed', 'invalid_video', 'too_large']);

/**
 * Sends mutants to restricted child processes as the service does, without the service. Findings are an unexpected
 * end, a new child, an opened file of others, and a file or process that is left over.
 */
export async function runDirectCampaign(options: DirectOptions): Promise<DirectReport> {
  const { folder, signal, isTraced } = options;
  const inputs = join(folder, 'inputs');
  const linksFolder = join(folder, 'links');
  await mkdir(inputs, { recursive: true });
  const videos = await makeSeedVideos(inputs);
  const { videoPath: canaryPath } = await placeCanaries(inputs);
  const pool = ProcessPool.open({
    isolation: await detectIsolation({ environment: process.env }),
    size: CHILDREN,
    threads: 1,
    warmUp: [PIPELINE],
    memoryBytes: MEMORY_BYTES,
    stallTimeoutMs: STALL_MS,
    recycleAfterJobs: Number.MAX_SAFE_INTEGER,
    linksFolder,
    log: createLog('silent'),
  });
  const run = new DirectCampaign(options, pool, videos, canaryPath);
  try {
    await pool.ready;
    const pids = pool.pids();
    const trace = isTraced ? await FileTrace.start(pids, join(folder, 'trace.txt')) : undefined;
    if (isTraced && trace === undefined) throw new Error('strace is not installed, or may not trace here');
    try {
      const waiting = options.indices.values();
      const sender = async (place: number): Promise<void> => {
        for (const index of waiting) await run.one(index, join(inputs, `mutant-${place}.mp4`));
      };
      await Promise.all(pids.map(async (_, place) => sender(place)));
    } finally {
      await trace?.stop();
    }
    const calls = trace === undefined ? undefined : await trace.check(linksFolder);
    for (const finding of calls?.findings ?? []) run.note(`traced: ${finding}`);
    if (pool.restarts > 0) run.note(`${pool.restarts} children were replaced`);
    const children = pool.pids();
    const childPeakBytes = Math.max(...children.map((pid) => memoryOf(pid)?.peak ?? 0));
    const childCpuSeconds = children.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
    const left = (await readdir(linksFolder, { recursive: true })).filter((name) => name.endsWith('.mp4'));
    if (left.length > 0) run.note(`left over: ${left.join(', ')}`);
    signal.throwIfAborted();
    return { ...run.report(), childPeakBytes, childCpuSeconds, tracedCalls: calls?.count };
  } finally {
    await pool.close();
  }
}

class DirectCampaign {
  readonly #options: DirectOptions;
  readonly #pool: ProcessPool;
  readonly #videos: readonly SeedVideo[];
  readonly #canaryPath: string;
  readonly #outcomes = new Map<string, number>();
  readonly #findings: string[] = [];
  #slowest = { index: -1, ms: 0 };
  #done = 0;

  constructor(options: DirectOptions, pool: ProcessPool, videos: readonly SeedVideo[], canaryPath: string) {
    this.#options = options;
    this.#pool = pool;
    this.#videos = videos;
    this.#canaryPath = canaryPath;
  }

  async one(index: number, path: string): Promise<void> {
    const { signal, seed, indices, say } = this.#options;
    signal.throwIfAborted();
    const mutant = makeMutant({ videos: this.#videos, canaryPath: this.#canaryPath, seed, index });
    await writeFile(path, mutant.bytes);
    const startedMs = performance.now();
    const random = Random.of(`pictures ${seed}/${index}`);
    const ends = [await this.#outcomeOf(() => this.#analyse(mutant, index, path))];
    if (random.chance(0.2)) ends.push(`still ${await this.#outcomeOf(() => this.#still(random, path))}`);
    const ms = performance.now() - startedMs;
    if (ms > this.#slowest.ms) this.#slowest = { index, ms };
    for (const end of ends) {
      this.#outcomes.set(end, (this.#outcomes.get(end) ?? 0) + 1);
      if (!VERDICTS.has(end.replace('still ', ''))) await this.#find(index, mutant, end);
    }
    this.#done += 1;
    if (this.#done % SAY_EVERY === 0) say(`${this.#done} of ${indices.length}`);
  }

  note(finding: string): void {
    this.#findings.push(finding);
    this.#options.say(`FOUND  ${finding}`);
  }

  report(): Pick<DirectReport, 'outcomes' | 'findings' | 'slowest'> {
    return { outcomes: this.#outcomes, findings: this.#findings, slowest: this.#slowest };
  }

  async #outcomeOf(run: () => Promise<void>): Promise<string> {
    try {
      await run();
      return 'completed';
    } catch (error) {
      this.#options.signal.throwIfAborted();
      return error instanceof ServiceError ? error.code : messageOf(error);
    }
  }

  async #analyse({ frameStride, bytes }: Mutant, index: number, filePath: string): Promise<void> {
    const results = this.#pool.run(
      {
        definition: PIPELINE,
        filePath,
        sampling: { frameStride, keyframesOnly: index % 16 === 0 },
        regions: [],
        limits: LIMITS,
        extraDecoders: [],
        analyseRepeats: false,
      },
      this.#signal(),
    );
    let step = await results.next();
    while (step.done !== true) step = await results.next();
    if (bytes.includes('secret.ts') && isCanary(step.value)) throw new Error('the canary was decoded');
  }

  async #still(random: Random, filePath: string): Promise<void> {
    const wish = { kind: 'still', atMs: random.below(500), format: random.pick(PICTURE_FORMATS) } as const;
    const request = { filePath, wish, limits: LIMITS, extraDecoders: [] };
    for await (const { bytes } of this.#pool.look(request, this.#signal())) {
      if (bytes.length === 0) throw new Error('an empty picture');
    }
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#options.signal, AbortSignal.timeout(LIMIT_MS)]);
  }

  async #find(index: number, { bytes, story }: Mutant, end: string): Promise<void> {
    const { seed, folder } = this.#options;
    const path = join(folder, `mutant-${seed}-${index}.mp4`);
    await writeFile(path, bytes);
    this.note(`seed ${seed}, index ${index} (${story}): ${end}\n  kept as ${path}`);
  }
}

/** No seed video has its size. A changed pixel aspect may give it to one. */
function isCanary(media: MediaFacts | undefined): boolean {
  return media?.width === CANARY_PICTURE.width && media.height === CANARY_PICTURE.height;
}
