import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { z } from 'zod';
import { messageOf, ServiceError } from '../errors.ts';
import { planPipeline } from './dag.ts';
import { pipelineDefinitionSchema, type PipelineDefinition } from './definition.ts';
import { ModelCatalogue } from './models/model-catalogue.ts';
import type { PipelineDescription } from './pipeline-service.ts';
import { TOOLS } from './tools/tools.ts';

export interface PipelineRegistryOptions {
  /** A folder of declared pipelines: `*.yaml`, `*.yml` or `*.json`, one each. */
  readonly directory?: string;
  /** The folder of added models; need not exist. */
  readonly modelsFolder?: string;
}

/** The available pipelines. Knows their requirements and loads none of them. */
export class PipelineRegistry {
  readonly #definitions: ReadonlyMap<string, PipelineDefinition>;
  readonly #descriptions: readonly PipelineDescription[];

  private constructor(
    definitions: ReadonlyMap<string, PipelineDefinition>,
    descriptions: readonly PipelineDescription[],
  ) {
    this.#definitions = definitions;
    this.#descriptions = descriptions;
  }

  /**
   * Reads and validates every pipeline and the hashes of its models. Throws `invalid_pipeline` or `invalid_model` with
   * the file and the node.
   */
  static async open(options: PipelineRegistryOptions = {}): Promise<PipelineRegistry> {
    const builtIn = fileURLToPath(new URL('src/pipeline/definitions', import.meta.resolve('#package.json')));
    const files = await definitionFiles(builtIn);
    if (options.directory !== undefined) files.push(...(await definitionFiles(options.directory)));
    const catalogue = new ModelCatalogue(options.modelsFolder);
    const defaults = { detector: await catalogue.defaultName() };
    const definitions = new Map<string, PipelineDefinition>();
    const descriptions: PipelineDescription[] = [];
    for (const file of files) {
      const declared = await readDefinition(file);
      if (definitions.has(declared.id)) {
        throw new ServiceError('invalid_pipeline', `${file}: there is a pipeline ${declared.id} already`);
      }
      const plan = planPipeline(declared, { source: file, tools: TOOLS, defaults });
      for (const node of plan.nodes) {
        try {
          await node.tool.check(catalogue);
        } catch (error) {
          const code = error instanceof ServiceError ? error.code : 'invalid_pipeline';
          throw new ServiceError(code, `${file}: node ${node.id}: ${messageOf(error)}`, { cause: error });
        }
      }
      const tools = new Map(plan.nodes.map(({ id, tool }) => [id, tool]));
      const nodes = declared.nodes.map((node) => ({ ...node, params: tools.get(node.id)?.params ?? {} }));
      const definition = pipelineDefinitionSchema.parse({ ...declared, nodes });
      definitions.set(declared.id, definition);
      const described = await Promise.all(
        nodes.map(async (node) => {
          const tool = tools.get(node.id);
          const reads = await tool?.reads(catalogue);
          return { ...node, paramsSchema: tool?.paramsSchema ?? {}, ...(reads && { reads }) };
        }),
      );
      descriptions.push({ ...definition, nodes: described });
    }
    return new PipelineRegistry(definitions, descriptions);
  }

  /** With all defaults. Throws `unknown_pipeline`. */
  get(id: string): PipelineDefinition {
    const definition = this.#definitions.get(id);
    if (!definition) {
      const known = [...this.#definitions.keys()].join(', ');
      throw new ServiceError('unknown_pipeline', `There is no pipeline ${id}; there are ${known}`);
    }
    return definition;
  }

  /** The built-in ones first, then by file name. */
  list(): readonly PipelineDefinition[] {
    return [...this.#definitions.values()];
  }

  /** The same, as listed to users. */
  describe(): readonly PipelineDescription[] {
    return this.#descriptions;
  }
}

async function definitionFiles(folder: string): Promise<string[]> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (error) {
    const message = `The folder of pipelines cannot be read: ${messageOf(error)}`;
    throw new ServiceError('invalid_pipeline', message, { cause: error });
  }
  return files
    .filter((file) => /\.(?:ya?ml|json)$/.test(file))
    .toSorted()
    .map((file) => path.join(folder, file));
}

/** JSON is a subset of YAML. */
async function readDefinition(file: string): Promise<PipelineDefinition> {
  let document: unknown;
  try {
    document = load(await readFile(file, 'utf8'), { maxAliases: 0 });
  } catch (error) {
    throw new ServiceError('invalid_pipeline', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const parsed = pipelineDefinitionSchema.safeParse(document);
  if (!parsed.success) {
    const message = `${file}: ${nodeOf(document, parsed.error)}${z.prettifyError(parsed.error)}`;
    throw new ServiceError('invalid_pipeline', message, { cause: parsed.error });
  }
  return parsed.data;
}

const namedNodesSchema = z.looseObject({ nodes: z.array(z.looseObject({ id: z.string() }).or(z.unknown())) });

/** Returns the node of the first fault, if it has a name. */
function nodeOf(document: unknown, error: z.ZodError): string {
  const [part, index] = error.issues[0]?.path ?? [];
  const named = namedNodesSchema.safeParse(document);
  if (part !== 'nodes' || typeof index !== 'number' || !named.success) return '';
  const node = z.looseObject({ id: z.string() }).safeParse(named.data.nodes[index]);
  return node.success ? `node ${node.data.id}: ` : '';
}
