import { expect } from 'chai';
import type { Box } from '../../src/client/responses.ts';
import { placeCaptions } from '../../src/web/viewer/captions.ts';

const FRAME = { width: 640, height: 360, scale: 1 };
const HEIGHT = 16;

describe('captions over a frame', () => {
  const placed = (...boxes: readonly Box[]): readonly Box[] =>
    placeCaptions(
      boxes.map((bbox, index) => ({ bbox, caption: `line ${index}` })),
      FRAME,
    ).map(({ bbox }) => bbox);

  it('are above their boxes, or below if there is no space above', () => {
    expect(placed([100, 100, 80, 20]).map(([x, y]) => [x, y])).to.deep.equal([[100, 100 - HEIGHT]]);
    expect(placed([100, 4, 80, 20]).map(([x, y]) => [x, y])).to.deep.equal([[100, 24]]);
  });

  it('cover no other box or caption if there is space', () => {
    const lines = Array.from({ length: 6 }, (_, index): Box => [100, 60 + index * 24, 200, 20]);
    const captions = placed(...lines);
    const all = [...lines, ...captions];
    for (const [index, caption] of captions.entries()) {
      for (const [other, box] of all.entries()) {
        if (other !== lines.length + index) expect(overlap(caption, box), `${index} and ${other}`).to.equal(false);
      }
    }
  });

  it('stay inside the frame, and are equally large on the screen for every frame size', () => {
    const [[x, y, width, height] = [0, 0, 0, 0]] = placeCaptions(
      [{ bbox: [600, 2, 40, 358], caption: 'at the edge' }],
      {
        ...FRAME,
        scale: 2,
      },
    ).map(({ bbox }) => bbox);
    expect(height).to.equal(2 * HEIGHT);
    expect([x, y, 640 - x - width, 360 - y - height].every((margin) => margin >= 0)).to.equal(true);
  });
});

function overlap([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box): boolean {
  return ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah;
}
