import { useState } from 'preact/hooks';
import type { JobItem, JobResponse } from '../../client/responses.ts';
import { formatDuration } from '../duration.ts';
import { act, isPossible, type JobAction } from '../library/job-actions.ts';
import { remedyOf } from '../library/remedy.ts';
import { useNow } from '../shared/clock.ts';
import { Icon } from '../shared/icon.tsx';
import { messageOf, request } from '../shared/request.ts';
import { navigate } from '../shared/route.ts';
import { useSession } from '../shared/session.ts';
import { adding } from '../upload/adding.ts';
import { JobDetails } from './job-details.tsx';
import { VideoTitle } from './video-title.tsx';

/** A video without results: the state of its analysis, or the reason of its failure and advice. */
export function Unfinished({ job }: { readonly job: JobResponse }) {
  const { maySubmit } = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const remedy = remedyOf(job);
  const perform = async (action: JobAction): Promise<void> => {
    const [first] = await act(action, [job]);
    setProblem(first ?? null);
    if (first === undefined && action === 'delete') navigate({});
  };
  const rerun = async (): Promise<void> => {
    try {
      const answer = await request(`video/jobs/${job.job_id}/rerun`, { method: 'POST' });
      const { job_id: jobId }: { readonly job_id: string } = await answer.json();
      navigate({ jobId });
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <>
      <VideoTitle job={job} />
      <section class="unfinished" data-state={job.status}>
        <span class="state-icon">
          <Icon name={remedy === null ? 'wait' : 'cry'} />
        </span>
        {remedy === null ? (
          <UnderWay job={job} />
        ) : (
          <>
            <h2>{remedy.title}</h2>
            <p>{remedy.advice}</p>
            {job.error_code !== 'cancelled' && <p class="reason">{job.error_message}</p>}
          </>
        )}
        {maySubmit && (
          <div class="unfinished-actions">
            {isPossible('cancel', job) && (
              <button type="button" onClick={() => void perform('cancel')}>
                Cancel the analysis
              </button>
            )}
            {remedy?.mayRerun === true && isPossible('rerun', job) && (
              <button type="button" class="primary" onClick={() => void rerun()}>
                <Icon name="retry" /> Run again
              </button>
            )}
            {remedy?.mayRerun === false && (
              <button type="button" class="primary" onClick={() => adding.set({ files: [] })}>
                <Icon name="upload" /> Upload another file
              </button>
            )}
            {isPossible('delete', job) && (
              <button type="button" class="danger" onClick={() => void perform('delete')}>
                <Icon name="trash" /> Delete
              </button>
            )}
          </div>
        )}
        {problem !== null && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
      </section>
      <JobDetails job={job} />
    </>
  );
}

function UnderWay({
  job: { status, deleted_at: deletedAt, updated_at: updatedAt, attempt },
}: {
  readonly job: JobItem;
}) {
  const now = useNow();
  if (deletedAt !== null) return <h2>The video and its results were deleted</h2>;
  const since = formatDuration(Math.max(0, now - Date.parse(updatedAt)));
  return (
    <>
      <div role="status">
        <h2>{status === 'running' ? 'Analysing' : 'Waiting for its turn'}</h2>
      </div>
      <p>
        For {since} now{attempt > 1 && `, attempt ${attempt}`}. The results will appear here. This page may be closed
        meanwhile.
      </p>
    </>
  );
}
