import { expect } from 'chai';
import { withFigures } from '../../tools/bench/report.ts';

const REPORT = `# Benchmarks

## one

What it is.

\`\`\`text
old $& figures
\`\`\`

## two

Nothing measured.
`;

describe('the report of a benchmark', () => {
  it('replaces the figures of a part and keeps the text about them', () => {
    const report = withFigures(REPORT, 'one', 'new $& figures\n\n');
    expect(report).to.equal(REPORT.replace('old', 'new'));
    expect(withFigures(report, 'one', 'old $& figures')).to.equal(REPORT);
  });

  it('adds figures under a heading without them, and a missing heading', () => {
    const report = withFigures(withFigures(REPORT, 'two', 'fast'), 'three', 'slow');
    expect(report.slice(REPORT.length)).to.equal('\n```text\nfast\n```\n\n## three\n\n```text\nslow\n```\n');
  });
});
