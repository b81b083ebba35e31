import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../engine/job-engine.ts';
import type { RequestState } from './request-log.ts';
import type { PipelinesResponse } from './schemas.ts';

/** GET /pipelines: what a submission may name, and what is done then. */
export function pipelinesRoute(engine: Pick<JobEngine, 'pipelines'>): RouterMiddleware<RequestState> {
  return (ctx) => {
    const pipelines = engine.pipelines().map(({ id, description, nodes, edges, outputs }) => ({
      id,
      description,
      nodes: nodes.map(({ paramsSchema, ...node }) => ({ ...node, params_schema: paramsSchema })),
      edges: [...edges],
      outputs: [...outputs],
    }));
    ctx.body = { pipelines } satisfies PipelinesResponse;
  };
}
