import { useCallback, useMemo } from 'preact/hooks';
import type { JobItem, TransitionsResponse } from '../../client/responses.ts';
import type { MachineChart } from '../chart/machine-chart.ts';
import { formatDate, formatDuration } from '../duration.ts';
import { usePoll } from '../shared/poll.ts';
import { replaceRoute, useRoute } from '../shared/route.ts';
import { CopyJson } from './copy-json.tsx';
import { lifeOf } from './job-life.ts';
import { JobPath } from './job-path.tsx';
import { LifeView } from './life-view.tsx';
import { samplingWords } from './sampling-words.ts';

/** The path of one job through the machine, step by step. */
export function OneJob({ chart, jobId }: { readonly chart: MachineChart; readonly jobId: string }) {
  const { data, problem } = usePoll<TransitionsResponse>(`video/jobs/${jobId}/transitions`);
  const { step: chosenStep } = useRoute();
  const steps = useMemo(() => lifeOf(data?.transitions ?? []), [data]);
  // The newest step is displayed until another one is chosen; at the end it follows again.
  const at = Math.min(chosenStep ?? steps.length, steps.length);
  const setAt = useCallback(
    (next: number) => replaceRoute({ step: next === steps.length ? null : next }),
    [steps.length],
  );
  if (data === undefined) return <p class={problem === undefined ? 'empty' : 'problem'}>{problem ?? 'Loading…'}</p>;
  const { job } = data;
  const isOver = chart.root.children.some(({ name, kind }) => kind === 'final' && name === job.status);
  return (
    <>
      <div class="figures-bar">
        <Facts job={job} isOver={isOver} />
        <CopyJson value={data} />
      </div>
      <JobPath chart={chart} jobId={jobId} steps={steps.slice(0, at)} />
      <LifeView steps={steps} isOver={isOver} at={at} onAt={setAt} />
    </>
  );
}

function Facts({ job, isOver }: { readonly job: JobItem; readonly isOver: boolean }) {
  return (
    <p class="job-facts">
      <code>{job.job_id}</code>
      <span>{job.pipeline_id}</span>
      <span>{samplingWords(job.options)}</span>
      <span>accepted {formatDate(job.created_at)}</span>
      {isOver && <span>{formatDuration(Date.parse(job.updated_at) - Date.parse(job.created_at))} in all</span>}
      {job.error_message !== undefined && (
        <span class="error">
          {job.error_code}: {job.error_message}
        </span>
      )}
    </p>
  );
}
