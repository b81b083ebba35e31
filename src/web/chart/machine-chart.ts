/**
 * A machine's definition as a chart to be drawn: its states as a tree, its transitions as edges between them. Nothing
 * here knows a particular machine, so a chart changes when its machine does.
 */

import type { StateDefinition, TransitionDefinition } from '../../client/responses.ts';

export interface ChartState {
  /** The path from the root, joined by points: unique in the chart. */
  readonly id: string;
  readonly name: string;
  readonly kind: StateDefinition['type'];
  readonly description: string;
  readonly children: readonly ChartState[];
  /** Id of the child in which it begins; null for atomic, final and parallel states. */
  readonly initial: string | null;
}

export interface ChartTransition {
  /** Unique in the chart. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** As events are named to people. */
  readonly event: string;
  /** The guard's name; for one without a name what the transition says of itself; empty where there is none. */
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

/** What is chosen before another has a guard, even where that is code and therefore not in the definition. */
function sentence(description = ''): string {
  return description.replace(/\.$/, '');
}

/** XState's own events say what happened in long ids; people want the actor's name. */
function eventName(event: string, { invoke = [] }: StateDefinition): string {
  const [, kind, id] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(event) ?? [];
  if (kind !== undefined) return `${invoke.find((actor) => actor.id === id)?.src ?? id} ${kind}`;
  const [, delay] = /^xstate\.after\.([^.]*)\./.exec(event) ?? [];
  if (delay !== undefined) return `after ${delay}`;
  return event.startsWith('xstate.done.state') ? 'done' : event;
}
