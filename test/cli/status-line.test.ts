import { expect } from 'chai';
import { StatusLine } from '../../src/cli/status-line.ts';

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 100, write: (text: string) => written.push(text) };
}

describe('the status line', () => {
  it('draws a progress bar in place and clears it', () => {
    const terminal = screen(true);
    const line = new StatusLine(terminal);
    line.bar('a.mp4', 0, 200);
    line.bar('a.mp4', 200, 200);
    line.clear();
    expect(terminal.written.map((text) => text.replace('\r\u001B[2K', ''))).to.deep.equal([
      `${'░'.repeat(24)} 0 %  a.mp4`,
      `${'█'.repeat(24)} 100 %  a.mp4`,
      '',
    ]);
  });

  it('shows a spinner while it waits, and ends with its line', () => {
    const terminal = screen(true);
    const line = new StatusLine(terminal);
    line.spin('a.mp4  running');
    line.clear();
    expect(terminal.written[0]?.replace('\r\u001B[2K', '')).to.match(/^. a\.mp4 {2}running$/);
    expect(terminal.written.at(-1)).to.equal('\r\u001B[2K');
  });

  it('never wraps, and removes control characters from file names', () => {
    const terminal = screen(true);
    new StatusLine(terminal).bar('x'.repeat(200), 1, 1);
    expect(terminal.written[0]?.replace('\r\u001B[2K', '')).to.have.lengthOf(99);
    new StatusLine(terminal).bar('a\u001B[2Jb', 1, 1);
    expect(terminal.written[1]).to.contain('a\u{FFFD}[2Jb');
  });

  it('prints nothing without a terminal', () => {
    const file = screen(false);
    const line = new StatusLine(file);
    line.bar('a.mp4', 1, 2);
    line.spin('a.mp4');
    line.clear();
    expect(file.written).to.deep.equal([]);
  });
});
