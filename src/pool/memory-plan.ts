/**
 * Memory needed to analyse a video, and the number of threads and the memory limit that follow from it. The only place
 * with these figures (docs/DEPLOYING.md, Sizing); `node dist/tools/bench/memory.js` measures them.
 */
import { ServiceError } from '../errors.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import type { Machine } from './machine.ts';

const MB = 1_000_000;
/** The service with its database. */
const SERVICE_BYTES = 300 * MB;
/** Share of the rest for the children; the system needs some too. */
const CHILDREN_PART = 0.85;
/** A child without inference threads that decodes 1080p. */
const BASE_BYTES = 130 * MB;
/** An inference thread: 115 MB for the built-in models, the rest to analyse 1080p frames with small text. */
const THREAD_BYTES = 280 * MB;
/** Largest picture that the text detector sees at once if a pipeline names no `detection_side` (`text-map.ts`). */
const LARGEST_LOOK = 1152 * 896;
/** Minimum that a default leaves for decoding videos larger than 1080p. */
const SPARE_BYTES = 200 * MB;
/**
 * With this much above its threads, a child decodes 8K with 10 bits and detects text at the largest `detection_side`.
 */
const LARGEST_VIDEO_BYTES = 3200 * MB;
/** Working memory of the text detector per pixel of its picture. */
const DETECTION_BYTES_PER_PIXEL = 160;
/** A frame in analysis, as RGB, and its copies. */
const FRAME_BYTES_PER_PIXEL = 9;
/** The decoder's reference pictures with 10 bits, and its conversion to RGB. */
const DECODER_BYTES_PER_PIXEL = 30;
/** Mapped bytes per used byte: onnxruntime doubles its arena, and the last doubling is rarely full. */
const MAPPED_PER_USED = 1.6;
/** More threads share the memory bus and gain little. */
const MOST_DEFAULT_THREADS = 16;

export interface ChildSettings {
  /** Number of children. */
  readonly concurrency: number;
  /** Undefined: the default is derived. */
  readonly threads: number | undefined;
  readonly memoryBytes: number | undefined;
}

export interface ChildPlan {
  /** Inference threads of a child. */
  readonly threads: number;
  /** Memory limit of a child. */
  readonly memoryBytes: number;
  /** True if all children together may use more memory than the machine has for them. */
  readonly isOvercommitted: boolean;
}

/**
 * Derives missing settings from the machine. Throws `invalid_config`, with working values, if threads and memory
 * contradict each other.
 */
export function planChildren(machine: Machine, settings: ChildSettings): ChildPlan {
  const { concurrency } = settings;
  const forChildren = Math.max(0, CHILDREN_PART * (machine.memoryBytes - SERVICE_BYTES));
  const share = forChildren / concurrency;
  const threads = settings.threads ?? defaultThreads(machine.cores, settings.memoryBytes ?? share);
  const needed = memoryOfThreads(threads);
  const memoryBytes =
    settings.memoryBytes ?? Math.floor(Math.max(needed, Math.min(share, needed + LARGEST_VIDEO_BYTES)));
  const most = settings.memoryBytes ?? machine.memoryBytes;
  if (needed > most) throw contradiction(threads, needed, machine, settings);
  return { threads, memoryBytes, isOvercommitted: concurrency * memoryBytes > forChildren };
}

/** Returns the memory of a child with this many threads for videos up to 1080p. */
export function memoryOfThreads(threads: number): number {
  return BASE_BYTES + threads * THREAD_BYTES;
}

/** Returns how much a child with this limit may map in addition to its runtime. */
export function mappedBytesFor(memoryBytes: number): number {
  return Math.ceil(memoryBytes * MAPPED_PER_USED);
}

/**
 * Returns how many inference threads may work at the same time, at least one, on frames of `frameBytes` of RGB whose
 * parts are analysed one after another.
 */
export function threadsForFrames(
  frameBytes: number,
  parts: readonly { readonly width: number; readonly height: number }[],
  definition: PipelineDefinition,
  freeBytes: number,
): number {
  const pixels = frameBytes / 3;
  const side = detectionSideOf(definition);
  const looks = definition.nodes.some(({ tool, params }) => tool === 'ocr.read' && !('detection_side' in params));
  const detected = parts.map(({ width, height }) =>
    Math.max(
      width * height * Math.min(1, side / Math.max(width, height)) ** 2,
      looks ? Math.min(width * height, LARGEST_LOOK) : 0,
    ),
  );
  const each = pixels * FRAME_BYTES_PER_PIXEL + Math.max(0, ...detected) * DETECTION_BYTES_PER_PIXEL;
  return Math.max(1, Math.floor((freeBytes - pixels * DECODER_BYTES_PER_PIXEL) / each));
}

/**
 * Throws `invalid_config` with the pipeline's name if one thread cannot detect text in a 16:9 frame as large as the
 * pipeline's `detection_side` within the limit.
 */
export function checkPipelineMemory(definitions: readonly PipelineDefinition[], plan: ChildPlan): void {
  for (const definition of definitions) {
    const side = detectionSideOf(definition);
    const pixels = Math.max(0, pixelsOf(side) - LARGEST_LOOK);
    const each = DETECTION_BYTES_PER_PIXEL + FRAME_BYTES_PER_PIXEL + DECODER_BYTES_PER_PIXEL;
    const needed = memoryOfThreads(1) + pixels * each;
    if (needed <= plan.memoryBytes) continue;
    throw new ServiceError(
      'invalid_config',
      `Pipeline ${definition.id} looks for text at detection_side ${side}, which needs a process of ${mb(needed)}; ` +
        `one may use ${mb(plan.memoryBytes)}: set CHILD_MEMORY_BYTES=${Math.ceil(needed)} or lower detection_side`,
    );
  }
}

/** Of a 16:9 picture. */
function pixelsOf(side: number): number {
  return (side * side * 9) / 16;
}

/** Returns the largest `detection_side` of the pipeline; 0 if it reads no text. */
function detectionSideOf(definition: PipelineDefinition): number {
  const sides = definition.nodes.map(({ params }) => Number(params['detection_side'] ?? 0));
  return Math.max(...sides.map((side) => (Number.isFinite(side) ? side : 0)));
}

function defaultThreads(cores: number, memoryBytes: number): number {
  return Math.max(1, Math.min(cores, MOST_DEFAULT_THREADS, fittingThreads(memoryBytes - SPARE_BYTES)));
}

function fittingThreads(memoryBytes: number): number {
  return Math.floor((memoryBytes - BASE_BYTES) / THREAD_BYTES);
}

function contradiction(
  threads: number,
  needed: number,
  { memoryBytes }: Machine,
  settings: ChildSettings,
): ServiceError {
  const limit = settings.memoryBytes ?? memoryBytes;
  const fitting = Math.min(64, fittingThreads(limit));
  const whose = settings.memoryBytes === undefined ? 'this machine has' : 'CHILD_MEMORY_BYTES allows';
  const raise = settings.memoryBytes === undefined ? '' : `CHILD_MEMORY_BYTES=${Math.ceil(needed)}`;
  const lower = fitting >= 1 && settings.threads !== undefined ? `PIPELINE_THREADS=${fitting}` : '';
  const working = [lower, raise].filter((text) => text !== '').join(' or ');
  return new ServiceError(
    'invalid_config',
    `${threads} inference threads (PIPELINE_THREADS) need a process of ${mb(needed)}, and ${whose} ${mb(limit)}` +
      (working === '' ? '' : `: set ${working}`),
  );
}

function mb(bytes: number): string {
  return `${Math.ceil(bytes / MB)} MB`;
}
