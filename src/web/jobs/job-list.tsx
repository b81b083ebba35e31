import { useState } from 'preact/hooks';
import type { JobItem, JobsResponse } from '../../client/responses.ts';
import { useNow } from '../clock.ts';
import { formatAge } from '../duration.ts';
import { usePoll } from '../poll.ts';
import { nameOfJob } from './file-names.ts';

const PAGE = 50;
const JOB_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface JobListProps {
  readonly chosen: string | null;
  readonly onChoose: (jobId: string) => void;
  /** Only jobs in this state; null for all. */
  readonly status: string | null;
  readonly onStatus: (status: string | null) => void;
  readonly pipelines: readonly string[];
}

/** The newest jobs by page; the displayed page is updated. */
export function JobList({ chosen, onChoose, status, onStatus, pipelines }: JobListProps) {
  const [pipeline, setPipeline] = useState('');
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const now = useNow();
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (status !== null) query.set('status', status);
  if (pipeline !== '') query.set('pipeline_id', pipeline);
  const cursor = cursors.at(-1);
  if (cursor !== undefined) query.set('cursor', cursor);
  const { data, problem } = usePoll<JobsResponse>(`video/jobs?${query}`);
  const [shown, setShown] = useState<JobsResponse>();
  if (data !== undefined && data !== shown) setShown(data);
  const list = data ?? shown;
  const counts = list?.counts ?? {};
  const filter = (change: () => void): void => {
    setCursors([]);
    change();
  };
  return (
    <section class="jobs" aria-labelledby="jobs-title">
      <div class="bar">
        <h2 id="jobs-title">Jobs</h2>
        <input
          class="find"
          type="search"
          placeholder="Open by job id"
          aria-label="Open by job id"
          onInput={({ currentTarget }) => {
            const id = currentTarget.value.trim();
            if (JOB_ID.test(id)) onChoose(id.toLowerCase());
          }}
        />
      </div>
      <div class="filters" role="group" aria-label="Filter by state">
        <FilterChip
          name="all"
          count={Object.values(counts).reduce((a, b) => a + b, 0)}
          isOn={status === null}
          onClick={() => filter(() => onStatus(null))}
        />
        {Object.entries(counts).map(([name, count]) => (
          <FilterChip
            key={name}
            name={name}
            count={count}
            isOn={status === name}
            onClick={() => filter(() => onStatus(status === name ? null : name))}
          />
        ))}
        {pipelines.length > 1 && (
          <select
            aria-label="Filter by pipeline"
            value={pipeline}
            onChange={({ currentTarget }) => filter(() => setPipeline(currentTarget.value))}
          >
            <option value="">every pipeline</option>
            {pipelines.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        )}
      </div>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {list !== undefined && list.jobs.length === 0 && (
        <p class="empty">{status === null ? 'No jobs yet.' : `No job is ${status}.`}</p>
      )}
      <ul class="job-rows">
        {list?.jobs.map((job) => (
          <JobRow key={job.job_id} job={job} now={now} isChosen={job.job_id === chosen} onChoose={onChoose} />
        ))}
      </ul>
      {(cursors.length > 0 || (list !== undefined && list.next_cursor !== null)) && (
        <nav class="pager" aria-label="Pages of jobs">
          <button type="button" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </button>
          <span>page {cursors.length + 1}</span>
          <button
            type="button"
            disabled={list === undefined || list.next_cursor === null}
            onClick={() =>
              list !== undefined && list.next_cursor !== null && setCursors([...cursors, list.next_cursor])
            }
          >
            Older
          </button>
        </nav>
      )}
    </section>
  );
}

interface FilterChipProps {
  readonly name: string;
  readonly count: number;
  readonly isOn: boolean;
  readonly onClick: () => void;
}

function FilterChip({ name, count, isOn, onClick }: FilterChipProps) {
  return (
    <button type="button" class="chip" data-state={name} aria-pressed={isOn} onClick={onClick}>
      {name} <b>{count.toLocaleString('en')}</b>
    </button>
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
        <span class="light" />
        <span class="job-id" title={job.job_id}>
          {nameOfJob(job.job_id)}
        </span>
        <span class="job-status" title={job.error_message}>
          {job.error_code ?? job.status}
        </span>
        <time dateTime={job.created_at} title={job.created_at}>
          {formatAge(job.created_at, now)}
        </time>
      </button>
    </li>
  );
}
