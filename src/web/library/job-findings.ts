import { useEffect, useState } from 'preact/hooks';
import type { JobItem, JobResponse, ObjectSegment, Scene } from '../../client/responses.ts';
import { requestJson } from '../shared/request.ts';
import { summaryLine } from './summary-line.ts';

/** The findings of a completed job on its card. */
export interface JobFindings {
  /** Length of the video; null if unknown. */
  readonly durationMs: number | null;
  /** A representative frame. */
  readonly frameIndex: number | null;
  readonly line: string;
  readonly scenes: readonly Pick<Scene, 'start_ms' | 'end_ms' | 'frame_index'>[];
}

/** Concurrent requests, limited so that cards do not delay the user's actions. */
const AT_ONCE = 3;

const known = new Map<string, Promise<JobFindings>>();
const waiting: (() => void)[] = [];
let running = 0;

/** Returns the findings of a job, read once; null before they are loaded and for jobs without findings. */
export function useJobFindings(job: Pick<JobItem, 'job_id' | 'status' | 'deleted_at'>): JobFindings | null {
  const { job_id: jobId } = job;
  const hasResults = job.status === 'completed' && job.deleted_at === null;
  const [findings, setFindings] = useState<JobFindings | null>(null);
  useEffect(() => {
    if (!hasResults) return undefined;
    let isStale = false;
    const reading = known.get(jobId) ?? inTurn(() => readFindings(jobId));
    known.set(jobId, reading);
    const show = async (): Promise<void> => {
      try {
        const read = await reading;
        if (!isStale) setFindings(read);
      } catch {
        // Requested again when the card is shown again.
        known.delete(jobId);
      }
    };
    void show();
    return () => {
      isStale = true;
    };
  }, [jobId, hasResults]);
  return hasResults ? findings : null;
}

async function readFindings(jobId: string): Promise<JobFindings> {
  const [job, { segments: scenes }, { segments: objects }] = await Promise.all([
    requestJson<JobResponse>(`video/jobs/${jobId}`),
    requestJson<{ readonly segments: readonly Scene[] }>(`video/segments/${jobId}?kind=scenes`),
    requestJson<{ readonly segments: readonly ObjectSegment[] }>(`video/segments/${jobId}?kind=objects`),
  ]);
  return {
    durationMs: job.media.duration_ms,
    frameIndex: (scenes.find(({ text }) => text !== '') ?? scenes[0])?.frame_index ?? 0,
    line: summaryLine(scenes, objects),
    // Without the texts, which need most of the memory.
    scenes: scenes.map(({ start_ms, end_ms, frame_index }) => ({ start_ms, end_ms, frame_index })),
  };
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}
