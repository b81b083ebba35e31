import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../../tools/make-video.ts';

describe('decodeFrames', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'decode-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  it('yields every frame', () => {
    const path = join(folder, 'a.mp4');
    makeVideo({ path, width: 320, height: 180, frames: 10 });
    const frames = [...decodeFrames(path)];
    expect(frames.map((f) => f.index)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(frames.map((f) => f.timestampMs)).to.deep.equal([0, 40, 80, 120, 160, 200, 240, 280, 320, 360]);
  });
});
