import { render } from 'preact';
import { useCallback, useMemo, useState } from 'preact/hooks';
import type { ActivityAnswer, PipelinesAnswer, TransitionsAnswer } from '../answers.ts';
import { activeStates } from '../chart/active-states.ts';
import { ChartView, walkKey } from '../chart/chart-view.tsx';
import type { MachineAnswer } from '../../client/answers.ts';
import { chartOf, type MachineChart } from '../chart/machine-chart.ts';
import { formatDuration } from '../duration.ts';
import { useChosenJob } from '../jobs/chosen-job.ts';
import { lifeOf } from '../jobs/job-life.ts';
import { JobList, shortId } from '../jobs/job-list.tsx';
import { PageHead } from '../page-head.tsx';
import { usePoll } from '../poll.ts';
import { LifeView } from './life-view.tsx';
import { useFlashes } from './flashes.ts';

/** Machines and pipelines change with the service's code alone. */
const SELDOM_MS = 30_000;

function Inspector() {
  const [jobId, chooseJob] = useChosenJob();
  const [status, setStatus] = useState<string | null>(null);
  const jobMachine = usePoll<MachineAnswer>('/machines/job', SELDOM_MS).data;
  const workerMachine = usePoll<MachineAnswer>('/machines/worker', SELDOM_MS).data;
  const pipelines = usePoll<PipelinesAnswer>('/pipelines', SELDOM_MS).data?.pipelines.map(({ id }) => id) ?? [];
  const { data: activity, problem } = usePoll<ActivityAnswer>('/machines/activity');
  const jobChart = useMemo(() => jobMachine && chartOf(jobMachine.definition), [jobMachine]);
  const workerChart = useMemo(() => workerMachine && chartOf(workerMachine.definition), [workerMachine]);
  const toggleStatus = (id: string): void => {
    const name = id.slice(id.indexOf('.') + 1);
    setStatus(status === name ? null : name);
  };
  return (
    <>
      <PageHead page="inspector" problem={problem} />
      <main class="inspector">
        <section class="card hero" aria-labelledby="job-machine-title">
          <div class="bar">
            <h1 id="job-machine-title">{jobId === null ? 'The life of a job' : `The life of job ${shortId(jobId)}`}</h1>
            {jobMachine !== undefined && <span class="version">machine version {jobMachine.version}</span>}
            {jobId !== null && (
              <a class="button" href={`/#job=${jobId}`}>
                Results
              </a>
            )}
            {jobId !== null && (
              <button type="button" onClick={() => chooseJob(null)}>
                All jobs
              </button>
            )}
          </div>
          {jobChart !== undefined && jobId === null && (
            <LiveChart chart={jobChart} activity={activity} status={status} onState={toggleStatus} />
          )}
          {jobChart !== undefined && jobId !== null && <JobPath key={jobId} chart={jobChart} jobId={jobId} />}
        </section>
        <div class="beneath">
          <div class="card">
            <JobList chosen={jobId} onChoose={chooseJob} status={status} onStatus={setStatus} pipelines={pipelines} />
          </div>
          <section class="card workers" aria-labelledby="workers-title">
            <div class="bar">
              <h2 id="workers-title">Workers</h2>
            </div>
            <ul class="worker-rows">
              {activity?.workers.map((value, index) => (
                // oxlint-disable-next-line react/no-array-index-key -- a worker has no other name than its place
                <li key={index} data-worker={index}>
                  Worker {index + 1}: <b>{leaves(value).join(', ')}</b>
                </li>
              ))}
            </ul>
            {workerChart !== undefined && <WorkerChart chart={workerChart} workers={activity?.workers ?? []} />}
          </section>
        </div>
      </main>
    </>
  );
}

interface LiveChartProps {
  readonly chart: MachineChart;
  readonly activity: ActivityAnswer | undefined;
  readonly status: string | null;
  readonly onState: (id: string) => void;
}

/** The machine of all jobs: how many are where, and what has just happened. */
function LiveChart({ chart, activity, status, onState }: LiveChartProps) {
  const { id } = chart.root;
  const counts = new Map(Object.entries(activity?.counts ?? {}).map(([name, count]) => [`${id}.${name}`, count]));
  const flashes = useFlashes(id, activity?.transitions);
  return (
    <ChartView
      chart={chart}
      title="The job machine, with the number of jobs in each state"
      counts={counts}
      flashes={flashes}
      onState={onState}
      {...(status === null ? {} : { chosen: `${id}.${status}` })}
    />
  );
}

/** One job's way through the machine, step by step. */
function JobPath({ chart, jobId }: { readonly chart: MachineChart; readonly jobId: string }) {
  const { data, problem } = usePoll<TransitionsAnswer>(`/video/jobs/${jobId}/transitions`);
  const [chosenStep, setChosenStep] = useState<number | null>(null);
  const steps = useMemo(() => lifeOf(data?.transitions ?? []), [data]);
  // Until a step is chosen, the newest is in view; at the end it follows again.
  const at = Math.min(chosenStep ?? steps.length, steps.length);
  const setAt = useCallback((next: number) => setChosenStep(next === steps.length ? null : next), [steps.length]);
  if (data === undefined) return <p class={problem === undefined ? 'empty' : 'problem'}>{problem ?? 'Loading…'}</p>;
  const { id } = chart.root;
  const walked = new Map<string, number>();
  let latest: string | undefined;
  for (const { from, event, to } of steps.slice(0, at)) {
    latest = from === null ? undefined : walkKey(`${id}.${from}`, event, `${id}.${to}`);
    if (latest !== undefined) walked.set(latest, (walked.get(latest) ?? 0) + 1);
  }
  const present = steps[at - 1];
  const { job } = data;
  return (
    <>
      <p class="job-facts">
        <code>{job.job_id}</code>
        <span>{job.pipeline_id}</span>
        <span>
          every {job.options.frame_stride === 1 ? 'frame' : `${job.options.frame_stride}th frame`}
          {job.options.max_frames !== undefined && `, at most ${job.options.max_frames}`}
        </span>
        {steps.length > 1 && (
          <span>{formatDuration(Date.parse(job.updated_at) - Date.parse(job.created_at))} in all</span>
        )}
        {job.error_message !== undefined && (
          <span class="error">
            {job.error_code}: {job.error_message}
          </span>
        )}
      </p>
      <ChartView
        chart={chart}
        title={`The way of job ${jobId} through the job machine`}
        walked={walked}
        active={new Set(present === undefined ? [] : [`${id}.${present.to}`])}
        {...(latest === undefined ? {} : { latest })}
      />
      <LifeView
        steps={steps}
        isOver={chart.root.children.some(({ name, kind }) => kind === 'final' && name === job.status)}
        at={at}
        onAt={setAt}
      />
    </>
  );
}

function WorkerChart({
  chart,
  workers,
}: {
  readonly chart: MachineChart;
  readonly workers: ActivityAnswer['workers'];
}) {
  const counts = new Map<string, number>();
  for (const id of workers.flatMap((value) => activeStates(chart.root.id, value)))
    counts.set(id, (counts.get(id) ?? 0) + 1);
  return (
    <ChartView
      chart={chart}
      title="The worker machine, with the number of workers in each state"
      active={new Set(counts.keys())}
      counts={workers.length > 1 ? counts : new Map()}
      alwaysDown
      countWidth={28}
    />
  );
}

function leaves(value: ActivityAnswer['workers'][number]): readonly string[] {
  return typeof value === 'string'
    ? [value]
    : Object.values(value).flatMap((inner) => (inner === undefined ? [] : leaves(inner)));
}

const place = document.getElementById('page');
if (place !== null) render(<Inspector />, place);
