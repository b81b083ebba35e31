import { imageTensor, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';

/** Height of a crop as the network was trained, in pixels. */
const CROP_HEIGHT = 48;
// A crop is padded to the next bucket of its own width: its result depends on nothing else, and the inference library
// meets few shapes. 3200 pixels are a line of some 130 characters; a longer one is squeezed.
const WIDTH_BUCKET = 32;
const LARGEST_WIDTH = 3200;
const MIDDLE_GREY = 127.5;

export interface ReadText {
  readonly text: string;
  /** Mean probability of the characters, 0 to 1; 0 when there are none. */
  readonly confidence: number;
}

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

/** Greedy CTC decoding: the likeliest class of each step, repeats merged, blanks dropped. */
function decodeCtc(probabilities: Float32Array, classes: number, characters: readonly string[]): ReadText {
  let text = '';
  let sum = 0;
  let count = 0;
  let previous = 0;
  for (let step = 0; step < probabilities.length; step += classes) {
    let best = 0;
    let likelihood = probabilities[step] ?? 0;
    // A class with more than half of the probability is the best one: most steps are sure blanks.
    if (likelihood <= 0.5) {
      for (let index = 1; index < classes; index++) {
        const probability = probabilities[step + index] ?? 0;
        if (probability > likelihood) {
          likelihood = probability;
          best = index;
        }
      }
    }
    if (best !== 0 && best !== previous) {
      text += characters[best - 1] ?? '';
      sum += likelihood;
      count++;
    }
    previous = best;
  }
  return { text, confidence: count === 0 ? 0 : sum / count };
}
