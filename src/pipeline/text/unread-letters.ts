import type { ConnectedArea } from './connected-areas.ts';
import type { ReadCharacter } from './ctc-decoding.ts';
import { letterInk, type LinePlane } from './letter-ink.ts';

// Sizes in pixels of a line that is 48 high. Chosen with captions in eleven languages and 41 real frames.
const HAN = /\p{Script=Han}/u;
/** Letters that have no part above them in any font. */
const WITHOUT_MARK = /^[A-HK-Za-hk-zI]$/;
/** Probability from which a letter is right, and what is above it a part of the picture. */
const CERTAIN = 0.9993;
const LETTER = /\p{L}/u;
/** Mean probability below which the letters of a line belong to another script, and how many letters decide that. */
const STRANGE = 0.88;
const ENOUGH_LETTERS = 5;
/** Ink farther than this from the centre of every character belongs to none. */
const REACH = 34;
const LEAST_UNREAD_INK = 20;
const LETTER_WIDTH = 40;
/** A speck has fewer pixels. With more than one per character, the background is noise and says nothing. */
const SPECK = 5;

/** Returns the approximate number of letters that were seen and not read: with an ignored mark, or not at all. */
export function unreadLetters(line: LinePlane, characters: readonly ReadCharacter[]): number {
  const placed = characters
    .filter(({ character }) => character !== ' ')
    .map(({ character, at, likelihood }) => ({ character, likelihood, x: at * line.stride }));
  if (placed.length === 0) return 0;
  const areas = letterInk(line);
  if (areas.filter(({ pixels }) => pixels.length < SPECK).length > placed.length) return 0;
  const isHan = placed.some(({ character }) => HAN.test(character));
  const marked = isHan ? 0 : markedLetters(areas).filter((letter) => isPassedOver(letter, placed)).length;
  const ink = inkFarFrom(
    areas,
    placed.map(({ x }) => x),
  );
  return marked + (ink < LEAST_UNREAD_INK ? 0 : Math.ceil(ink / LETTER_WIDTH));
}

/** Returns whether recognised letters probably belong to a script that the recogniser does not know. */
export function isStrange(characters: readonly ReadCharacter[]): boolean {
  const letters = characters.filter(({ character }) => LETTER.test(character));
  const sum = letters.reduce((total, { likelihood }) => total + likelihood, 0);
  return letters.length >= ENOUGH_LETTERS && sum < STRANGE * letters.length;
}

/** Returns the areas with a smaller one above them: letters with dots, accents and similar marks. */
function markedLetters(areas: readonly ConnectedArea[]): ConnectedArea[] {
  const letters = areas.filter(({ left, top, right, bottom }) => {
    const height = bottom - top;
    return height >= 12 && height <= 37 && bottom > 24 && right - left <= 45;
  });
  const marks = areas.filter(({ left, top, right, bottom, pixels }) => {
    const height = bottom - top;
    return top > 0 && height >= 2 && height <= 14 && right - left <= 20 && pixels.length >= 5;
  });
  return letters.filter((letter) => marks.some((mark) => isAbove(mark, letter)));
}

function isAbove(mark: ConnectedArea, letter: ConnectedArea): boolean {
  const gap = letter.top - mark.bottom;
  const shared = Math.min(mark.right, letter.right) - Math.max(mark.left, letter.left);
  const isSmall = letter.bottom - letter.top >= 1.6 * (mark.bottom - mark.top);
  return gap >= 0 && gap < 8 && isSmall && shared >= 0.6 * (mark.right - mark.left);
}

interface PlacedCharacter {
  readonly character: string;
  readonly likelihood: number;
  /** Centre of the character in pixels of the line, within a few. */
  readonly x: number;
}

/** Returns whether a letter with a mark was read as one without, and nothing near it explains the mark. */
function isPassedOver({ left, right }: ConnectedArea, characters: readonly PlacedCharacter[]): boolean {
  const middle = (left + right) / 2;
  const near = characters.filter(({ x }) => Math.abs(x - middle) <= Math.max(12, (right - left) / 2 + 8));
  return (
    near.some(({ likelihood }) => likelihood < CERTAIN) && near.every(({ character }) => WITHOUT_MARK.test(character))
  );
}

/** Returns how many columns of letter-high ink belong to no character. */
function inkFarFrom(areas: readonly ConnectedArea[], middles: readonly number[]): number {
  const letters = areas.filter(({ left, top, right, bottom, pixels }) => {
    const height = bottom - top;
    return height > 14 && height <= 41 && right - left <= 61 && pixels.length >= 20;
  });
  let columns = 0;
  for (const { left, right } of letters) {
    for (let x = left; x < right; x++) if (middles.every((middle) => Math.abs(middle - x) > REACH)) columns++;
  }
  return columns;
}
