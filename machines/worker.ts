import { assign, fromCallback, fromPromise, not, setup, stateIn, type SnapshotFrom } from 'xstate';
import type { JobEvent } from './job.ts';

/**
 * The life of a worker: a live ACTOR that may die. It holds nothing that the database does not know, so it may die
 * between any two steps. The region `intake` says whether jobs may be taken; the region `work` says what is being done.
 * Leaving `analysing` aborts the `signal` of the work invoked there: cancel, time-out and shutdown are one mechanism.
 */

/** A job that this worker has marked running. */
export interface Claim {
  readonly jobId: string;
  readonly attempt: number;
}

/** How an attempt ended: the event to be committed. */
export type Outcome = Extract<JobEvent, { readonly attempt: number }>;

/** What the analysis of a claimed job led to. */
export type AnalysisResult =
  | {
      readonly kind: 'completed';
      readonly outputPath: string;
      readonly media?: Extract<JobEvent, { type: 'COMPLETE' }>['media'];
    }
  /** It would happen again with this video. */
  | { readonly kind: 'video'; readonly code: string; readonly message: string }
  /** It befell this attempt; the next one may succeed. */
  | { readonly kind: 'attempt'; readonly code: string; readonly message: string }
  /** The machine refuses (disk, database, processes): neither the video nor the attempt is at fault. */
  | { readonly kind: 'environment'; readonly error: unknown }
  /** The job was cancelled before its analysis began. */
  | { readonly kind: 'withdrawn' };

/** A step that the environment refused. */
export interface Refusal {
  readonly step: 'claim' | 'analyse' | 'record';
  readonly error: unknown;
}

export interface WorkerContext {
  /** The job in hand; null before the first one. */
  readonly claim: Claim | null;
  /** What is to be committed for it. */
  readonly outcome: Outcome | null;
  /** Number of jobs taken so far. */
  readonly taken: number;
  /** Steps that the environment refused since the last attempt that ended. */
  readonly refusals: number;
  /** The last of these; null when there was none. */
  readonly refusal: Refusal | null;
}

export type WorkerEvent =
  /** An id can be taken from the queue, by the worker that takes it at once. */
  | { readonly type: 'WAKE' }
  /** Take no further job; finish the one in hand. */
  | { readonly type: 'DRAIN' }
  /** Take no further job; give the one in hand back. */
  | { readonly type: 'HALT' }
  /** A job was cancelled; of interest when it is the one in hand. */
  | { readonly type: 'CANCEL'; readonly jobId: string };

export interface WorkerOutput {
  /** Number of jobs taken. */
  readonly taken: number;
}

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

const unbound = (): never => {
  throw new Error('bind the actors with workerMachine.provide');
};

/** The job in hand, in the states that have one. */
function inHand({ claim }: WorkerContext): Claim {
  if (claim === null) throw new Error('no job is in hand');
  return claim;
}

/** How its attempt ended, in the states that record it. */
function outcomeOf({ outcome }: WorkerContext): Outcome {
  if (outcome === null) throw new Error('there is no outcome to record');
  return outcome;
}

