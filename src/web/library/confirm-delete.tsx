import type { JobItem } from '../../client/responses.ts';
import { Dialog } from '../shared/dialog.tsx';
import { JobName } from '../shared/job-name.tsx';

const NAMED = 5;

export interface ConfirmDeleteProps {
  readonly jobs: readonly JobItem[];
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Confirms a deletion, which cannot be undone. */
export function ConfirmDelete({ jobs, onConfirm, onClose }: ConfirmDeleteProps) {
  const [only, ...others] = jobs;
  return (
    <Dialog title={others.length === 0 ? 'Delete this video?' : `Delete ${jobs.length} videos?`} onClose={onClose}>
      <p>
        {others.length === 0 ? 'The video and its results are' : 'The videos and their results are'} deleted for good.
      </p>
      <ul class="names">
        {jobs.slice(0, NAMED).map((job) => (
          <li key={job.job_id}>
            <JobName job={job} />
          </li>
        ))}
        {jobs.length > NAMED && <li>and {jobs.length - NAMED} more</li>}
      </ul>
      <div class="dialog-foot">
        <button type="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" class="primary danger" disabled={only === undefined} onClick={onConfirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
