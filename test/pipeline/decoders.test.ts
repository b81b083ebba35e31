import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { expectRefusal } from './refusal.ts';

/** Sample entries of old codecs, and FFmpeg's decoders for them. */
const OLD_CODECS = [
  ['SVQ1', 'svq1'],
  ['SVQ3', 'svq3'],
  ['cvid', 'cinepak'],
  ['rpza', 'rpza'],
  ['png ', 'png'],
  ['tiff', 'tiff'],
  ['mjp2', 'jpeg2000'],
  ['Hap1', 'hap'],
  ['ffv1', 'ffv1'],
] as const;

describe('the decoders that a video may ask for', () => {
  let folder = '';
  let path = '';
  let original: Buffer;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'decoders-'));
    path = join(folder, 'video.mov');
    makeVideo({ path, width: 64, height: 48, frames: 2, codec: 'prores' });
    original = readFileSync(path);
  });

  after(() => rmSync(folder, { recursive: true }));

  const rename = (sampleEntry: string): void => {
    const bytes = Buffer.from(original);
    // After the type: version and flags, number of entries, and the size of the first one.
    bytes.write(sampleEntry, bytes.indexOf('stsd') + 16, 'latin1');
    writeFileSync(path, bytes);
  };

  for (const [sampleEntry, decoder] of OLD_CODECS) {
    it(`do not include ${decoder}, and the error names it and the setting`, async () => {
      rename(sampleEntry);
      await expectRefusal(() => [...decodeFrames(path)], 'invalid_video', `(${decoder}, `, `EXTRA_DECODERS=${decoder}`);
    });

    it(`include ${decoder} if the setting allows it`, async () => {
      rename(sampleEntry);
      const act = () => [...decodeFrames(path, { extraDecoders: [decoder] })];
      await expectRefusal(act, 'invalid_video', 'No frame of the video can be decoded', decoder);
    });
  }
});
