import { assign, fromCallback, fromPromise, not, setup, stateIn, type SnapshotFrom } from 'xstate';
import {
  EMPTY_HAND,
  handWith,
  interrupted,
  outcomeOf,
  released,
  timedOut,
  withOutcome,
  type AnalysisResult,
  type Claim,
  type Hand,
  type Outcome,
} from './attempt.ts';

/**
 * A worker is a live actor. All its state is also in the database, so it can die between any two steps. The region
 * `intake` says whether it takes jobs; the region `work` says what it does. Leaving `analysing` aborts the signal of
 * the analysis; cancel, timeout and shutdown all use this.
 */

/** A step that the environment refused. */
export interface Refusal {
  readonly step: 'claim' | 'analyse' | 'record';
  readonly error: unknown;
}

export interface WorkerContext {
  readonly hand: Hand;
  /** Number of jobs taken. */
  readonly taken: number;
  /** Number of refused steps since the last recorded attempt. */
  readonly refusals: number;
  /** The last refused step; null if there was none. */
  readonly refusal: Refusal | null;
}

export type WorkerEvent =
  /** An id can be taken from the queue. */
  | { readonly type: 'WAKE' }
  /** Take no more jobs; finish the current one. */
  | { readonly type: 'DRAIN' }
  /** Take no more jobs; give the current one back. */
  | { readonly type: 'HALT' }
  /** A job was cancelled. Ignored unless it is the current one. */
  | { readonly type: 'CANCEL'; readonly jobId: string };

