import type { JobEvent } from './job.ts';

/** A job that a worker has started. */
export interface Claim {
  readonly jobId: string;
  readonly attempt: number;
}

/** The event to commit at the end of an attempt. */
export type Outcome = Extract<JobEvent, { readonly attempt: number }>;

/** The current job of a worker. */
export type Hand =
  | { readonly kind: 'empty' }
  | {
      readonly kind: 'job';
      readonly claim: Claim;
      /** The event to commit for the job. Until the attempt has ended, an interruption. */
      readonly outcome: Outcome;
    };

export const EMPTY_HAND: Hand = { kind: 'empty' };

/** How an analysis ended. */
export type AnalysisResult =
  | ({ readonly kind: 'completed' } & Pick<Extract<Outcome, { type: 'COMPLETE' }>, 'outputPath' | 'media'>)
  /** The error would occur again with this video. */
  | { readonly kind: 'video'; readonly code: string; readonly message: string }
  /** The error concerns this attempt; the next one may succeed. */
  | { readonly kind: 'attempt'; readonly code: string; readonly message: string }
  /** Disk, database or processes are unavailable; neither the video nor the attempt is at fault. */
  | { readonly kind: 'environment'; readonly error: unknown }
  /** The job was cancelled before its analysis began. */
  | { readonly kind: 'withdrawn' };

/** Returns the state of a worker that has just started a job. */
export function handWith(claim: Claim): Hand {
  return { kind: 'job', claim, outcome: interrupted('its worker died')(claim) };
}

/** Returns the same with another event to commit. Without a job nothing changes. */
export function withOutcome(hand: Hand, decide: (claim: Claim) => Outcome): Hand {
  return hand.kind === 'empty' ? hand : { ...hand, outcome: decide(hand.claim) };
}

/** Returns the event for the result of an analysis. */
export function outcomeOf(result: AnalysisResult): (claim: Claim) => Outcome {
  return (claim) => {
    const { attempt } = claim;
    if (result.kind === 'completed') {
      const { kind: _, ...stored } = result;
      return { type: 'COMPLETE', attempt, ...stored };
    }
    if (result.kind === 'video') return { type: 'FAIL', attempt, code: result.code, message: result.message };
    if (result.kind === 'attempt') return { type: 'INTERRUPT', attempt, code: result.code, message: result.message };
    return released(claim);
  };
}

/** Returns the event that gives the job back without losing an attempt. */
export function released({ attempt }: Claim): Outcome {
  return { type: 'RELEASE', attempt };
}

export function timedOut({ attempt }: Claim): Outcome {
  const message = 'the analysis took longer than JOB_TIMEOUT_MS allows';
  return { type: 'FAIL', attempt, code: 'timeout', message };
}

/** Returns an interruption by the service itself. */
export function interrupted(message: string): (claim: Claim) => Outcome {
  return ({ attempt }) => ({ type: 'INTERRUPT', attempt, code: 'internal', message });
}
