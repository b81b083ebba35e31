import { expect } from 'chai';
import { filledLetters, type LinePlanes } from '../../src/pipeline/text/letter-fill.ts';

type Colour = readonly [number, number, number];
const WIDTH = 60;
const HEIGHT = 32;
const SKY: Colour = [210, 220, 230];
const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];
const YELLOW: Colour = [255, 255, 0];

/** Paints rectangles, later ones over earlier ones. */
function painted(
  ...rectangles: readonly (readonly [x: number, y: number, side: number, colour: Colour])[]
): LinePlanes {
  const planes = new Float32Array(3 * WIDTH * HEIGHT);
  for (const [left, top, side, colour] of [[0, 0, WIDTH, SKY] as const, ...rectangles]) {
    for (let y = top; y < Math.min(HEIGHT, top + side); y++) {
      for (let x = left; x < Math.min(WIDTH, left + side); x++) {
        for (const [channel, value] of colour.entries()) planes[(channel * HEIGHT + y) * WIDTH + x] = value;
      }
    }
  }
  return { planes, width: WIDTH, height: HEIGHT };
}

describe('letters without their background', function () {
  // An O: a white ring between black outlines, and inside of it what is behind.
  const ring = [
    [8, 4, 24, BLACK],
    [10, 6, 20, WHITE],
    [14, 10, 12, BLACK],
  ] as const;

  it('are kept black on white when they have an outline on a bright picture', () => {
    const { data, width } = filledLetters(painted(...ring), { isDark: false, from: 0.75 });
    expect(data[16 * width + 12], 'the ring').to.be.at.most(0);
    expect(data[16 * width + 2], 'the sky').to.equal(255);
    expect(data[16 * width + 50], 'the sky').to.equal(255);
  });

  it('lose what is behind them and has another colour', () => {
    const { data, width } = filledLetters(painted(...ring, [16, 12, 8, YELLOW]), { isDark: false, from: 0.75 });
    expect(data[16 * width + 12], 'the ring').to.be.at.most(0);
    expect(data[16 * width + 20], 'inside of the ring').to.equal(255);
  });

  it('are found dark on a light background too', () => {
    const { data, width } = filledLetters(painted([20, 8, 16, BLACK]), { isDark: true, from: 0.75 });
    expect(data[16 * width + 28]).to.be.at.most(0);
    expect(data[16 * width + 10]).to.equal(255);
  });
});
