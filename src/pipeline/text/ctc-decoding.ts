const BLANK = 0;
/** Summed probability above which there is a space between two characters. */
const SPACE_LIKELIHOOD = 0.08;
/** Probability above which the second best reading of a character is considered. */
const RUNNER_UP = 0.05;
const A_SPACE = { character: ' ', likelihood: 0, at: 0, runnerUp: '', runnerUpLikelihood: 0 } as const;
const NO_SPACE_BEFORE = /^[\s.,:;!?)\]}%]$/;
const DIGIT = /^\d$/;
const LETTER = /^[A-Za-z]$/;
// The network knows the wide punctuation of Chinese, and sometimes confuses it with a plain comma or colon. It is kept
// in a line with Chinese characters.
const FULL_WIDTH = /[\uFF01-\uFF5E]/g;
const HAN = /\p{Script=Han}/u;

export interface DecodedText {
  readonly text: string;
  /** Mean probability of the characters except spaces, 0 to 1; 0 without characters. */
  readonly confidence: number;
  readonly characters: readonly ReadCharacter[];
}

/** A recognised character and its alternative. */
export interface ReadCharacter {
  readonly character: string;
  readonly likelihood: number;
  /** Position as a fraction of the line; 0 for a space. */
  readonly at: number;
  readonly runnerUp: string;
  readonly runnerUpLikelihood: number;
}

/**
 * Greedy CTC decoding: the likeliest class of each step, repeats merged, blanks dropped. A space often loses against
 * the blanks around it, so it also counts if its probability, summed over the steps between two characters, is high
 * enough: within a word that sum is below a hundredth. `characters` are the classes from 1 on; the last of them may
 * exceed the classes, and is then never read.
 */
export function decodeCtc(probabilities: Float32Array, classes: number, characters: readonly string[]): DecodedText {
  const space = characters.lastIndexOf(' ') + 1;
  const read: ReadCharacter[] = [];
  let spaceLikelihood = 0;
  let previous = BLANK;
  for (let step = 0; step < probabilities.length; step += classes) {
    const { best, second } = twoBest(probabilities, step, classes);
    // The space of a step with a new character may be before or after it.
    const here = space < classes ? (probabilities[step + space] ?? 0) : 0;
    spaceLikelihood += here / 2;
    if (best !== BLANK && best !== previous) {
      const character = characters[best - 1] ?? '';
      if (spaceLikelihood >= SPACE_LIKELIHOOD && !NO_SPACE_BEFORE.test(character) && read.at(-1)?.character !== ' ') {
        read.push(A_SPACE);
      }
      read.push({
        character,
        likelihood: probabilities[step + best] ?? 0,
        at: (step + classes / 2) / probabilities.length,
        runnerUp: characters[second - 1] ?? '',
        runnerUpLikelihood: probabilities[step + second] ?? 0,
      });
      // After a space, it is before it.
      spaceLikelihood = read.at(-2)?.character === ' ' ? -here / 2 : 0;
    }
    spaceLikelihood += here / 2;
    previous = best;
  }
  return joined(read);
}

/**
 * Returns the indices of the two likeliest classes of a step; the second one is not searched if the first has nearly
 * all.
 */
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

function joined(read: readonly ReadCharacter[]): DecodedText {
  let text = '';
  let sum = 0;
  let count = 0;
  for (const [index, { character, likelihood, runnerUp, runnerUpLikelihood }] of read.entries()) {
    const before = read[index - 1]?.character ?? ' ';
    const after = read[index + 1]?.character ?? ' ';
    text += runnerUpLikelihood >= RUNNER_UP && misplaced(character, runnerUp, before, after) ? runnerUp : character;
    if (character === ' ') continue;
    sum += likelihood;
    count++;
  }
  const plain = HAN.test(text) ? text : text.replace(FULL_WIDTH, (wide) => narrow(wide));
  return { text: plain.replace(/ +/g, ' ').trim(), confidence: count === 0 ? 0 : sum / count, characters: read };
}

/** Returns true for a digit among letters, or a letter among digits, whose alternative fits: 0 and O, 1 and l. */
function misplaced(character: string, runnerUp: string, before: string, after: string): boolean {
  const among = (kind: RegExp) => {
    const neighbours = [before, after].filter((neighbour) => neighbour !== ' ');
    return neighbours.length > 0 && neighbours.every((neighbour) => kind.test(neighbour));
  };
  if (DIGIT.test(character)) return LETTER.test(runnerUp) && among(LETTER);
  return LETTER.test(character) && DIGIT.test(runnerUp) && among(DIGIT);
}

function narrow(wide: string): string {
  return String.fromCharCode(wide.charCodeAt(0) - 0xfee0);
}
