import type { RouterMiddleware } from '@koa/router';
import type { Middleware } from 'koa';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { JobEngine } from '../engine/job-engine.ts';
import type { JobId } from '../job.ts';
import type { VideoSearch } from '../search/video-search.ts';
import type { JobReads } from '../store/job-store.ts';
import type { RequestState } from './middleware/request-state.ts';

const REQUEST_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600];
const STATE_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 1_800, 7_200, 21_600];
const COMMIT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

export interface WatchedParts {
  readonly engine: Pick<JobEngine, 'onTransition'>;
  readonly reads: Pick<JobReads, 'countByStatus'>;
  /** Number of ids in the queue. */
  readonly queued: () => number;
  /** Number of replaced child processes. */
  readonly childRestarts: () => number;
  readonly search: Pick<VideoSearch, 'state'>;
}

/** Prometheus metrics of the service. Memory, event loop delay and similar ones come from prom-client. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Histogram({
    name: 'reelstate_request_duration_seconds',
    help: 'Time from the head of a request to the head of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
    registers: [this.#registry],
  });
  readonly #states = new Histogram({
    name: 'reelstate_job_state_duration_seconds',
    help: 'Time that jobs spent in a state before a transition',
    labelNames: ['from', 'event', 'to'],
    buckets: STATE_SECONDS,
    registers: [this.#registry],
  });
  readonly #frames = new Counter({
    name: 'reelstate_frames_total',
    help: 'Frames analysed',
    labelNames: ['pipeline'],
    registers: [this.#registry],
  });
  readonly #rejections = new Counter({
    name: 'reelstate_rejections_total',
    help: 'Connections that were refused or cut off',
    labelNames: ['reason'],
    registers: [this.#registry],
  });
  readonly #commits = new Histogram({
    name: 'reelstate_commit_duration_seconds',
    help: 'Time that a commit of the job database took',
    buckets: COMMIT_SECONDS,
    registers: [this.#registry],
  });
  readonly #writes = new Counter({
    name: 'reelstate_committed_writes_total',
    help: 'Writes committed to the job database; many share one commit',
    registers: [this.#registry],
  });

  /** Call once. Each scrape reads from these parts. */
  watch({ engine, reads, queued, search, childRestarts }: WatchedParts): void {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const jobs: Gauge<'status'> = new Gauge({
      name: 'reelstate_jobs',
      help: 'Jobs in each state',
      labelNames: ['status'],
      registers,
      async collect() {
        for (const [status, count] of Object.entries(await reads.countByStatus())) jobs.set({ status }, count);
      },
    });
    const queue: Gauge = new Gauge({
      name: 'reelstate_queue_length',
      help: 'Ids in the queue',
      registers,
      collect: () => queue.set(queued()),
    });
    const searchable: Gauge = new Gauge({
      name: 'reelstate_search_videos',
      help: 'Videos in the search index',
      registers,
      collect: () => searchable.set(search.state().videos),
    });
    const complete: Gauge = new Gauge({
      name: 'reelstate_search_complete',
      help: '1 when the search index has all completed jobs, else 0',
      registers,
      collect: () => complete.set(search.state().isComplete ? 1 : 0),
    });
    const restarts: Counter = new Counter({
      name: 'reelstate_child_restarts_total',
      help: 'Analysing processes started in place of others: after a crash, a cancel, a time-out, or their share of jobs',
      registers,
      collect() {
        restarts.reset();
        restarts.inc(childRestarts());
      },
    });
    // Only pending and running jobs. A job from before the start is timed from its second transition on.
    const sinceMs = new Map<JobId, number>();
    engine.onTransition(({ jobId }, { fromState, event, toState, occurredAt }) => {
      const atMs = Date.parse(occurredAt);
      const enteredMs = sinceMs.get(jobId);
      if (fromState !== null && enteredMs !== undefined) {
        this.#states.observe({ from: fromState, event, to: toState }, Math.max(0, atMs - enteredMs) / 1000);
      }
      if (toState === 'completed' || toState === 'failed') sinceMs.delete(jobId);
      else sinceMs.set(jobId, atMs);
    });
  }

  countRejection(reason: string): void {
    this.#rejections.inc({ reason });
  }

  countFrame(pipeline: string): void {
    this.#frames.inc({ pipeline });
  }

  observeCommit(seconds: number, writes: number): void {
    this.#commits.observe(seconds);
    this.#writes.inc(writes);
  }

  /** Times every request by route, not by path, because there are as many paths as jobs. */
  measureRequests(): Middleware<RequestState> {
    return async (ctx, next) => {
      const begunMs = performance.now();
      await next();
      const route = ctx.state.route ?? 'none';
      this.#requests.observe(
        { method: ctx.method, route, status: String(ctx.status) },
        (performance.now() - begunMs) / 1000,
      );
    };
  }

  /** GET /metrics */
  route(): RouterMiddleware<RequestState> {
    return async (ctx) => {
      ctx.body = await this.#registry.metrics();
      ctx.type = this.#registry.contentType;
    };
  }
}
