import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { AVCOL_PRI_BT709, AVCOL_SPC_BT709, AVCOL_SPC_UNSPECIFIED, AVCOL_TRC_BT709 } from 'node-av/constants';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { VideoCodec } from '../../tools/video-recipe.ts';
import { expectColors, plain, quarterColors, type Rgb } from './known-pictures.ts';
import { copyWithHeaderCodes, writeColrBox, writeProResHeaders, type ColorCodes } from './retagged-video.ts';

/** Every code point of ITU-T H.273, and reserved ones. */
const CODE_POINTS = Array.from({ length: 23 }, (_, code) => code);

const BT709: ColorCodes = { primaries: 1, transfer: 1, matrix: 1 };
const COLOR: Rgb = [160, 60, 40];
const SIZE = { width: 64, height: 48 } as const;

/** Distance between the colour in BT.709, BT.601 and BT.2020. */
const UNKNOWN_COLORS_DIFFER_BY = 40;

/** PQ and HLG. */
const TONE_MAPPED: ReadonlySet<number> = new Set([16, 18]);

describe('the colour tags of a video', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'colours-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  const make = (codec: VideoCodec, frames = 2): string => {
    const path = join(folder, `${codec}.mp4`);
    const color = { space: AVCOL_SPC_BT709, primaries: AVCOL_PRI_BT709, transfer: AVCOL_TRC_BT709 };
    makeVideo({ path, ...SIZE, codec, frames, picture: () => plain(SIZE.width, SIZE.height, COLOR), color });
    return path;
  };

  const CARRIERS: readonly {
    readonly name: string;
    readonly codec: VideoCodec;
    readonly tag: (made: string, codes: ColorCodes) => string;
  }[] = [
    ...(['h264', 'hevc', 'vp9', 'av1', 'mpeg4'] as const).map((codec) => ({
      name: `${codec}, in the container`,
      codec,
      tag: (made: string, codes: ColorCodes): string => {
        writeColrBox(made, codes);
        return made;
      },
    })),
    ...(['h264', 'hevc', 'av1'] as const).map((codec) => ({
      name: `${codec}, in its own headers`,
      codec,
      tag: (made: string, codes: ColorCodes): string => {
        const tagged = join(folder, 'tagged.mp4');
        copyWithHeaderCodes(made, tagged, `${codec}_metadata`, codes);
        return tagged;
      },
    })),
    {
      name: 'prores, in its frame headers',
      codec: 'prores',
      tag: (made, codes) => {
        writeProResHeaders(made, codes);
        return made;
      },
    },
  ];

  for (const { name, codec, tag } of CARRIERS) {
    for (const field of ['primaries', 'transfer', 'matrix'] as const) {
      it(`never fail the video, for every value of ${field}: ${name}`, () => {
        const made = make(codec);
        for (const code of CODE_POINTS) {
          const frames = [...decodeFrames(tag(made, { ...BT709, [field]: code }))];
          expect(
            frames.map(({ index }) => index),
            `${field} ${code}`,
          ).to.deep.equal([0, 1]);
          for (const frame of frames) {
            const colors = quarterColors(frame);
            if (field === 'transfer' && TONE_MAPPED.has(code)) expectRedFirst(colors);
            else expectColors(colors, [COLOR, COLOR, COLOR, COLOR], UNKNOWN_COLORS_DIFFER_BY);
          }
        }
      });
    }
  }

  it('lose no other frame when one frame has a reserved one', () => {
    const path = make('prores', 4);
    const expected = [...decodeFrames(path)];
    writeProResHeaders(path, { primaries: 0, transfer: 3, matrix: 15 }, 2);
    const frames = [...decodeFrames(path)];
    expect(frames.map(({ index }) => index)).to.deep.equal([0, 1, 2, 3]);
    for (const place of [0, 1, 3]) expect(frames[place]?.rgb).to.deep.equal(expected[place]?.rgb);
  });

  const firstFrame = (height: number): Frame => {
    const path = join(folder, 'untagged.mp4');
    const picture = (): Uint8Array => plain(64, height, [220, 30, 30]);
    makeVideo({
      path,
      width: 64,
      height,
      picture,
      frames: 1,
      pixelFormat: 'yuv444p',
      color: { space: AVCOL_SPC_BT709 },
    });
    const untagged = join(folder, 'headers.mp4');
    copyWithHeaderCodes(path, untagged, 'h264_metadata', { primaries: 2, transfer: 2, matrix: AVCOL_SPC_UNSPECIFIED });
    const [frame] = decodeFrames(untagged);
    if (frame === undefined) throw new Error('No frame was decoded');
    return frame;
  };

  it('default to BT.709 from 720 lines, and to BT.601 below', () => {
    const red: Rgb = [220, 30, 30];
    expectColors(quarterColors(firstFrame(720)), [red, red, red, red], 3);
    const [[r] = [255]] = quarterColors(firstFrame(718));
    expect(r, 'BT.709 shown by BT.601 has a darker red').to.be.below(red[0] - 10);
  });
});

function expectRedFirst(colors: readonly Rgb[]): void {
  for (const [r, g, b] of colors) expect(r, String([r, g, b])).to.be.above(Math.max(g, b) + 50);
}
