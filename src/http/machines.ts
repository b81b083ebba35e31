import type { RouterMiddleware } from '@koa/router';
import { ServiceError } from '../errors.ts';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from './request-log.ts';

/** A machine that is shown. */
export interface ShownMachine {
  /** XState's definition of it; its JSON leaves out what is code. */
  readonly definition: unknown;
  /** The diagram as Mermaid text. */
  readonly mermaid: string;
  /** Null for a machine whose snapshots are never stored. */
  readonly version: number | null;
}

export type ShownMachines = ReadonlyMap<string, ShownMachine>;

/** GET /machines */
export function machinesRoute(machines: ShownMachines): RouterMiddleware<RequestState> {
  return (ctx) => {
    ctx.body = { machines: [...machines].map(([id, { version }]) => ({ id, version, href: `/machines/${id}` })) };
  };
}

/** GET /machines/{id}: its definition as JSON, or as Mermaid text (`?format=mermaid`, or `Accept: text/plain`). */
export function machineRoute(machines: ShownMachines): RouterMiddleware<RequestState> {
  const texts = new Map(
    [...machines].map(([id, { definition, mermaid, version }]) => [
      id,
      { json: JSON.stringify({ id, version, definition }), mermaid },
    ]),
  );
  return (ctx) => {
    const id = ctx.params['id'] ?? '';
    const text = texts.get(id);
    if (text === undefined) {
      throw new ServiceError('machine_not_found', `There is no machine ${JSON.stringify(id)}; there is: ${[...texts.keys()].join(', ')}`);
    }
    ctx.vary('Accept');
    const { format } = ctx.query;
    if (format !== undefined && format !== 'json' && format !== 'mermaid') {
      throw new ServiceError('invalid_request', 'format is neither json nor mermaid');
    }
    const isMermaid = format === undefined ? ctx.accepts('application/json', 'text/plain') === 'text/plain' : format === 'mermaid';
    const body = isMermaid ? text.mermaid : text.json;
    if (isUnchanged(ctx, body)) return;
    ctx.type = isMermaid ? 'text/plain' : 'application/json';
    ctx.body = body;
  };
}
