import type { JobItem } from '../../client/responses.ts';
import { Icon } from '../shared/icon.tsx';
import { exportAll, isPossible, type JobAction } from './job-actions.ts';

export interface SelectionBarProps {
  readonly jobs: readonly JobItem[];
  readonly onAction: (action: JobAction, jobs: readonly JobItem[]) => void;
  /** Null if all are selected. */
  readonly onAll: (() => void) | null;
  readonly onClear: () => void;
}

/** Actions on all selected videos. */
export function SelectionBar({ jobs, onAction, onAll, onClear }: SelectionBarProps) {
  const finished = jobs.filter(({ status, deleted_at: deletedAt }) => status === 'completed' && deletedAt === null);
  const count = (action: JobAction): number => jobs.filter((job) => isPossible(action, job)).length;
  return (
    <div class="selection-bar" role="toolbar" aria-label="Selected videos">
      <b>{jobs.length} selected</b>
      <button type="button" disabled={finished.length === 0} onClick={() => exportAll(finished, 'srt')}>
        <Icon name="download" /> Subtitles
      </button>
      <button type="button" disabled={finished.length === 0} onClick={() => exportAll(finished, 'csv')}>
        <Icon name="download" /> CSV
      </button>
      <button type="button" disabled={count('rerun') === 0} onClick={() => onAction('rerun', jobs)}>
        <Icon name="retry" /> Run again
      </button>
      <button type="button" class="danger" disabled={count('delete') === 0} onClick={() => onAction('delete', jobs)}>
        <Icon name="trash" /> Delete
      </button>
      {onAll !== null && (
        <button type="button" class="quiet" onClick={onAll}>
          Select all
        </button>
      )}
      <button type="button" class="quiet" onClick={onClear}>
        Clear
      </button>
    </div>
  );
}
