import type { RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';
import { CROP_HEIGHT, lineTensor, lineWidth } from './line-tensor.ts';

/** Width of the classifier's input: the start of a longer line scaled to its height. */
const WIDTH = 192;
const LIKELY = 0.9;

/** Returns whether PP-OCR's classifier considers a line upside down. */
export async function isUpsideDown(model: Model, crop: RgbImage): Promise<boolean> {
  const input = lineTensor(crop, Math.min(WIDTH, lineWidth(crop)), WIDTH);
  const [output] = await model.run(input, [1, 3, CROP_HEIGHT, WIDTH]);
  return (output?.data[1] ?? 0) > LIKELY;
}

/** Returns a picture turned by 180 degrees. */
export function upsideDown({ width, height, rgb }: RgbImage): RgbImage {
  const turned = new Uint8Array(rgb.length);
  const pixels = width * height;
  for (let at = 0; at < pixels; at++) {
    const from = (pixels - 1 - at) * 3;
    turned.set(rgb.subarray(from, from + 3), at * 3);
  }
  return { width, height, rgb: turned };
}
