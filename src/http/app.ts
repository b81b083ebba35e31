import { Router } from '@koa/router';
import Koa from 'koa';
import { METHODS } from 'node:http';
import type { JobEngine } from '../engine/job-engine.ts';
import type { Log } from '../log.ts';
import { healthRoute, readyRoute, type HealthOptions } from './health.ts';
import { pipelinesRoute } from './pipelines.ts';
import { answerProblems } from './problem.ts';
import { logRequests, type RequestState } from './request-log.ts';
import { resultsRoute } from './results.ts';
import { statusRoute } from './status.ts';
import { submitRoute, type SubmitOptions } from './submit.ts';

export interface AppOptions extends SubmitOptions, HealthOptions {
  readonly engine: Pick<JobEngine, 'submit' | 'requirePipeline' | 'get' | 'openResults' | 'pipelines' | 'ready'>;
  readonly log: Log;
}

/** The service over HTTP; serve it with `createHttpServer`. */
export function createApp(options: AppOptions): Koa<RequestState> {
  const { engine, log } = options;
  const router = new Router<RequestState>({ methods: METHODS })
    .post('/video/submit', submitRoute(options))
    .get('/video/status/:job_id', statusRoute(engine))
    .get('/video/results/:job_id', resultsRoute(engine))
    .get('/pipelines', pipelinesRoute(engine))
    .get('/health', healthRoute(options))
    .get('/ready', readyRoute(engine));

  const app = new Koa<RequestState>();
  // A response that broke after it had begun: its client went away, or its file did.
  app.on('error', (error: Error) => log.warn({ err: error }, 'response broken off'));
  app.use(logRequests(log));
  app.use(answerProblems());
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}
