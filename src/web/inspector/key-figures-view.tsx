import type { ComponentChildren } from 'preact';
import type { Counts, JobsResponse, TransitionsResponse } from '../../client/responses.ts';
import { formatDuration } from '../duration.ts';
import { useNow } from '../shared/clock.ts';
import { jobTimes, lastHour, type Spread } from './key-figures.ts';

export interface KeyFiguresProps {
  readonly counts: Counts;
  /** The newest jobs. */
  readonly list: JobsResponse;
  /** The histories of the newest of them. */
  readonly histories: readonly TransitionsResponse[];
}

/** Load, results of the last hour and times of the last jobs. */
export function KeyFigures({ counts, list, histories }: KeyFiguresProps) {
  const now = useNow();
  const { completed, failed } = lastHour(list.jobs, now);
  const { wait, run } = jobTimes(histories);
  const newest = `Of the newest ${list.jobs.length} jobs`;
  const measured = `Of the newest ${histories.length} jobs`;
  const failures = failed.reduce((sum, [, count]) => sum + count, 0);
  return (
    <dl class="figures">
      <Figure name="Pending">{counts['pending'] ?? 0}</Figure>
      <Figure name="Running">{counts['running'] ?? 0}</Figure>
      <Figure name="Completed, last hour" title={newest}>
        {completed}
      </Figure>
      <Figure name="Failed, last hour" title={newest}>
        {failures}
        {failed.map(([code, count]) => (
          <small key={code}>
            {code} {count}
          </small>
        ))}
      </Figure>
      <Figure name="Wait, p50 / p95" title={measured}>
        {spreadText(wait)}
      </Figure>
      <Figure name="Run, p50 / p95" title={measured}>
        {spreadText(run)}
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

function Figure({ name, title, children }: FigureProps) {
  return (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function spreadText(spread: Spread | null): string {
  return spread === null ? '–' : `${formatDuration(spread.p50)} / ${formatDuration(spread.p95)}`;
}
