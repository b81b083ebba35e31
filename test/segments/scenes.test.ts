import { expect } from 'chai';
import type { Box } from '../../src/job.ts';
import { SegmentFinder } from '../../src/segments/segment-finder.ts';
import { framesOf, place, times, type Written } from './frames.ts';

function scenes(...samples: readonly (readonly Written[])[]) {
  const finder = new SegmentFinder();
  for (const frame of framesOf(...samples)) finder.push(frame);
  return finder.finish().scenes.map(({ text, start_ms, end_ms, frame_index }) => [text, start_ms, end_ms, frame_index]);
}

const above = (text: string) => ({ text, bbox: place(1) });
const corner = (text: string) => ({ text, bbox: place(9, 1000, 160) });

describe('scenes', () => {
  it('are cues: two lines of one subtitle are one, though one of them comes a sample later', () => {
    const shown = scenes([], ['Where are you?'], ...times(4, above('Hello.'), 'Where are you?'), [], [], []);
    expect(shown).to.deep.equal([['Hello.\nWhere are you?', 200, 1200, 5]]);
  });

  it('are slides: another bullet makes another scene', () => {
    const shown = scenes(...times(5, above('Title')), ...times(5, above('Title'), 'First point'));
    expect(shown).to.deep.equal([
      ['Title', 0, 1000, 0],
      ['Title\nFirst point', 1000, 2000, 25],
    ]);
  });

  it('are not split by a logo or a clock', () => {
    const with_ = (second: number, ...written: readonly Written[]) =>
      times(5, corner(`08:14:0${second}`), { text: 'CHANNEL NINE', bbox: place(9, 40, 200) }, ...written);
    const shown = scenes(
      ...with_(0),
      ...with_(1, 'The first cue'),
      ...with_(2, 'The first cue'),
      ...with_(3),
      ...with_(4, 'And another'),
      ...with_(5),
    );
    expect(shown.map(([text, start, end]) => [text, start, end])).to.deep.equal([
      ['The first cue', 1000, 3000],
      ['And another', 4000, 5000],
    ]);
  });

  it('are not split by a ticker that comes into view at the right edge', () => {
    const news = 'Parliament votes on the new budget';
    const ticker = (letters: number) => ({
      text: news.slice(0, letters),
      bbox: [1280 - 14 * letters, 660, 14 * letters, 40] satisfies Box,
    });
    const shown = scenes(
      [ticker(4)],
      [ticker(6)],
      [ticker(8), 'The first cue'],
      ...[10, 12, 14].map((letters) => [ticker(letters), 'The first cue']),
      ['The first cue'],
      [],
    );
    expect(shown).to.deep.equal([['The first cue', 400, 1400, 10]]);
  });

  it('include text that is typed from the left, which does not move', () => {
    const typed = [4, 6, 8, 10, 12, 14].map((letters) => [
      { text: 'Parliament votes'.slice(0, letters), bbox: place(0, 400, 14 * letters) },
    ]);
    expect(scenes(['Above'], ...typed, []).map(([text]) => text)).to.include('Parliament vot');
  });

  it('consist of lasting text if there is no other', () => {
    expect(scenes(...times(5, 'The only text')).map(([text]) => text)).to.deep.equal(['The only text']);
  });
});
