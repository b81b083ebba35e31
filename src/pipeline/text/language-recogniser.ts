import { imageTensor, type RgbImage } from '../image-tensor.ts';
import type { LineRecogniser, ReadText } from './line-recogniser.ts';
import { CROP_HEIGHT, lineWidth } from './line-tensor.ts';
import type { Tesseract } from './tesseract-core.ts';

/** Confidence from which a reading is not doubted. */
const SURE = 0.85;
/** Empty pixels around the line: Tesseract misses letters at the edge. */
const MARGIN = 16;
/** Part of the range of brightness that outlined letters are above, or below. */
const LETTERS = 0.75;
// Tesseract puts spaces between these.
const SPACE_IN_CJK =
  /(?<=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}。、]) +(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}。、])/gu;

/** Brightness of a line, 0 to 255. */
interface GreyLine {
  readonly data: Float32Array;
  readonly width: number;
}

/**
 * Reads lines with Tesseract in the languages that it was opened for. A line of which it is not sure is read again as
 * light and as dark letters alone, as captions over a picture are; and one that it still doubts by another recogniser.
 * The surest reading stays.
 */
export class LanguageRecogniser implements LineRecogniser {
  readonly #tesseract: Tesseract;
  readonly #other: LineRecogniser;

  constructor(tesseract: Tesseract, other: LineRecogniser) {
    this.#tesseract = tesseract;
    this.#other = other;
  }

  async read(crop: RgbImage): Promise<ReadText> {
    const line = greyLine(crop);
    let best = this.#tesseract.read(pgmOf(line, edgeOf(line), (value) => value));
    if (best.confidence < SURE) {
      for (const letters of [lightLetters(line), darkLetters(line)]) {
        const read = this.#tesseract.read(pgmOf(line, 255, letters));
        if (read.confidence > best.confidence) best = read;
      }
    }
    if (best.confidence < SURE) {
      const other = await this.#other.read(crop);
      if (!other.isUnsure && other.confidence > best.confidence) return other;
    }
    const text = best.text.replace(/\s+/g, ' ').replace(SPACE_IN_CJK, '').trim();
    return { text, confidence: text === '' ? 0 : best.confidence, unread: 0, isUnsure: false };
  }
}

function greyLine(crop: RgbImage): GreyLine {
  const width = lineWidth(crop);
  const layout = { width, height: CROP_HEIGHT, order: 'rgb', mean: [0, 0, 0], deviation: [1, 1, 1] } as const;
  const planes = imageTensor(crop, { x: 0, y: 0, width: crop.width, height: crop.height }, layout);
  // Green is most of what the eye takes for brightness.
  return { data: planes.subarray(width * CROP_HEIGHT, 2 * width * CROP_HEIGHT), width };
}

/** Mean of the first and the last row. */
function edgeOf({ data, width }: GreyLine): number {
  const rows = [...data.subarray(0, width), ...data.subarray(data.length - width)];
  return rows.reduce((a, b) => a + b, 0) / rows.length;
}

/** Makes black letters of the brightest pixels. */
function lightLetters({ data }: GreyLine): (value: number) => number {
  const { least, most } = rangeOf(data);
  const from = least + LETTERS * (most - least);
  return (value) => 255 - ((value - from) * 255) / Math.max(1, most - from);
}

/** Makes black letters of the darkest pixels. */
function darkLetters({ data }: GreyLine): (value: number) => number {
  const { least, most } = rangeOf(data);
  const to = most - LETTERS * (most - least);
  return (value) => ((value - least) * 255) / Math.max(1, to - least);
}

/** Brightness that all but 2 % of the pixels are above, and below. */
function rangeOf(data: Float32Array) {
  const sorted = data.toSorted();
  const at = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
  return { least: at(0.02), most: at(0.98) };
}

/** The line as a PGM file (http://netpbm.sourceforge.net/doc/pgm.html) with a margin of one brightness. */
function pgmOf({ data, width }: GreyLine, margin: number, shade: (value: number) => number): Uint8Array {
  const outerWidth = width + 2 * MARGIN;
  const header = Buffer.from(`P5\n${outerWidth} ${CROP_HEIGHT + 2 * MARGIN}\n255\n`);
  const pixels = new Uint8ClampedArray(outerWidth * (CROP_HEIGHT + 2 * MARGIN)).fill(margin);
  for (let y = 0; y < CROP_HEIGHT; y++) {
    const row = data.subarray(y * width, (y + 1) * width).map(shade);
    pixels.set(row, (y + MARGIN) * outerWidth + MARGIN);
  }
  return Buffer.concat([header, Buffer.from(pixels.buffer)]);
}
