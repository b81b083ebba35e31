import { imageTensor, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';
import { decodeCtc, type ReadText } from './ctc-decoding.ts';

/** Height of a crop as the network was trained, in pixels. */
const CROP_HEIGHT = 48;
// A crop is padded to the next bucket of its own width: its result depends on nothing else, and the inference library
// meets few shapes. 3200 pixels are a line of some 130 characters; a longer one is squeezed.
const WIDTH_BUCKET = 32;
const LARGEST_WIDTH = 3200;
const MIDDLE_GREY = 127.5;

/** Reads one line of text that fills `crop`. `characters` are the network's classes from 1 on; class 0 is the blank. */
export async function readLine(model: Model, characters: readonly string[], crop: RgbImage): Promise<ReadText> {
  const natural = Math.ceil((CROP_HEIGHT * crop.width) / crop.height);
  const width = Math.min(LARGEST_WIDTH, Math.max(WIDTH_BUCKET, natural));
  const paddedWidth = Math.ceil(width / WIDTH_BUCKET) * WIDTH_BUCKET;
  const input = imageTensor(
    crop,
    { x: 0, y: 0, width: crop.width, height: crop.height },
    {
      width,
      height: CROP_HEIGHT,
      paddedWidth,
      padding: MIDDLE_GREY,
      order: 'bgr',
      mean: [MIDDLE_GREY, MIDDLE_GREY, MIDDLE_GREY],
      deviation: [MIDDLE_GREY, MIDDLE_GREY, MIDDLE_GREY],
    },
  );
  const [output] = await model.run(input, [1, 3, CROP_HEIGHT, paddedWidth]);
  if (!output) return { text: '', confidence: 0 };
  return decodeCtc(output.data, output.dims[2] ?? 0, characters);
}
