import type { OutputTensor } from '../models/model-sessions.ts';

/** A box that a detector proposes, in pixels of its input; `right` and `bottom` are edges, not pixels. */
export interface Candidate {
  /** Index of the label. */
  readonly label: number;
  readonly confidence: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface DetectorInput {
  readonly width: number;
  readonly height: number;
}

/** How the detectors of one family want their picture and write their answer. */
export interface DetectorFormat {
  readonly order: 'rgb' | 'bgr';
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
  /** How a frame is brought into the input: stretched, or scaled as a whole and padded. */
  readonly placement: 'stretched' | 'topLeft' | 'centred';
  /** Pixel value of the padding. */
  readonly padding: number;
  /** For a model that takes any size: longer side of the picture and border around it, in pixels. */
  readonly open: { readonly side: number; readonly border: number };
  /** Why an output of these sizes is not of this format; undefined when it is. */
  mismatch(dims: readonly number[], input: DetectorInput, labels: number): string | undefined;
  /** Every box whose confidence is `minConfidence` or more, overlaps included. */
  decode(output: OutputTensor, input: DetectorInput, labels: number, minConfidence: number): Candidate[];
}

/** Points of the grids of strides 8, 16 and 32 over an input, finest first, each row by row. */
export function* gridPoints(input: DetectorInput): Generator<{ column: number; row: number; stride: number }> {
  for (const stride of [8, 16, 32]) {
    for (let row = 0; row < Math.ceil(input.height / stride); row++) {
      for (let column = 0; column < Math.ceil(input.width / stride); column++) yield { column, row, stride };
    }
  }
}

/** Number of those points. */
export function gridSize(input: DetectorInput): number {
  return [8, 16, 32].reduce(
    (sum, stride) => sum + Math.ceil(input.height / stride) * Math.ceil(input.width / stride),
    0,
  );
}

/** The likeliest of `count` classes whose scores begin at `start`, `step` apart. */
export function bestClass(
  data: Float32Array,
  start: number,
  count: number,
  step = 1,
): { readonly label: number; readonly score: number } {
  let label = 0;
  let score = data[start] ?? 0;
  for (let index = 1; index < count; index++) {
    const other = data[start + index * step] ?? 0;
    if (other > score) {
      score = other;
      label = index;
    }
  }
  return { label, score };
}
