import { useRef, useState } from 'preact/hooks';
import type { ActivityResponse, JobsResponse } from '../../client/responses.ts';
import { ChartView } from '../chart/chart-view.tsx';
import type { MachineChart } from '../chart/machine-chart.ts';
import { usePoll } from '../shared/poll.ts';
import { useFlashes } from './flashes.ts';
import { KeyFigures } from './key-figures-view.tsx';
import { RecentSteps } from './recent-steps.tsx';
import { recentTransitions } from './recent-transitions.ts';
import { useHistories } from './use-histories.ts';

/** Milliseconds between reads of the jobs behind the key figures. */
const EVERY_MS = 3_000;
/** The largest page of the list. */
const JOBS = 200;

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
  const list = useHeld(usePoll<JobsResponse>(isPaused ? null : `video/jobs?limit=${JOBS}`, EVERY_MS).data, isPaused);
  const shown = useHeld(activity, isPaused);
  const histories = useHistories(list?.jobs);
  const { id } = chart.root;
  const counts = new Map(Object.entries(shown?.counts ?? {}).map(([name, count]) => [`${id}.${name}`, count]));
  const flashes = useFlashes(id, shown?.transitions);
  return (
    <>
      <div class="figures-bar">
        {list !== undefined && <KeyFigures counts={shown?.counts ?? list.counts} list={list} histories={histories} />}
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
      {shown !== undefined && (
        <RecentSteps transitions={recentTransitions(histories, shown.transitions)} onChoose={onChoose} />
      )}
    </>
  );
}

/** Returns the last value from before the hold. */
function useHeld<T>(value: T | undefined, isHeld: boolean): T | undefined {
  const kept = useRef(value);
  if (!isHeld && value !== undefined) kept.current = value;
  return kept.current;
}