export interface WorkerOutput {
  /** Number of jobs taken. */
  readonly taken: number;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
const DEFECT_MESSAGE = 'the service failed during the analysis; its log has the reason under the job_id';

const unbound = (): never => {
  throw new Error('bind the actors with workerMachine.provide');
};

/** The current job. The states that invoke an actor with it are only entered with one. */
function jobIn({ hand }: WorkerContext): Extract<Hand, { kind: 'job' }> {
  if (hand.kind === 'empty') throw new Error('no job is in hand');
  return hand;
}

function refusalIn(result: AnalysisResult): Refusal {
  return { step: 'analyse', error: result.kind === 'environment' ? result.error : undefined };
}

export const workerMachine = setup({
  types: {
    context: {} as WorkerContext,
    events: {} as WorkerEvent,
    output: {} as WorkerOutput,
    tags: {} as 'refused',
  },
  actors: {
    /** Sends WAKE when an id can be taken from the queue. */
    awaitWork: fromCallback(unbound),
    /** Takes an id synchronously and commits START. Resolves with null if no id can be taken. */
    claim: fromPromise<Claim | null>(unbound),
    /** Runs one attempt. Rejects only on a defect of the service. */
    analyse: fromPromise<AnalysisResult, Claim>(unbound),
    /** Commits the outcome. Rejects if the environment refuses. */
    record: fromPromise<void, { readonly claim: Claim; readonly outcome: Outcome }>(unbound),
  },
  actions: {
    takeJob: assign(({ context }, claim: Claim | null) =>
      claim === null ? {} : { hand: handWith(claim), taken: context.taken + 1 },
    ),
    letGo: assign({ hand: EMPTY_HAND }),
    keepOutcome: assign(({ context }, result: AnalysisResult) => ({
      hand: withOutcome(context.hand, outcomeOf(result)),
    })),
    giveBack: assign(({ context }) => ({ hand: withOutcome(context.hand, released) })),
    failTimedOut: assign(({ context }) => ({ hand: withOutcome(context.hand, timedOut) })),
    interruptByDefect: assign(({ context }) => ({ hand: withOutcome(context.hand, interrupted(DEFECT_MESSAGE)) })),
    countRefusal: assign(({ context }, refusal: Refusal) => ({ refusals: context.refusals + 1, refusal })),
    forgetRefusals: assign({ refusals: 0, refusal: null }),
    /** Logs a refused step that will be retried. */
    logRetry: (_args, _refusal: Refusal) => {},
    /** Logs a defect of the service. */
    logDefect: (_args, _defect: { readonly error: unknown }) => {},
  },
  delays: {
    /** Milliseconds to wait after a refusal: from 1 s, doubled up to a minute, so that a full disk is not flooded. */
    backoff: ({ context }) => Math.min(FIRST_BACKOFF_MS * 2 ** Math.max(0, context.refusals - 1), LONGEST_BACKOFF_MS),
    /** Longest attempt in milliseconds; provided by the worker. The default is the longest possible timer. */
    jobTimeout: 2 ** 31 - 1,
  },
  guards: {
    isClosed: not(stateIn({ intake: 'open' })),
    isHalted: stateIn({ intake: 'halted' }),
    isStopped: stateIn({ work: 'stopped' }),
    isGivenBack: ({ context: { hand } }) => hand.kind === 'job' && hand.outcome.type === 'RELEASE',
    isInHand: ({ context: { hand } }, jobId: string) => hand.kind === 'job' && hand.claim.jobId === jobId,
    nothingWaits: (_, claim: Claim | null) => claim === null,
    isWithdrawn: (_, { kind }: AnalysisResult) => kind === 'withdrawn',
    isRefused: (_, { kind }: AnalysisResult) => kind === 'environment',
  },
}).createMachine({
  id: 'worker',
  type: 'parallel',
  context: { hand: EMPTY_HAND, taken: 0, refusals: 0, refusal: null },
  output: ({ context }) => ({ taken: context.taken }),
  states: {
    intake: {
      initial: 'open',
      states: {
        open: {
          description: 'The worker takes jobs.',
          on: {
            DRAIN: { description: 'Stop taking jobs.', target: 'draining' },
            HALT: { description: 'Stop taking jobs and give the current one back.', target: 'halted' },
          },
        },
        draining: {
          description: 'The current job can finish.',
          on: { HALT: { description: 'The grace time is over.', target: 'halted' } },
          always: { description: 'The worker has no job.', guard: 'isStopped', target: 'closed' },
        },
        halted: {
          description: 'The current job is given back.',
          always: { description: 'The worker has no job.', guard: 'isStopped', target: 'closed' },
        },
        closed: { description: 'The worker accepts no more jobs.', type: 'final' },
      },
    },
    work: {
      initial: 'claiming',
      states: {
        resting: {
          description:
            'No id can be taken: the queue is empty, or its first job waits for its next attempt. The worker does not poll.',
          invoke: { src: 'awaitWork' },
          always: { description: 'The worker has no job and stops.', guard: 'isClosed', target: 'stopped' },
          on: { WAKE: { description: 'An id can be taken.', target: 'claiming' } },
        },
        claiming: {
          description: 'Takes an id and commits START. Not interruptible, because a committed START needs its worker.',
          invoke: {
            src: 'claim',
            onDone: [
              {
                description: 'No id can be taken now.',
                guard: { type: 'nothingWaits', params: ({ event }) => event.output },
                target: 'resting',
              },
              {
                description: 'The worker was halted meanwhile. The job goes back.',
                guard: 'isHalted',
                target: 'recording',
                actions: [{ type: 'takeJob', params: ({ event }) => event.output }, 'giveBack'],
              },
              {
                description: 'The job is running.',
                target: 'analysing',
                actions: { type: 'takeJob', params: ({ event }) => event.output },
              },
            ],
            onError: {
              description: 'The database is unavailable. The id is back in the queue.',
              target: 'retryingClaim',
              actions: [
                { type: 'countRefusal', params: ({ event }) => ({ step: 'claim', error: event.error }) },
                { type: 'logRetry', params: ({ event }) => ({ step: 'claim', error: event.error }) },
              ],
            },
          },
        },
        retryingClaim: {
          description: 'Waits before the next claim. The worker has no job.',
          tags: 'refused',
          always: { description: 'The worker has no job and stops.', guard: 'isClosed', target: 'stopped' },
          after: { backoff: { description: 'Retry.', target: 'claiming' } },
        },
        analysing: {
          description: 'The attempt runs in a child process. Leaving this state kills it.',
          invoke: {
            src: 'analyse',
            input: ({ context }) => jobIn(context).claim,
            onDone: [
              {
                description: 'The job was cancelled before its analysis. There is nothing to record.',
                guard: { type: 'isWithdrawn', params: ({ event }) => event.output },
                target: 'resting',
                actions: 'letGo',
              },
              {
                description: 'The environment refuses. The job goes back; the attempt does not count.',
                guard: { type: 'isRefused', params: ({ event }) => event.output },
                target: 'recording',
                actions: [
                  { type: 'keepOutcome', params: ({ event }) => event.output },
                  { type: 'countRefusal', params: ({ event }) => refusalIn(event.output) },
                  { type: 'logRetry', params: ({ event }) => refusalIn(event.output) },
                ],
              },
              {
                description: 'The attempt completed, failed or was interrupted.',
                target: 'recording',
                actions: { type: 'keepOutcome', params: ({ event }) => event.output },
              },
            ],
            onError: {
              description: 'A defect of the service interrupted the attempt.',
              target: 'recording',
              actions: ['interruptByDefect', { type: 'logDefect', params: ({ event }) => ({ error: event.error }) }],
            },
          },
          after: {
            jobTimeout: {
              description: 'The attempt took too long. The next one would too.',
              target: 'recording',
              actions: 'failTimedOut',
            },
          },
          on: {
            HALT: {
              description: 'The grace time is over. The job goes back; the attempt does not count.',
              target: 'recording',
              actions: 'giveBack',
            },
            CANCEL: {
              description: 'The current job was cancelled. There is nothing to record.',
              guard: { type: 'isInHand', params: ({ event }) => event.jobId },
              target: 'resting',
              actions: 'letGo',
            },
          },
        },
        recording: {
          description: 'Commits the outcome of the attempt.',
          invoke: {
            src: 'record',
            input: ({ context }) => jobIn(context),
            onDone: [
              {
                description: 'The job was given back. Wait before the next one.',
                guard: 'isGivenBack',
                target: 'pausing',
                actions: 'letGo',
              },
              { description: 'The outcome is recorded.', target: 'resting', actions: ['letGo', 'forgetRefusals'] },
            ],
            onError: {
              description: 'The database is unavailable. The outcome is kept.',
              target: 'retryingRecord',
              actions: [
                { type: 'countRefusal', params: ({ event }) => ({ step: 'record', error: event.error }) },
                { type: 'logRetry', params: ({ event }) => ({ step: 'record', error: event.error }) },
              ],
            },
          },
        },
        retryingRecord: {
          description: 'Waits before it records the outcome again.',
          tags: 'refused',
          always: {
            description: 'The worker stops. The next start finds the job running.',
            guard: 'isHalted',
            target: 'stopped',
          },
          after: { backoff: { description: 'Retry.', target: 'recording' } },
        },
        pausing: {
          description: 'Waits for the environment. The worker has no job.',
          tags: 'refused',
          always: { description: 'The worker has no job and stops.', guard: 'isClosed', target: 'stopped' },
          after: { backoff: { description: 'Retry.', target: 'claiming' } },
        },
        stopped: { description: 'The worker has no job and accepts none.', type: 'final' },
      },
    },
  },
});

export type WorkerSnapshot = SnapshotFrom<typeof workerMachine>;
