import { z } from 'zod';
import { problemSchema } from '../../src/http/schemas.ts';
import type { MachineAnswer, StateDefinition } from '../../src/web/chart/machine-chart.ts';

const transitionSchema = z.object({
  target: z.array(z.string()).optional(),
  guard: z.union([z.string(), z.object({ type: z.string().optional() })]).optional(),
  description: z.string().optional(),
});

const stateSchema: z.ZodType<StateDefinition> = z.lazy(() =>
  z.object({
    id: z.string(),
    key: z.string(),
    type: z.enum(['atomic', 'compound', 'parallel', 'final', 'history']),
    initial: z.object({ target: z.array(z.string()).optional() }).optional(),
    states: z.record(z.string(), stateSchema),
    on: z.record(z.string(), z.array(transitionSchema)),
    invoke: z.array(z.object({ id: z.string(), src: z.string() })).optional(),
    description: z.string().optional(),
  }),
);

/** `GET /machines/{id}` as far as a chart needs it. */
export const machineAnswerSchema: z.ZodType<MachineAnswer> = z.object({
  id: z.string(),
  version: z.number().nullable(),
  definition: stateSchema,
});

/** Asks a running service. @throws with the service's own words when it refuses */
export async function readJson<T>(address: string, schema: z.ZodType<T>): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(address);
  } catch (cause) {
    throw new Error(`nothing answers at ${new URL(address).origin}`, { cause });
  }
  const body: unknown = await answer.json();
  if (!answer.ok) throw new Error(problemSchema.parse(body).detail);
  return schema.parse(body);
}
