import type { StateValue } from '../../client/responses.ts';

/** Returns the ids of all active states in a state value, parents included. `root` is the machine's id. */
export function activeStates(root: string, value: StateValue): readonly string[] {
  if (typeof value === 'string') return [`${root}.${value}`];
  return Object.entries(value).flatMap(([region, inner]) => [
    `${root}.${region}`,
    ...(inner === undefined ? [] : activeStates(`${root}.${region}`, inner)),
  ]);
}
