import type { OutputTensor } from '../models/model-sessions.ts';

/** A proposed box in pixels of the detector's input; `right` and `bottom` are edges, not pixels. */
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

/** The input and output of a family of detectors. */
export interface DetectorFormat {
  readonly order: 'rgb' | 'bgr';
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
  /** How a frame is fitted into the input: stretched, or scaled without distortion and padded. */
  readonly placement: 'stretched' | 'topLeft' | 'centred';
  /** Pixel value of the padding. */
  readonly padding: number;
  /**
   * For a model with a variable size: longer side of the picture and border around it, in pixels. A stretched picture is
   * square.
   */
  readonly open: { readonly side: number; readonly border: number };
  /** Whether the model finds an object once, so that boxes that overlap are different objects. */
  readonly isUnique: boolean;
  /** Returns what the outputs should be if they do not have this format; undefined if they do. */
  mismatch(outputs: readonly OutputTensor[], input: DetectorInput, labels: number): string | undefined;
  /** Returns every box with a confidence of at least `minConfidence`, overlaps included. */
  decode(outputs: readonly OutputTensor[], input: DetectorInput, labels: number, minConfidence: number): Candidate[];
}

/** What the ONNX exports of YOLO take: RGB from 0 to 1, letterboxed into the centre. */
export const yoloInput = {
  order: 'rgb',
  mean: [0, 0, 0],
  deviation: [255, 255, 255],
  placement: 'centred',
  padding: 114,
  open: { side: 640, border: 0 },
} as const satisfies Partial<DetectorFormat>;

/** Returns whether there is one output of these sizes. */
export function isOnly(outputs: readonly OutputTensor[], dims: readonly number[]): boolean {
  const [output] = outputs;
  return outputs.length === 1 && output?.dims.join() === dims.join();
}

/** Returns the edges of a box with this centre and size. */
export function edges(x: number, y: number, width: number, height: number) {
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}

/** Returns the points of the grids of strides 8, 16 and 32 over an input, finest first, row by row. */
export function* gridPoints(input: DetectorInput): Generator<{ column: number; row: number; stride: number }> {
  for (const stride of [8, 16, 32]) {
    for (let row = 0; row < Math.ceil(input.height / stride); row++) {
      for (let column = 0; column < Math.ceil(input.width / stride); column++) yield { column, row, stride };
    }
  }
}

/** Returns the number of those points. */
export function gridSize(input: DetectorInput): number {
  return [8, 16, 32].reduce(
    (sum, stride) => sum + Math.ceil(input.height / stride) * Math.ceil(input.width / stride),
    0,
  );
}

/** Returns the most likely of `count` classes whose scores begin at `start`, `step` apart. */
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
