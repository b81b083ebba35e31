import { MUTATIONS, type Mutation } from './mutations.ts';
import { Random } from './random.ts';
import type { SeedVideo } from './seed-videos.ts';

export interface Mutant {
  readonly bytes: Buffer;
  /** What was changed, for people. */
  readonly story: string;
  /** The file name of the upload; some are traps for code that uses a name as a path. */
  readonly fileName: string;
  /** Every n-th frame is analysed; all are decoded. */
  readonly frameStride: number;
}

const PROBLEM_TYPES: readonly (readonly [name: string, mutation: Mutation])[] = Object.entries(MUTATIONS);

/** Mutations that keep most of a file, so that it reaches deep code of FFmpeg, are used half of the time. */
const DEEP: ReadonlySet<Mutation> = new Set([
  MUTATIONS['bits flipped in the index'],
  MUTATIONS['bits flipped in the decoder setup'],
  MUTATIONS['bits flipped in the media'],
  MUTATIONS['extreme integers in the index'],
  MUTATIONS['extreme size of the picture'],
]);
const DEEP_KINDS = PROBLEM_TYPES.filter(([, mutation]) => DEEP.has(mutation));

/** Repeated boxes and splices could grow without bound. */
const MAX_BYTES = 4 * 1024 * 1024;

const NAMES = [
  'video.mp4',
  'video.mp4',
  '../../../secret.ts',
  '/etc/passwd',
  'concat:secret.ts|secret.ts',
  'a\nb.mp4',
  'ü\u202e4pm.exe',
];

export interface MutantOptions {
  readonly videos: readonly SeedVideo[];
  readonly canaryPath: string;
  readonly seed: number;
  readonly index: number;
}

/**
 * Returns the same mutant for the same seed, index and videos. One in fifty is unchanged, to show that valid videos
 * pass.
 */
export function makeMutant({ videos, canaryPath, seed, index }: MutantOptions): Mutant {
  const random = Random.of(`${seed}/${index}`);
  const video = random.pick(videos);
  const fileName = random.pick(NAMES);
  const frameStride = random.pick([1, 5, 8, 8]);
  let { bytes } = video;
  const story = [video.name];
  for (let left = random.chance(0.02) ? 0 : random.pick([1, 1, 1, 2, 2, 4]); left > 0; left -= 1) {
    const [name, mutate] = random.pick(random.chance(0.5) ? DEEP_KINDS : PROBLEM_TYPES);
    const next = mutate({ bytes, random, other: random.pick(videos).bytes, canaryPath });
    if (next.length === 0 || next.length > MAX_BYTES) continue;
    bytes = next;
    story.push(name);
  }
  return { bytes, story: story.join(', '), fileName, frameStride };
}
