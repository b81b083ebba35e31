import { z } from 'zod';

import type { Box, Region, TextLine } from '../job.ts';
import type { FrameAnalyser } from './analyser.ts';
import type { Size } from './display-geometry.ts';
import { cropped, type RgbImage } from './image-tensor.ts';
import type { Findings } from './tools/tool.ts';

/** A rectangle of a frame with its own pixels. */
export interface FramePart extends RgbImage {
  /** Its top left corner in pixels of the frame. */
  readonly x: number;
  readonly y: number;
}

/** The analysed parts of a sampled frame. */
export interface FrameParts {
  readonly index: number;
  readonly timestampMs: number;
  /** The whole frame, or one part per region. */
  readonly parts: readonly FramePart[];
}

const cornersSchema = z.object({ polygon: z.array(z.tuple([z.number(), z.number()])) });

/** Returns the parts of a picture for regions, each at least one pixel; the whole picture without regions. */
export function partsOf(picture: RgbImage, regions: readonly Region[]): readonly FramePart[] {
  if (regions.length === 0) return [{ x: 0, y: 0, width: picture.width, height: picture.height, rgb: picture.rgb }];
  return regions.map((region) => {
    const rectangle = pixelsOf(region, picture);
    return { ...rectangle, rgb: cropped(picture, rectangle) };
  });
}

/** Every pixel that a region touches. */
function pixelsOf([x, y, width, height]: Region, frame: Size) {
  const left = Math.min(frame.width - 1, floor(x * frame.width));
  const top = Math.min(frame.height - 1, floor(y * frame.height));
  const right = Math.max(left + 1, Math.min(frame.width, ceil((x + width) * frame.width)));
  const bottom = Math.max(top + 1, Math.min(frame.height, ceil((y + height) * frame.height)));
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Fractions such as 0.1 + 0.2 are inexact; a thousandth of a pixel does not count. */
function floor(value: number): number {
  return Math.floor(value + 0.001);
}

function ceil(value: number): number {
  return Math.ceil(value - 0.001);
}

/**
 * Analyses each part of a frame separately and merges the findings: detections by confidence, lines of text in the
 * order of the parts. Boxes are in pixels of the frame.
 */
export async function analyseParts(analyser: FrameAnalyser, frame: FrameParts): Promise<Findings> {
  const { index, timestampMs, parts } = frame;
  const found: Findings[] = [];
  for (const { x, y, ...image } of parts) {
    const findings = await analyser.analyse({ index, timestampMs, ...image });
    found.push(x === 0 && y === 0 ? findings : moved(findings, x, y));
  }
  const [first = {}, ...others] = found;
  return others.length === 0 ? first : joined(first, found);
}

/** The keys keep their order. */
function moved(found: Findings, x: number, y: number): Findings {
  const { detections, lines } = found;
  return {
    ...found,
    ...(detections && { detections: detections.map((seen) => ({ ...seen, bbox: shifted(seen.bbox, x, y) })) }),
    ...(lines && { lines: lines.map((line) => movedLine(line, x, y)) }),
  };
}

function joined(first: Findings, found: readonly Findings[]): Findings {
  const { detections, text, lines } = first;
  const all = found.flatMap((findings) => findings.detections ?? []);
  const texts = found.map((findings) => findings.text ?? '').filter((part) => part !== '');
  return {
    ...first,
    ...(detections && { detections: all.toSorted((a, b) => b.confidence - a.confidence) }),
    ...(text !== undefined && { text: texts.join('\n') }),
    ...(lines && { lines: found.flatMap((findings) => findings.lines ?? []) }),
  };
}

/** A line may have corners in addition to its box. */
function movedLine(line: TextLine, x: number, y: number): TextLine {
  const { data } = cornersSchema.safeParse(line);
  const polygon = data?.polygon.map(([left, top]): [number, number] => [left + x, top + y]);
  return { ...line, bbox: shifted(line.bbox, x, y), ...(polygon && { polygon }) };
}

function shifted([left, top, width, height]: Box, x: number, y: number): Box {
  return [left + x, top + y, width, height];
}
