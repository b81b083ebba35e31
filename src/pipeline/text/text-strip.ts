import type { RgbImage } from '../image-tensor.ts';
import type { ConnectedArea } from './connected-areas.ts';
import { quarterTurned, smallestRectangle, type Point, type TurnedRectangle } from './turned-rectangle.ts';

// Text is levelled if it leans by more than this angle, and this share of its height over its length.
const LEANS_FROM = (0.8 * Math.PI) / 180;
const LEANS_BY = 0.25;
const LONG = 1.8;
/** Height over width from which text runs vertically, or has its letters stacked. */
const STANDS_FROM = 1.5;
// Text is bent if it is long, its middle rises by this share of its height, and a straight box would be higher.
const LONG_ENOUGH_TO_BEND = 3;
const BENDS_BY = { leaning: 0.12, level: 0.25 } as const;
const HIGHER_BOX = 1.15;
/** Largest number of samples across one pixel of a levelled picture. */
const MOST_SAMPLES = 6;

/** Text that is not level: a rectangle along it, and how its middle line leaves that of the rectangle. */
export interface TextStrip extends TurnedRectangle {
  /**
   * At a distance u from the centre, the middle of the text is `slope * u + bend * u * u` below that of the rectangle.
   */
  readonly slope: number;
  readonly bend: number;
}

/** Returns the strip of a blob that should be levelled; undefined if it is level enough. */
export function stripOf(blob: ConnectedArea, mapWidth: number, across: number, down: number): TextStrip | undefined {
  const rectangle = smallestRectangle(outlineOf(blob, mapWidth, across, down));
  const long = Math.max(rectangle.width, rectangle.height);
  const short = Math.min(rectangle.width, rectangle.height);
  const angle = Math.abs(rectangle.angle);
  const leans = angle > LEANS_FROM && long > LONG * short && long * Math.sin(angle) > LEANS_BY * short;
  if (long > LONG_ENOUGH_TO_BEND * short) {
    const bent = bentStrip(blob, rectangle, { mapWidth, across, down, leans });
    if (bent) return bent;
  }
  const stands = isStanding(rectangle) && (blob.bottom - blob.top) * down > LONG * (blob.right - blob.left) * across;
  return leans || stands ? { ...rectangle, slope: 0, bend: 0 } : undefined;
}

export function isStanding({ width, height }: TurnedRectangle): boolean {
  return height > STANDS_FROM * width;
}

/** Returns the corners of the first and last pixel of each row: their hull is that of the blob. */
function outlineOf(blob: ConnectedArea, mapWidth: number, across: number, down: number): Point[] {
  const rows = blob.bottom - blob.top;
  const first = new Int32Array(rows).fill(mapWidth);
  const last = new Int32Array(rows);
  for (const at of blob.pixels) {
    const x = at % mapWidth;
    const row = (at - x) / mapWidth - blob.top;
    first[row] = Math.min(first[row] ?? 0, x);
    last[row] = Math.max(last[row] ?? 0, x + 1);
  }
  return Array.from({ length: rows }, (_, row): Point[] => {
    const [left, right] = [(first[row] ?? 0) * across, (last[row] ?? 0) * across];
    const [top, bottom] = [(blob.top + row) * down, (blob.top + row + 1) * down];
    return [
      [left, top],
      [right, top],
      [left, bottom],
      [right, bottom],
    ];
  }).flat();
}

interface MapScale {
  readonly mapWidth: number;
  readonly across: number;
  readonly down: number;
  readonly leans: boolean;
}

/**
 * Fits the parabola v = a + b u + c u² to the pixels of a blob, u along and v across its rectangle, by least squares. The
 * height of the text is that of a band with the variance that is left. Undefined when the text is nearly straight.
 */
