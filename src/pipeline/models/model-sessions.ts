import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf, ServiceError } from '../../errors.ts';
import { ModelCatalogue, type CatalogueEntry } from './model-catalogue.ts';
import { Tesseract } from '../text/tesseract-core.ts';
import { fromHalf, toHalf } from './half-floats.ts';
import { withFusedScalars } from './scalar-fusion.ts';

/** One output of a model: `data` in row-major order of `dims`. */
export interface OutputTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** A loaded model with one image input. Hides the inference library. */
export interface Model {
  /** Size of its input; 0 for a side that is not fixed. */
  readonly inputDims: readonly number[];
  /** Runs the model on one tensor, which is rounded to 16 bits for a model of half precision. Blocks the calling thread. */
  run(data: Float32Array, dims: readonly number[]): Promise<readonly OutputTensor[]>;
}

export interface ModelSessionsOptions {
  /** Folder of added models; absent: only the built-in detector is known. */
  readonly modelsFolder?: string;
}

// One thread per session, because there is an inference thread per core, and a second thread in a session costs a third
// more CPU for less throughput.
const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Text crops have many widths. The arena and the pattern cache would keep the largest buffers of each.
  enableMemPattern: false,
};

/**
 * The models of one inference thread. Each is loaded at its first use and stays loaded. The inference library is
 * imported at the first use too, so a process that only lists pipelines never loads it.
 */
export class ModelSessions implements AsyncDisposable {
  readonly #catalogue: ModelCatalogue;
  readonly #open = new Map<string, Promise<OpenSession>>();
  readonly #tesseracts = new Map<string, Promise<Tesseract>>();

  constructor(options: ModelSessionsOptions = {}) {
    this.#catalogue = new ModelCatalogue(options.modelsFolder);
  }

  /** Returns a text model of an installed package. Throws `invalid_model` if it cannot be loaded. */
  async packaged(path: string): Promise<Model> {
    return this.#session(path, async () => withFusedScalars(await readFile(path)));
  }

  /**
   * Returns the model with this name after checking its hash. Throws `invalid_model` if it is unknown, changed or
   * cannot be loaded.
   */
  async named(name: string): Promise<{ readonly entry: CatalogueEntry; readonly model: Model }> {
    const entry = await this.#catalogue.get(name);
    const model = await this.#session(`${entry.path}#${entry.sha256}`, async () => {
      const bytes = await readFile(entry.path);
      if (createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
        throw new ServiceError(
          'invalid_model',
          `The file of model ${name} is not the one that was added: ${entry.path}`,
        );
      }
      return bytes;
    });
    return { entry, model };
  }

  /** Tesseract with the data of these languages. Throws `invalid_model` when it cannot be loaded. */
  async tesseract(languages: readonly string[]): Promise<Tesseract> {
    const key = languages.join('+');
    const opened = this.#tesseracts.get(key) ?? Tesseract.open(languages);
    this.#tesseracts.set(key, opened);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = await Promise.allSettled([...this.#open.values(), ...this.#tesseracts.values()]);
    this.#open.clear();
    this.#tesseracts.clear();
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release();
  }

  async #session(key: string, read: () => Promise<Uint8Array>): Promise<Model> {
    let session = this.#open.get(key);
    if (!session) {
      session = openSession(key, read);
      this.#open.set(key, session);
    }
    return session;
  }
}

/** A model in memory until it is released. */
export interface OpenSession extends Model {
  release(): Promise<void>;
}

/** Rejects if the package has no build for this platform. Disables the telemetry of the library. */
export function inferenceLibrary() {
  // Read when the library is loaded. Threads have a copy of the environment, so the process needs the variable itself.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

type InferenceLibrary = Awaited<ReturnType<typeof inferenceLibrary>>;

/** Loads a model; `name` is for messages. Throws `invalid_model`. */
export async function openSession(name: string, read: () => Promise<Uint8Array>): Promise<OpenSession> {
  try {
    const bytes = await read();
    const ort = await inferenceLibrary();
    const session = await ort.InferenceSession.create(bytes, SESSION_OPTIONS);
    const [input] = session.inputNames;
    if (input === undefined || session.inputNames.length !== 1) {
      throw new ServiceError('invalid_model', `The model has ${session.inputNames.length} inputs, not one`);
    }
    const [metadata] = session.inputMetadata;
    const shape = metadata?.isTensor ? metadata.shape : [];
    const isHalf = metadata?.isTensor === true && metadata.type === 'float16';
    return {
      inputDims: shape.map((side) => (typeof side === 'number' && side > 0 ? side : 0)),
      async run(data, dims) {
        const tensor = isHalf ? halfTensor(ort, data, dims) : new ort.Tensor('float32', data, dims);
        const outputs = await session.run({ [input]: tensor });
        return session.outputNames.map((output) => outputTensor(output, outputs[output]));
      },
      async release() {
        await session.release();
      },
    };
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError('invalid_model', `The model ${name} cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Where Node.js has Float16Array, the library makes one of the bits and then cannot read it: it needs the bits. */
function halfTensor(ort: InferenceLibrary, data: Float32Array, dims: readonly number[]): Tensor {
  const bits = toHalf(data);
  return Object.defineProperty(new ort.Tensor('float16', bits, dims), 'data', { value: bits });
}

function outputTensor(name: string, tensor: Tensor | undefined): OutputTensor {
  const data = tensor && floatsOf(tensor);
  if (!data) {
    throw new ServiceError('invalid_model', `The model's output ${name} is ${tensor?.type ?? 'missing'}, not float32`);
  }
  return { name, dims: tensor.dims, data };
}

/** Returns the numbers of a tensor; undefined for integers and texts. */
function floatsOf({ type, data }: Tensor): Float32Array | undefined {
  if (data instanceof Float32Array) return data;
  if (type !== 'float16' || !ArrayBuffer.isView(data)) return undefined;
  return fromHalf(new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2));
}
