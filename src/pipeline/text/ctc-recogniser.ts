import { readFile } from 'node:fs/promises';
import { ServiceError } from '../../errors.ts';
import type { RgbImage } from '../image-tensor.ts';
import { BUILT_IN_RECOGNISER, type CatalogueEntry, type ModelCatalogue } from '../models/model-catalogue.ts';
import type { Model, ModelSessions } from '../models/model-sessions.ts';
import { decodeCtc } from './ctc-decoding.ts';
import type { LineRecogniser, ReadText } from './line-recogniser.ts';
import { CROP_HEIGHT, lineTensor, lineWidth } from './line-tensor.ts';
import { packagedTextFile } from './packaged-text-file.ts';
import { accentedClasses, hasReplacedLetters } from './replaced-letters.ts';
import { isStrange, unreadLetters } from './unread-letters.ts';

// A crop is padded to the next bucket of its own width, so that its result depends on nothing else. The network divides
// widths by 8.
const WIDTH_BUCKET = 8;
const SMALLEST_WIDTH = 32;

/** Opens the recogniser with this name. Throws `invalid_model` if it is unknown, changed or cannot be loaded. */
export async function openRecogniser(sessions: ModelSessions, name: string): Promise<CtcRecogniser> {
  if (name === BUILT_IN_RECOGNISER) {
    const model = await sessions.packaged(packagedTextFile('ch_PP-OCRv4_rec_infer.onnx'));
    return new CtcRecogniser({ name, labels: await builtInCharacters() }, model);
  }
  const { entry, model } = await sessions.named(name);
  return new CtcRecogniser(entry, model);
}

/** Returns the characters of a recogniser. Throws `invalid_model` if it is unknown. */
export async function recogniserLabels(name: string, catalogue: ModelCatalogue): Promise<readonly string[]> {
  return name === BUILT_IN_RECOGNISER ? builtInCharacters() : (await catalogue.get(name)).labels;
}

/** One character per line. */
async function builtInCharacters(): Promise<string[]> {
  const dictionary = await readFile(packagedTextFile('ppocr_keys_v1.txt'), 'utf8');
  return dictionary.trimEnd().split(/\r?\n/);
}

/** A network of PP-OCR (versions 3 to 5): input 1 x 3 x 48 x width, output the probability of each class per step. */
export class CtcRecogniser implements LineRecogniser {
  readonly marginShare = 0;
  readonly #name: string;
  readonly #model: Model;
  /** The classes from 1 on; class 0 is the blank. */
  readonly #characters: readonly string[];
  readonly #accented: readonly number[];

  constructor({ name, labels }: Pick<CatalogueEntry, 'name' | 'labels'>, model: Model) {
    this.#name = name;
    this.#model = model;
    // Most networks have a class for the space, which their lists omit.
    this.#characters = [...labels, ' '];
    this.#accented = accentedClasses(labels);
  }

  /** Throws `invalid_model` if the numbers of classes and characters differ. */
  async read(crop: RgbImage): Promise<ReadText> {
    const width = Math.max(SMALLEST_WIDTH, lineWidth(crop));
    const paddedWidth = Math.ceil(width / WIDTH_BUCKET) * WIDTH_BUCKET;
    const input = lineTensor(crop, width, paddedWidth);
    const outputs = await this.#model.run(input, [1, 3, CROP_HEIGHT, paddedWidth]);
    const [output] = outputs;
    const [, , classes = 0] = output?.dims ?? [];
    const listed = this.#characters.length;
    if (!output || outputs.length > 1 || output.dims.length !== 3 || (classes !== listed && classes !== listed + 1)) {
      const made = outputs.map(({ dims }) => dims.join(' x ')).join(', ');
      const wanted = `1 x steps x ${listed} or ${listed + 1}`;
      throw new ServiceError('invalid_model', `The model ${this.#name} gives ${made}, where ppocr is ${wanted}`);
    }
    const { text, confidence, characters } = decodeCtc(output.data, classes, this.#characters);
    const green = input.subarray(CROP_HEIGHT * paddedWidth, 2 * CROP_HEIGHT * paddedWidth);
    const unread = unreadLetters({ data: green, height: CROP_HEIGHT, stride: paddedWidth, width }, characters);
    const table = { probabilities: output.data, classes, accented: this.#accented };
    const isUnsure = unread > 0 || isStrange(characters) || hasReplacedLetters(characters, table);
    return { text, confidence, unread, isUnsure };
  }
}
