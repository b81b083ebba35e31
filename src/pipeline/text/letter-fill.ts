import { imageTensor, type RgbImage } from '../image-tensor.ts';
import { connectedAreas, type ConnectedArea } from './connected-areas.ts';

// Chosen with outlined captions in four languages on photographs.
/** Part of the range by which the surroundings of a letter are darker. */
const CONTRAST = 0.35;
/** Brightness at which the edge of a letter ends, as a part of the range. */
const EDGE = 0.25;
/** Distance of the surroundings from a letter, as a share of the picture's height. */
const REACH = 1 / 32;
/** Fewer pixels are noise. */
const SPECK = 4;
/** Largest difference between the colour of a letter and that of most letters, of 255. */
const SAME_COLOUR = 60;

/** A picture of one line: brightness from 0 to 255. */
export interface GreyPicture {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** How letters differ from their background. */
export interface LetterLook {
  readonly isDark: boolean;
  /** Brightness from which a pixel may belong to a letter (dark: darkness), as a part of the range. */
  readonly from: number;
}

/** The red, green and blue planes of a picture of one line. */
export interface LinePlanes {
  readonly planes: Float32Array;
  readonly width: number;
  readonly height: number;
}

export function linePlanes(crop: RgbImage, width: number, height: number): LinePlanes {
  const layout = { width, height, order: 'rgb', mean: [0, 0, 0], deviation: [1, 1, 1] } as const;
  return { planes: imageTensor(crop, { x: 0, y: 0, width: crop.width, height: crop.height }, layout), width, height };
}

/** Returns the green plane, because green is most of the brightness. */
export function brightness({ planes, width, height }: LinePlanes): GreyPicture {
  return { data: planes.slice(width * height, 2 * width * height), width, height };
}

/**
 * Returns the letters alone, black on white. Letters are areas lighter (or darker) than what surrounds them, as
 * outlined captions are, that do not touch the upper or lower edge and have the colour of most of the letters.
 */
export function filledLetters(line: LinePlanes, { isDark, from }: LetterLook): GreyPicture {
  const { width, height } = line;
  const { data: shades } = brightness(line);
  const light = isDark ? shades.map((value) => 255 - value) : shades;
  const { least, most } = rangeOf(light);
  const range = Math.max(1, most - least);
  const isLetter = (value: number) => value > least + from * range;
  const areas = connectedAreas(
    width,
    height,
    Uint8Array.from(light, (value) => Number(isLetter(value))),
  );
  const owner = new Int32Array(width * height).fill(-1);
  for (const [index, { pixels }] of areas.entries()) for (const at of pixels) owner[at] = index;
  const reach = Math.round(REACH * height);
  const letters = areas.filter(
    (area, index) =>
      area.pixels.length >= SPECK &&
      area.top > 0 &&
      area.bottom < height &&
      contrastOf({ area, index, owner, light, width, reach }) >= CONTRAST * range,
  );
  const own = sameColour(letters, light, line);
  return drawn(own, light, { width, height, from: least + EDGE * range, to: most });
}

/** Brightness that all but 2 % of the pixels are above, and below. */
function rangeOf(data: Float32Array): { readonly least: number; readonly most: number } {
  const sorted = data.toSorted();
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  return { least: at(0.02), most: at(0.98) };
}

interface Surroundings {
  readonly area: ConnectedArea;
  readonly index: number;
  /** Index of the area of each pixel; -1 outside of areas. */
  readonly owner: Int32Array;
  readonly light: Float32Array;
  readonly width: number;
  readonly reach: number;
}

/** Returns how much lighter an area is than the pixels around it; 0 without any. */
function contrastOf({ area, index, owner, light, width, reach }: Surroundings): number {
  const own = area.pixels.reduce((sum, at) => sum + (light[at] ?? 0), 0) / area.pixels.length;
  let sum = 0;
  let count = 0;
  const add = (at: number) => {
    if (owner[at] === undefined || owner[at] === index) return;
    sum += Math.min(own, light[at] ?? 0);
    count++;
  };
  for (const at of area.pixels) {
    const x = at % width;
    if (x >= reach) add(at - reach);
    if (x + reach < width) add(at + reach);
    add(at - reach * width);
    add(at + reach * width);
  }
  return count === 0 ? 0 : own - sum / count;
}

/** Returns the areas without those of another colour, such as the background inside of an O. */
function sameColour(areas: readonly ConnectedArea[], light: Float32Array, line: LinePlanes): ConnectedArea[] {
  const plane = line.width * line.height;
  const coloured = areas.map((area) => {
    // The lighter half is free of the letter's soft edge.
    const core = area.pixels
      .toSorted((a, b) => (light[b] ?? 0) - (light[a] ?? 0))
      .slice(0, (area.pixels.length + 1) / 2);
    const mean = (channel: number) =>
      core.reduce((sum, at) => sum + (line.planes[channel * plane + at] ?? 0), 0) / core.length;
    return { area, colour: [mean(0), mean(1), mean(2)] };
  });
  const usual = [0, 1, 2].map((channel) =>
    weightedMedian(coloured.map(({ area, colour }) => [colour[channel] ?? 0, area.pixels.length])),
  );
  return coloured
    .filter(({ colour }) => colour.every((value, channel) => Math.abs(value - (usual[channel] ?? 0)) <= SAME_COLOUR))
    .map(({ area }) => area);
}

function weightedMedian(values: readonly (readonly [value: number, weight: number])[]): number {
  const half = values.reduce((sum, [, weight]) => sum + weight, 0) / 2;
  let sum = 0;
  for (const [value, weight] of values.toSorted(([a], [b]) => a - b)) {
    sum += weight;
    if (sum >= half) return value;
  }
  return 0;
}

interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Brightness that becomes white, and black. */
  readonly from: number;
  readonly to: number;
}

/** Draws areas with the pixels next to them, which are their soft edges. */
function drawn(areas: readonly ConnectedArea[], light: Float32Array, canvas: Canvas): GreyPicture {
  const { width, height, from, to } = canvas;
  const data = new Float32Array(width * height).fill(255);
  for (const { pixels } of areas) {
    for (const at of pixels) {
      const x = at % width;
      const y = (at - x) / width;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const near = row * width + column;
          data[near] = 255 - (((light[near] ?? 0) - from) * 255) / Math.max(1, to - from);
        }
      }
    }
  }
  return { data, width, height };
}
