import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { array, assert, constantFrom, nat, property, record } from 'fast-check';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { DecodeOptions, DecodeSummary } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoRecipe } from '../../tools/video-recipe.ts';

/** The compared properties of a decoded frame. */
interface Seen {
  readonly index: number;
  readonly timestampMs: number;
  readonly pixels: string;
}

describe('sampling', () => {
  let folder = '';
  let path = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sampling-'));
    path = join(folder, 'video.mp4');
  });

  after(() => rmSync(folder, { recursive: true }));

  const make = (recipe: Partial<VideoRecipe> = {}): void => {
    makeVideo({ path, width: 64, height: 48, frames: 60, ...recipe });
  };

  const VIDEOS: Readonly<Record<string, Partial<VideoRecipe>>> = {
    'H.264 with B-frames and short distances of key frames': { encoderOptions: { preset: 'fast', bf: 3, g: 12 } },
    'H.264 with one key frame': { encoderOptions: { preset: 'fast', bf: 2, g: 1000 } },
    'H.264 with key frames that refer to earlier pictures': {
      encoderOptions: { preset: 'fast', 'x264-params': 'open-gop=1:keyint=12:bframes=3' },
    },
    'H.264 whose pictures are refreshed column by column': {
      encoderOptions: { preset: 'fast', 'x264-params': 'intra-refresh=1:keyint=12' },
    },
    'H.264, interlaced': { interlaced: true, encoderOptions: { preset: 'fast', g: 12 } },
    'H.264 in fragments': {
      encoderOptions: { preset: 'fast', g: 12 },
      muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
    },
    'H.264 of a variable frame rate': {
      encoderOptions: { preset: 'fast', bf: 2, g: 10 },
      timesMs: Array.from({ length: 60 }, (_, index) => index * 40 + (index % 3) * 11 + Math.floor(index / 20) * 700),
    },
    'H.264 with B-frames that others refer to': {
      encoderOptions: { preset: 'fast', 'x264-params': 'keyint=30:bframes=5:b-pyramid=normal:b-adapt=0' },
    },
    HEVC: {
      codec: 'hevc',
      encoderOptions: { 'x265-params': 'log-level=none:pools=none:keyint=12:bframes=3:open-gop=0' },
    },
    'HEVC with key frames that refer to earlier pictures': {
      codec: 'hevc',
      encoderOptions: { 'x265-params': 'log-level=none:pools=none:keyint=12:bframes=3:open-gop=1' },
    },
    VP9: { codec: 'vp9', encoderOptions: { g: 12 } },
    AV1: { codec: 'av1', encoderOptions: { g: 12 } },
    'MPEG-4 with B-frames': { codec: 'mpeg4', encoderOptions: { bf: 2, g: 12 } },
    ProRes: { codec: 'prores' },
    'Motion JPEG': { codec: 'mjpeg' },
  };

  const OPTIONS: readonly DecodeOptions[] = [
    { frameStride: 7 },
    { frameStride: 29 },
    { frameStride: 12, maxFrames: 3 },
    { sampleEveryMs: 100 },
    { sampleEveryMs: 1000 },
    { sampleEveryMs: 990, fromMs: 500 },
    { fromMs: 1300 },
    { toMs: 500 },
    { fromMs: 1001, toMs: 1199 },
    { fromMs: 700, toMs: 2000, frameStride: 5 },
    { fromMs: 1_000_000 },
  ];

  for (const [name, recipe] of Object.entries(VIDEOS)) {
    it(`gives the same result as decoding everything: ${name}`, () => {
      make(recipe);
      const all = framesOf(path);
      expect(all).to.have.length(60);
      for (const options of OPTIONS) {
        expect(framesOf(path, options), JSON.stringify(options)).to.deep.equal(chosen(all, options));
      }
    });

    it(`decodes only key frames, with their own index and time: ${name}`, () => {
      make(recipe);
      const all = framesOf(path);
      const keys = framesOf(path, { keyframesOnly: true });
      expect(keys.length).to.be.within(1, all.length);
      for (const key of keys) expect(key).to.deep.equal(all[key.index]);
      const options = { sampleEveryMs: 600, fromMs: 200 };
      expect(framesOf(path, { keyframesOnly: true, ...options })).to.deep.equal(chosen(keys, options));
    });
  }

  it('does not decode frames that no sampled frame needs', () => {
    make({ frames: 240, encoderOptions: { preset: 'fast', g: 24, sc_threshold: 0 } });
    expect(summaryOf(path, { frameStride: 24 }).decodedFrames).to.equal(10);
    expect(summaryOf(path, { fromMs: 9000 }).decodedFrames).to.be.at.most(1 + 24);
    expect(summaryOf(path, { toMs: 100 }).decodedFrames).to.be.at.most(4);
    expect(summaryOf(path, { keyframesOnly: true }).decodedFrames).to.equal(10);
  });

  for (const [codec, params] of [
    ['h264', 'keyint=120:bframes=3:b-adapt=0:scenecut=0'],
    ['hevc', 'log-level=none:pools=none:keyint=120:bframes=3:b-adapt=0:scenecut=0:open-gop=0'],
  ] as const) {
    it(`does not decode pictures that no other refers to: ${codec}`, () => {
      make({
        codec,
        frames: 120,
        encoderOptions: { preset: 'fast', [`${codec === 'h264' ? 'x264' : 'x265'}-params`]: params },
      });
      const options = { sampleEveryMs: 4000, fromMs: 3000 };
      expect(framesOf(path, options).map(({ index }) => index)).to.deep.equal([100]);
      // Half of the pictures before it, because the middle one of three B-frames is referred to.
      expect(summaryOf(path, options).decodedFrames).to.be.within(45, 60);
    });
  }

  it('reports progress while it reads and decodes', () => {
    make({ frames: 100, encoderOptions: { preset: 'fast', bf: 0, g: 1000 } });
    const seen: number[] = [];
    // The last frame needs all previous packets, which are decoded only after all are read.
    const frames = framesOf(path, { fromMs: 3960, onProgress: (steps) => seen.push(steps) });
    expect(frames.map(({ index }) => index)).to.deep.equal([99]);
    expect(seen).to.deep.equal(Array.from(seen, (_, place) => place + 1));
    expect(seen.length).to.be.at.least(200);
  });

  it('samples the first frame at or after each multiple, once if several fall into a gap', () => {
    make({ frames: 5, timesMs: [0, 990, 1000, 4500, 5100] });
    expect(framesOf(path, { sampleEveryMs: 1000 }).map(({ timestampMs }) => timestampMs)).to.deep.equal([
      0, 1000, 4500, 5100,
    ]);
  });

  it('is deterministic for a damaged video', () => {
    make({ frames: 48, encoderOptions: { preset: 'fast', bf: 2, g: 8 } });
    const whole = readFileSync(path);
    const start = whole.indexOf('mdat') + 4;
    const end = whole.indexOf('moov', start) - 4;
    const hole = record({ at: nat({ max: end - start - 1 }), bytes: nat({ max: 60 }), value: nat({ max: 255 }) });
    const options = constantFrom<DecodeOptions>(
      { frameStride: 5 },
      { sampleEveryMs: 300 },
      { fromMs: 700, toMs: 1500 },
    );
    assert(
      property(array(hole, { minLength: 1, maxLength: 3 }), options, (holes, option) => {
        const bytes = Buffer.from(whole);
        for (const { at, bytes: length, value } of holes)
          bytes.fill(value, start + at, Math.min(end, start + at + length));
        writeFileSync(path, bytes);
        const frames = framesOf(path, option);
        expect(framesOf(path, option)).to.deep.equal(frames);
        for (const [place, { index }] of frames.entries()) expect(index).to.be.above(frames[place - 1]?.index ?? -1);
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});

function framesOf(path: string, options: DecodeOptions = {}): Seen[] {
  return Array.from(decodeFrames(path, options), ({ index, timestampMs, rgb }) => ({
    index,
    timestampMs,
    pixels: createHash('sha256').update(rgb).digest('hex'),
  }));
}

/** Returns the frames that the options select according to the documents. */
function chosen(all: readonly Seen[], options: DecodeOptions): Seen[] {
  const { frameStride = 1, sampleEveryMs, fromMs = 0, toMs = Infinity, maxFrames = Infinity } = options;
  const isFirstAtOrAfterAMultiple = (place: number): boolean => {
    if (sampleEveryMs === undefined) return place % frameStride === 0;
    const multiple = Math.floor((all[place]?.timestampMs ?? 0) / sampleEveryMs) * sampleEveryMs;
    return all.findIndex(({ timestampMs }) => timestampMs >= multiple) === place;
  };
  return all
    .filter((_, place) => isFirstAtOrAfterAMultiple(place))
    .filter(({ timestampMs }) => timestampMs >= fromMs && timestampMs < toMs)
    .slice(0, maxFrames);
}

function summaryOf(path: string, options: DecodeOptions): DecodeSummary {
  const frames = decodeFrames(path, options);
  for (;;) {
    const next = frames.next();
    if (next.done === true) return next.value;
  }
}
