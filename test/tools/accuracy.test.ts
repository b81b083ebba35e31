import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { scoreObjects } from '../../tools/accuracy/object-score.ts';
import { scoreText } from '../../tools/accuracy/text-score.ts';
import { casesOfFolder } from '../../tools/accuracy/truth.ts';
import { annotatedJpeg } from '../../tools/annotated-picture.ts';
import { makeVideo } from '../../tools/make-video.ts';
import type { Box } from '../../src/job.ts';

const whole = { partial: false, ignore: [] };

describe('the score of text', () => {
  it('counts wrong characters and words, for any order and splitting of lines', () => {
    const lines = ['Call 555-0199 for a table', 'open daily from 9 to 17'];
    const score = scoreText({ ...whole, lines }, ['open dail from', '9 to 17', 'Call 55-0199 for a table']);
    expect(score).to.deep.equal({
      lines: 2,
      missedLines: 0,
      characters: 48,
      wrongCharacters: 2,
      words: 11,
      wrongWords: 2,
      falseLines: 0,
    });
  });

  it('counts all of a missed line, and a false line', () => {
    const score = scoreText({ ...whole, lines: ['HOME 3'] }, ['Quarterly Results']);
    expect(score).to.include({ missedLines: 1, wrongCharacters: 6, wrongWords: 2, falseLines: 1 });
  });

  it('finds a short line by itself only', () => {
    const score = scoreText({ ...whole, lines: ['20', '7'] }, ['1207', '7']);
    expect(score).to.include({ missedLines: 1, wrongCharacters: 2, falseLines: 1 });
  });

  it('uses what was read once', () => {
    expect(scoreText({ ...whole, lines: ['Page 7', 'Page 7'] }, ['Page 7'])).to.include({ missedLines: 1 });
  });

  it('counts no false line where the truth is partial or ignores it', () => {
    expect(scoreText({ partial: true, ignore: [], lines: [] }, ['abc'])).to.include({ falseLines: 0 });
    expect(scoreText({ partial: false, ignore: ['abc'], lines: [] }, ['abc'])).to.include({ falseLines: 0 });
  });
});

describe('the score of objects', () => {
  const found = (bbox: Box, confidence: number) => ({ label: 'dog', confidence, bbox });
  const bbox: Box = [0, 0, 10, 10];
  const object = { label: 'dog', bbox, crowd: false };

  it('is 1 for exact boxes', () => {
    expect(scoreObjects([{ objects: [object], detections: [found([0, 0, 10, 10], 0.9)] }])).to.deep.equal({
      map: 1,
      map50: 1,
    });
  });

  it('falls with the overlap that is wanted', () => {
    // Shares 80 of 100: correct at overlaps of 0.5 to 0.8, which are 7 of 10.
    const { map, map50 } = scoreObjects([{ objects: [object], detections: [found([0, 0, 10, 8], 0.9)] }]);
    expect(map).to.be.closeTo(0.7, 1e-9);
    expect(map50).to.equal(1);
  });

  it('counts a more confident false box against precision, and none in a crowd', () => {
    const detections = [found([50, 50, 10, 10], 0.9), found([0, 0, 10, 10], 0.8)];
    expect(scoreObjects([{ objects: [object], detections }])).to.include({ map50: 0.5 });
    const around: Box = [40, 40, 40, 40];
    const objects = [object, { label: 'dog', bbox: around, crowd: true }];
    expect(scoreObjects([{ objects, detections }])).to.include({ map50: 1 });
  });
});

describe('a folder of frames with their truth', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'accuracy-'));
  });
  after(async () => rm(folder, { recursive: true, force: true }));

  it('gives the named frame of a video, and a picture', async () => {
    makeVideo({ path: join(folder, 'clip.mp4'), width: 64, height: 48, frames: 4 });
    const grey = { width: 32, height: 16, rgb: new Uint8Array(32 * 16 * 3).fill(128) };
    await writeFile(join(folder, 'still.jpg'), annotatedJpeg(grey, { timestamp_ms: 0 }));
    const frames = [
      { file: 'clip.mp4', frame: 3, class: 'clips', lines: ['a'] },
      { file: 'still.jpg', objects: [] },
    ];
    await writeFile(join(folder, 'truth.json'), JSON.stringify({ frames }));
    const [clip, still] = await casesOfFolder(folder);
    expect(clip?.truth).to.deep.equal({ class: 'clips', lines: ['a'], partial: false, ignore: [] });
    expect(clip?.frame()).to.include({ index: 3, width: 64, height: 48 });
    expect(still?.truth).to.deep.equal({ class: 'all', objects: [], partial: false, ignore: [] });
    expect(still?.frame()).to.include({ index: 0, width: 32, height: 16 });
  });

  it('rejects a misspelt file', async () => {
    await writeFile(join(folder, 'truth.json'), JSON.stringify({ frames: [{ file: 'a.png', line: ['a'] }] }));
    const error: unknown = await casesOfFolder(folder).catch((reason: unknown) => reason);
    expect(String(error)).to.match(/line/);
  });
});
