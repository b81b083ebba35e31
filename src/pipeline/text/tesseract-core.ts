import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf, ServiceError } from '../../errors.ts';

const LSTM_ONLY = 1;
const SINGLE_LINE = 7;
const INPUT = '/input';

/** What is used of Tesseract's API: https://github.com/naptha/tesseract.js-core */
interface TesseractApi {
  Init(folder: string, languages: string, engine: number): number;
  SetPageSegMode(mode: number): void;
  SetVariable(name: string, value: string): boolean;
  SetImageFile(orientation: number, angle: number, upscale: boolean): number;
  Recognize(monitor: null): number;
  GetUTF8Text(): string;
  MeanTextConf(): number;
  End(): void;
}

interface TesseractModule {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; unlink(path: string): void };
  readonly TessBaseAPI: new () => TesseractApi;
}

const require = createRequire(import.meta.url);

/** Throws `invalid_pipeline` when the package of a language, or that of Tesseract, is not installed. */
export function checkLanguages(languages: readonly string[]): void {
  for (const language of languages) {
    let file: string;
    try {
      file = dataFile(language);
    } catch (error) {
      throw notInstalled('tesseract.js-core', error);
    }
    if (!existsSync(file)) throw notInstalled(`@tesseract.js-data/${language}`);
  }
}

function notInstalled(name: string, cause?: unknown): ServiceError {
  return new ServiceError('invalid_pipeline', `languages need npm install ${name}`, { cause });
}

/** Packages of data are installed beside that of Tesseract. Throws when that is not installed. */
function dataFile(language: string): string {
  const packages = path.resolve(require.resolve('tesseract.js-core/package.json'), '../..');
  return path.join(packages, '@tesseract.js-data', language, '4.0.0_best_int', `${language}.traineddata.gz`);
}

/** Tesseract in WebAssembly, with the data of some languages. */
export class Tesseract {
  readonly #module: TesseractModule;
  readonly #api: TesseractApi;

  private constructor(module: TesseractModule, api: TesseractApi) {
    this.#module = module;
    this.#api = api;
  }

  /** Throws `invalid_model` when it cannot be loaded. */
  static async open(languages: readonly string[]): Promise<Tesseract> {
    try {
      // One build for every machine: that with relaxed SIMD gives other results on other processors.
      const load: (
        options: object,
      ) => Promise<TesseractModule> = require('tesseract.js-core/tesseract-core-simd-lstm.js');
      const module = await load({ print: () => {}, printErr: () => {} });
      for (const language of languages) {
        module.FS.writeFile(`/${language}.traineddata`, gunzipSync(await readFile(dataFile(language))));
      }
      const api = new module.TessBaseAPI();
      const failed = api.Init('/', languages.join('+'), LSTM_ONLY);
      if (failed !== 0) throw new Error(`Tesseract does not start: ${failed}`);
      for (const language of languages) module.FS.unlink(`/${language}.traineddata`);
      api.SetPageSegMode(SINGLE_LINE);
      api.SetVariable('user_defined_dpi', '150');
      // Words of earlier lines would change how later ones are read.
      api.SetVariable('tessedit_enable_doc_dict', '0');
      return new Tesseract(module, api);
    } catch (error) {
      const message = `Tesseract cannot be loaded for ${languages.join(', ')}: ${messageOf(error)}`;
      throw new ServiceError('invalid_model', message, { cause: error });
    }
  }

  /** Reads one line of text in a picture in the PGM format. Confidence is 0 to 1. */
  read(pgm: Uint8Array): { readonly text: string; readonly confidence: number } {
    this.#module.FS.writeFile(INPUT, pgm);
    if (this.#api.SetImageFile(1, 0, false) !== 0)
      throw new ServiceError('internal', 'Tesseract cannot load the picture');
    this.#api.Recognize(null);
    return { text: this.#api.GetUTF8Text(), confidence: Math.max(0, this.#api.MeanTextConf()) / 100 };
  }

  async release(): Promise<void> {
    this.#api.End();
  }
}
