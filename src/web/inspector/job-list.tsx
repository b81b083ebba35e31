import { useState } from 'preact/hooks';
import type { JobItem } from '../../client/responses.ts';
import { formatAge } from '../duration.ts';
import { NO_FILTER, useJobs } from '../library/use-jobs.ts';
import { useNow } from '../shared/clock.ts';
import { JobName } from '../shared/job-name.tsx';

const JOB_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

export interface JobListProps {
  readonly chosen: string | null;
  readonly onChoose: (jobId: string) => void;
  /** Only jobs in this state; empty for all. */
  readonly status: string;
  readonly onStatus: (status: string) => void;
}

/** The newest jobs, a page at a time; the page in view is kept up to date. */
export function JobList({ chosen, onChoose, status, onStatus }: JobListProps) {
  const [text, setText] = useState('');
  const isId = JOB_ID.test(text.trim());
  const { list, problem, number, newer, older } = useJobs({
    ...NO_FILTER,
    status,
    fileName: isId ? '' : text.trim(),
  });
  const now = useNow();
  const counts = list?.counts ?? {};
  return (
    <section class="jobs" aria-labelledby="jobs-title">
      <h2 id="jobs-title">Jobs</h2>
      <input
        class="find-job"
        type="search"
        placeholder="Name, or job id"
        aria-label="Find a job by its name, or open it by its id"
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          const id = currentTarget.value.trim();
          if (JOB_ID.test(id)) onChoose(id.toLowerCase());
        }}
      />
      <div class="chips" role="group" aria-label="Filter by state">
        {['', ...Object.keys(counts)].map((name) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={status === name}
            onClick={() => onStatus(status === name ? '' : name)}
          >
            {name === '' ? 'all' : name}{' '}
            <span>
              {(name === '' ? Object.values(counts).reduce((a, b) => a + b, 0) : (counts[name] ?? 0)).toLocaleString(
                'en',
              )}
            </span>
          </button>
        ))}
      </div>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {list?.jobs.length === 0 && <p class="empty">{status === '' ? 'No jobs.' : `No job is ${status}.`}</p>}
      <ul class="job-rows" aria-label="Jobs">
        {list?.jobs.map((job) => (
          <JobRow key={job.job_id} job={job} now={now} isChosen={job.job_id === chosen} onChoose={onChoose} />
        ))}
      </ul>
      {(newer !== undefined || older !== undefined) && (
        <nav class="pager" aria-label="Pages of jobs">
          <button type="button" disabled={newer === undefined} onClick={newer}>
            Newer
          </button>
          <span>page {number}</span>
          <button type="button" disabled={older === undefined} onClick={older}>
            Older
          </button>
        </nav>
      )}
    </section>
  );
}

interface JobRowProps {
  readonly job: JobItem;
  readonly now: number;
  readonly isChosen: boolean;
  readonly onChoose: (jobId: string) => void;
}

function JobRow({ job, now, isChosen, onChoose }: JobRowProps) {
  return (
    <li>
      <button
        type="button"
        class="job-row"
        data-state={job.status}
        data-job={job.job_id}
        aria-current={isChosen}
        onClick={() => onChoose(job.job_id)}
      >
        <span class="light" title={job.status} />
        <JobName job={job} />
        {job.error_code !== undefined && (
          <span class="job-code" title={job.error_message}>
            {job.error_code}
          </span>
        )}
        <time dateTime={job.created_at} title={job.created_at}>
          {formatAge(job.created_at, now)}
        </time>
      </button>
    </li>
  );
}
