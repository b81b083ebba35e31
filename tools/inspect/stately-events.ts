import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { MachineResponse, StateDefinition, TransitionsResponse } from '../../src/client/responses.ts';

/** Version of Stately's inspection protocol. */
const PROTOCOL_VERSION = '0.7.2';

/**
 * Returns a job's transitions after `afterSeq` for Stately Inspector: an actor the first time, then an event and a
 * snapshot each.
 */
export function statelyEvents(
  machine: MachineResponse,
  life: TransitionsResponse,
  afterSeq: number,
): readonly StatelyInspectionEvent[] {
  const { job, transitions } = life;
  const states = machine.definition.states;
  return transitions
    .filter(({ seq }) => seq > afterSeq)
    .flatMap(({ seq, from, event: type, to, occurred_at: at, context }): StatelyInspectionEvent[] => {
      const about = {
        sessionId: job.job_id,
        rootId: job.job_id,
        createdAt: String(Date.parse(at)),
        _version: PROTOCOL_VERSION,
      };
      const status = states[to]?.type === 'final' ? 'done' : 'active';
      const snapshot = { status, value: to, context, output: undefined, error: undefined } as const;
      if (from === null) {
        const definition = JSON.stringify(configOf(machine.definition));
        const name = `job ${job.job_id.slice(-8)}`;
        return [{ type: '@xstate.actor', name, definition, parentId: undefined, snapshot, id: `${seq}`, ...about }];
      }
      return [
        { type: '@xstate.event', event: { type }, sourceId: undefined, id: `${seq}e`, ...about },
        { type: '@xstate.snapshot', event: { type }, snapshot, id: `${seq}s`, ...about },
      ];
    });
}

/** Returns a definition as its configuration, without code. */
function configOf({ id, type, initial, states, on, description }: StateDefinition): object {
  const first = initial?.target?.[0];
  return {
    id,
    ...(type === 'final' || type === 'parallel' ? { type } : {}),
    ...(type === 'compound' && first !== undefined ? { initial: first.slice(first.lastIndexOf('.') + 1) } : {}),
    ...(description === undefined ? {} : { description }),
    on,
    states: Object.fromEntries(Object.entries(states).map(([key, state]) => [key, configOf(state)])),
  };
}
