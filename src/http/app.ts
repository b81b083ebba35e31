import { Router } from '@koa/router';
import Koa from 'koa';
import { METHODS } from 'node:http';
import type { JobSegments } from '../analysis/job-segments.ts';
import type { JobThumbnails } from '../analysis/job-thumbnails.ts';
import type { JobEngine } from '../engine/job-engine.ts';
import type { Log } from '../log.ts';
import type { VideoPictureService } from '../pipeline/picture-service.ts';
import type { VideoFilePipelineService } from '../pipeline/pipeline-service.ts';
import type { VideoSearch } from '../search/video-search.ts';
import type { StorageService } from '../storage/storage-service.ts';
import type { JobReads } from '../store/job-store.ts';
import { authenticate, requires, type ApiKey } from './middleware/access.ts';
import { activityRoute, type ActivityOptions } from './routes/activity.ts';
import type { AddressList } from './addresses.ts';
import { shareFairly, type FairShareOptions } from './middleware/fair-share.ts';
import { identifyClient } from './middleware/client.ts';
import { stripBasePath } from './middleware/base-path.ts';
import { compress } from './middleware/compress.ts';
import { cancelRoute } from './routes/cancel.ts';
import { deleteFilesRoute } from './routes/delete-files.ts';
import { docsRoute } from './routes/docs-page.ts';
import { healthRoute, readyRoute, type ReadyOptions } from './routes/health.ts';
import { jobRoute } from './routes/job.ts';
import { jobsRoute } from './routes/jobs.ts';
import { machineRoute, machinesRoute, type ShownMachine } from './routes/machines.ts';
import type { Metrics } from './metrics.ts';
import { describeApi, openapiRoute } from './routes/openapi.ts';
import { refuseForeignOrigins, type HostPolicy } from './middleware/origin-guard.ts';
import type { Pages } from './routes/pages.ts';
import { pipelinesRoute } from './routes/pipelines.ts';
import { answerProblems } from './problem.ts';
import { limitRate } from './middleware/rate-limit.ts';
import { checkHead } from './middleware/request-head.ts';
import { logRequests, noteRoute } from './middleware/request-log.ts';
import type { RequestState } from './middleware/request-state.ts';
import { rerunRoute } from './routes/rerun.ts';
import { resultsRoute } from './routes/results.ts';
import { searchRoute } from './routes/search.ts';
import { segmentsRoute } from './routes/segments.ts';
import { setSecurityHeaders } from './middleware/security-headers.ts';
import { beginSession, endSession, showSession } from './routes/session.ts';
import { Sessions } from './middleware/sessions.ts';
import { sourceRoute } from './routes/source.ts';
import { statusRoute } from './routes/status.ts';
import { stillRoute } from './routes/still.ts';
import { submitRoute, type SubmitOptions } from './routes/submit.ts';
import { thumbnailRoute } from './routes/thumbnail.ts';
import { TokenBuckets } from './middleware/token-buckets.ts';
import { transitionsRoute } from './routes/transitions.ts';

/** Wrong keys per address: twenty, then one per ten seconds. */
const WRONG_KEYS = { perSecond: 0.1, burst: 20 };

export interface AppOptions extends SubmitOptions, Omit<FairShareOptions, 'engine'>, ReadyOptions, ActivityOptions {
  /** Commands on jobs. */
  readonly engine: Pick<
    JobEngine,
    'submit' | 'submitOnce' | 'requirePipeline' | 'requireQueueRoom' | 'cancel' | 'deleteFiles' | 'onTransition'
  >;
  readonly reads: JobReads;
  readonly storage: Pick<StorageService, 'loadFile'>;
  readonly segments: Pick<JobSegments, 'find'>;
  readonly search: Pick<VideoSearch, 'search' | 'state'>;
  readonly thumbnails: Pick<JobThumbnails, 'find'>;
  readonly pictures: VideoPictureService;
  readonly pipelines: Pick<VideoFilePipelineService, 'list'>;
  /** Returns the current keys; undefined: no key is needed. */
  readonly keys: () => readonly ApiKey[] | undefined;
  readonly hosts: HostPolicy;
  readonly trustedProxies: AddressList;
  /** Requests per second of one key, or one address without a key, with bursts of twice as many. */
  readonly requestsPerS: number;
  readonly metrics: Metrics;
  readonly machines: readonly ShownMachine[];
  readonly pages: Pages;
  readonly log: Log;
}

