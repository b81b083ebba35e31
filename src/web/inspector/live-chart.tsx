import { useRef, useState } from 'preact/hooks';
import type { ActivityResponse } from '../../client/responses.ts';
import { ChartView } from '../chart/chart-view.tsx';
import type { MachineChart } from '../chart/machine-chart.ts';
import { useFlashes } from './flashes.ts';
import { KeyFigures } from './key-figures.tsx';
import { RecentSteps } from './recent-steps.tsx';

export interface LiveChartProps {
  readonly chart: MachineChart;
  readonly activity: ActivityResponse | undefined;
  readonly status: string;
  readonly onState: (id: string) => void;
  readonly onChoose: (jobId: string) => void;
}

/** The machine of all jobs: key figures, the number in each state, and the latest transitions. It can be paused. */
export function LiveChart({ chart, activity, status, onState, onChoose }: LiveChartProps) {
  const [isPaused, setPaused] = useState(false);
  const shown = useHeld(activity, isPaused);
  const { id } = chart.root;
  const counts = new Map(Object.entries(shown?.counts ?? {}).map(([name, count]) => [`${id}.${name}`, count]));
  const flashes = useFlashes(id, shown?.transitions);
  return (
    <>
      <div class="figures-bar">
        {shown !== undefined && <KeyFigures activity={shown} />}
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </button>
      </div>
      <ChartView
        chart={chart}
        title="The job machine, with the number of jobs in each state"
        counts={counts}
        flashes={flashes}
        onState={onState}
        {...(status === '' ? {} : { chosen: `${id}.${status}` })}
      />
      {shown !== undefined && <RecentSteps transitions={shown.transitions} onChoose={onChoose} />}
    </>
  );
}

/** Returns the last value from before the hold. */
function useHeld<T>(value: T | undefined, isHeld: boolean): T | undefined {
  const kept = useRef(value);
  if (!isHeld && value !== undefined) kept.current = value;
  return kept.current;
}
