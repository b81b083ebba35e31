import { expect } from 'chai';
import type { JobItem, TransitionsResponse } from '../../src/client/responses.ts';
import { jobTimes, lastHour } from '../../src/web/inspector/key-figures.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');

describe('the key figures', () => {
  it('count what ended in the last hour, failures by code', () => {
    const jobs = [
      job('completed', 10),
      job('completed', 61),
      job('failed', 5, 'stalled'),
      job('failed', 6, 'cancelled'),
      job('failed', 7, 'cancelled'),
      job('running', 1),
    ];
    expect(lastHour(jobs, NOW)).to.deep.equal({
      completed: 1,
      failed: [
        ['cancelled', 2],
        ['stalled', 1],
      ],
    });
  });

  it('take the percentiles of waiting and running by nearest rank', () => {
    const histories = Array.from({ length: 20 }, (_, index) => history((index + 1) * 1_000));
    expect(jobTimes(histories)).to.deep.equal({
      wait: { p50: 10_000, p95: 19_000 },
      run: { p50: 20_000, p95: 38_000 },
    });
    expect(jobTimes([])).to.deep.equal({ wait: null, run: null });
  });
});

function job(status: JobItem['status'], minutesAgo: number, code?: string): JobItem {
  return {
    job_id: '019ddddd-0000-7000-8000-000000000000',
    status,
    progress: 1,
    created_at: at(-minutesAgo * 60_000),
    updated_at: at(-minutesAgo * 60_000),
    error_code: code,
    pipeline_id: 'ocr_only',
    options: { frame_stride: 1 },
    attempt: 1,
    file_name: null,
    tag: null,
    deleted_at: null,
  };
}

/** A job that waited this long, was interrupted, and then ran twice as long. */
function history(waitMs: number): TransitionsResponse {
  const step = (seq: number, to: string, ms: number) => {
    return { seq, attempt: 1, from: null, event: 'E', to, occurred_at: at(ms), context: {} };
  };
  const restart = waitMs + 60_000;
  return {
    job: job('completed', 0),
    transitions: [
      step(1, 'pending', 0),
      step(2, 'running', waitMs),
      step(3, 'pending', waitMs + 1),
      step(4, 'running', restart),
      step(5, 'completed', restart + 2 * waitMs),
    ],
  };
}

function at(ms: number): string {
  return new Date(NOW + ms).toISOString();
}
