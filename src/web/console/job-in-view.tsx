import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { TransitionsResponse } from '../../client/responses.ts';
import { nameOfJob } from '../jobs/file-names.ts';
import { lifeOf } from '../jobs/job-life.ts';
import { usePoll } from '../poll.ts';
import { Viewer } from '../viewer/viewer.tsx';
import { Unfinished } from './unfinished.tsx';

/** Page width in CSS pixels up to which there is one column, as in console.css. */
const ONE_COLUMN = 900;

/** The selected job: its path while it is active, its results when it is completed. */
export function JobInView({ jobId }: { readonly jobId: string }) {
  const { data, problem } = usePoll<TransitionsResponse>(`video/jobs/${jobId}/transitions`);
  const steps = useMemo(() => lifeOf(data?.transitions ?? []), [data]);
  const place = useRef<HTMLElement>(null);
  const isKnown = data !== undefined;
  useEffect(() => {
    // In one column, the selected job is far below the list.
    if (isKnown && innerWidth <= ONE_COLUMN) place.current?.scrollIntoView();
  }, [isKnown]);
  if (data === undefined) return <p class={problem === undefined ? 'empty' : 'problem'}>{problem ?? 'Loading…'}</p>;
  const { job } = data;
  return (
    <section ref={place} class="job-in-view" aria-labelledby="in-view-title">
      <div class="bar">
        <h2 id="in-view-title" title={jobId}>
          {nameOfJob(jobId)}
        </h2>
        <span class="pill" data-state={job.status} role="status">
          {job.status}
        </span>
        <span class="version">{job.pipeline_id}</span>
        <a class="button" href={`inspector#job=${jobId}`}>
          Inspect its life
        </a>
      </div>
      {job.status === 'completed' ? <Viewer job={job} /> : <Unfinished job={job} steps={steps} />}
    </section>
  );
}
