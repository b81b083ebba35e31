import { Router } from '@koa/router';
import Koa from 'koa';
import { METHODS } from 'node:http';
import type { JobEngine } from '../engine/job-engine.ts';
import type { Log } from '../log.ts';
import { activityRoute, type ActivityOptions } from './activity.ts';
import { healthRoute, readyRoute, type HealthOptions } from './health.ts';
import { jobsRoute } from './jobs.ts';
import { machineRoute, machinesRoute, type ShownMachine } from './machines.ts';
import type { Pages } from './pages.ts';
import { pipelinesRoute } from './pipelines.ts';
import { answerProblems } from './problem.ts';
import { logRequests, type RequestState } from './request-log.ts';
import { resultsRoute } from './results.ts';
import { sourceRoute } from './source.ts';
import { statusRoute } from './status.ts';
import { submitRoute, type SubmitOptions } from './submit.ts';
import { transitionsRoute } from './transitions.ts';

export interface AppOptions extends SubmitOptions, HealthOptions, ActivityOptions {
  readonly engine: Pick<
    JobEngine,
    | 'submit'
    | 'requirePipeline'
    | 'get'
    | 'list'
    | 'countByStatus'
    | 'transitionsOf'
    | 'changeToken'
    | 'onTransition'
    | 'openResults'
    | 'openVideo'
    | 'pipelines'
    | 'ready'
  >;
  readonly machines: readonly ShownMachine[];
  readonly pages: Pages;
  readonly log: Log;
}

/** The service over HTTP; serve it with `createHttpServer`. */
export function createApp(options: AppOptions): Koa<RequestState> {
  const { engine, machines, pages, log } = options;
  const router = new Router<RequestState>({ methods: METHODS })
    .post('/video/submit', submitRoute(options))
    .get('/video/status/:job_id', statusRoute(engine))
    .get('/video/results/:job_id', resultsRoute(engine))
    .get('/video/jobs', jobsRoute(engine))
    .get('/video/jobs/:job_id/transitions', transitionsRoute(engine))
    .get('/video/source/:job_id', sourceRoute(engine))
    .get('/machines', machinesRoute(machines))
    .get('/machines/activity', activityRoute(options))
    .get('/machines/:id', machineRoute(machines))
    .get(pages.paths(), pages.page())
    .get('/web/*name', pages.asset())
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
