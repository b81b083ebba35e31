import { ServiceError } from '../../errors.ts';
import type { Detection } from '../../job.ts';
import { imageTensor, type RgbImage } from '../image-tensor.ts';
import { DETECTOR_FORMATS, type CatalogueEntry, type DetectorFormatName } from '../models/model-catalogue.ts';
import type { Model, OutputTensor } from '../models/model-sessions.ts';
import type { Candidate, DetectorFormat, DetectorInput } from './detector-format.ts';
import { nanodet } from './nanodet.ts';
import { rtdetr } from './rtdetr.ts';
import { yolov10 } from './yolov10.ts';
import { yolov5 } from './yolov5.ts';
import { yolov8 } from './yolov8.ts';
import { yolox, yoloxDecoded } from './yolox.ts';

/** Variable sides of an input are multiples of this many pixels. */
const LARGEST_STRIDE = 32;

const FORMATS: Readonly<Record<DetectorFormatName, DetectorFormat>> = {
  nanodet,
  yolox,
  yolox_decoded: yoloxDecoded,
  yolov5,
  yolov8,
  yolov10,
  rtdetr,
};

export interface DetectOptions {
  readonly minConfidence: number;
  /**
   * Above this intersection over union, only the more confident of two boxes of one label is kept.
   * Not applied to models that find an object once.
   */
  readonly iou: number;
  /** Labels to keep; absent: all. */
  readonly labels?: readonly string[];
  readonly maxDetections: number;
}

/** Detects objects with a model of any format. */
export class ObjectDetector {
  readonly #model: Model;
  readonly #format: DetectorFormat;
  readonly #labels: readonly string[];
  readonly #name: string;

  /** Throws `invalid_model` for a model that is not a detector. */
  constructor(entry: CatalogueEntry, model: Model) {
    const format = DETECTOR_FORMATS.find((known) => known === entry.format);
    if (!format) throw new ServiceError('invalid_model', `The model ${entry.name} is not a detector`);
    this.#model = model;
    this.#format = FORMATS[format];
    this.#labels = entry.labels;
    this.#name = entry.name;
  }

  /**
   * Returns the objects of an image by confidence, boxes clipped to the image. Boxes have 1 decimal, confidences 3.
   * Throws `invalid_model` if the model does not match its format.
   */
  async detect(image: RgbImage, options: DetectOptions): Promise<Detection[]> {
    const { width, height, border } = this.#inputFor(image);
    const placed = placement(image, { width, height, border }, this.#format.placement);
    const { order, mean, deviation, padding } = this.#format;
    const layout = { ...placed, paddedWidth: width, paddedHeight: height, padding, order, mean, deviation };
    const whole = { x: 0, y: 0, width: image.width, height: image.height };
    const outputs = await this.#model.run(imageTensor(image, whole, layout), [1, 3, height, width]);
    const input = { width, height };
    this.#check(outputs, input);
    const candidates = this.#format
      .decode(outputs, input, this.#labels.length, options.minConfidence)
      .filter(({ label }) => options.labels?.includes(this.#labels[label] ?? '') ?? true);
    const across = image.width / placed.width;
    const down = image.height / placed.height;
    const found: Detection[] = [];
    for (const candidate of withoutOverlaps(candidates, this.#format.isUnique ? 1 : options.iou)) {
      const left = Math.max(0, (candidate.left - placed.left) * across);
      const top = Math.max(0, (candidate.top - placed.top) * down);
      const boxWidth = Math.min(image.width, (candidate.right - placed.left) * across) - left;
      const boxHeight = Math.min(image.height, (candidate.bottom - placed.top) * down) - top;
      if (boxWidth <= 0 || boxHeight <= 0) continue;
      if (found.length === options.maxDetections) break;
      found.push({
        label: this.#labels[candidate.label] ?? '',
        confidence: rounded(Math.min(1, candidate.confidence), 1000),
        bbox: [rounded(left, 10), rounded(top, 10), rounded(boxWidth, 10), rounded(boxHeight, 10)],
      });
    }
    return found;
  }

  /** Returns the size of the input: the model's own, or for a variable one the proportions of the image. */
  #inputFor(image: RgbImage): DetectorInput & { readonly border: number } {
    const [batch = 0, channels = 0, height = 0, width = 0] = this.#model.inputDims;
    if (this.#model.inputDims.length !== 4 || batch > 1 || (channels !== 3 && channels !== 0)) {
      throw this.#notOfFormat(`takes ${this.#model.inputDims.join(' x ')}`, '1 x 3 x height x width');
    }
    const { side, border: openBorder } = this.#format.open;
    if (this.#format.placement === 'stretched') return { width: width || side, height: height || side, border: 0 };
    const border = width === 0 && height === 0 ? openBorder : 0;
    const scale = side / Math.max(image.width, image.height);
    const steps = (pixels: number) =>
      Math.max(1, Math.ceil((Math.round(pixels * scale) + 2 * border) / LARGEST_STRIDE)) * LARGEST_STRIDE;
    return { width: width || steps(image.width), height: height || steps(image.height), border };
  }

  #check(outputs: readonly OutputTensor[], input: DetectorInput): void {
    const expected = this.#format.mismatch(outputs, input, this.#labels.length);
    if (expected === undefined) return;
    const given = outputs.map(({ name, dims }) => `${name} of ${dims.join(' x ')}`).join(' and ');
    throw this.#notOfFormat(`gives ${given}`, expected);
  }

  #notOfFormat(is: string, expected: string): ServiceError {
    const labels = `${this.#labels.length} labels`;
    return new ServiceError('invalid_model', `Model ${this.#name} ${is}; its format with ${labels} wants ${expected}`);
  }
}

function placement(
  image: RgbImage,
  input: DetectorInput & { readonly border: number },
  how: DetectorFormat['placement'],
) {
  if (how === 'stretched') return { width: input.width, height: input.height, left: 0, top: 0 };
  const scale = Math.min(
    (input.width - 2 * input.border) / image.width,
    (input.height - 2 * input.border) / image.height,
  );
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  if (how === 'topLeft') return { width, height, left: 0, top: 0 };
  return { width, height, left: (input.width - width) >> 1, top: (input.height - height) >> 1 };
}

/**
 * Returns the boxes of each label without those that overlap a more confident one by more than `iou`, by confidence
 * (non-maximum suppression).
 */
function withoutOverlaps(candidates: readonly Candidate[], iou: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates.toSorted((a, b) => b.confidence - a.confidence)) {
    if (!kept.some((other) => other.label === candidate.label && overlap(other, candidate) > iou)) kept.push(candidate);
  }
  return kept;
}

/** Returns the intersection over union of two boxes. */
function overlap(a: Candidate, b: Candidate): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const shared = width * height;
  return shared / ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - shared);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}
