import { useEffect, useState } from 'preact/hooks';
import type { JobResponse } from '../../client/responses.ts';
import { Icon } from '../shared/icon.tsx';
import { nameOfJob } from '../shared/job-name.tsx';
import { usePoll } from '../shared/poll.ts';
import { Finished } from './finished.tsx';
import { Unfinished } from './unfinished.tsx';

/** One video: its findings, or the state of its analysis. */
export function VideoPage({ jobId }: { readonly jobId: string }) {
  const [ended, setEnded] = useState<JobResponse | null>(null);
  // An ended job does not change, so it is not polled.
  const { data, problem } = usePoll<JobResponse>(ended === null ? `video/jobs/${jobId}` : null);
  const job = ended ?? data;
  if (ended === null && data !== undefined && (data.status === 'completed' || data.status === 'failed')) setEnded(data);
  const name = job === undefined ? null : nameOfJob(job);
  useEffect(() => {
    if (name !== null) document.title = `${name} · Reelstate`;
  }, [name]);
  if (job === undefined) {
    return problem === undefined ? (
      <p class="empty">Loading…</p>
    ) : (
      <div class="video-missing">
        <h1>This video cannot be shown</h1>
        <p class="problem" role="alert">
          {problem}
        </p>
        <a class="button" href="./">
          <Icon name="back" /> Library
        </a>
      </div>
    );
  }
  const isOver = job.status === 'completed' && job.deleted_at === null;
  return <article class="video-page">{isOver ? <Finished job={job} /> : <Unfinished job={job} />}</article>;
}
