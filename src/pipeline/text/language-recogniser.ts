import { brightness, filledLetters, linePlanes, type GreyPicture } from './letter-fill.ts';
import { withoutMargin, type LineCrop } from './line-crop.ts';
import type { LineRecogniser, ReadText } from './line-recogniser.ts';
import type { Tesseract } from './tesseract-core.ts';

/** Confidence from which a reading is not doubted. */
const SURE = 0.85;
/** Confidence below which another recogniser is tried, which does not know the letters of these languages. */
const POOR = 0.7;
/**
 * Brightness from which pixels belong to letters, as a part of the range: parts of the background fall away with the
 * first, soft strokes stay whole with the second.
 */
const STRICT = 0.75;
const SOFT = 0.6;
/** Height of a line without its border, in pixels of Tesseract's picture. */
const LINE_HEIGHT = 64;
/** A longer line is squeezed, in pixels. */
const LARGEST_WIDTH = 4096;
/** Empty pixels around the picture: Tesseract misses letters at the edge. */
const PADDING = 16;
/** Deviation of the edge of a picture from its mean, up to which it is a plain background, of 255. */
const PLAIN = 24;
const LIGHT_EDGE = 128;
// Tesseract puts spaces between these.
const SPACE_IN_CJK =
  /(?<=[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}]) +(?=[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}])/gu;

/**
 * Reads lines with Tesseract in the languages that it was opened for. Tesseract sees the
 * letters without their background, because captions often lie over a picture. A line of which it is not sure is read again with softer letters, with the other
 * brightness of letters and with the background; a poor reading, by another recogniser too. The surest reading stays.
 */
export class LanguageRecogniser implements LineRecogniser {
  /** The detector's boxes cut marks above and below letters. */
  readonly marginShare = 0.25;
  readonly #tesseract: Tesseract;
  readonly #other: LineRecogniser;

  constructor(tesseract: Tesseract, other: LineRecogniser) {
    this.#tesseract = tesseract;
    this.#other = other;
  }

  async read(crop: LineCrop): Promise<ReadText> {
    const height = Math.round((LINE_HEIGHT * crop.height) / (crop.height - 2 * crop.margin));
    const width = Math.min(LARGEST_WIDTH, Math.max(1, Math.ceil((height * crop.width) / crop.height)));
    const line = linePlanes(crop, width, height);
    const whole = brightness(line);
    const edge = edgeOf(whole);
    const isDark = edge.mean > LIGHT_EDGE && edge.deviation < PLAIN;
    let best = { text: '', confidence: -1 };
    for (const picture of [
      () => pgmOf(filledLetters(line, { isDark, from: STRICT }), 255),
      () => pgmOf(filledLetters(line, { isDark, from: SOFT }), 255),
      () => pgmOf(filledLetters(line, { isDark: !isDark, from: STRICT }), 255),
      () => pgmOf(whole, edge.mean),
    ]) {
      const read = this.#tesseract.read(picture());
      // A few shapes are read with more confidence than a whole line.
      const isWhole = 2 * read.text.length >= best.text.length;
      if (isWhole && read.confidence > best.confidence) best = read;
      if (best.confidence >= SURE) break;
    }
    if (best.confidence < POOR) {
      const other = await this.#other.read({ ...withoutMargin(crop), margin: 0 });
      if (!other.isUnsure && other.confidence > best.confidence) return other;
    }
    const text = best.text.replace(/\s+/g, ' ').replace(SPACE_IN_CJK, '').trim();
    return { text, confidence: text === '' ? 0 : best.confidence, unread: 0, isUnsure: false };
  }
}

/** Mean and deviation of the first and the last row. */
function edgeOf({ data, width }: GreyPicture) {
  const rows = [...data.subarray(0, width), ...data.subarray(data.length - width)];
  const mean = rows.reduce((a, b) => a + b, 0) / rows.length;
  const variance = rows.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** Returns a PGM file (http://netpbm.sourceforge.net/doc/pgm.html) with empty pixels around the picture. */
function pgmOf({ data, width, height }: GreyPicture, padding: number): Uint8Array {
  const outerWidth = width + 2 * PADDING;
  const header = Buffer.from(`P5\n${outerWidth} ${height + 2 * PADDING}\n255\n`);
  const pixels = new Uint8ClampedArray(outerWidth * (height + 2 * PADDING)).fill(padding);
  for (let y = 0; y < height; y++) {
    pixels.set(data.subarray(y * width, (y + 1) * width), (y + PADDING) * outerWidth + PADDING);
  }
  return Buffer.concat([header, Buffer.from(pixels.buffer)]);
}
