import type { JobResponse } from '../../client/responses.ts';
import { Icon } from '../shared/icon.tsx';
import { JobName } from '../shared/job-name.tsx';

/** The head of both kinds of page. */
export function VideoTitle({ job }: { readonly job: JobResponse }) {
  return (
    <div class="video-title">
      <a class="button quiet icon-only" href="./" aria-label="To the library" title="Library">
        <Icon name="back" />
      </a>
      <h1>
        <JobName job={job} />
      </h1>
    </div>
  );
}