function bentStrip(blob: ConnectedArea, rectangle: TurnedRectangle, scale: MapScale): TextStrip | undefined {
  const lying = rectangle.height > rectangle.width ? quarterTurned(rectangle) : rectangle;
  const [cos, sin] = [Math.cos(lying.angle), Math.sin(lying.angle)];
  let [u1, u2, u3, u4, v1, v2, uv, u2v] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const at of blob.pixels) {
    const column = at % scale.mapWidth;
    const x = (column + 0.5) * scale.across - lying.x;
    const y = ((at - column) / scale.mapWidth + 0.5) * scale.down - lying.y;
    const u = (x * cos + y * sin) / lying.width;
    const v = y * cos - x * sin;
    u1 += u;
    u2 += u * u;
    u3 += u * u * u;
    u4 += u * u * u * u;
    v1 += v;
    v2 += v * v;
    uv += u * v;
    u2v += u * u * v;
  }
  const n = blob.pixels.length;
  const determinant = n * (u2 * u4 - u3 * u3) - u1 * (u1 * u4 - u3 * u2) + u2 * (u1 * u3 - u2 * u2);
  if (Math.abs(determinant) < 1e-9) return undefined;
  const a = (v1 * (u2 * u4 - u3 * u3) - u1 * (uv * u4 - u3 * u2v) + u2 * (uv * u3 - u2 * u2v)) / determinant;
  const b = (n * (uv * u4 - u2v * u3) - v1 * (u1 * u4 - u3 * u2) + u2 * (u1 * u2v - u2 * uv)) / determinant;
  const c = (n * (u2 * u2v - u3 * uv) - u1 * (u1 * u2v - uv * u2) + v1 * (u1 * u3 - u2 * u2)) / determinant;
  const height = Math.sqrt((12 * Math.max(0, v2 - a * v1 - b * uv - c * u2v)) / n);
  const rise = Math.abs(c) / 4;
  if (rise < (scale.leans ? BENDS_BY.leaning : BENDS_BY.level) * height) return undefined;
  if (lying.height < HIGHER_BOX * height) return undefined;
  const { width, angle } = lying;
  return {
    x: lying.x - a * sin,
    y: lying.y + a * cos,
    width,
    height,
    angle,
    slope: b / width,
    bend: c / (width * width),
  };
}

/** Returns the corners of a strip, clockwise from the top left one as it lies when level. */
export function stripCorners(strip: TextStrip): Point[] {
  const { x, y, width, height, angle, slope, bend } = strip;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ].map(([right = 0, down = 0]) => {
    const u = (right * width) / 2;
    const v = (down * height) / 2 + (slope + bend * u) * u;
    return [x + u * cos - v * sin, y + u * sin + v * cos];
  });
}

/** Returns a strip of an image as a level picture; what lies outside of the image repeats its border. */
export function levelled(image: RgbImage, strip: TextStrip, width: number, height: number): RgbImage {
  const { slope, bend } = strip;
  const [cos, sin] = [Math.cos(strip.angle), Math.sin(strip.angle)];
  // A pixel is the mean of n x n samples where the picture shrinks, so that thin strokes do not come and go.
  const n = Math.max(1, Math.min(MOST_SAMPLES, Math.round(strip.height / height)));
  const sums = new Float64Array(3);
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      sums.fill(0);
      for (let sample = 0; sample < n * n; sample++) {
        const u = ((column + ((sample % n) + 0.5) / n) / width - 0.5) * strip.width;
        const v = ((row + (Math.floor(sample / n) + 0.5) / n) / height - 0.5) * strip.height + (slope + bend * u) * u;
        addSample(sums, image, strip.x + u * cos - v * sin - 0.5, strip.y + u * sin + v * cos - 0.5);
      }
      const out = (row * width + column) * 3;
      for (let channel = 0; channel < 3; channel++) rgb[out + channel] = Math.round((sums[channel] ?? 0) / (n * n));
    }
  }
  return { width, height, rgb };
}

/** Adds the colour between four pixels. */
function addSample(sums: Float64Array, { width, height, rgb }: RgbImage, atX: number, atY: number): void {
  const x = Math.min(width - 1, Math.max(0, atX));
  const y = Math.min(height - 1, Math.max(0, atY));
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top];
  const a = (top * width + left) * 3;
  const b = left + 1 < width ? a + 3 : a;
  const below = top + 1 < height ? width * 3 : 0;
  for (let channel = 0; channel < 3; channel++) {
    const upper = (rgb[a + channel] ?? 0) * (1 - fx) + (rgb[b + channel] ?? 0) * fx;
    const lower = (rgb[a + below + channel] ?? 0) * (1 - fx) + (rgb[b + below + channel] ?? 0) * fx;
    sums[channel] = (sums[channel] ?? 0) + upper * (1 - fy) + lower * fy;
  }
}
