import type { JobItem, Step, TransitionsResponse } from '../../client/responses.ts';

const HOUR_MS = 3_600_000;

export interface LastHour {
  readonly completed: number;
  /** Number of failed jobs by error code, the most frequent first. */
  readonly failed: readonly (readonly [code: string, count: number])[];
}

/** Counts the jobs that ended in the hour before `nowMs`. */
export function lastHour(jobs: readonly JobItem[], nowMs: number): LastHour {
  const ended = jobs.filter(({ updated_at: at }) => Date.parse(at) > nowMs - HOUR_MS);
  const codes = new Map<string, number>();
  for (const { status, error_code: code = 'unknown' } of ended)
    if (status === 'failed') codes.set(code, (codes.get(code) ?? 0) + 1);
  return {
    completed: ended.filter(({ status }) => status === 'completed').length,
    failed: [...codes].toSorted(([, a], [, b]) => b - a),
  };
}

/** Median and 95th percentile in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

export interface JobTimes {
  /** From acceptance to the first start. */
  readonly wait: Spread | null;
  /** From the last start to the end. */
  readonly run: Spread | null;
}

/** Waiting and running times of jobs that were started; a running job has no running time yet. */
export function jobTimes(histories: readonly TransitionsResponse[]): JobTimes {
  const waits: number[] = [];
  const runs: number[] = [];
  for (const { job, transitions } of histories) {
    const starts = transitions.filter(({ to }) => to === 'running');
    const [accepted, first, last, end] = [transitions[0], starts[0], starts.at(-1), transitions.at(-1)].map(timeOf);
    if (accepted === undefined || first === undefined || last === undefined || end === undefined) continue;
    waits.push(first - accepted);
    if (job.status === 'completed' || job.status === 'failed') runs.push(end - last);
  }
  return { wait: spreadOf(waits), run: spreadOf(runs) };
}

function timeOf(step: Step | undefined): number | undefined {
  return step === undefined ? undefined : Date.parse(step.occurred_at);
}

/** Percentiles by nearest rank (Hyndman and Fan 1996, definition 1). */
function spreadOf(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) };
}
