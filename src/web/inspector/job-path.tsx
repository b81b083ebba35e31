import { ChartView, walkKey } from '../chart/chart-view.tsx';
import type { MachineChart } from '../chart/machine-chart.ts';
import type { LifeStep } from './job-life.ts';

export interface JobPathProps {
  readonly chart: MachineChart;
  readonly jobId: string;
  readonly steps: readonly LifeStep[];
}

/**
 * The path of a job through its machine up to these steps: how often transitions were taken, the last one, and the
 * state after it.
 */
export function JobPath({ chart, jobId, steps }: JobPathProps) {
  const { id } = chart.root;
  const walked = new Map<string, number>();
  let latest: string | undefined;
  for (const { from, event, to } of steps) {
    latest = from === null ? undefined : walkKey(`${id}.${from}`, event, `${id}.${to}`);
    if (latest !== undefined) walked.set(latest, (walked.get(latest) ?? 0) + 1);
  }
  const present = steps.at(-1);
  return (
    <ChartView
      chart={chart}
      title={`The way of job ${jobId} through the job machine`}
      walked={walked}
      active={new Set(present === undefined ? [] : [`${id}.${present.to}`])}
      {...(latest === undefined ? {} : { latest })}
    />
  );
}
