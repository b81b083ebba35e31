import { imageTensor, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';
import { decodeCtc } from './ctc-decoding.ts';
import { isStrange, unreadLetters } from './unread-letters.ts';

/** Height of a crop as the network was trained, in pixels. */
export const CROP_HEIGHT = 48;
// A crop is padded to the next bucket of its own width, so that its result depends on nothing else. The network divides
// widths by 8. 3200 pixels are a line of some 130 characters; a longer one is squeezed.
const WIDTH_BUCKET = 8;
const SMALLEST_WIDTH = 32;
const LARGEST_WIDTH = 3200;
const MIDDLE_GREY = 127.5;

export interface ReadText {
  readonly text: string;
  /** Mean probability of the characters but spaces, 0 to 1; 0 when there are none. */
  readonly confidence: number;
  /** About how many letters were seen and not read. */
  readonly unread: number;
  /** Whether the line may have letters that the recogniser does not know. */
  readonly isUnsure: boolean;
}

/** Returns the width of a line in pixels when it is as high as a crop. */
export function lineWidth({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.min(LARGEST_WIDTH, Math.max(1, Math.ceil((CROP_HEIGHT * width) / height)));
}

/** Reads one line of text that fills `crop`. `characters` are the network's classes from 1 on; class 0 is the blank. */
export async function readLine(model: Model, characters: readonly string[], crop: RgbImage): Promise<ReadText> {
  const width = Math.max(SMALLEST_WIDTH, lineWidth(crop));
  const paddedWidth = Math.ceil(width / WIDTH_BUCKET) * WIDTH_BUCKET;
  const input = lineTensor(crop, width, paddedWidth);
  const [output] = await model.run(input, [1, 3, CROP_HEIGHT, paddedWidth]);
  if (!output) return { text: '', confidence: 0, unread: 0, isUnsure: false };
  const { text, confidence, characters: read } = decodeCtc(output.data, output.dims[2] ?? 0, characters);
  const green = input.subarray(CROP_HEIGHT * paddedWidth, 2 * CROP_HEIGHT * paddedWidth);
  const unread = unreadLetters({ data: green, height: CROP_HEIGHT, stride: paddedWidth, width }, read);
  return { text, confidence, unread, isUnsure: unread > 0 || isStrange(read) };
}

/** Returns a crop of that width, padded on the right, as PP-OCR's networks want it. */
export function lineTensor(crop: RgbImage, width: number, paddedWidth: number): Float32Array {
  const greys = [MIDDLE_GREY, MIDDLE_GREY, MIDDLE_GREY] as const;
  const layout = { width, height: CROP_HEIGHT, paddedWidth, padding: MIDDLE_GREY, mean: greys, deviation: greys };
  return imageTensor(crop, { x: 0, y: 0, width: crop.width, height: crop.height }, { ...layout, order: 'bgr' });
}
