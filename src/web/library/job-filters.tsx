import type { Counts } from '../../client/responses.ts';
import type { JobFilter } from './use-jobs.ts';

export type SortOrder = 'newest' | 'oldest' | 'name';

export interface JobFiltersProps {
  readonly counts: Counts;
  readonly filter: JobFilter;
  readonly onFilter: (filter: JobFilter) => void;
  readonly pipelines: readonly string[];
  readonly order: SortOrder;
  readonly onOrder: (order: SortOrder) => void;
}

const NAMES: Readonly<Record<string, string>> = {
  pending: 'Waiting',
  running: 'Analysing',
  completed: 'Done',
  failed: 'Failed',
};

/** Filter and order of the listed videos. */
export function JobFilters({ counts, filter, onFilter, pipelines, order, onOrder }: JobFiltersProps) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const choices = [
    ['', 'All', all],
    ...Object.entries(NAMES).map(([id, name]) => [id, name, counts[id] ?? 0]),
  ] as const;
  return (
    <div class="library-filters">
      <div class="chips" role="group" aria-label="Filter by state">
        {choices
          .filter(([id, , count]) => id === '' || Number(count) > 0 || id === filter.status)
          .map(([id, name, count]) => (
            <button
              key={id}
              type="button"
              class="chip"
              data-filter={id}
              aria-pressed={filter.status === id}
              onClick={() => onFilter({ ...filter, status: String(id) })}
            >
              {name} <span>{count.toLocaleString('en')}</span>
            </button>
          ))}
      </div>
      <div class="selects">
        {pipelines.length > 1 && (
          <select
            aria-label="Filter by pipeline"
            value={filter.pipelineId}
            onChange={({ currentTarget }) => onFilter({ ...filter, pipelineId: currentTarget.value })}
          >
            <option value="">Every pipeline</option>
            {pipelines.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
        )}
        <select aria-label="Sort" value={order} onChange={({ currentTarget }) => onOrder(orderOf(currentTarget.value))}>
          <option value="newest">Newest first</option>
          <option value="oldest">Oldest first</option>
          <option value="name">By name</option>
        </select>
      </div>
    </div>
  );
}

function orderOf(value: string): SortOrder {
  return value === 'oldest' || value === 'name' ? value : 'newest';
}
