import type { RouterMiddleware } from '@koa/router';
import { classify } from '../../engine/classify-error.ts';
import type { JobEngine } from '../../engine/job-engine.ts';
import type { WorkerRefusal } from '../../engine/worker.ts';
import type { VideoSearch } from '../../search/video-search.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { StateValue } from './activity.ts';
import { sendProblem } from '../problem.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { requireRoom, type RoomOptions } from '../uploads/room.ts';
import type { HealthResponse, ReadyResponse } from '../schemas.ts';

export interface HealthOptions {
  readonly version: string;
  /** Names of the active sandbox layers. */
  readonly isolation: readonly string[];
  /** Version of FFmpeg; undefined before a child process has started. */
  readonly ffmpeg: () => string | undefined;
  /** Number of dead workers that are not replaced yet. */
  readonly deadWorkers: () => number;
  /** True after damage of the database was found; a restart repairs it. */
  readonly isDamaged: () => boolean;
  /** Why workers wait for the environment. */
  readonly refusals: () => readonly WorkerRefusal[];
  readonly search: Pick<VideoSearch, 'state'>;
  /** The current state of each worker. */
  readonly workers: () => readonly StateValue[];
}

/** GET /health: 503 if a restart would help, because workers died or the database is damaged. */
export function healthRoute({
  version,
  isolation,
  ffmpeg,
  deadWorkers,
  isDamaged,
  refusals,
  search,
}: HealthOptions): RouterMiddleware<RequestState> {
  return (ctx) => {
    const dead = deadWorkers();
    if (dead > 0) {
      sendProblem(
        ctx,
        'worker_dead',
        `Workers that died: ${dead}. Each is replaced after a pause; the log says why it died`,
      );
      return;
    }
    if (isDamaged()) {
      sendProblem(
        ctx,
        'store_unavailable',
        'The job database is damaged. A restart sets it aside and restores the jobs',
      );
      return;
    }
    ctx.body = {
      status: 'ok',
      version,
      uptime_s: Math.floor(process.uptime()),
      isolation: [...isolation],
      ffmpeg: ffmpeg() ?? null,
      refusals: refusals().map(({ step, code, message, refusals: times }) => ({ step, code, message, times })),
      search_index: search.state().isComplete ? 'complete' : 'incomplete',
    } satisfies HealthResponse;
  };
}

export interface ReadyOptions extends HealthOptions, RoomOptions {
  readonly reads: Pick<JobReads, 'ping'>;
  readonly engine: Pick<JobEngine, 'requireQueueRoom'>;
  /** What is missing before jobs are analysed, one sentence each. */
  readonly waitingFor: () => readonly string[];
}

/** GET /ready: 503 with the reasons if jobs cannot be accepted, read and analysed. */
export function readyRoute(options: ReadyOptions): RouterMiddleware<RequestState> {
  const { reads, engine, refusals, workers, waitingFor } = options;
  return async (ctx) => {
    const reasons = [...waitingFor()];
    try {
      await reads.ping();
      engine.requireQueueRoom();
      await requireRoom(0, options);
    } catch (error) {
      reasons.unshift(classify(error).message);
    }
    const waiting = refusals();
    const [first] = waiting;
    if (first !== undefined && waiting.length === workers().length) {
      reasons.push(`Every worker waits until the environment lets it go on: ${first.message}`);
    }
    if (reasons.length > 0) sendProblem(ctx, 'not_ready', reasons.join('; '));
    else ctx.body = { status: 'ready' } satisfies ReadyResponse;
  };
}
