import type { ReadCharacter } from './ctc-decoding.ts';

// Chosen with captions in five languages, and with 41 real frames: 5 of 294 correctly read pieces count as unsure.
const VOWEL = /^[AEOUaeou]$/;
/** Probability of accented letters from which a vowel probably has an accent. */
const ACCENTED = 0.005;
/** A recogniser with more accented letters knows those of its languages. */
const MOST_ACCENTED = 40;
/** Letters that are read in place of others, and seldom with doubt otherwise. */
const REPLACEMENT = /^[acnostuz]$/;
const DOUBTED = 0.98;
/** Mean probability of the other letters of a line in which a doubted one stands out; without those often confused. */
const CLEAR = 0.999;
const ENOUGH_LETTERS = 8;
const LETTER = /^\p{L}$/u;
const OFTEN_CONFUSED = /^[lIiO]$/;
/** The 6 of `peri6dico` is an ó. */
const DIGIT_IN_WORD = /[a-z]6[a-z]|[A-Z]6[a-z]{2}/;
/** The i of `iNo` is an inverted mark. */
const INVERTED_MARK = /^[i;][A-Z]/;
const LOWER_CASE = /^[a-z]$/;
/** Probability up to which a B in a word is an ß. */
const SHARP_S = 0.97;

/** Returns the classes of accented letters of the Latin script; class 0 is the blank. None if there are many. */
export function accentedClasses(characters: readonly string[]): readonly number[] {
  const classes = characters.flatMap((character, index) => (isAccented(character) ? [index + 1] : []));
  return classes.length > MOST_ACCENTED ? [] : classes;
}

function isAccented(character: string): boolean {
  // Full-width letters are plain ones.
  return /^\p{Script=Latin}$/u.test(character) && !/^[\x20-\x7e]+$/.test(character.normalize('NFKC'));
}

/** The output of a recogniser: the probability of each class per step. */
export interface StepTable {
  readonly probabilities: Float32Array;
  readonly classes: number;
  readonly accented: readonly number[];
}

/** Returns whether letters that the recogniser does not know were probably read as others: ö as o, ß as B. */
export function hasReplacedLetters(characters: readonly ReadCharacter[], table: StepTable): boolean {
  const text = characters.map(({ character }) => character).join('');
  const [first] = characters;
  return (
    characters.some((one) => VOWEL.test(one.character) && accentAt(one.at, table) > ACCENTED) ||
    standsOut(characters) ||
    DIGIT_IN_WORD.test(text) ||
    (INVERTED_MARK.test(text) && first !== undefined && first.likelihood < DOUBTED) ||
    characters.some((one, index) => isSharpS(one, characters[index - 1], characters[index + 1]))
  );
}

/** Returns the highest sum of the probabilities of accented letters at a character's step and those beside it. */
function accentAt(at: number, { probabilities, classes, accented }: StepTable): number {
  const steps = probabilities.length / classes;
  const step = Math.floor(at * steps);
  const sums = [step - 1, step, step + 1].map((near) =>
    near < 0 || near >= steps
      ? 0
      : accented.reduce((sum, letter) => sum + (probabilities[near * classes + letter] ?? 0), 0),
  );
  return Math.max(...sums);
}

function standsOut(characters: readonly ReadCharacter[]): boolean {
  const letters = characters.filter(({ character }) => LETTER.test(character) && !OFTEN_CONFUSED.test(character));
  const clear = letters.filter(({ likelihood }) => likelihood >= DOUBTED);
  const sum = clear.reduce((total, { likelihood }) => total + likelihood, 0);
  return (
    letters.length >= ENOUGH_LETTERS &&
    letters.some((letter) => letter.likelihood < DOUBTED && REPLACEMENT.test(letter.character) && hasRival(letter)) &&
    sum >= CLEAR * clear.length
  );
}

/** Returns whether another letter was likely too. The edge of a letter, its other case and 0 for O say nothing. */
function hasRival({ character, runnerUp }: ReadCharacter): boolean {
  const isLookAlike = runnerUp.toLowerCase() === character.toLowerCase() || (character === 'o' && runnerUp === '0');
  return runnerUp !== '' && !isLookAlike;
}

function isSharpS(one: ReadCharacter, before?: ReadCharacter, after?: ReadCharacter): boolean {
  const isInside = LOWER_CASE.test(before?.character ?? '') && LOWER_CASE.test(after?.character ?? '');
  return one.character === 'B' && one.likelihood < SHARP_S && isInside;
}
