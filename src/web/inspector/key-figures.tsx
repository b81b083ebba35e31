import type { ComponentChildren } from 'preact';
import type { ActivityResponse, Spread } from '../../client/responses.ts';
import { formatDuration } from '../duration.ts';

/** Load, and the results and times of the last hour. */
export function KeyFigures({ activity: { counts, last_hour: hour } }: { readonly activity: ActivityResponse }) {
  const failed = Object.entries(hour.failed).toSorted(([, a], [, b]) => b - a);
  return (
    <dl class="figures">
      <Figure name="Pending">{counts['pending'] ?? 0}</Figure>
      <Figure name="Running">{counts['running'] ?? 0}</Figure>
      <Figure name="Completed, last hour">{hour.completed}</Figure>
      <Figure name="Failed, last hour">
        {failed.reduce((sum, [, count]) => sum + count, 0)}
        {failed.map(([code, count]) => (
          <small key={code}>
            {code} {count}
          </small>
        ))}
      </Figure>
      <Figure name="Wait, p50 / p95" title="Jobs that ended in the last hour, from acceptance to the first start">
        {spreadText(hour.wait_ms)}
      </Figure>
      <Figure name="Run, p50 / p95" title="Jobs that ended in the last hour, from the last start to the end">
        {spreadText(hour.run_ms)}
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
