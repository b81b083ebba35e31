/**
 * Converts a machine's definition into a chart: states as a tree, transitions as edges. It works for every machine, so
 * a chart changes with its machine.
 */

import type { StateDefinition, TransitionDefinition } from '../../client/responses.ts';

export interface ChartState {
  /** The path from the root, joined by dots: unique in the chart. */
  readonly id: string;
  readonly name: string;
  readonly kind: StateDefinition['type'];
  readonly description: string;
  readonly children: readonly ChartState[];
  /** Id of the initial child; null for atomic, final and parallel states. */
  readonly initial: string | null;
}

export interface ChartTransition {
  /** Unique in the chart. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** Displayed name of the event. */
  readonly event: string;
  /** Name of the guard; without a name, the description of the transition; empty without a guard. */
  readonly guard: string;
  readonly description: string;
}

export interface MachineChart {
  readonly root: ChartState;
  readonly transitions: readonly ChartTransition[];
}

export function chartOf(definition: StateDefinition): MachineChart {
  const transitions: ChartTransition[] = [];
  collect(definition, transitions);
  return { root: stateOf(definition), transitions };
}

function stateOf({ id, key, type, initial, states, description }: StateDefinition): ChartState {
  return {
    id,
    name: key,
    kind: type,
    description: description ?? '',
    children: Object.values(states).map((child) => stateOf(child)),
    initial: type === 'compound' ? (initial?.target?.[0]?.replace(/^#/, '') ?? null) : null,
  };
}

function collect(definition: StateDefinition, transitions: ChartTransition[]): void {
  for (const [event, choices] of Object.entries(definition.on)) {
    for (const [index, { target, guard, description }] of choices.entries()) {
      for (const name of target ?? [definition.id]) {
        transitions.push({
          id: `${definition.id}/${event}/${index}`,
          source: definition.id,
          target: name.replace(/^#/, ''),
          event: eventName(event, definition),
          guard: guardName(guard) ?? (index < choices.length - 1 ? sentence(description) : ''),
          description: description ?? '',
        });
      }
    }
  }
  for (const child of Object.values(definition.states)) collect(child, transitions);
}

function guardName(guard: TransitionDefinition['guard']): string | undefined {
  return typeof guard === 'string' ? guard : guard?.type;
}

/** A transition before another one of the same event has a guard, even if it is code and not in the definition. */
function sentence(description = ''): string {
  return description.replace(/\.$/, '');
}

/** XState's internal events have long ids; the actor's name is shown. */
function eventName(event: string, { invoke = [] }: StateDefinition): string {
  const [, kind, id] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(event) ?? [];
  if (kind !== undefined) return `${invoke.find((actor) => actor.id === id)?.src ?? id} ${kind}`;
  const [, delay] = /^xstate\.after\.([^.]*)\./.exec(event) ?? [];
  if (delay !== undefined) return `after ${delay}`;
  return event.startsWith('xstate.done.state') ? 'done' : event;
}
