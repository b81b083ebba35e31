import { expect } from 'chai';
import type { ReadCharacter } from '../../src/pipeline/text/ctc-decoding.ts';
import { accentedClasses, hasReplacedLetters } from '../../src/pipeline/text/replaced-letters.ts';

const NO_HINTS = { probabilities: new Float32Array(0), classes: 1, accented: [] };

/** Characters read with certainty, but for those of `doubts`, by their index. */
function line(text: string, doubts: Readonly<Record<number, number>> = {}, rival = 'f'): ReadCharacter[] {
  return Array.from(text, (character, index) => ({
    character,
    likelihood: doubts[index] ?? 0.9999,
    at: (index + 0.5) / text.length,
    runnerUp: doubts[index] === undefined ? '' : rival,
    runnerUpLikelihood: 0,
  }));
}

describe('letters read in place of others', function () {
  it('are not seen in a clear line', () => {
    for (const text of ['We shall open the new museum today', 'section 6 of A6B', 'YouTuBe', 'iPhone', 'I; No']) {
      expect(hasReplacedLetters(line(text), NO_HINTS), text).to.equal(false);
    }
  });

  it('are vowels at which a letter with an accent was a little likely', () => {
    const accented = accentedClasses(['a', 'é', 'Ｅ', 'b']);
    expect(accented).to.deep.equal([2]);
    // Five steps of five classes, as many as the word has letters; the accent is beside the o.
    const probabilities = new Float32Array(25);
    expect(hasReplacedLetters(line('crown'), { probabilities, classes: 5, accented })).to.equal(false);
    probabilities[3 * 5 + 2] = 0.01;
    expect(hasReplacedLetters(line('crown'), { probabilities, classes: 5, accented })).to.equal(true);
    expect(hasReplacedLetters(line('crwwn'), { probabilities, classes: 5, accented })).to.equal(false);
  });

  it('are no matter of a recogniser that knows many letters with accents', () => {
    const many = Array.from({ length: 64 }, (_, index) => String.fromCodePoint(0xc0 + index));
    expect(accentedClasses(many)).to.deep.equal([]);
  });

  it('are an uncertain B in a word, a 6 in a word, and an uncertain i before a capital', () => {
    expect(hasReplacedLetters(line('StraBe', { 4: 0.7 }), NO_HINTS)).to.equal(true);
    expect(hasReplacedLetters(line('peri6dico'), NO_HINTS)).to.equal(true);
    expect(hasReplacedLetters(line('iNo me digas', { 0: 0.5 }), NO_HINTS)).to.equal(true);
  });

  it('are an uncertain letter in a clear line, not in a blurred one', () => {
    const text = 'Manana llega el nino';
    expect(hasReplacedLetters(line(text, { 2: 0.9 }), NO_HINTS)).to.equal(true);
    expect(hasReplacedLetters(line(text, { 2: 0.9, 3: 0.985, 10: 0.985 }), NO_HINTS)).to.equal(false);
    expect(hasReplacedLetters(line(text, { 2: 0.9 }, 'N'), NO_HINTS), 'the other case').to.equal(false);
    expect(hasReplacedLetters(line(text, { 2: 0.9 }, ''), NO_HINTS), 'no other letter').to.equal(false);
  });
});
