import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { JOB_MACHINE_VERSION, jobMachine } from '../../../machines/job.ts';
import { toMermaid } from '../../../machines/mermaid.ts';
import { workerMachine } from '../../../machines/worker.ts';
import { ServiceError } from '../../errors.ts';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from '../middleware/request-state.ts';

/** A machine in the API. */
export interface ShownMachine {
  readonly machine: Parameters<typeof toMermaid>[0];
  /** Null for a machine without stored snapshots. */
  readonly version: number | null;
}

export const SHOWN_MACHINES: readonly ShownMachine[] = [
  { machine: jobMachine, version: JOB_MACHINE_VERSION },
  { machine: workerMachine, version: null },
];

const versionSchema = z
  .int()
  .nullable()
  .describe('Version stored with snapshots; null for a machine without stored snapshots');

export const machinesResponseSchema = z.object({
  machines: z.array(z.object({ id: z.string(), version: versionSchema, href: z.string() })),
});

export const machineResponseSchema = z.object({
  id: z.string(),
  version: versionSchema,
  definition: z.record(z.string(), z.unknown()).describe('XState definition without its functions'),
});

/** GET /machines */
export function machinesRoute(machines: readonly ShownMachine[], basePath: string): RouterMiddleware<RequestState> {
  return (ctx) => {
    ctx.body = {
      machines: machines.map(({ machine: { id }, version }) => ({ id, version, href: `${basePath}/machines/${id}` })),
    } satisfies z.infer<typeof machinesResponseSchema>;
  };
}

/** GET /machines/{id}: its definition as JSON, or as Mermaid text (`?format=mermaid`, or `Accept: text/plain`). */
export function machineRoute(machines: readonly ShownMachine[]): RouterMiddleware<RequestState> {
  const texts = new Map(
    machines.map(({ machine, version }) => {
      const { id, definition } = machine;
      // JSON leaves out the functions of the definition.
      return [id, { json: JSON.stringify({ id, version, definition }), mermaid: toMermaid(machine) }];
    }),
  );
  return (ctx) => {
    const id = ctx.params['id'] ?? '';
    const text = texts.get(id);
    if (text === undefined) {
      throw new ServiceError(
        'machine_not_found',
        `There is no machine ${JSON.stringify(id)}; there is: ${[...texts.keys()].join(', ')}`,
      );
    }
    ctx.vary('Accept');
    const { format } = ctx.query;
    if (format !== undefined && format !== 'json' && format !== 'mermaid') {
      throw new ServiceError('invalid_request', 'format is neither json nor mermaid');
    }
    const isMermaid =
      format === undefined ? ctx.accepts('application/json', 'text/plain') === 'text/plain' : format === 'mermaid';
    const body = isMermaid ? text.mermaid : text.json;
    if (isUnchanged(ctx, body)) return;
    ctx.type = isMermaid ? 'text/plain' : 'application/json';
    ctx.body = body;
  };
}
