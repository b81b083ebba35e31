import { expect } from 'chai';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { frameResultSchema } from '../../src/job.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { levelled } from '../../src/pipeline/text/text-strip.ts';
import { smallestRectangle, type Point } from '../../src/pipeline/text/turned-rectangle.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';

const GREY = 'color=c=0xd0d0d0:s=1280x720:r=25';
const SIGN = renderFrame(GREY, [
  { text: 'Call 555-0199 for a table', x: 440, y: 310, size: 32, colour: 'black' },
  { text: 'open daily from 9 to 17', x: 440, y: 380, size: 32, colour: 'black' },
]);
const SMALL = [
  'The quarterly report is due on 14 March at 09:30',
  'Error 4711: payment declined, try again',
  'Settings > Accounts > Notifications > Weekly digest',
  'user@example.com joined 3 minutes ago',
];

/** Returns the picture rotated clockwise about its centre. */
function turned(frame: Frame, degrees: number): Frame {
  const { width, height } = frame;
  const whole = { x: width / 2, y: height / 2, width, height, angle: (-degrees * Math.PI) / 180, slope: 0, bend: 0 };
  return { ...frame, ...levelled(frame, whole, width, height) };
}

/** Returns the picture with its middle row bent into an arc that rises by `rise` pixels at the sides of the text. */
function bent(frame: Frame, rise: number): Frame {
  const { width, height } = frame;
  const whole = { x: width / 2, y: height / 2, width, height, angle: 0, slope: 0, bend: -rise / 220 ** 2 };
  return { ...frame, ...levelled(frame, whole, width, height) };
}

describe('ocr.read of text that is small or not level', () => {
  let sessions: ModelSessions;
  before(() => {
    sessions = new ModelSessions();
  });
  after(async () => {
    await sessions[Symbol.asyncDispose]();
  });

  const read = async (frame: Frame) => {
    const analyser = await openAnalyser((await PipelineRegistry.open()).get('ocr_only'), sessions);
    const { result } = frameResultSchema.parse({
      frame_index: 0,
      result: { timestamp_ms: 0, ...(await analyser.analyse(frame)) },
    });
    return result.lines ?? [];
  };
  const sorted = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text).toSorted();

  for (const degrees of [2, 4, -15, 30, 90, 180]) {
    it(`reads text turned by ${degrees}°`, async () => {
      const lines = await read(turned(SIGN, degrees));
      expect(sorted(lines)).to.include('Call 555-0199 for a table');
      // The detector treats a rotated last digit as a separate word.
      if (degrees !== 90) expect(sorted(lines)).to.deep.equal(['Call 555-0199 for a table', 'open daily from 9 to 17']);
    });
  }

  it('reads text along an arc', async () => {
    expect(sorted(await read(bent(SIGN, 40)))).to.deep.equal(['Call 555-0199 for a table', 'open daily from 9 to 17']);
  });

  it('gives the corners of a line that is not level, inside of its upright box, and none of a level one', async () => {
    const [line] = await read(turned(SIGN, 20));
    const [x = 0, y = 0, width = 0, height = 0] = line?.bbox ?? [];
    const xs = line?.polygon?.map(([cornerX]) => cornerX) ?? [];
    const ys = line?.polygon?.map(([, cornerY]) => cornerY) ?? [];
    expect(Math.min(...xs)).to.be.within(x, x + 1);
    expect(Math.max(...xs)).to.be.within(x + width - 1, x + width);
    expect(Math.min(...ys)).to.be.within(y, y + 1);
    expect(Math.max(...ys)).to.be.within(y + height - 1, y + height);
    const [[ax, ay] = [0, 0], [bx, by] = [0, 0]] = line?.polygon ?? [];
    expect((Math.atan2(by - ay, bx - ax) * 180) / Math.PI).to.be.closeTo(20, 1);
    expect((await read(SIGN)).map((level) => Object.keys(level))).to.deep.equal([
      ['text', 'confidence', 'bbox'],
      ['text', 'confidence', 'bbox'],
    ]);
  });

  for (const [size, pixels] of [
    ['1280x720', 12],
    ['1920x1080', 16],
    ['3840x2160', 24],
  ] as const) {
    it(`reads text of ${pixels} pixels in a frame of ${size}`, async () => {
      const texts = SMALL.map((text, index) => ({ text, x: 100, y: 100 + index * 3 * pixels, size: pixels }));
      expect((await read(renderFrame(`color=c=0x202830:s=${size}:r=25`, texts))).map(({ text }) => text)).to.deep.equal(
        SMALL,
      );
    });
  }
});

describe('the smallest rectangle around points', () => {
  const corners: readonly Point[] = [
    [-20, -5],
    [20, -5],
    [20, 5],
    [-20, 5],
  ];
  for (const degrees of [0, 10, 44, -30]) {
    it(`is the one they were made of, turned by ${degrees}°`, () => {
      const angle = (degrees * Math.PI) / 180;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const points = corners.map(([x, y]): Point => [100 + x * cos - y * sin, 50 + x * sin + y * cos]);
      const found = smallestRectangle(points);
      expect(found.x).to.be.closeTo(100, 1e-9);
      expect(found.y).to.be.closeTo(50, 1e-9);
      expect(found.width).to.be.closeTo(40, 1e-9);
      expect(found.height).to.be.closeTo(10, 1e-9);
      expect(found.angle).to.be.closeTo(angle, 1e-9);
    });
  }

  it('of one point, or of points in a line, has no area', () => {
    expect(smallestRectangle([[3, 4]])).to.deep.equal({ x: 3, y: 4, width: 0, height: 0, angle: 0 });
    const { width, height } = smallestRectangle([
      [0, 0],
      [3, 4],
    ]);
    expect(Math.max(width, height)).to.be.closeTo(5, 1e-9);
    expect(Math.min(width, height)).to.be.closeTo(0, 1e-9);
  });
});
