import { useEffect, useRef, useState } from 'preact/hooks';
import type { JobItem, TransitionsResponse } from '../../client/responses.ts';
import { requestJson } from '../shared/request.ts';

/** Number of jobs whose history is read. */
const READ = 20;

/**
 * The stored histories of the newest jobs. One is read again only after its job has changed. They are in the database,
 * so they survive a restart of the service.
 */
export function useHistories(jobs: readonly JobItem[] | undefined): readonly TransitionsResponse[] {
  const known = useRef<ReadonlyMap<string, TransitionsResponse>>(new Map());
  const [histories, setHistories] = useState<readonly TransitionsResponse[]>([]);
  useEffect(() => {
    if (jobs === undefined) return undefined;
    const ending = new AbortController();
    const read = async ({ job_id: id, updated_at: updatedAt }: JobItem): Promise<TransitionsResponse[]> => {
      const last = known.current.get(id);
      if (last?.job.updated_at === updatedAt) return [last];
      try {
        return [await requestJson<TransitionsResponse>(`video/jobs/${id}/transitions`, { signal: ending.signal })];
      } catch {
        // A job that has been forgotten or cannot be read is left out; the list reports a lost connection.
        return [];
      }
    };
    const readAll = async (): Promise<void> => {
      const found = (await Promise.all(jobs.slice(0, READ).map((job) => read(job)))).flat();
      if (ending.signal.aborted) return;
      known.current = new Map(found.map((history) => [history.job.job_id, history]));
      setHistories(found);
    };
    void readAll();
    return () => ending.abort();
  }, [jobs]);
  return histories;
}
