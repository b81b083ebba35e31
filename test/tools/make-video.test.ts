import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../../tools/make-video.ts';

describe('makeVideo', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'make-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  it('shows each caption in its frames and in no others', () => {
    const path = join(folder, 'captions.mp4');
    const captions = [
      { text: 'ONE', from: 0, to: 2 },
      { text: 'TWO AND MORE', from: 3, to: 3 },
    ];
    makeVideo({ path, width: 480, height: 120, frames: 5, picture: 'color=black', captions });
    const [first = 0, second, third, fourth = 0, fifth] = whitePixels(path);
    expect(first).to.be.greaterThan(500);
    expect([second, third].map((count) => Math.abs((count ?? 0) - first) < 50)).to.deep.equal([true, true]);
    expect(fourth).to.be.greaterThan(first * 2);
    expect(fifth).to.equal(0);
  });

  it('writes any characters in a caption as they are', () => {
    const path = join(folder, 'characters.mp4');
    const captions = [{ text: `it's 50%{n}: a\\b [x], y; "q"=1` }];
    makeVideo({ path, width: 900, height: 120, frames: 1, picture: 'color=black', captions });
    expect(whitePixels(path)[0]).to.be.greaterThan(3000);
  });
});

/** Number of nearly white pixels in each frame. */
function whitePixels(path: string): number[] {
  return Array.from(decodeFrames(path), ({ rgb }) => {
    let count = 0;
    for (let place = 0; place < rgb.length; place += 3) if ((rgb[place] ?? 0) > 200) count += 1;
    return count;
  });
}
