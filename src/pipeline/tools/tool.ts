import { z } from 'zod';
import { ServiceError } from '../../errors.ts';
import type { Detection, TextLine } from '../../job.ts';
import type { Frame } from '../frame.ts';
import type { ModelCatalogue } from '../models/model-catalogue.ts';
import type { ModelSessions } from '../models/model-sessions.ts';
import type { KnownLetters } from '../text/known-letters.ts';

/** Findings of a tool in one frame: keys of the frame's `result`. A tool with a new kind of finding adds its key here. */
export interface Findings {
  readonly detections?: readonly Detection[];
  readonly text?: string;
  readonly lines?: readonly TextLine[];
}
export type FindingKey = keyof Findings;

/** The frame and the findings of the nodes before this one. */
export interface ToolInputs extends Findings {
  readonly frame: Frame;
}

/** Runs a tool on one frame. The findings depend on the inputs alone: frames come in any order and on any thread. */
export type RunTool = (inputs: ToolInputs) => Promise<Findings>;

/** A tool with its parameters: a node of a pipeline. */
export interface ConfiguredTool {
  /** The parameters with all defaults, as plain JSON. */
  readonly params: Readonly<Record<string, unknown>>;
  /** The parameters with meaning, range and default, as JSON Schema (draft 2020-12). */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  /** Inputs of the node. Each needs exactly one edge. */
  readonly takes: readonly ('frame' | FindingKey)[];
  /** Rejects with `invalid_model` or `invalid_pipeline` if a model or label is missing. Called at start; loads nothing. */
  check(catalogue: ModelCatalogue): Promise<void>;
  /** Returns the letters that the node reads; undefined if it does not read. Loads no model. */
  reads(catalogue: ModelCatalogue): Promise<KnownLetters | undefined>;
  /** Loads models. Called once per thread and job. */
  open(sessions: ModelSessions): Promise<RunTool>;
}

/** A kind of node. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** The keys of its findings. */
  readonly gives: readonly FindingKey[];
  /** @throws ServiceError `invalid_pipeline` if a parameter is unknown or out of range */
  configure(params: unknown, defaults: ToolDefaults): ConfiguredTool;
}

/** Defaults that depend on the installation. */
export interface ToolDefaults {
  /** Name of the detector to use. */
  readonly detector: string;
}

export interface ToolOptions<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly gives: readonly FindingKey[];
  /** The schema of the parameters, with descriptions. A strict object rejects misspelt names. */
  params(defaults: ToolDefaults): Schema;
  /** Default: the frame. */
  takes?(params: z.infer<Schema>): readonly ('frame' | FindingKey)[];
  /** Default: nothing to check. */
  check?(params: z.infer<Schema>, catalogue: ModelCatalogue): Promise<void>;
  /** Default: it does not read. */
  reads?(params: z.infer<Schema>, catalogue: ModelCatalogue): Promise<KnownLetters>;
  open(params: z.infer<Schema>, sessions: ModelSessions): Promise<RunTool>;
}

/** Returns a tool that validates its parameters before it is opened. */
export function defineTool<Schema extends z.ZodObject>(options: ToolOptions<Schema>): Tool {
  return {
    name: options.name,
    description: options.description,
    gives: options.gives,
    configure(given, defaults) {
      const schema = options.params(defaults);
      const parsed = schema.safeParse(given);
      if (!parsed.success) {
        throw new ServiceError('invalid_pipeline', `bad parameters: ${z.prettifyError(parsed.error)}`, {
          cause: parsed.error,
        });
      }
      const params = parsed.data;
      return {
        params,
        // `input`: parameters with a default are optional.
        paramsSchema: z.toJSONSchema(schema, { io: 'input' }),
        takes: options.takes?.(params) ?? ['frame'],
        check: async (catalogue) => options.check?.(params, catalogue),
        reads: async (catalogue) => options.reads?.(params, catalogue),
        open: async (sessions) => options.open(params, sessions),
      };
    },
  };
}
