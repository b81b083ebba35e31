import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import {
  AVCOL_PRI_BT2020,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_SMPTE2084,
} from 'node-av/constants';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoRecipe } from '../../tools/video-recipe.ts';
import {
  BLUE,
  colorAt,
  expectColors,
  GRAY,
  GREEN,
  plain,
  quadrants,
  quarterColors,
  RED,
  type Rgb,
} from './known-pictures.ts';

function isNearly(color: Rgb): (actual: Rgb) => boolean {
  return (actual) => actual.every((value, channel) => Math.abs(value - (color[channel] ?? 0)) <= 9);
}

describe('a decoded frame', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'picture-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  const firstFrame = (recipe: Omit<VideoRecipe, 'path'>): Frame => {
    const path = join(folder, 'video.mp4');
    makeVideo({ path, picture: () => quadrants(recipe.width, recipe.height), frames: 2, ...recipe });
    const [frame] = decodeFrames(path, { maxFrames: 1 });
    if (frame === undefined) throw new Error('No frame was decoded');
    return frame;
  };

  const ORIENTATIONS = [
    { name: 'as stored', matrix: [1, 0, 0, 1], colors: [RED, GREEN, BLUE, GRAY] },
    { name: 'turned right', matrix: [0, 1, -1, 0], colors: [BLUE, RED, GRAY, GREEN] },
    { name: 'turned round', matrix: [-1, 0, 0, -1], colors: [GRAY, BLUE, GREEN, RED] },
    { name: 'turned left', matrix: [0, -1, 1, 0], colors: [GREEN, GRAY, RED, BLUE] },
    { name: 'mirrored left to right', matrix: [-1, 0, 0, 1], colors: [GREEN, RED, GRAY, BLUE] },
    { name: 'mirrored top to bottom', matrix: [1, 0, 0, -1], colors: [BLUE, GRAY, RED, GREEN] },
    { name: 'mirrored at the falling diagonal', matrix: [0, 1, 1, 0], colors: [RED, BLUE, GREEN, GRAY] },
    { name: 'mirrored at the rising diagonal', matrix: [0, -1, -1, 0], colors: [GRAY, GREEN, BLUE, RED] },
  ] as const;
  for (const { name, matrix, colors } of ORIENTATIONS) {
    it(`is shown ${name} when the display matrix says so`, () => {
      const frame = firstFrame({ width: 96, height: 64, displayMatrix: matrix });
      expect([frame.width, frame.height]).to.deep.equal(matrix[0] === 0 ? [64, 96] : [96, 64]);
      expectColors(quarterColors(frame), colors, 6);
    });
  }

  it('is widened when its pixels are wide and heightened when they are high', () => {
    const wide = firstFrame({ width: 96, height: 64, pixelAspect: [4, 3] });
    const high = firstFrame({ width: 96, height: 64, pixelAspect: [1, 2] });
    expect([wide.width, wide.height, high.width, high.height]).to.deep.equal([128, 64, 96, 128]);
    for (const frame of [wide, high]) expectColors(quarterColors(frame), [RED, GREEN, BLUE, GRAY], 6);
  });

  it('shows the clean aperture alone, with square pixels and turned', () => {
    // The right half of the left quadrants (48 × 32 pixels) and all of the right ones remain.
    const cutOff = [0, 0, 24, 0] as const;
    const plainly = firstFrame({ width: 96, height: 64, cutOff });
    expect([plainly.width, plainly.height]).to.deep.equal([72, 64]);
    expect(colorAt(plainly, 0.3, 0.25)).to.satisfy(isNearly(RED));
    expect(colorAt(plainly, 0.4, 0.25)).to.satisfy(isNearly(GREEN));
    const turned = firstFrame({ width: 96, height: 64, cutOff, pixelAspect: [2, 1], displayMatrix: [0, 1, -1, 0] });
    expect([turned.width, turned.height]).to.deep.equal([64, 144]);
    expect(colorAt(turned, 0.75, 0.3)).to.satisfy(isNearly(RED));
    expect(colorAt(turned, 0.75, 0.4)).to.satisfy(isNearly(GREEN));
  });

  it('has its fields scaled as one picture when its pixels are high', () => {
    // Lines of one pixel: scaled field by field they become areas.
    const lines = (): Uint8Array => {
      const rgb = new Uint8Array(64 * 64 * 3);
      for (let y = 0; y < 64; y += 1) rgb.fill(y % 8 < 2 ? 235 : 20, y * 64 * 3, (y + 1) * 64 * 3);
      return rgb;
    };
    const common = {
      width: 64,
      height: 64,
      picture: lines,
      pixelAspect: [8, 9],
      encoderOptions: { preset: 'fast' },
    } as const;
    const interlaced = firstFrame({ ...common, interlaced: true });
    const progressive = firstFrame(common);
    expect(interlaced.height).to.equal(72);
    const apart = interlaced.rgb.map((value, place) => Math.abs(value - (progressive.rgb[place] ?? 0)));
    expect(apart.reduce((sum, value) => sum + value, 0) / apart.length).to.be.below(3);
  });

  it('has square pixels before it is rotated', () => {
    const frame = firstFrame({ width: 96, height: 64, pixelAspect: [2, 1], displayMatrix: [0, 1, -1, 0] });
    expect([frame.width, frame.height]).to.deep.equal([64, 192]);
    expectColors(quarterColors(frame), [BLUE, RED, GRAY, GREEN], 6);
  });

  const FORMATS: readonly (Omit<VideoRecipe, 'path' | 'width' | 'height'> & { readonly name: string })[] = [
    { name: 'H.264 in BT.709' },
    { name: 'H.264 in BT.601', color: { space: AVCOL_SPC_BT470BG } },
    { name: 'H.264 in BT.2020', color: { space: AVCOL_SPC_BT2020_NCL, primaries: AVCOL_PRI_BT2020 } },
    { name: 'H.264 in full range', color: { space: AVCOL_SPC_BT709, range: AVCOL_RANGE_JPEG } },
    { name: 'H.264 in 4:2:2', pixelFormat: 'yuv422p' },
    { name: 'H.264 in 4:4:4', pixelFormat: 'yuv444p' },
    { name: 'H.264 in 10 bits', pixelFormat: 'yuv420p10le' },
    { name: 'H.264, interlaced', interlaced: true, encoderOptions: { preset: 'fast' } },
    { name: 'HEVC', codec: 'hevc' },
    { name: 'HEVC in 10 bits', codec: 'hevc', pixelFormat: 'yuv420p10le' },
    { name: 'HEVC in 12 bits and 4:4:4', codec: 'hevc', pixelFormat: 'yuv444p12le' },
    { name: 'AV1', codec: 'av1' },
    { name: 'AV1 in 10 bits', codec: 'av1', pixelFormat: 'yuv420p10le' },
    { name: 'VP9', codec: 'vp9' },
    { name: 'MPEG-4 Visual', codec: 'mpeg4' },
    { name: 'Motion JPEG', codec: 'mjpeg' },
    { name: 'ProRes', codec: 'prores' },
  ];
  for (const { name, ...recipe } of FORMATS) {
    it(`has the colours that were encoded: ${name}`, () => {
      const frame = firstFrame({ width: 96, height: 64, ...recipe });
      expectColors(quarterColors(frame), [RED, GREEN, BLUE, GRAY], 9);
    });
  }

  it('may have odd sizes', () => {
    for (const [width, height] of [
      [97, 65],
      [33, 64],
      [65, 35],
    ] as const) {
      const frame = firstFrame({ width, height, pixelFormat: 'yuv444p' });
      expect([frame.width, frame.height, frame.rgb.length]).to.deep.equal([width, height, width * height * 3]);
      expectColors(quarterColors(frame), [RED, GREEN, BLUE, GRAY], 9);
    }
  });

  /** Code values are not changed except by the tone map. */
  const shownGray = (code: number, transfer: VideoRecipe['color']): number => {
    const picture = (): Uint8Array => plain(64, 64, [code, code, code]);
    const [r, g, b] = colorAt(
      firstFrame({ width: 64, height: 64, picture, pixelFormat: 'yuv420p10le', color: transfer ?? {} }),
      0.5,
      0.5,
    );
    expect(Math.max(r, g, b) - Math.min(r, g, b)).to.be.at.most(2);
    return g;
  };

  it('has black, white and brighter HDR tones at the brightness of a standard display', () => {
    const common = { space: AVCOL_SPC_BT2020_NCL, primaries: AVCOL_PRI_BT2020 };
    const pq = { ...common, transfer: AVCOL_TRC_SMPTE2084 };
    const hlg = { ...common, transfer: AVCOL_TRC_ARIB_STD_B67 };
    // White, 203 cd/m², is 58 % of the PQ signal and 75 % of the HLG signal (ITU-R BT.2408).
    for (const [color, white] of [
      [pq, 148],
      [hlg, 191],
    ] as const) {
      expect(shownGray(0, color)).to.be.at.most(2);
      expect(shownGray(white, color)).to.be.within(232, 245);
      expect(shownGray(255, color)).to.be.within(250, 255);
    }
  });

  it('keeps the size of the first one when the size changes in the middle of a fragmented video', () => {
    // Every picture of Motion JPEG has its own size, so fragments of different videos can be joined.
    const [small, large] = [join(folder, 'small.mp4'), join(folder, 'large.mp4')];
    const common = {
      codec: 'mjpeg',
      height: 64,
      muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
    } as const;
    makeVideo({ ...common, path: small, width: 64, timesMs: [0, 40], picture: () => quadrants(64, 64) });
    makeVideo({ ...common, path: large, width: 96, timesMs: [0, 40, 80, 120], picture: () => quadrants(96, 64) });
    const second = readFileSync(large);
    const thirdFragment = second.indexOf('moof', second.indexOf('moof', second.indexOf('moof') + 4) + 4);
    appendFileSync(small, second.subarray(thirdFragment - 4));
    const frames = [...decodeFrames(small)];
    expect(frames.map(({ width }) => width)).to.deep.equal([64, 64, 64, 64]);
    for (const frame of frames) expectColors(quarterColors(frame), [RED, GREEN, BLUE, GRAY], 9);
  });
});