/** The event that commits a result of the analysis. */
function eventOf(result: AnalysisResult, attempt: number): Outcome {
  if (result.kind === 'completed') {
    const { outputPath, media } = result;
    return { type: 'COMPLETE', attempt, outputPath, ...(media === undefined ? {} : { media }) };
  }
  if (result.kind === 'video') return { type: 'FAIL', attempt, code: result.code, message: result.message };
  if (result.kind === 'attempt') return { type: 'INTERRUPT', attempt, code: result.code, message: result.message };
  return { type: 'RELEASE', attempt };
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
    /** Takes an id, before anything is waited for, and commits START; null when none can be taken. */
    claim: fromPromise<Claim | null>(unbound),
    /** Does the work of one attempt. It rejects only when a defect of the service keeps it from judging an error. */
    analyse: fromPromise<AnalysisResult, Claim>(unbound),
    /** Commits the outcome. Rejects when the environment refuses. */
    record: fromPromise<void, { readonly claim: Claim; readonly outcome: Outcome }>(unbound),
  },
  actions: {
    takeInHand: assign(({ context }, claim: Claim | null) => ({ claim, outcome: null, taken: context.taken + 1 })),
    keepOutcome: assign(({ context }, result: AnalysisResult) => ({
      outcome: eventOf(result, inHand(context).attempt),
    })),
    giveBack: assign({
      outcome: ({ context }): Outcome => ({ type: 'RELEASE', attempt: inHand(context).attempt }),
    }),
    failTimedOut: assign({
      outcome: ({ context }): Outcome => ({
        type: 'FAIL',
        attempt: inHand(context).attempt,
        code: 'timeout',
        message: 'the analysis took longer than JOB_TIMEOUT_MS allows',
      }),
    }),
    interruptByDefect: assign({
      outcome: ({ context }): Outcome => ({
        type: 'INTERRUPT',
        attempt: inHand(context).attempt,
        code: 'internal',
        message: 'the service failed during the analysis; its log has the reason under the job_id',
      }),
    }),
    countRefusal: assign(({ context }, refusal: Refusal) => ({ refusals: context.refusals + 1, refusal })),
    forgetRefusals: assign({ refusals: 0, refusal: null }),
    /** Logs that a step was refused and is tried again. */
    logRetry: (_args, _refusal: Refusal) => {},
    /** Logs a defect of the service. */
    logDefect: (_args, _defect: { readonly error: unknown }) => {},
  },
  delays: {
    /** Milliseconds to wait after a refusal: doubled from 1 s to a minute, so that a full disk is not flooded. */
    backoff: ({ context }) => Math.min(FIRST_BACKOFF_MS * 2 ** Math.max(0, context.refusals - 1), LONGEST_BACKOFF_MS),
    /** Milliseconds that one attempt may take; bound by the worker. The default is the longest that a timer can wait. */
    jobTimeout: 2 ** 31 - 1,
  },
  guards: {
    isClosed: not(stateIn({ intake: 'open' })),
    isHalted: stateIn({ intake: 'halted' }),
    isStopped: stateIn({ work: 'stopped' }),
    isGivenBack: ({ context }) => context.outcome?.type === 'RELEASE',
    isInHand: ({ context }, jobId: string) => context.claim?.jobId === jobId,
    nothingWaits: (_, claim: Claim | null) => claim === null,
    isWithdrawn: (_, { kind }: AnalysisResult) => kind === 'withdrawn',
    isRefused: (_, { kind }: AnalysisResult) => kind === 'environment',
  },
}).createMachine({
  id: 'worker',
  type: 'parallel',
  context: { claim: null, outcome: null, taken: 0, refusals: 0, refusal: null },
  output: ({ context }) => ({ taken: context.taken }),
  states: {
    intake: {
      initial: 'open',
      states: {
        open: {
          description: 'Jobs are taken as they come.',
          on: {
            DRAIN: { description: 'No further job is taken.', target: 'draining' },
            HALT: { description: 'No further job is taken, and the one in hand is given back.', target: 'halted' },
          },
        },
        draining: {
          description: 'The job in hand may finish.',
          on: { HALT: { description: 'The grace time is over.', target: 'halted' } },
          always: { description: 'No job is in hand.', guard: 'isStopped', target: 'closed' },
        },
        halted: {
          description: 'The job in hand is given back.',
          always: { description: 'No job is in hand.', guard: 'isStopped', target: 'closed' },
        },
        closed: { description: 'No job will be taken.', type: 'final' },
      },
    },
    work: {
      initial: 'claiming',
      states: {
        resting: {
          description:
            'No id can be taken: the queue is empty, or its first job waits for its next attempt. Nothing is polled.',
          invoke: { src: 'awaitWork' },
          always: { description: 'Nothing is in hand: stop.', guard: 'isClosed', target: 'stopped' },
          on: { WAKE: { description: 'An id can be taken.', target: 'claiming' } },
        },
        claiming: {
          description: 'Takes an id and commits START. Never left midway: a committed START must find its worker.',
          invoke: {
            src: 'claim',
            onDone: [
              {
                description: 'No id can be taken now.',
                guard: { type: 'nothingWaits', params: ({ event }) => event.output },
                target: 'resting',
              },
              {
                description: 'Halted meanwhile: the job goes back untouched.',
                guard: 'isHalted',
                target: 'recording',
                actions: [{ type: 'takeInHand', params: ({ event }) => event.output }, 'giveBack'],
              },
              {
                description: 'The job is running and in hand.',
                target: 'analysing',
                actions: { type: 'takeInHand', params: ({ event }) => event.output },
              },
            ],
            onError: {
              description: 'The database refuses; the id is back in the queue.',
              target: 'retryingClaim',
              actions: [
                { type: 'countRefusal', params: ({ event }) => ({ step: 'claim', error: event.error }) },
                { type: 'logRetry', params: ({ event }) => ({ step: 'claim', error: event.error }) },
              ],
            },
          },
        },
        retryingClaim: {
          description: 'Waits before the next claim; no job is in hand.',
          tags: 'refused',
          always: { description: 'Nothing is in hand: stop.', guard: 'isClosed', target: 'stopped' },
          after: { backoff: { description: 'Try again.', target: 'claiming' } },
        },
        analysing: {
          description: 'The attempt runs in a child process; leaving this state ends it.',
          invoke: {
            src: 'analyse',
            input: ({ context }) => inHand(context),
            onDone: [
              {
                description: 'The job was cancelled before its analysis began; there is nothing to record.',
                guard: { type: 'isWithdrawn', params: ({ event }) => event.output },
                target: 'resting',
              },
              {
                description: 'The environment refuses: the job goes back, no attempt spent.',
                guard: { type: 'isRefused', params: ({ event }) => event.output },
                target: 'recording',
                actions: [
                  { type: 'keepOutcome', params: ({ event }) => event.output },
                  { type: 'countRefusal', params: ({ event }) => refusalIn(event.output) },
                  { type: 'logRetry', params: ({ event }) => refusalIn(event.output) },
                ],
              },
              {
                description: 'The attempt ended: completed, failed by its video, or interrupted.',
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
              description: 'The attempt took too long; so would the next one.',
              target: 'recording',
              actions: 'failTimedOut',
            },
          },
          on: {
            HALT: {
              description: 'The grace time is over: the job goes back, no attempt spent.',
              target: 'recording',
              actions: 'giveBack',
            },
            CANCEL: {
              description: 'The job in hand was cancelled; there is nothing to record.',
              guard: { type: 'isInHand', params: ({ event }) => event.jobId },
              target: 'resting',
            },
          },
        },
        recording: {
          description: 'Commits how the attempt ended.',
          invoke: {
            src: 'record',
            input: ({ context }) => ({ claim: inHand(context), outcome: outcomeOf(context) }),
            onDone: [
              {
                description: 'The job was given back: wait before the next one.',
                guard: 'isGivenBack',
                target: 'pausing',
              },
              { description: 'Recorded.', target: 'resting', actions: 'forgetRefusals' },
            ],
            onError: {
              description: 'The database refuses; the outcome is kept.',
              target: 'retryingRecord',
              actions: [
                { type: 'countRefusal', params: ({ event }) => ({ step: 'record', error: event.error }) },
                { type: 'logRetry', params: ({ event }) => ({ step: 'record', error: event.error }) },
              ],
            },
          },
        },
        retryingRecord: {
          description: 'Keeps the outcome and waits before the next try to record it.',
          tags: 'refused',
          always: {
            description: 'Given up: the next start finds the job running.',
            guard: 'isHalted',
            target: 'stopped',
          },
          after: { backoff: { description: 'Try again.', target: 'recording' } },
        },
        pausing: {
          description: 'Waits until the environment may have recovered; no job is in hand.',
          tags: 'refused',
          always: { description: 'Nothing is in hand: stop.', guard: 'isClosed', target: 'stopped' },
          after: { backoff: { description: 'Try again.', target: 'claiming' } },
        },
        stopped: { description: 'No job is in hand, none will be taken.', type: 'final' },
      },
    },
  },
});

export type WorkerSnapshot = SnapshotFrom<typeof workerMachine>;
