import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PipelinesResponse } from '../../client/responses.ts';
import { LibraryView } from '../library/library-view.tsx';
import { Icon } from '../shared/icon.tsx';
import { PageHead } from '../shared/page-head.tsx';
import { usePoll } from '../shared/poll.ts';
import { navigate, replaceRoute, useRoute } from '../shared/route.ts';
import { useSession } from '../shared/session.ts';
import { useStore } from '../shared/store.ts';
import { AddDialog } from '../upload/add-dialog.tsx';
import { adding } from '../upload/adding.ts';
import { DropTarget } from '../upload/drop-target.tsx';
import { FirstVisit } from '../upload/first-visit.tsx';
import { UploadTray } from '../upload/upload-tray.tsx';
import { VideoPage } from '../video/video-page.tsx';
import { SearchField } from './search-field.tsx';

/** Pipelines change with the service's code alone. */
const SELDOM_MS = 60_000;

function App() {
  const { jobId, query } = useRoute();
  const { maySubmit, mayRead } = useSession();
  const { data, problem } = usePoll<PipelinesResponse>(mayRead ? 'pipelines' : null, SELDOM_MS);
  const pipelines = data?.pipelines ?? (mayRead ? [] : USUAL_PIPELINES);
  const files = useStore(adding, (state) => state.files);
  useEffect(() => {
    // The scroll position of one view is meaningless in the other.
    scrollTo({ top: 0 });
    if (jobId === null) document.title = 'Library · Reelstate';
  }, [jobId]);
  return (
    <>
      <PageHead page="library">
        {mayRead && jobId === null && (
          <SearchField
            query={query}
            onQuery={(next) => replaceRoute({ query: next })}
            onInput={(next) => replaceRoute({ query: next })}
          />
        )}
        {mayRead && jobId !== null && (
          <SearchField key={jobId} query="" onQuery={(next) => navigate({ query: next })} />
        )}
        {maySubmit && (
          <button type="button" class="primary" onClick={() => adding.set({ files: [] })}>
            <Icon name="add" /> <span>Add videos</span>
          </button>
        )}
      </PageHead>
      <main id="main" tabIndex={-1}>
        {problem !== undefined && data === undefined && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        {jobId !== null && <VideoPage key={jobId} jobId={jobId} />}
        {jobId === null && mayRead && <LibraryView query={query} pipelines={pipelines.map(({ id }) => id)} />}
        {jobId === null && !mayRead && <FirstVisit />}
      </main>
      {maySubmit && <DropTarget />}
      {maySubmit && files !== null && <AddDialog files={files} pipelines={pipelines} />}
      <UploadTray />
    </>
  );
}

/** The built-in pipelines, because a key that can only submit may not list them. */
const USUAL_PIPELINES = [
  { id: 'ocr_only', description: 'Reads the text of each frame' },
  { id: 'yolo_ocr', description: 'Detects objects, then reads text' },
];

const place = document.getElementById('page');
if (place !== null) render(<App />, place);
