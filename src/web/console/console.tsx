import { render } from 'preact';
import { useState } from 'preact/hooks';
import type { PipelinesResponse } from '../../client/responses.ts';
import { useChosenJob } from '../jobs/chosen-job.ts';
import { rememberFile } from '../jobs/file-names.ts';
import { JobList } from '../jobs/job-list.tsx';
import { PageHead } from '../page-head.tsx';
import { usePoll } from '../poll.ts';
import { UploadPanel } from '../upload/upload-panel.tsx';
import { JobInView } from './job-in-view.tsx';

/** Pipelines change only with the service. */
const SELDOM_MS = 30_000;

function Console() {
  const [jobId, chooseJob] = useChosenJob();
  const [status, setStatus] = useState<string | null>(null);
  const pipelines = usePoll<PipelinesResponse>('pipelines', SELDOM_MS).data?.pipelines ?? [];
  return (
    <>
      <PageHead page="console" />
      <main class="console">
        <h1 class="unseen">Console</h1>
        <div class="side">
          <UploadPanel
            pipelines={pipelines}
            onAccepted={(accepted, fileName) => {
              rememberFile(accepted, fileName);
              chooseJob(accepted);
            }}
          />
          <div class="card list">
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

const place = document.getElementById('page');
if (place !== null) render(<Console />, place);
