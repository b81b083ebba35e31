import { assign, setup, type SnapshotFrom } from 'xstate';

/**
 * The job machine is pure and never runs as a live actor. The engine computes the next snapshot with
 * `transition(jobMachine, snapshot, event)`, commits it, and only then acts. The machine has no `invoke`, `after`,
 * `always`, spawn or action with an effect, and its context is plain JSON, so that a stored snapshot is complete.
 * test/machines/job.test.ts walks the machine and asserts this.
 */

/** Stored with every snapshot, because XState 5 snapshots have no version. Raise it when states or context change shape. */
export const JOB_MACHINE_VERSION = 1;

export const JOB_STATES = ['pending', 'running', 'completed', 'failed'] as const;

export interface JobContext {
  /** Number of the current or last attempt, from 1; 0 before the first. Never decreases, so that late events of old attempts are rejected. */
  readonly attempt: number;
  /** Number of attempts lost to a crash, a stall or the death of the service. */
  readonly interruptions: number;
  /** Number of interruptions at which the job fails. */
  readonly maxAttempts: number;
  /** Storage path of the results; null until completed. */
  readonly outputPath: string | null;
  /** Why the job failed, for programs; null unless failed. */
  readonly errorCode: string | null;
  /** Why the job failed, for people; null unless failed. */
  readonly errorMessage: string | null;
}

/** An event with an `attempt` is rejected unless it is the current one. */
export type JobEvent =
  | { readonly type: 'START' }
  | {
      readonly type: 'COMPLETE';
      readonly attempt: number;
      readonly outputPath: string;
      /** Facts about the video, stored in the row. They do not affect transitions. */
      readonly media?: Readonly<Record<string, string | number | null>>;
    }
  | { readonly type: 'FAIL'; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'INTERRUPT'; readonly attempt: number; readonly code: string; readonly message: string }
  | { readonly type: 'RELEASE'; readonly attempt: number }
  | { readonly type: 'CANCEL' };

type AttemptEvent = Extract<JobEvent, { attempt: number }>;
/** Why an attempt failed or was interrupted. */
type Trouble = Pick<Extract<JobEvent, { code: string }>, 'code' | 'message'>;

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
  actions: {
    countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
    countInterruption: assign({ interruptions: ({ context }) => context.interruptions + 1 }),
    keepOutputPath: assign((_, { outputPath }: Pick<JobContext, 'outputPath'>) => ({ outputPath })),
    keepError: assign((_, { code, message }: Trouble) => ({ errorCode: code, errorMessage: message })),
  },
}).createMachine({
  id: 'job',
  initial: 'pending',
  context: ({ input }) => ({
    attempt: 0,
    interruptions: 0,
    // `transition` creates an actor without input on each call; an error here would double its time.
    maxAttempts: input?.maxAttempts ?? 0,
    outputPath: null,
    errorCode: null,
    errorMessage: null,
  }),
  states: {
    pending: {
      description: 'The job is accepted: its video is stored, its row committed, its id queued.',
      on: {
        START: {
          description: 'A worker took the job. The attempt is counted before its work starts.',
          target: 'running',
          actions: 'countAttempt',
        },
        CANCEL: {
          description: 'A client cancelled the job before it started.',
          target: 'failed',
          actions: { type: 'keepError', params: { code: 'cancelled', message: 'cancelled before it started' } },
        },
      },
    },
    running: {
      description: 'An attempt runs in a child process.',
      on: {
        COMPLETE: {
          description: 'The results are stored.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'completed',
          actions: { type: 'keepOutputPath', params: ({ event }) => event },
        },
        FAIL: {
          description: 'The same error would occur again.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'failed',
          actions: { type: 'keepError', params: ({ event }) => event },
        },
        INTERRUPT: [
          {
            description: 'The attempt was lost and another one is left. The job goes to the head of the queue.',
            guard: { type: 'mayTryAgain', params: ({ event }) => event },
            target: 'pending',
            actions: 'countInterruption',
          },
          {
            description: 'The last attempt was lost.',
            guard: { type: 'isPresentAttempt', params: ({ event }) => event },
            target: 'failed',
            actions: [
              'countInterruption',
              {
                type: 'keepError',
                params: ({ context, event }) => ({
                  code: event.code,
                  message: `interrupted ${context.interruptions} times, no attempt left: ${event.message}`,
                }),
              },
            ],
          },
        ],
        RELEASE: {
          description: 'A shutdown or the environment ended the attempt. It does not count.',
          guard: { type: 'isPresentAttempt', params: ({ event }) => event },
          target: 'pending',
        },
        CANCEL: {
          description: 'A client cancelled the job. Its child process is killed.',
          target: 'failed',
          actions: { type: 'keepError', params: { code: 'cancelled', message: 'cancelled while it was running' } },
        },
      },
    },
    completed: { description: 'The results can be fetched.', type: 'final' },
    failed: { description: 'The error has the reason.', type: 'final' },
  },
});

export type JobSnapshot = SnapshotFrom<typeof jobMachine>;
