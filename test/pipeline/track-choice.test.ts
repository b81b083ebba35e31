import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { Demuxer, Muxer } from 'node-av/api';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../../tools/make-video.ts';

/** Bit of a track header's flags (ISO/IEC 14496-12, section 8.3.2). */
const ENABLED = 1;

describe('of several video tracks', () => {
  let folder = '';
  let path = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tracks-'));
    path = join(folder, 'tracks.mp4');
    for (const [name, width, height] of [
      ['small', 64, 48],
      ['large', 128, 96],
      ['wide', 128, 96],
    ] as const) {
      makeVideo({ path: join(folder, `${name}.mp4`), width, height, frames: name === 'wide' ? 5 : 3 });
    }
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Returns width and number of the decoded frames of a file with these tracks. */
  const shown = (...tracks: readonly { readonly name: string; readonly enabled: boolean }[]): string => {
    remux(
      path,
      tracks.map(({ name }) => join(folder, `${name}.mp4`)),
    );
    const bytes = readFileSync(path);
    let header = -1;
    for (const { enabled } of tracks) {
      header = bytes.indexOf('tkhd', header + 1);
      const flags = header + 7;
      const others = (bytes[flags] ?? 0) & ~ENABLED;
      bytes[flags] = enabled ? others | ENABLED : others;
    }
    writeFileSync(path, bytes);
    const frames = [...decodeFrames(path)];
    return `${frames[0]?.width} x ${frames.length}`;
  };

  it('the one with the largest picture is decoded, wherever it stands', () => {
    expect(shown({ name: 'small', enabled: true }, { name: 'large', enabled: true })).to.equal('128 x 3');
    expect(shown({ name: 'large', enabled: true }, { name: 'small', enabled: true })).to.equal('128 x 3');
  });

  it('one that is enabled comes before a larger one that is not', () => {
    expect(shown({ name: 'large', enabled: false }, { name: 'small', enabled: true })).to.equal('64 x 3');
    expect(shown({ name: 'large', enabled: false }, { name: 'small', enabled: false })).to.equal('128 x 3');
  });

  it('the first of two alike is decoded', () => {
    expect(shown({ name: 'large', enabled: true }, { name: 'wide', enabled: true })).to.equal('128 x 3');
    expect(shown({ name: 'wide', enabled: true }, { name: 'large', enabled: true })).to.equal('128 x 5');
  });
});

/** Joins the video tracks of several files in one. */
function remux(path: string, files: readonly string[]): void {
  using muxer = Muxer.openSync(path);
  const sources = files.map((file) => {
    const demuxer = Demuxer.openSync(file);
    const video = demuxer.video();
    if (video === undefined) throw new Error(`${file} has no video`);
    return { demuxer, index: video.index, stream: muxer.addStream(video) };
  });
  for (const { demuxer, index, stream } of sources) {
    for (const packet of demuxer.packetsSync(index)) if (packet !== null) muxer.writePacketSync(packet, stream);
    demuxer.closeSync();
  }
  muxer.closeSync();
}
