import { and, assign, fromCallback, fromPromise, not, setup, stateIn, type SnapshotFrom } from 'xstate';
import type { JobEvent } from './job.ts';

/**
 * The life of a worker: a live ACTOR, mortal. It holds nothing that the database does not know, so it may die between
 * any two steps. Leaving `analysing` aborts the `signal` of the work invoked there: cancel, time-out and shutdown are
 * one mechanism. The region `intake` says whether more jobs may be taken; the region `work` is what is being done.
 */

/** A job that this worker has marked running. */
export interface Claim {
  readonly jobId: string;
  readonly attempt: number;
}

/** How an attempt ended; null when the job was no longer this attempt's to end (it was cancelled). */
export type Outcome = Extract<JobEvent, { readonly attempt: number }> | null;

export interface WorkerContext {
  /** The job in hand. */
  readonly claim: Claim | null;
  /** What is to be recorded for it. */
  readonly outcome: Outcome;
  /** Number of jobs taken so far. */
  readonly taken: number;
}

export type WorkerEvent =
  /** An id waits in the queue, for whoever takes it at once. */
  | { readonly type: 'WAKE' }
  /** Take no further job; finish the one in hand. */
  | { readonly type: 'DRAIN' }
  /** The grace time is over: give the job in hand back. */
  | { readonly type: 'HALT' }
  /** A job was cancelled; of interest when it is the one in hand. */
  | { readonly type: 'CANCEL'; readonly jobId: string };

const unbound = (): never => {
  throw new Error('bind the actors with workerMachine.provide');
};

/** What is recorded when the job in hand is given back. */
const release = ({ context }: { readonly context: WorkerContext }): Outcome =>
  context.claim === null ? null : { type: 'RELEASE', attempt: context.claim.attempt };

export const workerMachine = setup({
  types: { context: {} as WorkerContext, events: {} as WorkerEvent },
  actors: {
    /** Sends WAKE when an id waits in the queue. */
    awaitWork: fromCallback(unbound),
    /** Takes an id, before anything is waited for, and commits START; null when none waits. */
    claim: fromPromise<Claim | null>(unbound),
    /** Does the work of one attempt and says how it ended. */
    analyse: fromPromise<Outcome, Claim | null>(unbound),
    /** Commits the outcome. */
    record: fromPromise<void, { readonly claim: Claim | null; readonly outcome: Outcome }>(unbound),
  },
  delays: {
    /** Milliseconds to wait when the store refuses: long enough not to flood a full disk, short enough to notice room. */
    backoff: 1_000,
    /** Milliseconds that one attempt may take in all; bound by the worker. The default is the longest that a timer can wait. */
    jobTimeout: 2 ** 31 - 1,
  },
  guards: {
    isClosed: not(stateIn({ intake: 'open' })),
    isHalted: stateIn({ intake: 'halted' }),
    isInHand: ({ context }, jobId: string) => context.claim?.jobId === jobId,
  },
}).createMachine({
  id: 'worker',
  type: 'parallel',
  context: { claim: null, outcome: null, taken: 0 },
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
        },
        halted: { description: 'The job in hand is given back.' },
      },
    },
    work: {
      initial: 'claiming',
      states: {
        resting: {
          description: 'Nothing waits. Woken by the queue; nothing is polled.',
          invoke: { src: 'awaitWork' },
          on: {
            WAKE: { description: 'An id waits.', target: 'claiming' },
            DRAIN: { description: 'Nothing in hand: stop at once.', target: 'stopped' },
            HALT: { description: 'Nothing in hand: stop at once.', target: 'stopped' },
          },
        },
        claiming: {
          description: 'Takes an id and commits START. Never left midway: a committed START must find its worker.',
          invoke: {
            src: 'claim',
            onDone: [
              {
                description: 'Nothing waits, and nothing more is wanted.',
                guard: and([({ event }) => event.output === null, 'isClosed']),
                target: 'stopped',
              },
              { description: 'Nothing waits.', guard: ({ event }) => event.output === null, target: 'resting' },
              {
                description: 'Halted meanwhile: the job goes back untouched.',
                guard: 'isHalted',
                target: 'recording',
                actions: [
                  assign({ claim: ({ event }) => event.output, taken: ({ context }) => context.taken + 1 }),
                  assign({ outcome: release }),
                ],
              },
              {
                description: 'The job is running and in hand.',
                target: 'analysing',
                actions: assign({ claim: ({ event }) => event.output, taken: ({ context }) => context.taken + 1 }),
              },
            ],
            onError: [
              { description: 'The store refuses, and nothing more is wanted.', guard: 'isClosed', target: 'stopped' },
              { description: 'The store refuses; the id is back in the queue.', target: 'faltering' },
            ],
          },
        },
        faltering: {
          description: 'The store could not be written; tried again after the backoff.',
          after: { backoff: { description: 'Try again.', target: 'claiming' } },
          on: {
            DRAIN: { description: 'Nothing in hand: stop at once.', target: 'stopped' },
            HALT: { description: 'Nothing in hand: stop at once.', target: 'stopped' },
          },
        },
        analysing: {
          description: 'The attempt runs in a child process; leaving this state kills it.',
          invoke: {
            src: 'analyse',
            input: ({ context }) => context.claim,
            onDone: {
              description: 'The attempt ended, well or not.',
              target: 'recording',
              actions: assign({ outcome: ({ event }) => event.output }),
            },
            onError: {
              description: 'A defect of ours: it would come again.',
              target: 'recording',
              actions: assign({
                outcome: ({ context, event }) =>
                  context.claim === null
                    ? null
                    : { type: 'FAIL', attempt: context.claim.attempt, code: 'internal', message: String(event.error) },
              }),
            },
          },
          after: {
            jobTimeout: {
              description: 'The attempt took too long; so would the next one.',
              target: 'recording',
              actions: assign({
                outcome: ({ context }) =>
                  context.claim === null
                    ? null
                    : {
                        type: 'FAIL',
                        attempt: context.claim.attempt,
                        code: 'timeout',
                        message: 'the analysis took longer than JOB_TIMEOUT_MS allows',
                      },
              }),
            },
          },
          on: {
            HALT: {
              description: 'The grace time is over: the job goes back, no attempt spent.',
              target: 'recording',
              actions: assign({ outcome: release }),
            },
            CANCEL: {
              description: 'The job in hand was cancelled; there is nothing to record.',
              guard: { type: 'isInHand', params: ({ event }) => event.jobId },
              target: 'recording',
              actions: assign({ outcome: null }),
            },
          },
        },
        recording: {
          description: 'Commits how the attempt ended.',
          invoke: {
            src: 'record',
            input: ({ context }) => ({ claim: context.claim, outcome: context.outcome }),
            onDone: [
              { description: 'Recorded, and nothing more is wanted.', guard: 'isClosed', target: 'stopped' },
              { description: 'Recorded; whatever waits wakes the worker at once.', target: 'resting' },
            ],
            onError: { description: 'The store refuses.', target: 'holding' },
          },
        },
        holding: {
          description: 'The outcome is kept and recorded after the backoff.',
          after: { backoff: { description: 'Try again.', target: 'recording' } },
          on: {
            HALT: { description: 'Given up: the next start finds the job running.', target: 'stopped' },
          },
        },
        stopped: { description: 'No job in hand, none will be taken.', type: 'final' },
      },
    },
  },
});

export type WorkerSnapshot = SnapshotFrom<typeof workerMachine>;
