import type { StateValue } from '../../client/responses.ts';
import { activeStates } from '../chart/active-states.ts';
import { ChartView, MAX_TOKENS, TOKEN_WIDTH } from '../chart/chart-view.tsx';
import type { MachineChart } from '../chart/machine-chart.ts';

export interface WorkerPanelProps {
  readonly chart: MachineChart | undefined;
  /** The current state of each worker. */
  readonly workers: readonly StateValue[];
}

/** The worker machine, with a token for each worker in its states. */
export function WorkerPanel({ chart, workers }: WorkerPanelProps) {
  const tokens = new Map<string, readonly number[]>();
  for (const [index, value] of workers.entries())
    for (const id of activeStates(chart?.root.id ?? '', value)) tokens.set(id, [...(tokens.get(id) ?? []), index + 1]);
  return (
    <section class="card workers" aria-labelledby="workers-title">
      <div class="bar">
        <h2 id="workers-title">{workers.length === 1 ? 'The worker' : 'The workers'}</h2>
        <ul class="worker-rows">
          {workers.map((value, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- a worker has no other name than its place
            <li key={index} data-worker={index}>
              <span class="worker-token">{index + 1}</span> <b>{leaves(value).toReversed().join(', ')}</b>
            </li>
          ))}
        </ul>
      </div>
      {chart !== undefined && (
        <ChartView
          chart={chart}
          title="The worker machine, with the numbers of the workers in each state"
          active={new Set(tokens.keys())}
          tokens={tokens}
          countWidth={Math.min(MAX_TOKENS, workers.length) * TOKEN_WIDTH + 6}
        />
      )}
    </section>
  );
}

function leaves(value: StateValue): readonly string[] {
  return typeof value === 'string'
    ? [value]
    : Object.values(value).flatMap((inner) => (inner === undefined ? [] : leaves(inner)));
}
