import { render } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ActivityResponse, MachineResponse, PipelinesResponse } from '../../client/responses.ts';
import { ChartView } from '../chart/chart-view.tsx';
import { chartOf, type MachineChart } from '../chart/machine-chart.ts';
import { useChosenJob } from '../jobs/chosen-job.ts';
import { nameOfJob } from '../jobs/file-names.ts';
import { JobList } from '../jobs/job-list.tsx';
import { PageHead } from '../page-head.tsx';
import { usePoll } from '../poll.ts';
import { useFlashes } from './flashes.ts';
import { OneJob } from './one-job.tsx';
import { RecentSteps } from './recent-steps.tsx';
import { WorkerPanel } from './worker-panel.tsx';

/** Machines and pipelines change only with the service. */
const SELDOM_MS = 30_000;

function Inspector() {
  const [jobId, chooseJob] = useChosenJob();
  const [status, setStatus] = useState<string | null>(null);
  const jobMachine = usePoll<MachineResponse>('machines/job', SELDOM_MS).data;
  const workerMachine = usePoll<MachineResponse>('machines/worker', SELDOM_MS).data;
  const pipelines = usePoll<PipelinesResponse>('pipelines', SELDOM_MS).data?.pipelines.map(({ id }) => id) ?? [];
  const { data: activity } = usePoll<ActivityResponse>('machines/activity');
  const jobChart = useMemo(() => jobMachine && chartOf(jobMachine.definition), [jobMachine]);
  const workerChart = useMemo(() => workerMachine && chartOf(workerMachine.definition), [workerMachine]);
  const toggleStatus = (id: string): void => {
    const name = id.slice(id.indexOf('.') + 1);
    setStatus(status === name ? null : name);
  };
  return (
    <>
      <PageHead page="inspector" />
      <main class="inspector">
        <section class="card hero" aria-labelledby="job-machine-title">
          <div class="bar">
            <h1 id="job-machine-title">{jobId === null ? 'The life of a job' : `The life of ${nameOfJob(jobId)}`}</h1>
            {jobMachine !== undefined && <span class="version">machine version {jobMachine.version}</span>}
            {jobId !== null && (
              <a class="button" href={`./#job=${jobId}`}>
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
            <LiveChart
              chart={jobChart}
              activity={activity}
              status={status}
              onState={toggleStatus}
              onChoose={chooseJob}
            />
          )}
          {jobChart !== undefined && jobId !== null && <OneJob key={jobId} chart={jobChart} jobId={jobId} />}
        </section>
        <div class="card list">
          <JobList chosen={jobId} onChoose={chooseJob} status={status} onStatus={setStatus} pipelines={pipelines} />
        </div>
        <WorkerPanel chart={workerChart} workers={activity?.workers ?? []} />
      </main>
    </>
  );
}

interface LiveChartProps {
  readonly chart: MachineChart;
  readonly activity: ActivityResponse | undefined;
  readonly status: string | null;
  readonly onState: (id: string) => void;
  readonly onChoose: (jobId: string) => void;
}

/** The machine of all jobs: the number in each state, and the latest transitions. */
function LiveChart({ chart, activity, status, onState, onChoose }: LiveChartProps) {
  const { id } = chart.root;
  const counts = new Map(Object.entries(activity?.counts ?? {}).map(([name, count]) => [`${id}.${name}`, count]));
  const flashes = useFlashes(id, activity?.transitions);
  return (
    <>
      <ChartView
        chart={chart}
        title="The job machine, with the number of jobs in each state"
        counts={counts}
        flashes={flashes}
        onState={onState}
        {...(status === null ? {} : { chosen: `${id}.${status}` })}
      />
      {activity !== undefined && <RecentSteps transitions={activity.transitions} onChoose={onChoose} />}
    </>
  );
}

const place = document.getElementById('page');
if (place !== null) render(<Inspector />, place);
