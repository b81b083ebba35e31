/** By their names in Unicode. */
const SCRIPTS = [
  'Latin',
  'Greek',
  'Cyrillic',
  'Arabic',
  'Hebrew',
  'Devanagari',
  'Thai',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
];

const PATTERNS = SCRIPTS.map((script) => [script, new RegExp(`^\\p{Script=${script}}$`, 'u')] as const);
/** Of these, letters are counted and not listed: there are thousands. */
const COUNTED_ONLY = /\p{Script=Han}|\p{Script=Hangul}/u;
const LETTER = /\p{L}/u;

/** The letters that a recogniser can read. It marks text with other letters as `unsure`. */
export interface KnownLetters {
  /** Number of letters by script. A few Greek letters, as in formulas, are not a language. */
  readonly scripts: Readonly<Record<string, number>>;
  /** The letters but for Chinese and Korean ones, sorted. */
  readonly letters: string;
  /** Languages that Tesseract reads beside these, by the names of its data. */
  readonly languages: readonly string[];
}

/** Describes a recogniser by its labels, one for each character. */
export function knownLetters(labels: readonly string[], languages: readonly string[]): KnownLetters {
  const known = [...new Set(labels)].filter((label) => LETTER.test(label));
  const counts = PATTERNS.map(
    ([script, pattern]) => [script, known.filter((letter) => pattern.test(letter)).length] as const,
  );
  const listed = known.filter((letter) => !COUNTED_ONLY.test(letter));
  return {
    scripts: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    letters: listed.toSorted().join(''),
    languages,
  };
}
