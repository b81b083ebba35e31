import { useState } from 'preact/hooks';
import type { JobsResponse } from '../../client/responses.ts';
import { usePoll } from '../shared/poll.ts';

const PAGE = 48;
/** Poll intervals while a job is active, and otherwise. */
const BUSY_MS = 1_000;
const IDLE_MS = 5_000;

export interface JobFilter {
  /** Empty for all. */
  readonly status: string;
  readonly pipelineId: string;
  readonly fileName: string;
}
export const NO_FILTER: JobFilter = { status: '', pipelineId: '', fileName: '' };

export interface JobPage {
  /** Undefined before the first response. */
  readonly list: JobsResponse | undefined;
  readonly problem: string | undefined;
  /** From 1. */
  readonly number: number;
  readonly newer: (() => void) | undefined;
  readonly older: (() => void) | undefined;
  readonly refresh: () => void;
}

/** The newest jobs of a filter, by page. The displayed page is updated. */
export function useJobs(filter: JobFilter): JobPage {
  const key = JSON.stringify(filter);
  const [place, setPlace] = useState<{ readonly key: string; readonly cursors: readonly string[] }>({
    key,
    cursors: [],
  });
  const [pace, setPace] = useState({ ms: BUSY_MS, asked: 0 });
  const cursors = place.key === key ? place.cursors : [];
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (filter.status !== '') query.set('status', filter.status);
  if (filter.pipelineId !== '') query.set('pipeline_id', filter.pipelineId);
  if (filter.fileName !== '') query.set('file_name', filter.fileName);
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const { data, problem } = usePoll<JobsResponse>(`video/jobs?${query}`, pace.ms, pace.asked);
  // The old page stays until the next one is there.
  const [shown, setShown] = useState<JobsResponse>();
  if (data !== undefined && data !== shown) setShown(data);
  const list = data ?? shown;
  const { pending = 0, running = 0 } = list?.counts ?? {};
  const ms = pending + running > 0 ? BUSY_MS : IDLE_MS;
  if (list !== undefined && ms !== pace.ms) setPace({ ...pace, ms });
  const next = list?.next_cursor ?? null;
  return {
    list,
    problem,
    number: cursors.length + 1,
    newer: cursors.length === 0 ? undefined : () => setPlace({ key, cursors: cursors.slice(0, -1) }),
    older: next === null ? undefined : () => setPlace({ key, cursors: [...cursors, next] }),
    refresh: () => setPace({ ...pace, asked: pace.asked + 1 }),
  };
}
