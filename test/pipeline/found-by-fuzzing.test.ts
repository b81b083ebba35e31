import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { ServiceError } from '../../src/errors.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeMutant } from '../../tools/fuzz/mutant.ts';
import { makeSeedVideos, type SeedVideo } from '../../tools/fuzz/seed-videos.ts';

/** Seed and index of mutants with a former defect. */
const FOUND = [
  [2, 35, 'memory_limit, since FFmpeg calls contradictory boxes a want of memory'],
  [2, 479, 'memory_limit'],
  [2, 509, 'memory_limit'],
  [2, 786, 'memory_limit'],
  [2, 853, 'memory_limit, since FFmpeg calls a sample of absurd size a want of memory'],
  [2, 881, 'memory_limit'],
] as const;

describe('decodeFrames of what the fuzzer found', () => {
  let folder = '';
  let videos: readonly SeedVideo[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'found-'));
    videos = await makeSeedVideos(folder);
  });

  after(() => rmSync(folder, { recursive: true }));

  for (const [seed, index, formerly] of FOUND) {
    it(`yields frames or a video error: seed ${seed}, index ${index}, formerly ${formerly}`, () => {
      const path = join(folder, 'mutant.mp4');
      writeFileSync(path, makeMutant({ videos, canaryPath: join(folder, 'secret.ts'), seed, index }).bytes);
      try {
        expect([...decodeFrames(path)]).to.not.deep.equal([]);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        expect(error.code).to.be.oneOf(['invalid_video', 'too_large']);
      }
    });
  }
});
