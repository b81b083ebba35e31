import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { messageOf, ServiceError } from '../../errors.ts';
import { COCO_LABELS } from '../objects/coco-labels.ts';

/** The input and output format of a detector; src/pipeline/objects has a decoder for each. */
export const DETECTOR_FORMATS = ['nanodet', 'yolox', 'yolox_decoded', 'yolov5', 'yolov8', 'yolov10', 'rtdetr'] as const;
export type DetectorFormatName = (typeof DETECTOR_FORMATS)[number];
/** The same for models that recognise a line of text. */
const RECOGNISER_FORMATS = ['ppocr'] as const;
const MODEL_FORMATS = [...DETECTOR_FORMATS, ...RECOGNISER_FORMATS] as const;
export type ModelFormat = (typeof MODEL_FORMATS)[number];

/** What a model finds. */
export type ModelKind = 'objects' | 'text';

export function kindOf(format: ModelFormat): ModelKind {
  return RECOGNISER_FORMATS.some((known) => known === format) ? 'text' : 'objects';
}

/** The content of `NAME.json` beside `NAME.onnx`. */
export const modelCardSchema = z.strictObject({
  format: z.enum(MODEL_FORMATS),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** One per class, in the order of the model's outputs: names of objects, or characters. */
  labels: z.array(z.string().min(1)).min(1),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

export interface CatalogueEntry extends ModelCard {
  readonly name: string;
  /** Path of the ONNX file. */
  readonly path: string;
}

export const modelNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'a model name is made of a-z, 0-9, _ and -')
  .refine((name) => name !== 'default', 'the name default is taken: it stands for the chosen model');

/** The built-in text recogniser: PP-OCRv4 for Chinese and English. */
export const BUILT_IN_RECOGNISER = 'ppocr_v4';
export const BUILT_IN_DETECTOR = 'nanodet';
const BUILT_IN_SHA256 = '02060cd2e12a875f8e14fbe1cda2f308a3fcb1ad29843fec02d1dc9dbd708157';
/** The file with the name of the default model. */
export const DEFAULT_FILE = 'default.json';
const defaultFileSchema = z.strictObject({ model: modelNameSchema });

/** The models that pipelines may use: the built-in detector and those of a folder. Read-only; `ModelFolder` writes. */
export class ModelCatalogue {
  readonly #folder: string | undefined;
  readonly #builtIn: CatalogueEntry;

  /** `folder` need not exist. */
  constructor(folder?: string) {
    this.#folder = folder;
    this.#builtIn = {
      name: BUILT_IN_DETECTOR,
      format: 'nanodet',
      sha256: BUILT_IN_SHA256,
      labels: [...COCO_LABELS],
      path: fileURLToPath(new URL('src/pipeline/models/nanodet.onnx', import.meta.resolve('#package.json'))),
    };
  }

  /** Throws `invalid_model` if the model does not exist or its card cannot be read. */
  async get(name: string): Promise<CatalogueEntry> {
    if (name === BUILT_IN_DETECTOR) return this.#builtIn;
    const known = await this.names();
    if (this.#folder === undefined || !known.includes(name)) {
      const names = [BUILT_IN_DETECTOR, ...known].join(', ');
      throw new ServiceError('invalid_model', `There is no model ${name}; there are ${names}`);
    }
    const card = await readJson(path.join(this.#folder, `${name}.json`), modelCardSchema);
    return { ...card, name, path: path.join(this.#folder, `${name}.onnx`) };
  }

  /** Returns every model, the built-in one first, then by name. */
  async list(): Promise<CatalogueEntry[]> {
    const entries = [this.#builtIn];
    for (const name of await this.names()) entries.push(await this.get(name));
    return entries;
  }

  /** Returns the model of pipelines that name none. */
  async defaultName(): Promise<string> {
    if (this.#folder === undefined) return BUILT_IN_DETECTOR;
    const file = path.join(this.#folder, DEFAULT_FILE);
    const chosen = await ifThere(readJson(file, defaultFileSchema));
    return chosen?.model ?? BUILT_IN_DETECTOR;
  }

  /** Throws `invalid_model` if the model is unknown or of another kind, or its file is missing or changed. */
  async verify(name: string, kind: ModelKind): Promise<void> {
    const entry = await this.get(name);
    if (kindOf(entry.format) !== kind) {
      throw new ServiceError('invalid_model', `The model ${name} is of kind ${kindOf(entry.format)}, not ${kind}`);
    }
    let sum: string;
    try {
      sum = await sha256Of(entry.path);
    } catch (error) {
      throw new ServiceError('invalid_model', `The file of model ${name} cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
    if (sum !== entry.sha256) {
      throw new ServiceError('invalid_model', `The file of model ${name} is not the one that was added: ${entry.path}`);
    }
  }

  /** Returns the sorted names of the models in the folder. */
  async names(): Promise<string[]> {
    if (this.#folder === undefined) return [];
    const files = (await ifThere(readdir(this.#folder))) ?? [];
    return files
      .filter((file) => file.endsWith('.json') && file !== DEFAULT_FILE)
      .map((file) => path.basename(file, '.json'))
      .toSorted();
  }
}

/** Returns the SHA-256 of a file in lower-case hexadecimal. */
async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(file, 'utf8');
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new ServiceError('invalid_model', `${file} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns the content, or undefined if the file does not exist. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
