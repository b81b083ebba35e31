import type { RouterMiddleware } from '@koa/router';
import type { JobEngine } from '../../engine/job-engine.ts';
import type { JobId } from '../../job.ts';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-state.ts';

/** Seconds after which a client at its limit may have capacity again. */
const RETRY_AFTER_S = 10;
/**
 * Number of remembered jobs that started before their client was known: more than can start while a submission
 * responds.
 */
const MAX_STARTED = 1_024;

export interface FairShareOptions {
  readonly engine: Pick<JobEngine, 'onTransition'>;
  /** Concurrent uploads and pending jobs of all clients. */
  readonly maxUploads: number;
  readonly maxPending: number;
  /** The share of one client, above 0 to 1. */
  readonly clientShare: number;
  /** Returns true if there are several keys, each of which is a client. */
  readonly isSharedByKeys: () => boolean;
}

/**
 * Rejects a submission of a client that exceeds its share of uploads or pending jobs. A client is a key if
 * there are several, else a network. Jobs from before a restart count for no client.
 */
export function shareFairly(options: FairShareOptions): RouterMiddleware<RequestState> {
  const uploads = new Counts();
  const waiting = new WaitingJobs(options.engine);
  return async (ctx, next) => {
    const { caller, client } = ctx.state;
    const name = caller !== undefined && options.isSharedByKeys() ? `key ${caller.id}` : client.network;
    const share = (max: number): number => Math.max(1, Math.floor(max * options.clientShare));
    const [maxUploads, maxPending] = [share(options.maxUploads), share(options.maxPending)];
    // A share of 1 is left to the limits of the service, which respond with 503.
    const hasUploads = maxUploads < options.maxUploads && uploads.of(name) >= maxUploads;
    const hasPending = maxPending < options.maxPending && waiting.of(name) >= maxPending;
    if (hasUploads || hasPending) {
      const detail = `This client has its share of uploads (${maxUploads}) or of waiting jobs (${maxPending})`;
      ctx.set('Retry-After', String(RETRY_AFTER_S));
      sendProblem(ctx, 'too_many_requests', detail);
      return;
    }
    uploads.add(name, 1);
    try {
      await next();
    } finally {
      uploads.add(name, -1);
    }
    const isNew = !ctx.res.hasHeader('Idempotent-Replayed');
    if (ctx.status === 202 && ctx.state.jobId !== undefined && isNew) waiting.accept(ctx.state.jobId, name);
  };
}

/** A counter per name. Zeros are not stored. */
class Counts {
  readonly #counts = new Map<string, number>();

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  add(name: string, change: 1 | -1): void {
    const count = this.of(name) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}

/** The client of each pending job. */
class WaitingJobs {
  readonly #counts = new Counts();
  readonly #clients = new Map<JobId, string>();
  /** Jobs that left the queue before `accept` named their client. */
  readonly #started = new Set<JobId>();

  constructor(engine: FairShareOptions['engine']) {
    engine.onTransition(({ jobId }, { fromState, toState }) => {
      const client = this.#clients.get(jobId);
      if (client === undefined) {
        if (fromState === 'pending') this.#remember(jobId);
        return;
      }
      if (fromState === 'pending') this.#counts.add(client, -1);
      if (toState === 'pending') this.#counts.add(client, 1);
      if (toState === 'completed' || toState === 'failed') this.#clients.delete(jobId);
    });
  }

  of(client: string): number {
    return this.#counts.of(client);
  }

  accept(jobId: JobId, client: string): void {
    if (this.#started.delete(jobId)) return;
    this.#clients.set(jobId, client);
    this.#counts.add(client, 1);
  }

  #remember(jobId: JobId): void {
    this.#started.add(jobId);
    const [oldest] = this.#started.size > MAX_STARTED ? this.#started : [];
    if (oldest !== undefined) this.#started.delete(oldest);
  }
}
