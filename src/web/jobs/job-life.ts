import type { TransitionsResponse } from '../../client/responses.ts';

type Transition = TransitionsResponse['transitions'][number];

/** One step of a job's life: a transition, and the stay in the state that it led to. */
export interface LifeStep extends Transition {
  /** Milliseconds in the state; null in the last one, where it still is. */
  readonly stayMs: number | null;
  /** Names of what the step changed in the context. */
  readonly changed: ReadonlySet<string>;
}

/** A job's transitions, in order, as the steps of its life. */
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
