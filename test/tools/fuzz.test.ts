import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { boxesOf, replaced } from '../../tools/fuzz/box-tree.ts';
import { runCampaign } from '../../tools/fuzz/campaign.ts';
import { makeMutant } from '../../tools/fuzz/mutant.ts';
import { makeSeedVideos } from '../../tools/fuzz/seed-videos.ts';
import { traceChild } from '../../tools/fuzz/trace.ts';
import { box, FILE_TYPE, movie } from '../pipeline/boxes.ts';

describe('the fuzzer', function () {
  let folder: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reelstate-fuzz-test-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('creates the same mutant from the same seed and index, and another one otherwise', async () => {
    const videos = await makeSeedVideos(folder);
    const mutant = (seed: number, index: number) =>
      makeMutant({ videos, canaryPath: '/secret.ts', seed, index }).bytes.toString('base64');
    const some = Array.from({ length: 50 }, (_, index) => mutant(1, index));
    expect(Array.from({ length: 50 }, (_, index) => mutant(1, index))).to.deep.equal(some);
    expect(new Set([...some, mutant(2, 0)]).size).to.be.above(40);
  });

  it('keeps the boxes around a change whole', () => {
    const bytes = Buffer.concat([FILE_TYPE, movie(box('trak', box('mdia'))), box('mdat')]);
    const media = boxesOf(bytes).find(({ type }) => type === 'mdia') ?? expect.fail('no mdia');
    const longer = replaced(bytes, { from: media.end, to: media.end, within: media.parent }, box('minf', box('stbl')));
    expect(boxesOf(longer).map(({ type }) => type)).to.deep.equal([
      'ftyp',
      'moov',
      'mvhd',
      'trak',
      'mdia',
      'minf',
      'stbl',
      'mdat',
    ]);
  });

  it('finds no fault in a few mutants, each of which ends', async function () {
    if (process.platform !== 'linux') this.skip();
    const indices = Array.from({ length: 12 }, (_, index) => index);
    const { findings, outcomes } = await runCampaign({ folder, seed: 7, indices, signal, say: () => {} });
    expect(findings).to.deep.equal([]);
    expect([...outcomes.values()].reduce((sum, times) => sum + times, 0)).to.equal(indices.length);
  });

  it('sees the child process open its own files and the one video, and nothing else', async function () {
    if (process.platform !== 'linux') this.skip();
    const report = await traceChild({ folder, signal });
    if (report === undefined) {
      console.log('    skipped: strace is not installed, or may not trace here');
      this.skip();
    }
    expect(report.findings).to.deep.equal([]);
  });
});
