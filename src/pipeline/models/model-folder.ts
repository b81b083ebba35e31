import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, ServiceError } from '../../errors.ts';
import { COCO_LABELS } from '../objects/coco-labels.ts';
import { ObjectDetector } from '../objects/object-detector.ts';
import { CtcRecogniser } from '../text/ctc-recogniser.ts';
import {
  BUILT_IN_DETECTOR,
  BUILT_IN_RECOGNISER,
  DEFAULT_FILE,
  kindOf,
  ModelCatalogue,
  modelCardSchema,
  modelNameSchema,
  type CatalogueEntry,
  type ModelFormat,
} from './model-catalogue.ts';
import { openSession } from './model-sessions.ts';

export interface NewModel {
  readonly name: string;
  /** The ONNX file, which is copied. */
  readonly file: string;
  readonly format: ModelFormat;
  /** Expected SHA-256 of the file; absent: not checked. */
  readonly sha256?: string;
  /** A text file with one label or character per line; absent: the 80 labels of COCO. A recogniser needs one. */
  readonly labelsFile?: string;
}

const BUILT_IN = [BUILT_IN_DETECTOR, BUILT_IN_RECOGNISER] as const;

/** Changes the folder of added models, each with `NAME.onnx` and `NAME.json`. */
export class ModelFolder {
  readonly #folder: string;
  readonly #catalogue: ModelCatalogue;

  /** The folder is created when a model is added. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#catalogue = new ModelCatalogue(folder);
  }

  /**
   * Adds a model after running it once. Throws `invalid_model` and leaves nothing behind if the name is invalid or
   * taken, a file cannot be read, the hash differs, or the model does not match its format.
   */
  async add(model: NewModel): Promise<CatalogueEntry> {
    const name = await this.#freeName(model.name);
    const bytes = await readInput(model.file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (model.sha256 !== undefined && model.sha256.toLowerCase() !== sha256) {
      throw new ServiceError('invalid_model', `${model.file} has the sum ${sha256}, not ${model.sha256}`);
    }
    const labels = await labelsOf(model);
    const card = modelCardSchema.parse({ format: model.format, sha256, labels: [...labels] });
    const entry = { ...card, name, path: path.join(this.#folder, `${name}.onnx`) };
    await tryOnce(entry, bytes);
    await mkdir(this.#folder, { recursive: true });
    // Written last, because the card makes the model known.
    await writeWhole(entry.path, bytes);
    await writeWhole(path.join(this.#folder, `${name}.json`), `${JSON.stringify(card)}\n`);
    return entry;
  }

  /** Throws `invalid_model` if the model is unknown, built in, or the default. */
  async remove(name: string): Promise<void> {
    if (name === BUILT_IN_DETECTOR) throw new ServiceError('invalid_model', `${name} is built in and stays`);
    if (name === (await this.#catalogue.defaultName())) {
      throw new ServiceError('invalid_model', `${name} is the default; choose another default first`);
    }
    const names = await this.#catalogue.names();
    if (!names.includes(name)) throw new ServiceError('invalid_model', `There is no model ${name}`);
    await rm(path.join(this.#folder, `${name}.json`), { force: true });
    await rm(path.join(this.#folder, `${name}.onnx`), { force: true });
  }

  /** Sets the detector of pipelines that name none. Throws `invalid_model` if it is unknown or damaged. */
  async setDefault(name: string): Promise<void> {
    await this.#catalogue.verify(name, 'objects');
    await mkdir(this.#folder, { recursive: true });
    await writeWhole(path.join(this.#folder, DEFAULT_FILE), `${JSON.stringify({ model: name })}\n`);
  }

  async #freeName(wanted: string): Promise<string> {
    const name = modelNameSchema.safeParse(wanted);
    if (!name.success) throw new ServiceError('invalid_model', name.error.issues[0]?.message ?? 'a bad name');
    if (BUILT_IN.some((taken) => taken === name.data) || (await this.#catalogue.names()).includes(name.data)) {
      throw new ServiceError('invalid_model', `There is a model ${name.data} already`);
    }
    return name.data;
  }
}

/** Loads the model and runs it on a grey picture. */
async function tryOnce(entry: CatalogueEntry, bytes: Uint8Array): Promise<void> {
  const session = await openSession(entry.name, async () => bytes);
  try {
    const grey = { width: 640, height: 360, rgb: new Uint8Array(640 * 360 * 3).fill(128) };
    if (kindOf(entry.format) === 'text') await new CtcRecogniser(entry, session).read(grey);
    else await new ObjectDetector(entry, session).detect(grey, { minConfidence: 0.5, iou: 0.5, maxDetections: 1 });
  } finally {
    await session.release();
  }
}

async function readInput(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ServiceError('invalid_model', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function labelsOf({ name, format, labelsFile }: NewModel): Promise<readonly string[]> {
  const isText = kindOf(format) === 'text';
  if (labelsFile === undefined) {
    if (isText) throw new ServiceError('invalid_model', `${name} needs --labels: the characters that it reads`);
    return COCO_LABELS;
  }
  const lines = (await readInput(labelsFile)).toString('utf8').split(/\r?\n/);
  // A character may be a kind of space.
  const labels = (isText ? lines : lines.map((line) => line.trim())).filter((line) => line !== '');
  if (labels.length === 0) throw new ServiceError('invalid_model', `${labelsFile} has no labels`);
  return labels;
}

/** Writes a draft and renames it, so that a reader sees the complete file or none. */
async function writeWhole(target: string, content: string | Uint8Array): Promise<void> {
  const draft = `${target}.${process.pid}.draft`;
  try {
    const file = await open(draft, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
