import { resolve } from 'node:path';
import { ServiceError } from '../errors.ts';
import { kindOf, ModelCatalogue, type ModelFormat, type ModelKind } from '../pipeline/models/model-catalogue.ts';
import { ModelFolder } from '../pipeline/models/model-folder.ts';

export interface AddedModel {
  readonly from: string;
  readonly format: ModelFormat;
  readonly kind?: ModelKind;
  readonly sha256?: string;
  readonly labels?: string;
}

/** Changes and lists the models of a data folder; each method returns the lines to print. Throws `invalid_model`. */
export class Models {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = resolve(dataDir, 'models');
  }

  async list(): Promise<string[]> {
    const catalogue = new ModelCatalogue(this.#folder);
    const chosen = await catalogue.defaultName();
    return (await catalogue.list()).map(({ name, format, labels, sha256 }) => {
      const mark = name === chosen ? '  default' : '';
      return `${name}  ${kindOf(format)}  ${format}  ${labels.length} labels  sha256 ${sha256}${mark}`;
    });
  }

  async add(name: string, { from, format, kind, sha256, labels }: AddedModel): Promise<string[]> {
    if (kind !== undefined && kind !== kindOf(format)) {
      throw new ServiceError('invalid_model', `The format ${format} is of kind ${kindOf(format)}, not ${kind}`);
    }
    const added = await new ModelFolder(this.#folder).add({
      name,
      file: from,
      format,
      ...(sha256 !== undefined && { sha256 }),
      ...(labels !== undefined && { labelsFile: labels }),
    });
    return [`added ${added.name}: ${added.format}, ${added.labels.length} labels, sha256 ${added.sha256}`];
  }

  async setDefault(name: string): Promise<string[]> {
    await new ModelFolder(this.#folder).setDefault(name);
    return [`${name} is the default from the next start`];
  }

  async remove(name: string): Promise<string[]> {
    await new ModelFolder(this.#folder).remove(name);
    return [`removed ${name}`];
  }
}
