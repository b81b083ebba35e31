import { expect } from 'chai';
import {
  analysisOptionsOf,
  framesOf,
  parseTime,
  samplingFaults,
  USUAL_SAMPLING,
} from '../../src/web/upload/sampling.ts';

describe('what is analysed of a video', () => {
  it('is chosen in words and sent in milliseconds', () => {
    expect(analysisOptionsOf(USUAL_SAMPLING)).to.deep.equal({ sampleEveryMs: 1_000 });
    expect(analysisOptionsOf({ pace: 'frame', start: '1:30', end: '1:02:03.5', region: [0, 0, 0.5, 1] })).to.deep.equal(
      {
        fromMs: 90_000,
        toMs: 3_723_500,
        region: [0, 0, 0.5, 1],
      },
    );
  });

  it('takes times as people write them, and no others', () => {
    expect(['', ' 90 ', '0:05', '1,5'].map(parseTime)).to.deep.equal([null, 90_000, 5_000, 1_500]);
    for (const text of ['soon', '1:2:3:4', '-1', '1:', '1e3'])
      expect(Number.isNaN(parseTime(text)), text).to.equal(true);
  });

  it('says what is wrong with which field', () => {
    expect(samplingFaults({ ...USUAL_SAMPLING, start: 'x' })).to.have.all.keys('start');
    expect(samplingFaults({ ...USUAL_SAMPLING, start: '2:00', end: '1:00' })).to.have.all.keys('end');
    expect(samplingFaults({ ...USUAL_SAMPLING, start: '1:00', end: '2:00' })).to.deep.equal({});
  });

  it('is counted before it is sent', () => {
    expect(framesOf(USUAL_SAMPLING, 24_000)).to.equal(24);
    expect(framesOf({ ...USUAL_SAMPLING, pace: 'fifth', start: '0:10' }, 24_000)).to.equal(70);
  });
});
