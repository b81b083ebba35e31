import type { Region, RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';
import { areaOf, around, sharedArea } from './regions.ts';
import type { ConnectedArea } from './connected-areas.ts';
import { textBlobs } from './text-blobs.ts';
import { textMap, textMapInParts, type TextMap } from './text-map.ts';
import { stripCorners, stripOf, type TextStrip } from './text-strip.ts';
import { boundsOf } from './turned-rectangle.ts';

// Post-processing of differentiable binarisation (Liao et al., AAAI 2020): the map holds shrunken text, so a box grows
// by area * ratio / perimeter. PP-OCR's ratio is 1.5; from 1.5 to 1.8 are equally good here.
const GROWTH = 1.6;
const SMALLEST_SIDE = 6;

/** Sides of the first and second pass in pixels. */
const FIRST_LOOK = 960;
const CLOSER_LOOK = 1920;
// A second pass runs if this share of all boxes is so thin that letters merge. Thicker boxes of the first pass are
// kept, because enlarged dot-matrix letters fall apart.
const THIN = 6;
const PART_THIN = 0.25;

export interface TextDetectorOptions {
  /**
   * Longest side of the detector's picture in pixels. A larger one finds smaller text at quadratic cost. Absent: two
   * passes if text is small.
   */
  readonly detectionSide?: number | undefined;
}

/** Position of a word or a line in pixels of the image. */
export interface TextBox {
  /** The upright rectangle around it. */
  readonly bounds: Region;
  /** If it is not level: the strip along it. */
  readonly strip?: TextStrip;
}

interface FoundBox extends TextBox {
  /** Shorter side of its blob in pixels of the map. */
  readonly thickness: number;
}

/** Detects boxes around words or lines. */
export async function findText(
  model: Model,
  image: RgbImage,
  region: Region,
  { detectionSide }: TextDetectorOptions,
): Promise<TextBox[]> {
  const first = boxesOf(await textMap(model, image, region, detectionSide ?? FIRST_LOOK), region);
  const thin = first.filter(({ thickness }) => thickness <= THIN);
  const isSmall = thin.length > 0 && thin.length >= PART_THIN * first.length;
  const isReduced = Math.max(region.width, region.height) > FIRST_LOOK;
  if (detectionSide !== undefined || !isSmall || !isReduced) return joined(first);
  const wanted = thin.map(({ bounds }) => bounds);
  const closer = boxesOf(await textMapInParts(model, image, region, CLOSER_LOOK, wanted), region);
  return joined(combined(first, closer));
}

/** Returns the thick boxes of the first pass, those of the second pass elsewhere, and what only the first one found. */
function combined(first: readonly FoundBox[], closer: readonly FoundBox[]): TextBox[] {
  const covers = (a: TextBox, b: TextBox) => sharedArea(a.bounds, b.bounds) > 0.5 * areaOf(b.bounds);
  const touches = (a: TextBox, b: TextBox) => sharedArea(a.bounds, b.bounds) > 0;
  const thick = first.filter(({ thickness }) => thickness > THIN + 1);
  const thin = first.filter(({ thickness }) => thickness <= THIN + 1);
  return [
    ...thick,
    ...closer.filter((box) => !thick.some((other) => covers(other, box))),
    ...thin.filter((box) => !closer.some((other) => touches(other, box))),
  ];
}

function boxesOf(map: TextMap, region: Region): FoundBox[] {
  return textBlobs(map).flatMap((blob) => boxOf(blob, map, region) ?? []);
}

function boxOf(blob: ConnectedArea, map: TextMap, region: Region): FoundBox | undefined {
  const across = region.width / map.width;
  const down = region.height / map.height;
  const strip = stripOf(blob, map.width, across, down);
  if (strip) {
    const grown = { ...strip, ...grownSides(strip), x: region.x + strip.x, y: region.y + strip.y };
    const bounds = boundsOf(stripCorners(grown), region);
    if (Math.min(grown.width, grown.height, bounds.width, bounds.height) < SMALLEST_SIDE) return undefined;
    return { bounds, strip: grown, thickness: Math.min(strip.width / across, strip.height / down) };
  }
  const { left, top, right, bottom } = blob;
  const growth = growthOf(right - left, bottom - top);
  const x = Math.max(0, Math.floor((left - growth) * across));
  const y = Math.max(0, Math.floor((top - growth) * down));
  const width = Math.min(region.width, Math.ceil((right + growth) * across)) - x;
  const height = Math.min(region.height, Math.ceil((bottom + growth) * down)) - y;
  if (Math.min(width, height) < SMALLEST_SIDE) return undefined;
  const bounds = { x: region.x + x, y: region.y + y, width, height };
  return { bounds, thickness: Math.min(right - left, bottom - top) };
}

function growthOf(width: number, height: number): number {
  return (width * height * GROWTH) / (2 * (width + height));
}

function grownSides({ width, height }: TextStrip) {
  const growth = growthOf(width, height);
  return { width: width + 2 * growth, height: height + 2 * growth };
}

/**
 * A long line may have several blobs. Enlarged, they overlap, and the letters between would be read twice, so level
 * boxes in one row are merged.
 */
function joined(boxes: readonly TextBox[]): TextBox[] {
  const lines: Region[] = [];
  const level = boxes.filter(({ strip }) => !strip).map(({ bounds }) => bounds);
  for (const box of level.toSorted((a, b) => a.x - b.x)) {
    const at = lines.findIndex((line) => box.x < line.x + line.width && inOneRow(line, box));
    const line = lines[at];
    if (line) lines[at] = around(line, box);
    else lines.push(box);
  }
  return [
    ...lines.map((bounds) => ({ bounds })),
    ...boxes.flatMap(({ bounds, strip }) => (strip ? [{ bounds, strip }] : [])),
  ];
}

/** Two boxes are in one row if they share most of the height of either. */
function inOneRow(a: Region, b: Region): boolean {
  const shared = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return shared > 0.6 * Math.max(a.height, b.height);
}
