import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { decodeFrames, decodeSamples } from '../../src/pipeline/decode.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PixelBudget } from '../../src/pipeline/pixel-budget.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { expectRefusal } from './refusal.ts';

const EIGHT_K = 7680 * 4320;

describe('the budget of pixels', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'budget-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  it('ends a file of repeated 8K frames, 17 bytes each, after some hundred frames for 100 KB', async () => {
    let frames = 0;
    const budget = new PixelBudget(DEFAULT_VIDEO_LIMITS, 100_000);
    const spend = (): void => {
      for (; frames < 100_000; frames += 1) budget.decode(EIGHT_K);
    };
    await expectRefusal(spend, 'too_large', 'pixels for each of its bytes; the limit maxPixelsPerByte is 100000');
    expect(frames).to.be.within(500, 1000);
  });

  it('counts a frame that is converted five times', async () => {
    let frames = 0;
    const budget = new PixelBudget(DEFAULT_VIDEO_LIMITS, 1);
    const spend = (): void => {
      for (; frames < 1000; frames += 1) {
        budget.decode(EIGHT_K);
        budget.convert(EIGHT_K);
      }
    };
    await expectRefusal(spend, 'too_large', 'maxPixelsPerByte');
    expect(frames).to.equal(Math.floor(20_000_000_000 / EIGHT_K / 5));
  });

  it('accepts an hour of black in every codec', () => {
    for (const codec of ['h264', 'av1'] as const) {
      const path = join(folder, `${codec}.mp4`);
      makeVideo({ path, width: 1280, height: 720, frames: 100, codec, picture: 'color=black' });
      const hour = (3600 * 25) / 100;
      const budget = new PixelBudget(DEFAULT_VIDEO_LIMITS, statSync(path).size * hour);
      for (let frame = 0; frame < 100 * hour; frame += 1) budget.decode(1280 * 720);
    }
  });

  it('is spent by what is decoded, sampled or not, and bounds it in all', async () => {
    const path = join(folder, 'small.mp4');
    makeVideo({ path, width: 64, height: 48, frames: 20 });
    const limits = { ...DEFAULT_VIDEO_LIMITS, maxDecodedPixels: 64 * 48 * 19 };
    await expectRefusal(() => [...decodeFrames(path, { limits })], 'too_large', 'limit maxDecodedPixels is 58368');
    expect([...decodeFrames(path, { limits, maxFrames: 10 })]).to.have.length(10);
  });

  it('is not spent on converting frames that repeat', () => {
    const path = join(folder, 'still.mp4');
    makeVideo({ path, width: 98, height: 50, frames: 20, picture: 'color=gray', encoderOptions: { crf: 0 } });
    const pictures = Array.from(decodeSamples(path, { convertRepeats: false }), ({ picture }) => picture !== undefined);
    expect(pictures).to.deep.equal([true, ...Array.from({ length: 19 }, () => false)]);
  });
});
