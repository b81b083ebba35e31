import { assign, setup, type SnapshotFrom } from 'xstate';

/**
 * The life of a job. PURE: this machine is never run as a live actor. The engine asks
 * `transition(jobMachine, snapshot, event)` for the next snapshot, commits it, and only then acts.
 * So there is no `invoke`, `after`, `always`, spawn or action with an effect here, and the context is
 * plain JSON: a snapshot read back after a crash is the whole truth. A test walks the machine and asserts it.
 */

/** Stored beside every snapshot: XState 5 snapshots carry no version. Raise it when the shape of states or context changes. */
export const JOB_MACHINE_VERSION = 1;

export const JOB_STATES = ['pending', 'running', 'completed', 'failed'] as const;

/** What a job remembers between its transitions. */
export interface JobContext {
  /** Number of the present or last attempt, from 1; 0 before the first. Never goes down: it fences off stale attempts. */
  readonly attempt: number;
  /** Attempts lost to a crash, a stall or a dead service. A clean shutdown adds none. */
  readonly interruptions: number;
  /** `interruptions` at which the job is given up. */
  readonly maxAttempts: number;
  /** Storage path of the results; null until completed. */
  readonly outputPath: string | null;
  /** Why the job failed, for programs; null unless failed. */
  readonly errorCode: string | null;
  /** Why the job failed, for people; null unless failed. */
  readonly errorMessage: string | null;
}

/** Every event but START and CANCEL names the attempt that speaks; from any other attempt than the present one it is refused. */
export type JobEvent =
  | { readonly type: 'START' }
  | {
      readonly type: 'COMPLETE';
      readonly attempt: number;
      readonly outputPath: string;
      /** Facts about the video, for the row alone: they decide no transition. */
      readonly media?: Readonly<Record<string, string | number | null>>;
    }
  | { readonly type: 'FAIL'; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'INTERRUPT'; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'RELEASE'; readonly attempt: number }
  | { readonly type: 'CANCEL' };

type AttemptEvent = Extract<JobEvent, { attempt: number }>;

export const jobMachine = setup({
  types: {
    context: {} as JobContext,
    events: {} as JobEvent,
    input: {} as { readonly maxAttempts: number },
  },
  guards: {
    isPresentAttempt: ({ context }, { attempt }: AttemptEvent) => attempt === context.attempt,
    mayTryAgain: ({ context }, { attempt }: AttemptEvent) =>
      attempt === context.attempt && context.interruptions + 1 < context.maxAttempts,
  },
}).createMachine({
  id: 'job',
  initial: 'pending',
  context: ({ input }) => ({
    attempt: 0,
    interruptions: 0,
    // Each call of `transition` makes an actor without input and drops it; an error here, unseen, would double its time.
    maxAttempts: input?.maxAttempts ?? 0,
    outputPath: null,
    errorCode: null,
    errorMessage: null,
  }),
  states: {
    pending: {
      description: 'Accepted: the video is on disk, the row is committed, the id waits in the queue.',
      on: {
        START: {
          description: 'A worker took the id; the attempt is counted before its work begins.',
          target: 'running',
          actions: assign({ attempt: ({ context }) => context.attempt + 1 }),
        },
        CANCEL: {
          description: 'Its owner gave the job up before it began.',
          target: 'failed',
          actions: assign({ errorCode: 'cancelled', errorMessage: 'cancelled before it started' }),
        },
      },
    },
    running: {
      description: 'One attempt is under way in a child process.',
      on: {
        COMPLETE: {
          description: 'The results are stored whole.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'completed',
          actions: assign({ outputPath: ({ event }) => event.outputPath }),
        },
        FAIL: {
          description: 'What would happen again the same way: final.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'failed',
          actions: assign({ errorCode: ({ event }) => event.code, errorMessage: ({ event }) => event.message }),
        },
        INTERRUPT: [
          {
            description: 'The attempt was lost, and there is one left: back to the head of the queue.',
            guard: { type: 'mayTryAgain', params: ({ event }) => event },
            target: 'pending',
            actions: assign({ interruptions: ({ context }) => context.interruptions + 1 }),
          },
          {
            description: 'The last attempt was lost.',
            guard: { type: 'isPresentAttempt', params: ({ event }) => event },
            target: 'failed',
            actions: assign({
              interruptions: ({ context }) => context.interruptions + 1,
              errorCode: ({ event }) => event.code,
              errorMessage: ({ context, event }) =>
                `interrupted ${context.interruptions + 1} times, no attempt left: ${event.message}`,
            }),
          },
        ],
        RELEASE: {
          description: 'A clean shutdown gives the job back; no attempt is spent.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'pending',
        },
        CANCEL: {
          description: 'Its owner gave the job up; the child process is ended.',
          target: 'failed',
          actions: assign({ errorCode: 'cancelled', errorMessage: 'cancelled while it was running' }),
        },
      },
    },
    completed: { description: 'The results can be fetched.', type: 'final' },
    failed: { description: 'The error says why.', type: 'final' },
  },
});

export type JobSnapshot = SnapshotFrom<typeof jobMachine>;
