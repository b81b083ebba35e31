import type { TransitionsResponse } from '../../client/responses.ts';

type Transition = TransitionsResponse['transitions'][number];

/** One step of a job's history: a transition, and the stay in the state after it. */
export interface LifeStep extends Transition {
  /** Milliseconds in the state; null for the last one. */
  readonly stayMs: number | null;
  /** Names of the context fields that the step changed. */
  readonly changed: ReadonlySet<string>;
}

/** Returns the transitions of a job, in order, as the steps of its history. */
export function lifeOf(transitions: readonly Transition[]): readonly LifeStep[] {
  return transitions.map((step, index) => {
    const next = transitions[index + 1];
    const before = transitions[index - 1]?.context ?? {};
    return {
      ...step,
      stayMs: next === undefined ? null : Date.parse(next.occurred_at) - Date.parse(step.occurred_at),
      changed: new Set(
        Object.keys(step.context).filter(
          (name) => index > 0 && JSON.stringify(step.context[name]) !== JSON.stringify(before[name]),
        ),
      ),
    };
  });
}
