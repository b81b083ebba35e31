import { imageTensor, type Region, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';

/** The network halves its input five times, so both sides are multiples of this many pixels. */
const SIDE_STEP = 32;
// Means and deviations of the ImageNet pictures, with which the weights were trained (plane order B, G, R as trained).
const MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255] as const;
const DEVIATION = [0.229 * 255, 0.224 * 255, 0.225 * 255] as const;
// Post-processing of differentiable binarisation (Liao et al., AAAI 2020): the map holds shrunken text, so a box grows
// by area * ratio / perimeter. PP-OCR's values, but for the ratio: 1.5 there, from 1.5 to 1.8 equally good here.
const TEXT_PIXEL = 0.3;
const TEXT_BOX = 0.6;
const GROWTH = 1.6;
const SMALLEST_MAP_SIDE = 3;
const SMALLEST_SIDE = 6;

export interface TextDetectorOptions {
  /** Longest side of the picture the detector sees, in pixels. Larger finds smaller text and costs its square. */
  readonly detectionSide: number;
}

/** Finds where text stands: upright boxes around words or lines, in pixels of the image. */
export async function findText(
  model: Model,
  image: RgbImage,
  region: Region,
  options: TextDetectorOptions,
): Promise<Region[]> {
  const scale = Math.min(1, options.detectionSide / Math.max(region.width, region.height));
  const width = wholeSteps(region.width * scale);
  const height = wholeSteps(region.height * scale);
  const input = imageTensor(image, region, { width, height, order: 'bgr', mean: MEAN, deviation: DEVIATION });
  const [map] = await model.run(input, [1, 3, height, width]);
  if (!map) return [];
  const across = region.width / width;
  const down = region.height / height;
  const boxes: Region[] = [];
  for (const blob of textBlobs(map.data, width, height)) {
    const growth = ((blob.right - blob.left) * (blob.bottom - blob.top) * GROWTH) / perimeter(blob);
    const left = Math.max(0, Math.floor((blob.left - growth) * across));
    const top = Math.max(0, Math.floor((blob.top - growth) * down));
    const right = Math.min(region.width, Math.ceil((blob.right + growth) * across));
    const bottom = Math.min(region.height, Math.ceil((blob.bottom + growth) * down));
    if (right - left < SMALLEST_SIDE || bottom - top < SMALLEST_SIDE) continue;
    boxes.push({ x: region.x + left, y: region.y + top, width: right - left, height: bottom - top });
  }
  return joined(boxes);
}

/**
 * A long line may come in several blobs. Grown, they overlap, and the letters between would be read twice: such boxes
 * are one when they stand in one row.
 */
function joined(boxes: readonly Region[]): Region[] {
  const lines: Region[] = [];
  for (const box of boxes.toSorted((a, b) => a.x - b.x)) {
    const at = lines.findIndex((line) => box.x < line.x + line.width && inOneRow(line, box));
    const line = lines[at];
    if (line) lines[at] = around(line, box);
    else lines.push(box);
  }
  return lines;
}

/** Two boxes stand in one row when they share most of the height of either. */
function inOneRow(a: Region, b: Region): boolean {
  const shared = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return shared > 0.6 * Math.max(a.height, b.height);
}

function around(a: Region, b: Region): Region {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  const right = Math.max(a.x + a.width, b.x + b.width);
  const bottom = Math.max(a.y + a.height, b.y + b.height);
  return { x, y, width: right - x, height: bottom - y };
}

interface Blob {
  readonly left: number;
  readonly top: number;
  /** One past the last pixel. */
  readonly right: number;
  readonly bottom: number;
}

function perimeter(blob: Blob): number {
  return 2 * (blob.right - blob.left + blob.bottom - blob.top);
}

function wholeSteps(pixels: number): number {
  return Math.max(SIDE_STEP, Math.round(pixels / SIDE_STEP) * SIDE_STEP);
}

/** Connected areas (8 neighbours) of the probability map whose mean probability is that of text, in scan order. */
function textBlobs(map: Float32Array, width: number, height: number): Blob[] {
  const blobs: Blob[] = [];
  const seen = new Uint8Array(width * height);
  const stack: number[] = [];
  for (let start = 0; start < map.length; start++) {
    if (seen[start] || (map[start] ?? 0) <= TEXT_PIXEL) continue;
    let left = width;
    let top = height;
    let right = 0;
    let bottom = 0;
    let sum = 0;
    let count = 0;
    seen[start] = 1;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      sum += map[at] ?? 0;
      count++;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx;
          if (seen[next] || (map[next] ?? 0) <= TEXT_PIXEL) continue;
          seen[next] = 1;
          stack.push(next);
        }
      }
    }
    if (Math.min(right - left, bottom - top) < SMALLEST_MAP_SIDE || sum / count < TEXT_BOX) continue;
    blobs.push({ left, top, right, bottom });
  }
  return blobs;
}