/** The HTTP app. Serve it with `createHttpServer`. */
export function createApp(options: AppOptions): Koa<RequestState> {
  const {
    engine,
    reads,
    storage,
    segments,
    search,
    thumbnails,
    pictures,
    pipelines,
    keys,
    hosts,
    trustedProxies,
    requestsPerS,
    metrics,
    machines,
    pages,
    version,
    basePath,
    log,
  } = options;
  const sessions = new Sessions();
  const submit = requires('submit');
  const read = requires('read');
  const admin = requires('admin');
  const fairly = shareFairly(options);

  const router = new Router<RequestState>({ methods: METHODS })
    .use(noteRoute())
    .post('/video/submit', submit, fairly, submitRoute(options))
    .get('/video/status/:job_id', read, statusRoute(reads))
    .get('/video/results/:job_id', read, resultsRoute(reads, storage))
    .get('/video/segments/:job_id', read, segmentsRoute(reads, storage, segments))
    .get('/video/search', read, searchRoute(search))
    .post('/video/cancel/:job_id', submit, cancelRoute(engine))
    .get('/video/jobs', read, jobsRoute(reads))
    .delete('/video/jobs/:job_id', submit, deleteFilesRoute(engine))
    .get('/video/jobs/:job_id', read, jobRoute(reads))
    .post('/video/jobs/:job_id/rerun', submit, fairly, rerunRoute(options))
    .get('/video/jobs/:job_id/transitions', read, transitionsRoute(reads))
    .get('/video/thumbnails/:job_id/:frame_index', read, thumbnailRoute(reads, storage, thumbnails))
    .get('/video/still/:job_id', read, stillRoute(reads, storage, pictures))
    .get('/video/source/:job_id', read, sourceRoute(reads, storage))
    .get('/machines', read, machinesRoute(machines, basePath))
    .get('/machines/activity', read, activityRoute(options))
    .get('/machines/:id', read, machineRoute(machines))
    .get('/pipelines', read, pipelinesRoute(pipelines))
    .get('/metrics', admin, metrics.route())
    // No key is needed here: these responses contain nothing about jobs.
    .get('/session', showSession())
    .post('/session', requires(), beginSession(sessions))
    .delete('/session', endSession(sessions))
    .get(pages.paths(), pages.page())
    .get('/web/*name', pages.asset())
    .get('/client/*name', pages.asset())
    .get('/assets/*name', pages.versionedAsset())
    .get('/openapi.json', openapiRoute(describeApi(version, basePath)))
    .get('/docs', docsRoute(version, basePath))
    .get('/health', healthRoute(options))
    .get('/ready', readyRoute(options));

  const app = new Koa<RequestState>();
  // The response broke after its headers: the client disconnected, or the file could not be read.
  app.on('error', (error: Error) => log.warn({ err: error }, 'response broken off'));
  app.use(identifyClient(trustedProxies));
  app.use(logRequests(log));
  app.use(metrics.measureRequests());
  app.use(setSecurityHeaders());
  app.use(compress());
  app.use(stripBasePath(basePath));
  app.use(answerProblems());
  app.use(checkHead());
  app.use(refuseForeignOrigins(hosts));
  app.use(authenticate({ keys, sessions, wrongKeys: new TokenBuckets(WRONG_KEYS) }));
  app.use(limitRate(new TokenBuckets({ perSecond: requestsPerS, burst: 2 * requestsPerS })));
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}
