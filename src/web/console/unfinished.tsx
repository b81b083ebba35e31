import { useMemo, useState } from 'preact/hooks';
import type { JobItem } from '../../client/responses.ts';
import type { MachineResponse } from '../../client/responses.ts';
import { chartOf } from '../chart/machine-chart.ts';
import { useNow } from '../clock.ts';
import { formatDuration } from '../duration.ts';
import type { LifeStep } from '../jobs/job-life.ts';
import { JobPath } from '../jobs/job-path.tsx';
import { usePoll } from '../poll.ts';
import { problemOf } from '../problem.ts';

/** The machine changes only with the service. */
const SELDOM_MS = 30_000;

export interface UnfinishedProps {
  readonly job: JobItem;
  readonly steps: readonly LifeStep[];
}

/** A job without results: its state, its path, and its error. */
export function Unfinished({ job, steps }: UnfinishedProps) {
  const machine = usePoll<MachineResponse>('machines/job', SELDOM_MS).data;
  const chart = useMemo(() => machine && chartOf(machine.definition), [machine]);
  return (
    <div class="unfinished">
      {job.error_code === undefined ? (
        <UnderWay job={job} />
      ) : (
        <p class="problem" role="alert">
          <b>{job.error_code}</b> {job.error_message}
        </p>
      )}
      {chart !== undefined && <JobPath chart={chart} jobId={job.job_id} steps={steps} />}
    </div>
  );
}

function UnderWay({ job }: { readonly job: JobItem }) {
  const now = useNow();
  const [problem, setProblem] = useState<string | null>(null);
  const cancel = async (): Promise<void> => {
    try {
      const answer = await fetch(`/video/cancel/${job.job_id}`, { method: 'POST' });
      setProblem(answer.ok ? null : await problemOf(answer));
    } catch {
      setProblem('The service does not answer.');
    }
  };
  return (
    <>
      <div class="waiting">
        <span class="pulse" data-state={job.status} />
        <p>
          {job.status === 'running' ? `Attempt ${job.attempt} is being analysed` : 'Waiting for a worker'}, for{' '}
          {formatDuration(Math.max(0, now - Date.parse(job.updated_at)))} now. The results will appear here.
        </p>
        <button type="button" onClick={() => void cancel()}>
          Cancel the job
        </button>
      </div>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
