import { expect } from 'chai';
import type { FrameResult } from '../../src/job.ts';
import { SegmentFinder, type SegmentOptions } from '../../src/segments/segment-finder.ts';
import { framesOf, place, times } from './frames.ts';

function found(frames: readonly FrameResult[], options: SegmentOptions = {}) {
  const finder = new SegmentFinder(options);
  for (const frame of frames) finder.push(frame);
  return finder.finish().texts.map(({ text, start_ms, end_ms }) => [text, start_ms, end_ms]);
}

describe('text segments', () => {
  it('start with the first sample that shows them and end with the first that does not', () => {
    const frames = framesOf([], ...times(3, 'Hello there'), ...times(4));
    expect(found(frames)).to.deep.equal([['Hello there', 200, 800]]);
  });

  it('count the last sample for one step', () => {
    expect(found(framesOf([], ...times(2, 'Hello there')))).to.deep.equal([['Hello there', 200, 600]]);
  });

  it('take the spelling with the highest total confidence', () => {
    const wrong = { text: 'Hellq there', confidence: 0.9 };
    const frames = framesOf(['Hello there'], [wrong], ['Hello there'], [wrong], ['Hello there']);
    expect(found(frames)).to.deep.equal([['Hello there', 0, 1000]]);
  });

  for (const [first, second] of [
    ['Gate 10', 'Gate 16'],
    ['HOME 3 - 2 AWAY', 'HOME 4 - 2 AWAY'],
    ['12:00:59', '12:01:00'],
    ['Total amount due: $1,284.50', 'Total amount due: $1,284.80'],
    ['Room 1', 'Room 12'],
  ] as const) {
    it(`never merge ${first} and ${second}`, () => {
      const frames = framesOf(...times(4, first), ...times(4, second));
      expect(found(frames)).to.deep.equal([
        [first, 0, 800],
        [second, 800, 1600],
      ]);
    });
  }

  it('do not merge short words that differ in a letter', () => {
    expect(found(framesOf(...times(4, 'No.'), ...times(4, 'Go.'))).map(([text]) => text)).to.deep.equal(['No.', 'Go.']);
  });

  it('distinguish a replaced text from flicker', () => {
    const sure = (text: string) => ({ text, confidence: 0.98 });
    const frames = framesOf(...times(5, sure('We will find out.')), ...times(5, sure('We will find out!?')));
    expect(found(frames).length).to.equal(1);
    const replaced = framesOf(...times(5, sure('We like cats here')), ...times(5, sure('We like bats here')));
    expect(found(replaced)).to.deep.equal([
      ['We like cats here', 0, 1000],
      ['We like bats here', 1000, 2000],
    ]);
  });

  it('bridge a gap of two samples, and no longer one', () => {
    const bridged = framesOf(...times(3, 'Hello there'), [], [], ...times(3, 'Hello there'));
    expect(found(bridged)).to.deep.equal([['Hello there', 0, 1600]]);
    const real = framesOf(...times(3, 'Hello there'), [], [], [], ...times(3, 'Hello there'));
    expect(found(real)).to.deep.equal([
      ['Hello there', 0, 600],
      ['Hello there', 1200, 1800],
    ]);
  });

  it('bridge no gap in which another text was in this place', () => {
    const frames = framesOf(...times(3, 'Hello there'), ...times(2, 'Entirely different'), ...times(3, 'Hello there'));
    expect(found(frames).map(([text]) => text)).to.deep.equal(['Hello there', 'Entirely different', 'Hello there']);
  });

  it('bridge gaps as long as they are told to', () => {
    const frames = framesOf(...times(3, 'Hello there'), [], ...times(3, 'Hello there'));
    expect(found(frames, { maxGapMs: 100 }).length).to.equal(2);
    expect(found(frames, { maxGapMs: 200 }).length).to.equal(1);
  });

  it('ignore a single wrong reading', () => {
    const bad = { text: 'Hqlvo tbxre', confidence: 0.7 };
    const frames = framesOf(...times(3, 'Hello there'), [bad], ...times(3, 'Hello there'));
    expect(found(frames)).to.deep.equal([['Hello there', 0, 1400]]);
  });

  it('keep two places apart', () => {
    const frames = framesOf(...times(3, 'Yes', { text: 'Yes', bbox: place(3) }));
    expect(found(frames)).to.deep.equal([
      ['Yes', 0, 600],
      ['Yes', 0, 600],
    ]);
  });

  it('follow a text that moves', () => {
    const frames = framesOf(
      ...Array.from({ length: 12 }, (_, at) => [{ text: 'Director Ann Lee', bbox: place(at * 0.6) }]),
    );
    expect(found(frames)).to.deep.equal([['Director Ann Lee', 0, 2400]]);
  });

  it('join a ticker', () => {
    const news = 'Parliament votes on the new budget today and the storm moves to the north of the country';
    const frames = framesOf(
      ...Array.from({ length: 15 }, (_, at) => [
        { text: news.slice(at * 3, at * 3 + 44).trim(), bbox: place(0, 0, 1280) },
      ]),
    );
    expect(found(frames)).to.deep.equal([[news.slice(0, 14 * 3 + 44).trim(), 0, 3000]]);
  });

  it('follow a line that grows', () => {
    const line = (text: string, width: number) => [{ text, bbox: place(0, 400, width) }];
    const frames = framesOf(
      ...times(2, ...line('Next', 90)),
      ...times(2, ...line('Next steps: hire', 320)),
      ...times(4, ...line('Next steps: hire, build', 460)),
    );
    expect(found(frames)).to.deep.equal([['Next steps: hire, build', 0, 1600]]);
  });

  it('join a line that was read in two pieces', () => {
    const whole = { text: 'Revenue grew last year', bbox: place(0, 400, 480) };
    const pieces = [
      { text: 'Revenue grew', bbox: place(0, 400, 250) },
      { text: 'last year', bbox: place(0, 680, 200) },
    ];
    for (const frames of [
      framesOf(...times(3, whole), pieces, ...times(3, whole)),
      framesOf(pieces, pieces, ...times(5, whole)),
      framesOf(...times(4, whole), pieces, pieces, pieces),
    ]) {
      expect(found(frames)).to.deep.equal([['Revenue grew last year', 0, 1400]]);
    }
  });

  it('respect a region, a confidence and a duration', () => {
    const frames = framesOf(
      ...times(3, { text: 'Above', bbox: place(8) }, 'Below', { text: 'Doubtful', bbox: place(6), confidence: 0.5 }),
      ['Below'],
    );
    expect(found(frames, { region: [0, 360, 1280, 360] })).to.deep.equal([['Below', 0, 800]]);
    expect(found(frames, { minConfidence: 0.6 }).map(([text]) => text)).to.deep.equal(['Above', 'Below']);
    expect(found(frames, { minDurationMs: 800 })).to.deep.equal([['Below', 0, 800]]);
  });

  it('are none in frames without text, and none in no frames', () => {
    expect(found([{ frame_index: 0, result: { timestamp_ms: 0 } }])).to.deep.equal([]);
    expect(found([])).to.deep.equal([]);
  });

  it('ignore a frame that is not later than the previous one', () => {
    const [first, second] = framesOf(['Hello there'], ['Hello there']);
    const still = { ...second, frame_index: 9, result: { ...second?.result, timestamp_ms: 0 } };
    expect(found([first, still, second].flatMap((frame) => frame ?? []))).to.deep.equal([['Hello there', 0, 400]]);
  });
});
