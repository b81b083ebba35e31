import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { encodePicture, fittingSize } from '../../src/pipeline/picture-encoder.ts';
import { encodePictures } from '../../src/pipeline/pictures.ts';
import { decodeStill } from '../../src/pipeline/still.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoRecipe } from '../../tools/video-recipe.ts';
import { decodedPicture } from './decoded-picture.ts';
import { BLUE, expectColors, GRAY, GREEN, quadrants, quarterColors, RED } from './known-pictures.ts';

const VIDEOS: Readonly<Record<string, Partial<VideoRecipe>>> = {
  'H.264 with B-frames and several key frames': { encoderOptions: { preset: 'fast', bf: 3, g: 12 } },
  'H.264 with one key frame': { encoderOptions: { preset: 'fast', bf: 2, g: 1000 } },
  'H.264 in fragments': {
    encoderOptions: { preset: 'fast', g: 12 },
    muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
  },
  'H.264 of a variable frame rate, which begins late': {
    encoderOptions: { preset: 'fast', bf: 2, g: 10 },
    timesMs: Array.from({ length: 40 }, (_, index) => 500 + index * 40 + (index % 3) * 11),
  },
  HEVC: {
    codec: 'hevc',
    encoderOptions: { 'x265-params': 'log-level=none:pools=none:keyint=12:bframes=3:open-gop=0' },
  },
  VP9: { codec: 'vp9' },
  'MPEG-4': { codec: 'mpeg4' },
};

describe('pictures of a video', () => {
  let folder = '';
  let path = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'pictures-'));
    path = join(folder, 'video.mp4');
  });
  after(() => rmSync(folder, { recursive: true }));

  const make = (recipe: Partial<VideoRecipe>): readonly Frame[] => {
    makeVideo({ path, width: 64, height: 48, frames: 40, ...recipe });
    return [...decodeFrames(path)];
  };
  const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

  for (const [name, recipe] of Object.entries(VIDEOS)) {
    it(`shows the frame of a time: ${name}`, () => {
      const frames = make(recipe);
      const [first, last] = [frames[0], frames.at(-1)];
      for (const [at, frame] of frames.entries()) {
        const next = frames[at + 1]?.timestampMs ?? frame.timestampMs + 1000;
        for (const atMs of [frame.timestampMs, (frame.timestampMs + next) / 2]) {
          const still = decodeStill(path, atMs);
          expect(still.timestampMs, `at ${atMs}`).to.equal(frame.timestampMs);
          expect(isSame(still.picture.rgb, frame.rgb), `pixels at ${atMs}`).to.equal(true);
        }
      }
      expect(decodeStill(path, 1e7).timestampMs).to.equal(last?.timestampMs);
      expect(decodeStill(path, 0).timestampMs).to.equal(first?.timestampMs);
    });

    it(`makes thumbnails of the frames that are wanted: ${name}`, () => {
      const frames = make(recipe).filter(({ index }) => [0, 7, 8, 30].includes(index));
      const timesMs = frames.map(({ timestampMs }) => timestampMs);
      const wish = { kind: 'thumbnails', timesMs, keyframesOnly: false, longestSide: 32, maxBytes: 1e6 } as const;
      const pictures = [...encodePictures(path, wish, {})];
      expect(pictures.map(({ timestampMs }) => timestampMs)).to.deep.equal(timesMs);
      for (const [at, { bytes }] of pictures.entries()) {
        const expected = frames[at] && encodePicture(frames[at], { format: 'jpeg', longestSide: 32 });
        expect(expected !== undefined && isSame(bytes, expected)).to.equal(true);
        expect(decodedPicture(bytes, 'jpeg')).to.include({ width: 32, height: 24 });
      }
    });
  }

  it('shows them upright, in the proportions and the part that a player shows', () => {
    const turned = { displayMatrix: [0, 1, -1, 0], pixelAspect: [2, 1], cutOff: [4, 4, 0, 0] } as const;
    const [frame] = make({ ...turned, picture: () => quadrants(64, 48), frames: 2, encoderOptions: { crf: 10 } });
    const { picture } = decodeStill(path, 0);
    expect({ width: picture.width, height: picture.height }).to.deep.equal({ width: 40, height: 128 });
    expect(frame && isSame(picture.rgb, frame.rgb)).to.equal(true);
    expectColors(
      quarterColors(decodedPicture(encodePicture(picture, { format: 'jpeg' }), 'jpeg')),
      [BLUE, RED, GRAY, GREEN],
      12,
    );
  });

  it('keeps every pixel in PNG, and the colours in JPEG', () => {
    const picture = { width: 50, height: 34, rgb: quadrants(50, 34) };
    const png = decodedPicture(encodePicture(picture, { format: 'png' }), 'png');
    expect(isSame(png.rgb, picture.rgb)).to.equal(true);
    const jpeg = encodePicture(picture, { format: 'jpeg' });
    expectColors(quarterColors(decodedPicture(jpeg, 'jpeg')), [RED, GREEN, BLUE, GRAY], 6);
    expect(isSame(jpeg, encodePicture(picture, { format: 'jpeg' }))).to.equal(true);
    const small = decodedPicture(encodePicture(picture, { format: 'png', longestSide: 25 }), 'png');
    expect(small).to.include({ width: 25, height: 17 });
    expectColors(quarterColors(small), [RED, GREEN, BLUE, GRAY], 2);
  });

  it('makes no picture larger, and none without pixels', () => {
    expect(fittingSize({ width: 100, height: 50 }, 320)).to.deep.equal({ width: 100, height: 50 });
    expect(fittingSize({ width: 1920, height: 1080 }, 320)).to.deep.equal({ width: 320, height: 180 });
    expect(fittingSize({ width: 3000, height: 1 }, 320)).to.deep.equal({ width: 320, height: 1 });
    const line = decodedPicture(
      encodePicture({ width: 3, height: 1, rgb: new Uint8Array(9) }, { format: 'jpeg' }),
      'jpeg',
    );
    expect(line).to.include({ width: 3, height: 1 });
  });

  it('leaves out what would make all together too large', () => {
    const timesMs = make({}).map(({ timestampMs }) => timestampMs);
    const wish = { kind: 'thumbnails', timesMs, keyframesOnly: false, longestSide: 64, maxBytes: 8000 } as const;
    const bytes = [...encodePictures(path, wish, {})].reduce((sum, each) => sum + each.bytes.length, 0);
    expect(bytes).to.be.within(4000, 8000);
  });

  it('decodes key frames alone where the analysis did', () => {
    make({ encoderOptions: { preset: 'fast', g: 10 } });
    const keys = [...decodeFrames(path, { keyframesOnly: true })].map(({ timestampMs }) => timestampMs);
    const wish = { kind: 'thumbnails', timesMs: keys, keyframesOnly: true, longestSide: 64, maxBytes: 1e6 } as const;
    expect([...encodePictures(path, wish, {})].map(({ timestampMs }) => timestampMs)).to.deep.equal(keys);
  });
});
