import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JobItem, PipelinesAnswer, TransitionsAnswer } from '../answers.ts';
import { useNow } from '../clock.ts';
import { formatDuration } from '../duration.ts';
import { useChosenJob } from '../jobs/chosen-job.ts';
import { JobList, shortId } from '../jobs/job-list.tsx';
import { PageHead } from '../page-head.tsx';
import { usePoll } from '../poll.ts';
import { UploadPanel } from '../upload/upload-panel.tsx';
import { Viewer } from '../viewer/viewer.tsx';

/** Pipelines change with the service's code alone. */
const SELDOM_MS = 30_000;
/** Width of the page in CSS pixels up to which it has one column, as in console.css. */
const ONE_COLUMN = 900;

function Console() {
  const [jobId, chooseJob] = useChosenJob();
  const [status, setStatus] = useState<string | null>(null);
  const { data, problem } = usePoll<PipelinesAnswer>('/pipelines', SELDOM_MS);
  const pipelines = data?.pipelines ?? [];
  return (
    <>
      <PageHead page="console" problem={problem} />
      <main class="console">
        <h1 class="unseen">Console</h1>
        <div class="side">
          <UploadPanel pipelines={pipelines} onAccepted={chooseJob} />
          <div class="card">
            <JobList
              chosen={jobId}
              onChoose={chooseJob}
              status={status}
              onStatus={setStatus}
              pipelines={pipelines.map(({ id }) => id)}
            />
          </div>
        </div>
        <div class="card in-view">{jobId === null ? <Welcome /> : <JobInView key={jobId} jobId={jobId} />}</div>
      </main>
    </>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <h2>See what is in a video</h2>
      <ol>
        <li>
          <b>Drop an MP4</b> and choose what to look for: text, or objects and text.
        </li>
        <li>
          <b>Watch its job</b> go from pending to completed; the page may be closed meanwhile.
        </li>
        <li>
          <b>Read the results</b> over the video, search in the text, take them along as JSON or CSV.
        </li>
      </ol>
    </div>
  );
}

function JobInView({ jobId }: { readonly jobId: string }) {
  const { data, problem } = usePoll<TransitionsAnswer>(`/video/jobs/${jobId}/transitions`);
  const place = useRef<HTMLElement>(null);
  const isKnown = data !== undefined;
  useEffect(() => {
    // Where everything is one column, the chosen job lies far below the list.
    if (isKnown && innerWidth <= ONE_COLUMN) place.current?.scrollIntoView();
  }, [isKnown]);
  if (data === undefined) return <p class={problem === undefined ? 'empty' : 'problem'}>{problem ?? 'Loading…'}</p>;
  const { job } = data;
  return (
    <section ref={place} class="job-in-view" aria-labelledby="in-view-title">
      <div class="bar">
        <h2 id="in-view-title">Job {shortId(job.job_id)}</h2>
        <span class="pill" data-state={job.status} role="status">
          {job.status}
        </span>
        <span class="version">{job.pipeline_id}</span>
        <a class="button" href={`/inspector#job=${job.job_id}`}>
          Its life
        </a>
      </div>
      {job.status === 'completed' ? <Viewer job={job} /> : <Unfinished job={job} />}
    </section>
  );
}

function Unfinished({ job }: { readonly job: JobItem }) {
  const now = useNow();
  if (job.error_code !== undefined) {
    return (
      <div class="waiting">
        <p class="problem" role="alert">
          <b>{job.error_code}</b> {job.error_message}
        </p>
      </div>
    );
  }
  return (
    <div class="waiting">
      <span class="pulse" data-state={job.status} />
      <p>
        {job.status === 'running' ? `Attempt ${job.attempt} is being analysed` : 'Waiting for a worker'}, for{' '}
        {formatDuration(Math.max(0, now - Date.parse(job.updated_at)))} now. The results will appear here.
      </p>
    </div>
  );
}

const place = document.getElementById('page');
if (place !== null) render(<Console />, place);
