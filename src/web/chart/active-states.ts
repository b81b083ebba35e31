import type { StateValue } from '../../client/responses.ts';

/** The ids of all states that are active in a state value, parents too. `root` is the machine's id. */
export function activeStates(root: string, value: StateValue): readonly string[] {
  if (typeof value === 'string') return [`${root}.${value}`];
  return Object.entries(value).flatMap(([region, inner]) => [
    `${root}.${region}`,
    ...(inner === undefined ? [] : activeStates(`${root}.${region}`, inner)),
  ]);
}
