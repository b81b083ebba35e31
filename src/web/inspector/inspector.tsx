import { render } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ActivityResponse, MachineResponse } from '../../client/responses.ts';
import { chartOf } from '../chart/machine-chart.ts';
import { PageHead } from '../shared/page-head.tsx';
import { usePoll } from '../shared/poll.ts';
import { navigate, useRoute } from '../shared/route.ts';
import { JobList } from './job-list.tsx';
import { LiveChart } from './live-chart.tsx';
import { OneJob } from './one-job.tsx';
import { WorkerPanel } from './worker-panel.tsx';

/** Machines and pipelines change only with the service. */
const SELDOM_MS = 30_000;

function Inspector() {
  const { jobId } = useRoute();
  const [status, setStatus] = useState('');
  const jobMachine = usePoll<MachineResponse>('machines/job', SELDOM_MS).data;
  const workerMachine = usePoll<MachineResponse>('machines/worker', SELDOM_MS).data;
  const { data: activity } = usePoll<ActivityResponse>('machines/activity');
  const jobChart = useMemo(() => jobMachine && chartOf(jobMachine.definition), [jobMachine]);
  const workerChart = useMemo(() => workerMachine && chartOf(workerMachine.definition), [workerMachine]);
  const toggleStatus = (id: string): void => {
    const name = id.slice(id.indexOf('.') + 1);
    setStatus(status === name ? '' : name);
  };
  return (
    <>
      <PageHead page="inspector" />
      <main id="main" class="inspector" tabIndex={-1}>
        <section class="card hero" aria-labelledby="job-machine-title">
          <div class="bar">
            <h1 id="job-machine-title">{jobId === null ? 'The life of a job' : 'The life of one job'}</h1>
            {jobMachine !== undefined && <span class="version">machine version {jobMachine.version}</span>}
            {jobId !== null && (
              <a class="button" href={`./#job=${jobId}`}>
                Results
              </a>
            )}
            {jobId !== null && (
              <button type="button" onClick={() => navigate({})}>
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
              onChoose={(id) => navigate({ jobId: id })}
            />
          )}
          {jobChart !== undefined && jobId !== null && <OneJob key={jobId} chart={jobChart} jobId={jobId} />}
        </section>
        <div class="card list">
          <JobList chosen={jobId} onChoose={(id) => navigate({ jobId: id })} status={status} onStatus={setStatus} />
        </div>
        <WorkerPanel chart={workerChart} workers={activity?.workers ?? []} />
      </main>
    </>
  );
}

const place = document.getElementById('page');
if (place !== null) render(<Inspector />, place);
