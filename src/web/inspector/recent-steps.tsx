import type { ActivityResponse } from '../../client/responses.ts';
import { formatAge } from '../duration.ts';
import { useNow } from '../shared/clock.ts';

/** Number of listed steps. */
const SHOWN = 6;

export interface RecentStepsProps {
  /** Oldest first. */
  readonly transitions: ActivityResponse['transitions'];
  readonly onChoose: (jobId: string) => void;
}

/** The latest transitions of all jobs, newest first. */
export function RecentSteps({ transitions, onChoose }: RecentStepsProps) {
  const now = useNow();
  if (transitions.length === 0) return <p class="empty">No job yet.</p>;
  return (
    <ol class="recent" aria-label="What has just happened">
      {transitions
        .slice(-SHOWN)
        .toReversed()
        .map(({ job_id: jobId, seq, from, event, to, occurred_at: at }) => (
          <li key={`${jobId}/${seq}`}>
            <button type="button" class="recent-step" onClick={() => onChoose(jobId)}>
              <span class="job-id">…{jobId.slice(-8)}</span>
              <span class="recent-way">
                {from !== null && <span data-state={from}>{from}</span>}
                <code>{event}</code>
                <span data-state={to}>{to}</span>
              </span>
              <time dateTime={at} title={at}>
                {formatAge(at, now)}
              </time>
            </button>
          </li>
        ))}
    </ol>
  );
}
