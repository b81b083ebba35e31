import { imageTensor, type Region, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';
import { sharedArea } from './regions.ts';

/** The network halves its input five times, so both sides are multiples of this many pixels. */
const SIDE_STEP = 32;
// Means and deviations of ImageNet, with which the weights were trained (plane order B, G, R as trained).
const MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255] as const;
const DEVIATION = [0.229 * 255, 0.224 * 255, 0.225 * 255] as const;
// A large map is computed in parts, so that memory does not grow with it. Each part overlaps its neighbours by this
// much.
const LARGEST_PART = { width: 1024, height: 768 } as const;
const MARGIN = 64;

/** The probability of text for each pixel of a region, scaled to this size. */
export interface TextMap {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Returns the map of a region scaled to a longer side of `side` pixels; a smaller region is not enlarged. */
export async function textMap(model: Model, image: RgbImage, region: Region, side: number): Promise<TextMap> {
  const { width, height } = mapSize(region, side);
  return { data: await likelihoods(model, image, region, width, height), width, height };
}

/** The same, computed in parts. Parts that touch none of the `wanted` regions stay 0. */
export async function textMapInParts(
  model: Model,
  image: RgbImage,
  region: Region,
  side: number,
  wanted: readonly Region[],
): Promise<TextMap> {
  const { width, height } = mapSize(region, side);
  const data = new Float32Array(width * height);
  const columns = partsOf(width, LARGEST_PART.width);
  for (const rows of partsOf(height, LARGEST_PART.height)) {
    for (const part of columns) {
      const own = { x: part.start, y: rows.start, width: part.end - part.start, height: rows.end - rows.start };
      const place = placeIn(region, own, width, height);
      if (!wanted.some((other) => sharedArea(other, place) > 0)) continue;
      const seen = withMargin(own, width, height);
      const source = placeIn(region, seen, width, height);
      const found = await likelihoods(model, image, source, seen.width, seen.height);
      for (let y = 0; y < own.height; y++) {
        const from = (own.y + y - seen.y) * seen.width + own.x - seen.x;
        data.set(found.subarray(from, from + own.width), (own.y + y) * width + own.x);
      }
    }
  }
  return { data, width, height };
}

async function likelihoods(model: Model, image: RgbImage, region: Region, width: number, height: number) {
  const input = imageTensor(image, region, { width, height, order: 'bgr', mean: MEAN, deviation: DEVIATION });
  const [map] = await model.run(input, [1, 3, height, width]);
  return map?.data ?? new Float32Array(width * height);
}

function mapSize(region: Region, side: number) {
  const scale = Math.min(1, side / Math.max(region.width, region.height));
  const steps = (pixels: number) => Math.max(SIDE_STEP, Math.round((pixels * scale) / SIDE_STEP) * SIDE_STEP);
  return { width: steps(region.width), height: steps(region.height) };
}

/** Returns equal parts of a side of a map, as far as whole steps allow. */
function partsOf(side: number, largest: number) {
  const count = Math.ceil(side / largest);
  const edge = (index: number) => Math.round((side * index) / count / SIDE_STEP) * SIDE_STEP;
  return Array.from({ length: count }, (_, index) => ({ start: edge(index), end: edge(index + 1) }));
}

function withMargin(part: Region, width: number, height: number): Region {
  const x = Math.max(0, part.x - MARGIN);
  const y = Math.max(0, part.y - MARGIN);
  const right = Math.min(width, part.x + part.width + MARGIN);
  const bottom = Math.min(height, part.y + part.height + MARGIN);
  return { x, y, width: right - x, height: bottom - y };
}

/** Returns the pixels of the image for a part of a region's map. */
function placeIn(region: Region, part: Region, width: number, height: number): Region {
  const across = region.width / width;
  const down = region.height / height;
  const x = Math.round(part.x * across);
  const y = Math.round(part.y * down);
  const right = Math.round((part.x + part.width) * across);
  const bottom = Math.round((part.y + part.height) * down);
  return { x: region.x + x, y: region.y + y, width: right - x, height: bottom - y };
}
