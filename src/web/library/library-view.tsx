import { useState } from 'preact/hooks';
import type { JobItem } from '../../client/responses.ts';
import { useNow } from '../shared/clock.ts';
import { nameOfJob } from '../shared/job-name.tsx';
import { useSession } from '../shared/session.ts';
import { FirstVisit } from '../upload/first-visit.tsx';
import { ConfirmDelete } from './confirm-delete.tsx';
import { act, isPossible, type JobAction } from './job-actions.ts';
import { JobCard } from './job-card.tsx';
import { JobFilters, type SortOrder } from './job-filters.tsx';
import { SearchHits } from './search-hits.tsx';
import { SelectionBar } from './selection-bar.tsx';
import { NO_FILTER, useJobs } from './use-jobs.ts';

export interface LibraryViewProps {
  /** The query for videos and their names; empty for none. */
  readonly query: string;
  readonly pipelines: readonly string[];
}

/** All videos with their findings. */
export function LibraryView({ query, pipelines }: LibraryViewProps) {
  const [filter, setFilter] = useState(NO_FILTER);
  const [order, setOrder] = useState<SortOrder>('newest');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [deleting, setDeleting] = useState<readonly JobItem[]>([]);
  const [problems, setProblems] = useState<readonly string[]>([]);
  const now = useNow();
  const { maySubmit } = useSession();
  const page = useJobs({ ...filter, fileName: query });
  const jobs = sorted(page.list?.jobs ?? [], order);
  const chosen = jobs.filter(({ job_id: id }) => selected.has(id));

  const perform = async (action: JobAction, targets: readonly JobItem[]): Promise<void> => {
    setSelected(new Set());
    setDeleting([]);
    setProblems(await act(action, targets));
    page.refresh();
  };
  const begin = (action: JobAction, targets: readonly JobItem[]): void => {
    const possible = targets.filter((job) => isPossible(action, job));
    if (action === 'delete') setDeleting(possible);
    else void perform(action, possible);
  };
  const select = (jobId: string, isSelected: boolean): void => {
    const next = new Set(selected);
    if (isSelected) next.add(jobId);
    else next.delete(jobId);
    setSelected(next);
  };
  const counts = page.list?.counts ?? {};
  const isEmpty = page.list !== undefined && Object.values(counts).every((count) => count === 0);
  if (isEmpty) return <FirstVisit />;
  return (
    <div class="library">
      {query !== '' && <SearchHits query={query} />}
      <div class="library-head">
        <h1>{query === '' ? 'Library' : 'Names'}</h1>
        {(query === '' || jobs.length > 0 || filter !== NO_FILTER) && (
          <JobFilters
            counts={counts}
            filter={filter}
            onFilter={setFilter}
            pipelines={pipelines}
            order={order}
            onOrder={setOrder}
          />
        )}
      </div>
      {[...(page.problem === undefined ? [] : [page.problem]), ...problems].map((problem) => (
        <p key={problem} class="problem" role="alert">
          {problem}
        </p>
      ))}
      {page.list !== undefined && jobs.length === 0 && (
        <p class="empty">{query === '' ? 'No video is in this state.' : 'No name contains this.'}</p>
      )}
      <ul class={`job-grid${chosen.length > 0 ? ' is-selecting' : ''}`} aria-label="Videos">
        {jobs.map((job) => (
          <JobCard
            key={job.job_id}
            job={job}
            now={now}
            isSelected={selected.has(job.job_id)}
            onSelect={(isSelected) => select(job.job_id, isSelected)}
            onAction={maySubmit ? (action, target) => begin(action, [target]) : null}
          />
        ))}
      </ul>
      {(page.newer !== undefined || page.older !== undefined) && (
        <nav class="pager" aria-label="Pages">
          <button type="button" disabled={page.newer === undefined} onClick={() => turn(page.newer)}>
            Newer
          </button>
          <span>Page {page.number}</span>
          <button type="button" disabled={page.older === undefined} onClick={() => turn(page.older)}>
            Older
          </button>
        </nav>
      )}
      {chosen.length > 0 && (
        <SelectionBar
          jobs={chosen}
          onAction={begin}
          onAll={chosen.length === jobs.length ? null : () => setSelected(new Set(jobs.map(({ job_id: id }) => id)))}
          onClear={() => setSelected(new Set())}
        />
      )}
      {deleting.length > 0 && (
        <ConfirmDelete
          jobs={deleting}
          onConfirm={() => void perform('delete', deleting)}
          onClose={() => setDeleting([])}
        />
      )}
    </div>
  );
}

/** The next page starts at its top. */
function turn(go: (() => void) | undefined): void {
  go?.();
  scrollTo({ top: 0 });
}

function sorted(jobs: readonly JobItem[], order: SortOrder): readonly JobItem[] {
  if (order === 'newest') return jobs;
  if (order === 'oldest') return jobs.toReversed();
  return jobs.toSorted((a, b) => nameOfJob(a).localeCompare(nameOfJob(b)));
}
