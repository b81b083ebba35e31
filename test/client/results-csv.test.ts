import { expect } from 'chai';
import { csvHead, csvRows } from '../../src/client/results-csv.ts';
import type { FrameResult } from '../../src/client/responses.ts';

describe('CSV of results', () => {
  const frame = (text: string): FrameResult => ({
    frame_index: 0,
    result: { timestamp_ms: 0, lines: [{ text, confidence: 0.9, bbox: [-1, 2, 3, 4] }] },
  });
  const row = (value: string) => `0,0,text,${value},0.9,-1,2,3,4\r\n`;

  it('has no cell that a spreadsheet takes for a formula, and a byte-order mark', () => {
    expect(csvHead()).to.match(/^\uFEFFframe_index,/);
    for (const text of ['=1+2*cmd', '+1', '-1', '@SUM(A1)', '\tx', '＝1', '＋1', '－1', '＠A1'])
      expect(csvRows(frame(text))).to.equal(row(`'${text}`));
    expect(csvRows(frame('a=b'))).to.equal(row('a=b'));
  });

  it('has the exact text when it is asked for raw', () => {
    expect(csvHead({ raw: true })).to.match(/^frame_index,/);
    expect(csvRows(frame('=1+2*cmd'), { raw: true })).to.equal(row('=1+2*cmd'));
  });
});
