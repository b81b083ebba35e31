import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { ServiceError } from '../../src/errors.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { DecodeOptions } from '../../src/pipeline/decode.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { colorAt, expectColors, plain } from './known-pictures.ts';

describe('decodeFrames', () => {
  let folder = '';
  let video = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'decode-'));
    video = join(folder, 'twenty.mp4');
    // Each frame has its own gray, so that pixels identify it. B-frames make two orders of them.
    makeVideo({
      path: video,
      width: 64,
      height: 48,
      frames: 20,
      picture: grayOf,
      encoderOptions: { preset: 'fast', bf: 3 },
    });
  });

  after(() => rmSync(folder, { recursive: true }));

  const bytes = (): Buffer => Buffer.concat(Array.from(decodeFrames(video, { frameStride: 5 }), ({ rgb }) => rgb));

  const refused = (limits: Partial<typeof DEFAULT_VIDEO_LIMITS>): string => {
    const { code, message } = refusalOf(video, { limits: { ...DEFAULT_VIDEO_LIMITS, ...limits } });
    return `${code}: ${message}`;
  };

  const indicesOf = (options: DecodeOptions): number[] =>
    Array.from(decodeFrames(video, options), ({ index }) => index);

  it('yields every frame in display order, each with its own pixels, index and time', () => {
    const frames = [...decodeFrames(video)];
    expect(frames.map(({ index }) => index)).to.deep.equal(Array.from({ length: 20 }, (_, index) => index));
    expect(frames.map(({ timestampMs }) => timestampMs)).to.deep.equal(frames.map(({ index }) => index * 40));
    for (const frame of frames) {
      const gray = frame.index * 10;
      expectColors([colorAt(frame, 0.5, 0.5)], [[gray, gray, gray]], 3);
    }
  });

  it('samples every n-th frame, beginning with the first', () => {
    expect(indicesOf({ frameStride: 7 })).to.deep.equal([0, 7, 14]);
    expect(indicesOf({ frameStride: 100 })).to.deep.equal([0]);
  });

  it('stops decoding when enough frames are sampled', () => {
    let steps = 0;
    const onProgress = (count: number): void => {
      steps = count;
    };
    expect(indicesOf({ maxFrames: 3, onProgress })).to.deep.equal([0, 1, 2]);
    // Two per packet. The decoder holds some back to reorder them.
    expect(steps).to.be.within(6, 12);
  });

  it('returns a summary', () => {
    const frames = decodeFrames(video, { frameStride: 3 });
    let step = frames.next();
    while (step.done !== true) step = frames.next();
    const { decodedFrames, sampledFrames, damage, media } = step.value;
    // Seven that are not sampled are not decoded: the last one, and six to which no other frame refers.
    expect({ decodedFrames, sampledFrames, damage }).to.deep.equal({ decodedFrames: 13, sampledFrames: 7, damage: 0 });
    expect(media).to.deep.equal({
      width: 64,
      height: 48,
      duration_ms: 800,
      frame_rate: 25,
      codec: 'h264',
      frames_decoded: 13,
      frames_analysed: 7,
    });
  });

  it('gives each frame a buffer of its own, exactly as long as its pixels', () => {
    const frames = [...decodeFrames(video, { maxFrames: 3 })];
    expect(new Set(frames.map(({ rgb }) => rgb.buffer)).size).to.equal(3);
    for (const { rgb } of frames) expect([rgb.byteOffset, rgb.buffer.byteLength]).to.deep.equal([0, 64 * 48 * 3]);
  });

  it('can be stopped in the middle and restarted any number of times', () => {
    for (let round = 0; round < 50; round += 1) {
      for (const { index } of decodeFrames(video)) if (index === 2) break;
    }
    expect(indicesOf({})).to.have.length(20);
  });

  it('gives the same bytes each time', () => {
    expect(bytes().equals(bytes())).to.equal(true);
  });

  it('gives each frame of a variable rate its own time, to the microsecond', () => {
    const path = join(folder, 'variable.mp4');
    const timesMs = [0, 10, 500, 541.666_666, 2000, 2000.1];
    makeVideo({ path, width: 64, height: 48, timesMs });
    const times = Array.from(decodeFrames(path), ({ timestampMs }) => timestampMs);
    expect(times).to.deep.equal([0, 10, 500, 541.667, 2000, 2000.1]);
  });

  it('reads fragments and an index in front as well as one at the end', () => {
    for (const movflags of [
      'faststart',
      'frag_keyframe+empty_moov',
      'frag_keyframe+empty_moov+default_base_moof+cmaf',
    ]) {
      const path = join(folder, 'arranged.mp4');
      makeVideo({ path, width: 64, height: 48, frames: 12, encoderOptions: { g: 4 }, muxerOptions: { movflags } });
      expect([...decodeFrames(path)], movflags).to.have.length(12);
    }
  });

  it('shows no more of a video than its edit list does', () => {
    const path = join(folder, 'edited.mp4');
    // The first two frames precede the start of the timeline, so the muxer writes an edit that skips them.
    makeVideo({ path, width: 64, height: 48, timesMs: [-80, -40, 0, 40, 80], encoderOptions: { g: 1 } });
    expect(Array.from(decodeFrames(path), ({ timestampMs }) => timestampMs)).to.deep.equal([0, 40, 80]);
  });

  it('rejects a video beyond a limit and names the limit and both values', () => {
    expect(refused({ maxFramePixels: 3000 })).to.equal(
      'too_large: The video has 3072 pixels per frame; the limit maxFramePixels is 3000',
    );
    expect(refused({ maxDecodedFrames: 19 })).to.contain('20 frames; the limit maxDecodedFrames is 19');
    expect(refused({ maxDurationMs: 700 })).to.contain('milliseconds of video; the limit maxDurationMs is 700');
    expect(refused({ maxIndexSamples: 19 })).to.contain('20 samples in the index; the limit maxIndexSamples is 19');
    expect(refused({ maxIndexBytes: 100 })).to.contain('bytes of index; the limit maxIndexBytes is 100');
    expect(refused({ maxBoxes: 5 })).to.contain('6 boxes; the limit maxBoxes is 5');
  });

  it('reports a missing file', () => {
    expect(refusalOf(join(folder, 'absent.mp4'), {}).code).to.equal('input_missing');
  });

  it('treats every path as a file', () => {
    const path = join(folder, 'concat:a|b %41.mp4');
    makeVideo({ path, width: 64, height: 48, frames: 2 });
    expect([...decodeFrames(path)]).to.have.length(2);
  });
});

/** Returns frame `index` of the video with a unique gray. */
function grayOf(index: number): Uint8Array {
  return plain(64, 48, [index * 10, index * 10, index * 10]);
}

function refusalOf(path: string, options: DecodeOptions): ServiceError {
  try {
    for (const _ of decodeFrames(path, options));
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('The video was decoded');
}
