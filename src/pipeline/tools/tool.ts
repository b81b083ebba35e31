import { z } from 'zod';
import { ServiceError } from '../../errors.ts';
import type { Detection, TextLine } from '../../job.ts';
import type { Frame } from '../frame.ts';
import type { ModelCatalogue } from '../models/model-catalogue.ts';
import type { ModelSessions } from '../models/model-sessions.ts';

/** What a tool found in one frame: keys of the frame's `result`. A tool that finds something new adds its key here. */
export interface Findings {
  readonly detections?: readonly Detection[];
  readonly text?: string;
  readonly lines?: readonly TextLine[];
}
export type FindingKey = keyof Findings;

/** The frame and what the nodes before this one found in it. */
export interface ToolInputs extends Findings {
  readonly frame: Frame;
}

/** Runs a tool on one frame. The findings depend on the inputs alone: frames come in any order and on any thread. */
export type RunTool = (inputs: ToolInputs) => Promise<Findings>;

/** A tool with its parameters: a node of a pipeline. */
export interface ConfiguredTool {
  /** The parameters with every default filled in, plain JSON. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Which parameters it takes, with meaning, range and default: JSON Schema, draft 2020-12. */
  readonly paramsSchema: Readonly<Record<string, unknown>>;
  /** What must come along the node's edges, each exactly once. */
  readonly takes: readonly ('frame' | FindingKey)[];
  /** Throws `invalid_model` or `invalid_pipeline` when what it needs is not there; run at start, loads nothing. */
  check(catalogue: ModelCatalogue): Promise<void>;
  /** Loads what it needs; called once for each thread and job. */
  open(sessions: ModelSessions): Promise<RunTool>;
}

/** One thing that can be done to a frame. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** The keys of its findings. */
  readonly gives: readonly FindingKey[];
  /** Throws `invalid_pipeline` when a parameter is unknown or out of range. */
  configure(params: unknown, defaults: ToolDefaults): ConfiguredTool;
}

/** What a parameter that is left out may stand for. */
export interface ToolDefaults {
  /** Name of the detector to use. */
  readonly detector: string;
}

export interface ToolOptions<Schema extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly gives: readonly FindingKey[];
  /** The parameters, each with its meaning; a strict object, so that a misspelt one is refused. */
  params(defaults: ToolDefaults): Schema;
  /** Default: the frame. */
  takes?(params: z.infer<Schema>): readonly ('frame' | FindingKey)[];
  /** Default: nothing to check. */
  check?(params: z.infer<Schema>, catalogue: ModelCatalogue): Promise<void>;
  open(params: z.infer<Schema>, sessions: ModelSessions): Promise<RunTool>;
}

/** Makes a tool of its options; the parameters are checked here, so that a tool sees only good ones. */
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
        // As a pipeline writes them down: what has a default may be left out.
        paramsSchema: z.toJSONSchema(schema, { io: 'input' }),
        takes: options.takes?.(params) ?? ['frame'],
        check: async (catalogue) => options.check?.(params, catalogue),
        open: async (sessions) => options.open(params, sessions),
      };
    },
  };
}
