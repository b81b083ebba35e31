import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { ServiceError } from '../../src/errors.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { DecodeSummary } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { box, FILE_TYPE, movie, words } from './boxes.ts';
import { colorAt, expectColors, GREEN, plain } from './known-pictures.ts';

describe('decodeFrames of a damaged video', () => {
  let folder = '';
  let whole: Buffer;
  let path = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'damage-'));
    path = join(folder, 'damaged.mp4');
    const original = join(folder, 'whole.mp4');
    makeVideo({
      path: original,
      width: 160,
      height: 96,
      frames: 30,
      picture: 'testsrc2',
      encoderOptions: { g: 5 },
      muxerOptions: { movflags: 'faststart' },
    });
    whole = readFileSync(original);
  });

  after(() => rmSync(folder, { recursive: true }));

  const decodeAll = (): { readonly frames: readonly Frame[]; readonly summary: DecodeSummary } => {
    const frames: Frame[] = [];
    const decoding = decodeFrames(path);
    for (;;) {
      const step = decoding.next();
      if (step.done === true) return { frames, summary: step.value };
      frames.push(step.value);
    }
  };

  /** Returns `code: message` of the error. */
  const refusal = (bytes: Buffer): string => {
    writeFileSync(path, bytes);
    try {
      decodeAll();
    } catch (error) {
      if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
      throw error;
    }
    throw new Error('The video was decoded');
  };

  /** Returns the file with every occurrence of a four-character code replaced. */
  const renamed = (from: string, to: string): Buffer =>
    Buffer.from(whole.toString('latin1').replaceAll(from, to), 'latin1');

  const mediaStart = (): number => whole.indexOf('mdat') + 4;

  it('keeps what comes before and after a hole in the middle', () => {
    const damaged = Buffer.from(whole);
    const start = mediaStart();
    const middle = start + Math.floor((whole.length - start) / 2);
    damaged.fill(0, middle, middle + Math.floor((whole.length - start) / 8));
    writeFileSync(path, damaged);
    const { frames, summary } = decodeAll();
    expect(frames.length).to.be.within(20, 30);
    expect(frames.map(({ index }) => index)).to.deep.equal(frames.map((_, place) => place));
    expect(frames.at(-1)?.timestampMs).to.equal(29 * 40);
    expect(summary.damage).to.be.greaterThan(0);
  });

  it('keeps what comes before a missing end', () => {
    const start = mediaStart();
    writeFileSync(path, whole.subarray(0, start + Math.floor((whole.length - start) / 2)));
    const { frames } = decodeAll();
    expect(frames.length).to.be.within(10, 20);
    expect(frames.at(-1)?.timestampMs).to.be.within(9 * 40, 20 * 40);
  });

  it('keeps what comes after a sample outside the file', () => {
    // Fragments of one frame each, one of which declares its frame a megabyte away.
    makeVideo({
      path,
      width: 64,
      height: 48,
      frames: 6,
      picture: () => plain(64, 48, GREEN),
      encoderOptions: { g: 1 },
      muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
    });
    const bytes = readFileSync(path);
    let run = -1;
    for (let fragment = 0; fragment < 3; fragment += 1) run = bytes.indexOf('trun', run + 1);
    bytes.writeInt32BE(1_000_000, run + 12);
    writeFileSync(path, bytes);
    const { frames } = decodeAll();
    expect(frames).to.have.length(5);
    for (const frame of frames) expectColors([colorAt(frame, 0.5, 0.5)], [GREEN], 6);
  });

  it('reports a missing video track', () => {
    expect(refusal(renamed('vide', 'soun'))).to.equal('invalid_video: The file has no video track');
  });

  it('reports an encrypted track', () => {
    expect(refusal(renamed('avc1', 'encv'))).to.equal('invalid_video: The video track is encrypted');
  });

  it('reports an unknown codec', () => {
    expect(refusal(renamed('avc1', 'xyz1'))).to.match(/^invalid_video: The codec of the video track \(xyz1\)/);
  });

  it('reports a track without frames', () => {
    makeVideo({
      path,
      width: 64,
      height: 48,
      frames: 2,
      muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
    });
    const bytes = readFileSync(path);
    expect(refusal(bytes.subarray(0, bytes.indexOf('moof') - 4))).to.equal(
      'invalid_video: The video track has no frames',
    );
  });

  it('reports why no frame can be decoded', () => {
    const noise = Buffer.from(whole);
    noise.fill(0xa5, mediaStart());
    expect(refusal(noise)).to.equal(
      'invalid_video: No frame of the video can be decoded (h264: Invalid data found when processing input)',
    );
  });

  it('reports a missing or truncated index', () => {
    expect(refusal(Buffer.concat([whole.subarray(0, whole.indexOf('moov') - 4), box('mdat')]))).to.contain(
      'invalid_video: The file is incomplete: its index (moov) is missing. The recording or its copy was cut off',
    );
    expect(refusal(whole.subarray(0, whole.indexOf('moov') + 300))).to.contain(
      'invalid_video: The file is incomplete: it ends inside its index (moov). The recording',
    );
  });

  it('ignores cover art', () => {
    makeVideo({ path, width: 64, height: 48, frames: 1, codec: 'mjpeg' });
    const made = readFileSync(path);
    const jpeg = made.subarray(
      made.indexOf(Buffer.from([0xff, 0xd8])),
      made.lastIndexOf(Buffer.from([0xff, 0xd9])) + 2,
    );
    const metadata = box(
      'meta',
      words(0),
      box('hdlr', words(0, 0), Buffer.from('mdirappl'), Buffer.alloc(9)),
      box('ilst', box('covr', box('data', words(13, 0), jpeg))),
    );
    expect(refusal(Buffer.concat([FILE_TYPE, movie(box('udta', metadata)), box('mdat')]))).to.equal(
      'invalid_video: The file has no video track',
    );
  });

  it('does not follow a playlist, a script or a reference to another file', () => {
    const secret = join(folder, 'secret.ts');
    copyFileSync(join(folder, 'whole.mp4'), secret);
    for (const text of [`#EXTM3U\n#EXTINF:1,ftyp\n${secret}\n`, `ffconcat version 1.0\nfile secret.ts\n# ftyp\n`]) {
      expect(refusal(Buffer.from(text))).to.contain('invalid_video: The file has no index (moov)');
    }
    const elsewhere = Buffer.from(whole);
    // Removes the data reference's flag "in this file" and names a location in the following bytes.
    elsewhere.writeUInt32BE(0, whole.indexOf('url ') + 4);
    expect(refusal(withLocation(elsewhere, `file://${secret}\0`))).to.equal(
      'invalid_video: The pictures of the video track are in another file',
    );
  });

  it('rejects frames larger than the header declares', () => {
    const bytes = Buffer.from(whole);
    const entry = bytes.indexOf('avc1', bytes.indexOf('stsd'));
    bytes.writeUInt16BE(16, entry + 28);
    bytes.writeUInt16BE(16, entry + 30);
    writeFileSync(path, bytes);
    const limits = { ...DEFAULT_VIDEO_LIMITS, maxFramePixels: 160 * 96 - 1 };
    expect(() => [...decodeFrames(path, { limits })]).to.throw(ServiceError, 'the limit maxFramePixels is 15359');
  });
});

/** Returns the file with a location after the header of its data reference and resized boxes around it. */
function withLocation(bytes: Buffer, location: string): Buffer {
  const added = Buffer.from(location);
  const end = bytes.indexOf('url ') + 8;
  const grown = Buffer.concat([bytes.subarray(0, end), added, bytes.subarray(end)]);
  for (const type of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref', 'url ']) {
    const start = bytes.indexOf(type) - 4;
    grown.writeUInt32BE(bytes.readUInt32BE(start) + added.length, start);
  }
  return grown;
}
