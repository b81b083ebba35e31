import type { RouterMiddleware } from '@koa/router';
import type { VideoFilePipelineService } from '../../pipeline/pipeline-service.ts';
import type { RequestState } from '../middleware/request-state.ts';
import type { PipelinesResponse } from '../schemas.ts';

/** GET /pipelines */
export function pipelinesRoute(pipelines: Pick<VideoFilePipelineService, 'list'>): RouterMiddleware<RequestState> {
  return (ctx) => {
    const described = pipelines.list().map(({ id, description, nodes, edges, outputs }) => ({
      id,
      description,
      nodes: nodes.map(({ paramsSchema, ...node }) => ({ ...node, params_schema: paramsSchema })),
      edges: [...edges],
      outputs: [...outputs],
    }));
    ctx.body = { pipelines: described } satisfies PipelinesResponse;
  };
}
