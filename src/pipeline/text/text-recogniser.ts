import { imageTensor, type RgbImage } from '../image-tensor.ts';
import type { Model } from '../models/model-sessions.ts';

/** Height of a crop as the network was trained, in pixels. */
const CROP_HEIGHT = 48;
// A crop is padded to the next bucket of its own width: its result depends on nothing else, and the inference library
// meets few shapes. 3200 pixels are a line of some 130 characters; a longer one is squeezed.
const WIDTH_BUCKET = 32;
const LARGEST_WIDTH = 3200;
const MIDDLE_GREY = 127.5;

const BLANK = 0;
/** Summed probability from which a space stands between two characters. */
const SPACE_LIKELIHOOD = +(process.env['SP'] ?? 0.08);
/** Probability from which the second best reading of a character is thought of. */
const RUNNER_UP = 0.05;
const A_SPACE = { character: ' ', runnerUp: '', runnerUpLikelihood: 0 } as const;
const NO_SPACE_BEFORE = /^[\s.,:;!?)\]}%]$/;
const DIGIT = /^\d$/;
const LETTER = /^[A-Za-z]$/;
const HAN = /\p{Script=Han}/u;

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

/** A character as it was read, and what it might have been instead. */
interface ReadCharacter {
  readonly character: string;
  readonly likelihood: number;
  readonly runnerUp: string;
  readonly runnerUpLikelihood: number;
}

/**
 * Greedy CTC decoding: the likeliest class of each step, repeats merged, blanks dropped. A space is often outvoted by
 * the blanks around it, so it also counts when its probability, summed over the steps between two characters, is
 * enough: between letters of a word that sum stays below a hundredth.
 */
function decodeCtc(probabilities: Float32Array, classes: number, characters: readonly string[]): ReadText {
  const space = classes - 1;
  const read: ReadCharacter[] = [];
  let spaceLikelihood = 0;
  let previous = BLANK;
  for (let step = 0; step < probabilities.length; step += classes) {
    const { best, second } = twoBest(probabilities, step, classes);
    // The space of a step in which a character begins may stand before or after it.
    const here = probabilities[step + space] ?? 0;
    spaceLikelihood += here / 2;
    if (best !== BLANK && best !== previous) {
      const character = characters[best - 1] ?? '';
      if (spaceLikelihood >= SPACE_LIKELIHOOD && !NO_SPACE_BEFORE.test(character) && read.at(-1)?.character !== ' ') {
        read.push({ ...A_SPACE, likelihood: Math.min(1, spaceLikelihood) });
      }
      read.push({
        character,
        likelihood: probabilities[step + best] ?? 0,
        runnerUp: characters[second - 1] ?? '',
        runnerUpLikelihood: probabilities[step + second] ?? 0,
      });
      spaceLikelihood = 0;
    }
    spaceLikelihood += here / 2;
    previous = best;
  }
  return joined(read.filter(({ character }) => character !== ' ').length === 0 ? [] : read);
}

/** Indices of the two likeliest classes of a step; when the best has nearly all, the other is not looked for. */
function twoBest(
  probabilities: Float32Array,
  step: number,
  classes: number,
): { readonly best: number; readonly second: number } {
  if ((probabilities[step] ?? 0) > 1 - RUNNER_UP) return { best: BLANK, second: BLANK };
  let best = BLANK;
  let second = BLANK;
  let highest = probabilities[step] ?? 0;
  let next = -1;
  for (let index = 1; index < classes; index++) {
    const probability = probabilities[step + index] ?? 0;
    if (probability <= next) continue;
    if (probability > highest) {
      next = highest;
      second = best;
      highest = probability;
      best = index;
    } else {
      next = probability;
      second = index;
    }
  }
  return { best, second };
}

function joined(read: readonly ReadCharacter[]): ReadText {
  let text = '';
  let sum = 0;
  for (const [index, { character, likelihood, runnerUp, runnerUpLikelihood }] of read.entries()) {
    const before = read[index - 1]?.character ?? ' ';
    const after = read[index + 1]?.character ?? ' ';
    text += runnerUpLikelihood >= RUNNER_UP && misplaced(character, runnerUp, before, after) ? runnerUp : character;
    sum += likelihood;
  }
  const plain = HAN.test(text) ? text : text.normalize('NFKC');
  return { text: plain.replace(/\s+/g, ' ').trim(), confidence: read.length === 0 ? 0 : sum / read.length };
}

/** Whether a digit stands among letters, or a letter among digits, where its runner-up would fit: 0 and O, 1 and l. */
function misplaced(character: string, runnerUp: string, before: string, after: string): boolean {
  const among = (kind: RegExp) => {
    const neighbours = `${before}${after}`.replaceAll(' ', '');
    return neighbours !== '' && [...neighbours].every((neighbour) => kind.test(neighbour));
  };
  if (DIGIT.test(character)) return LETTER.test(runnerUp) && among(LETTER);
  return LETTER.test(character) && DIGIT.test(runnerUp) && among(DIGIT);
}
