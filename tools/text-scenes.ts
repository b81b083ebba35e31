import type { DrawnText } from './rendered-frames.ts';

/** A picture with text as in videos; `texts` in reading order, one line each. */
export interface TextScene {
  readonly name: string;
  readonly source: string;
  readonly texts: readonly DrawnText[];
  /** Share of misread characters that is allowed, if it is more than the 2 % of all scenes. */
  readonly errorRate?: number;
}

const PLAIN = 'color=c=0x1b2735:s=1280x720:r=25';
const PAPER = 'color=c=white:s=1280x720:r=25';
const GREY = 'color=c=0xd8d8d8:s=1280x720:r=25';
const BUSY = 'mandelbrot=s=1280x720:r=25:start_scale=0.9';
const BARS = 'smptehdbars=s=1280x720:r=25';
const NOISE = `${PLAIN},noise=alls=40:allf=t`;

export const TEXT_SCENES: readonly TextScene[] = [
  {
    name: 'caption',
    source: PLAIN,
    texts: [
      { text: 'BREAKING NEWS', x: 60, y: 560, size: 44, font: 'DejaVuSans-Bold', box: 'red' },
      { text: 'Parliament votes on the new budget today', x: 60, y: 630, size: 36, box: 'black' },
    ],
  },
  {
    name: 'subtitle over a busy picture',
    source: BUSY,
    // The picture resembles letters: some are added, none of the subtitle's are wrong.
    errorRate: 0.1,
    texts: [
      { text: 'I told you that we would be late, did I not?', x: 220, y: 600, size: 36, box: 'black@0.6' },
      { text: 'Yes, but no one listens to me.', x: 340, y: 656, size: 36, box: 'black@0.6' },
    ],
  },
  {
    name: 'title over bars',
    source: BARS,
    texts: [
      { text: 'The Long Way Home', x: 300, y: 560, size: 64, font: 'DejaVuSerif-Bold', box: 'black@0.7' },
      { text: 'Episode 12: Winter', x: 400, y: 650, size: 32, box: 'black@0.7' },
    ],
  },
  {
    name: 'scoreboard',
    source: 'color=c=0x2e7d32:s=1280x720:r=25,noise=alls=20:allf=t',
    texts: [
      { text: 'HOME 3 - 2 AWAY', x: 40, y: 36, size: 32, font: 'DejaVuSans-Bold', box: 'black' },
      { text: '2nd half 78:41', x: 40, y: 90, size: 26, box: 'black' },
    ],
  },
  {
    name: 'second scoreboard',
    source: NOISE,
    texts: [
      { text: 'LAP 17/56', x: 1040, y: 30, size: 30, font: 'DejaVuSans-Bold', box: '0x202020' },
      { text: 'P1 HAM 1:24.309', x: 40, y: 100, size: 26, font: 'DejaVuSansMono', box: '0x202020' },
      { text: 'P2 VER +0.482', x: 40, y: 150, size: 26, font: 'DejaVuSansMono', box: '0x202020' },
      { text: 'P3 LEC +1.907', x: 40, y: 200, size: 26, font: 'DejaVuSansMono', box: '0x202020' },
    ],
  },
  {
    name: 'small text',
    source: GREY,
    texts: [
      { text: 'Terms and conditions apply. See the website for details.', x: 80, y: 100, size: 14, colour: 'black' },
      { text: 'Order number 48213-77, shipped on 14 March 2024', x: 80, y: 150, size: 14, colour: 'black' },
      { text: 'Call 555 0199 between 9 am and 5 pm', x: 80, y: 200, size: 14, colour: 'black' },
      { text: 'The quick brown fox jumps over the lazy dog', x: 80, y: 250, size: 16, colour: 'black' },
      { text: 'Total amount due: $1,284.50', x: 80, y: 300, size: 18, colour: 'black' },
    ],
  },
  {
    name: 'small text on dark',
    source: PLAIN,
    texts: [
      { text: 'Recorded at 10:42:07 on camera 3', x: 900, y: 20, size: 16 },
      { text: 'user@example.com joined the meeting', x: 60, y: 660, size: 15 },
      { text: 'Volume 64% | Bitrate 3500 kb/s', x: 60, y: 690, size: 14 },
    ],
  },
  {
    name: 'slide',
    source: PAPER,
    texts: [
      { text: 'Quarterly Results', x: 100, y: 70, size: 56, font: 'DejaVuSans-Bold', colour: '0x103060' },
      { text: 'Revenue grew by 12 percent over last year', x: 120, y: 200, size: 32, colour: 'black' },
      { text: 'Costs stayed flat despite inflation', x: 120, y: 270, size: 32, colour: 'black' },
      { text: 'Three new offices opened in Europe', x: 120, y: 340, size: 32, colour: 'black' },
      { text: 'Next steps: hire, build, measure', x: 120, y: 410, size: 32, colour: 'black' },
      { text: 'Page 7 of 24', x: 1080, y: 670, size: 18, colour: '0x606060' },
    ],
  },
  {
    name: 'serif slide',
    source: 'color=c=0xfdf6e3:s=1280x720:r=25',
    texts: [
      { text: 'A Short History of Printing', x: 100, y: 80, size: 48, font: 'DejaVuSerif', colour: '0x202020' },
      {
        text: 'Movable type spread quickly across Europe',
        x: 120,
        y: 200,
        size: 28,
        font: 'DejaVuSerif',
        colour: '0x202020',
      },
      {
        text: 'By 1500 more than 20 million books were printed',
        x: 120,
        y: 260,
        size: 28,
        font: 'DejaVuSerif',
        colour: '0x202020',
      },
      {
        text: 'Paper was made from linen and cotton rags',
        x: 120,
        y: 320,
        size: 28,
        font: 'DejaVuSerif',
        colour: '0x202020',
      },
    ],
  },
  {
    name: 'code on a screen',
    // In this font the recogniser reads 100 as "loo", and the gap after a full stop as a space.
    errorRate: 0.04,
    source: 'color=c=0x1e1e1e:s=1280x720:r=25',
    texts: [
      {
        text: 'const total = prices.reduce(add, 0);',
        x: 60,
        y: 80,
        size: 22,
        font: 'DejaVuSansMono',
        colour: '0xd4d4d4',
      },
      {
        text: 'if (total > 100) return applyDiscount(total);',
        x: 60,
        y: 130,
        size: 22,
        font: 'DejaVuSansMono',
        colour: '0xd4d4d4',
      },
      { text: 'npm install && npm start', x: 60, y: 200, size: 22, font: 'DejaVuSansMono', colour: '0x6a9955' },
    ],
  },
  {
    name: 'text straight on a busy picture',
    source: BUSY,
    texts: [
      { text: 'SUMMER FESTIVAL', x: 60, y: 40, size: 60, font: 'DejaVuSans-Bold', colour: 'yellow' },
      { text: 'Live from Berlin', x: 60, y: 620, size: 44, font: 'DejaVuSans-Bold', colour: 'white' },
    ],
  },
  {
    name: 'text straight on noise',
    source: 'color=c=0x556677:s=1280x720:r=25,noise=alls=60:allf=t',
    texts: [
      { text: 'Weather tomorrow: sunny, 24 degrees', x: 80, y: 300, size: 34 },
      { text: 'Flight BA 0257 departs from gate B38', x: 80, y: 380, size: 34 },
    ],
  },
];
