import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { array, assert, nat, property, record } from 'fast-check';

import { ServiceError } from '../../src/errors.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { readMp4Index } from '../../src/pipeline/mp4-index.ts';
import type { Mp4Index } from '../../src/pipeline/mp4-index.ts';
import { box, FILE_TYPE, movie, track, words } from './boxes.ts';

describe('readMp4Index', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'index-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  const read = (...boxes: readonly Buffer[]): Mp4Index => {
    const path = join(folder, 'file.mp4');
    writeFileSync(path, Buffer.concat(boxes));
    return readMp4Index(path, DEFAULT_VIDEO_LIMITS);
  };

  /** Returns `code: message`, or nothing if the file is accepted. */
  const refusal = (...boxes: readonly Buffer[]): string => {
    try {
      read(...boxes);
      return '';
    } catch (error) {
      if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
      throw error;
    }
  };

  const mdat = box('mdat', Buffer.alloc(1000));
  it('accepts a valid index at any place and with its boxes in any order', () => {
    const table = [box('stts', words(0, 1, 30, 40)), sizes(30), box('stco', words(0, 2, 48, 500))];
    expect(refusal(FILE_TYPE, video(...table), mdat)).to.equal('');
    expect(refusal(FILE_TYPE, mdat, video(...table.toReversed()))).to.equal('');
    expect(refusal(FILE_TYPE, video(...table), box('free'), box('none'), mdat, Buffer.from('garbage'))).to.equal('');
  });

  it('follows 64-bit sizes, and a size of 0 to the end', () => {
    const wide = Buffer.concat([words(1), Buffer.from('mdat'), words(0, 1016), Buffer.alloc(1000)]);
    const open = Buffer.concat([words(0), Buffer.from('mdat'), Buffer.alloc(1000)]);
    expect(refusal(FILE_TYPE, wide, video(sizes(3)))).to.equal('');
    expect(refusal(FILE_TYPE, video(sizes(3)), open)).to.equal('');
  });

  it('accepts a truncated file', () => {
    const cut = Buffer.concat([words(1_000_000), Buffer.from('mdat'), Buffer.alloc(1000)]);
    expect(refusal(FILE_TYPE, video(sizes(30)), cut)).to.equal('');
  });

  const METADATA = { entries: 10_000, protection: 1_000 };
  const handler = box('hdlr', Buffer.alloc(25));
  const items = (count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => box('----')));
  const meta = (...content: readonly Buffer[]): Buffer => box('meta', words(0), handler, ...content);

  const FLOODS: Readonly<Record<string, (count: number) => readonly Buffer[]>> = {
    'iTunes items': (count) => [video(sizes(3), box('udta', meta(box('ilst', items(count - 1)))))],
    'iTunes items of QuickTime, without a version': (count) => [
      video(sizes(3), box('meta', handler, box('ilst', items(count)))),
    ],
    'entries of user data': (count) => [video(sizes(3), box('udta', items(count)))],
    'entries of several tracks': (count) => [
      movie(...Array.from({ length: 10 }, () => box('udta', items(count / 10)))),
    ],
    'keys that are only declared': (count) => [video(sizes(3), meta(box('keys', words(0, count))))],
    'entries outside of the index': (count) => [video(sizes(3)), meta(box('ilst', items(count)))],
  };
  for (const [name, flood] of Object.entries(FLOODS)) {
    it(`rejects a flood of metadata at once: ${name}`, () => {
      expect(refusal(FILE_TYPE, ...flood(METADATA.entries), mdat)).to.equal('');
      expect(refusal(FILE_TYPE, ...flood(METADATA.entries + 10), mdat))
        .to.contain('too_large')
        .and.contain('maxMetadataEntries');
    });
  }

  it('refuses a flood of protection headers at once, in the index, in fragments and beside them', () => {
    const headers = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, () => box('pssh', words(0))));
    const refused = 'too_large: The video has 1001 protection headers (pssh); the limit maxProtectionHeaders is 1000';
    expect(refusal(FILE_TYPE, movie(headers(METADATA.protection)), mdat)).to.equal('');
    expect(refusal(FILE_TYPE, movie(headers(METADATA.protection + 1)), mdat)).to.equal(refused);
    expect(refusal(FILE_TYPE, video(sizes(3)), box('moof', headers(600)), box('moof', headers(401)))).to.equal(refused);
    expect(refusal(FILE_TYPE, video(sizes(3)), headers(METADATA.protection + 1))).to.equal(refused);
  });

  it('refuses samples that the file has no bytes for, whether or not each has a size', () => {
    const million = 50_000_000;
    expect(refusal(FILE_TYPE, video(box('stsz', words(0, 1, million))), mdat)).to.match(
      /^invalid_video: The file's index is broken: it declares 50000000 samples in a file of \d+ bytes$/,
    );
    expect(refusal(FILE_TYPE, video(box('stsz', words(0, 0, million))), mdat)).to.equal(
      "invalid_video: The file's index is broken: its stsz table declares 50000000 entries in 12 bytes",
    );
    expect(refusal(FILE_TYPE, video(box('stz2', words(0, 4, million))), mdat)).to.contain('stz2 table');
    expect(
      refusal(FILE_TYPE, sound(box('stts', words(0, 1, million, 1024)), box('stsz', words(0, 1, million))), mdat),
    ).to.contain('samples in a file');
  });

  for (const type of ['stts', 'ctts', 'stsc', 'stco', 'co64', 'stss', 'elst']) {
    it(`refuses a ${type} table that declares more entries than it has bytes for`, () => {
      expect(refusal(FILE_TYPE, video(box(type, words(0, 0xffff_ffff))), mdat)).to.equal(
        `invalid_video: The file's index is broken: its ${type} table declares 4294967295 entries in 8 bytes`,
      );
      expect(refusal(FILE_TYPE, movie(box(type, words(0, 9))), mdat), 'outside of a track').to.contain(
        `its ${type} table`,
      );
    });
  }

  it('counts uncompressed sound by its chunks: an hour of it has more samples than any index', () => {
    const hour = 3600 * 48_000;
    const most = 0xffff_ffff;
    const pcm = (perChunk: number, chunks: number, bytes: number): string =>
      refusal(
        FILE_TYPE,
        sound(
          box('stts', words(0, 1, Math.min(most, perChunk * chunks), 1)),
          box('stsz', words(0, 1, Math.min(most, perChunk * chunks))),
          box('stsc', words(0, 1, 1, perChunk, 1)),
          box('stco', words(0, chunks), Buffer.alloc(chunks * 4)),
        ),
        box('mdat', Buffer.alloc(bytes)),
      );
    expect(pcm(24_000, hour / 24_000, hour / 60)).to.equal('');
    expect(pcm(0x7fff_ffff, 100, 1000)).to.contain('samples in a file');
  });

  const run = (flags: number, count: number): string =>
    refusal(FILE_TYPE, movie(track(1, 'vide', [])), box('moof', box('traf', box('trun', words(flags, count)))), mdat);

  it('refuses a run of samples in a fragment that the file has no bytes for', () => {
    expect(run(0, 300)).to.equal('');
    expect(run(0, 50_000_000)).to.contain('declares 50000000 samples');
    expect(run(0x301, 4_000_000_000)).to.contain('a trun declares 4000000000 samples');
    expect(run(0x200, 1)).to.contain('a trun declares 1 samples');
  });

  it('refuses edits that would repeat a track beyond the limit', () => {
    const count = 20_000;
    const edits = box('edts', box('elst', words(0, count), Buffer.alloc(count * 12)));
    expect(refusal(FILE_TYPE, movie(box('trak', edits, sizes(5000))), mdat)).to.match(/^too_large: .* maxIndexSamples/);
  });

  it('refuses too many tracks', () => {
    const tracks = Array.from({ length: 65 }, () => box('trak'));
    expect(refusal(FILE_TYPE, movie(...tracks), mdat)).to.equal(
      'too_large: The video has 65 tracks; the limit maxTracks is 64',
    );
  });

  it('refuses boxes nested without end', () => {
    let nested = box('udta');
    for (let depth = 0; depth < 5000; depth += 1) nested = box('udta', nested);
    expect(refusal(FILE_TYPE, movie(nested), mdat)).to.contain('nested deeper than 16');
  });

  it('refuses a compressed index, which could hide any of this', () => {
    expect(refusal(FILE_TYPE, box('moov', box('cmov')), mdat)).to.contain('compressed (cmov)');
  });

  it('reports what is missing', () => {
    expect(refusal()).to.equal('invalid_video: The file is empty');
    expect(refusal(FILE_TYPE, mdat)).to.contain('its index (moov) is missing. The recording or its copy was cut off');
    expect(refusal(box('styp'), box('moof'), mdat)).to.contain('a fragment without its header');
    expect(refusal(Buffer.from('#EXTM3U\nftyp'))).to.contain('has no index (moov)');
    const whole = video(sizes(30));
    expect(refusal(FILE_TYPE, whole.subarray(0, whole.length - 5))).to.contain('ends inside its index (moov)');
  });

  it('stops at the end of the boxes, for any declared size', () => {
    for (const size of [2, 4, 7]) expect(refusal(FILE_TYPE, words(size), mdat)).to.contain('no index');
    expect(refusal(FILE_TYPE, words(1), Buffer.from('free'), words(0, 0), mdat)).to.contain('no index');
    const endless = Buffer.concat([words(1), Buffer.from('mdat'), words(0xffff_ffff, 0xffff_ffff)]);
    expect(refusal(FILE_TYPE, endless, video(sizes(3)))).to.contain('its index (moov) is missing');
  });

  it('recognises encrypted tracks', () => {
    const index = read(
      FILE_TYPE,
      movie(
        track(3, 'vide', [described('encv')]),
        track(4, 'vide', [described('avc1', 'encv')]),
        track(5, 'vide', [described('drmi')]),
      ),
      mdat,
    );
    expect([...index.encryptedTrackIds]).to.deep.equal([3, 5]);
  });

  it('recognises tracks with samples in another file', () => {
    const here = box('url ', words(1));
    const there = box('url ', words(0), Buffer.from('file:///etc/hostname\0'));
    const alias = box('alis', words(0), Buffer.alloc(200, 1));
    const index = read(
      FILE_TYPE,
      movie(
        track(1, 'vide', [], media(here)),
        track(2, 'vide', [], media(there)),
        track(3, 'vide', [], media(alias)),
        track(4, 'vide', [], media(there, here)),
      ),
      mdat,
    );
    expect([...index.externalTrackIds]).to.deep.equal([2, 3]);
  });

  it('returns or rejects with a message, for any bytes', () => {
    const honest = Buffer.concat([
      FILE_TYPE,
      movie(
        track(1, 'vide', [
          box('stts', words(0, 1, 3, 40)),
          sizes(3),
          box('stsc', words(0, 1, 1, 3, 1)),
          box('stco', words(0, 1, 48)),
        ]),
      ),
      mdat,
    ]);
    const hit = record({ place: nat(honest.length - 1 - 1000), byte: nat(255) });
    assert(
      property(array(hit, { minLength: 1, maxLength: 8 }), nat(honest.length), (hits, length) => {
        const broken = Buffer.from(honest);
        for (const { place, byte } of hits) broken[place] = byte;
        refusal(broken.subarray(0, length));
      }),
      { numRuns: 500 },
    );
  });
});

function video(...table: readonly Buffer[]): Buffer {
  return movie(track(1, 'vide', table));
}

function sound(...table: readonly Buffer[]): Buffer {
  return movie(track(1, 'soun', table));
}

function sizes(count: number): Buffer {
  return box('stsz', words(0, 0, count), Buffer.alloc(count * 4));
}

function described(...types: readonly string[]): Buffer {
  return box('stsd', words(0, types.length), ...types.map((type) => box(type, Buffer.alloc(78))));
}

function media(...references: readonly Buffer[]): readonly Buffer[] {
  return [box('dinf', box('dref', words(0, references.length), ...references))];
}
