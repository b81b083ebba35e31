import { useEffect, useState } from 'preact/hooks';

export type LinkState = 'up' | 'down';

let present: LinkState = 'up';
const watchers = new Set<(state: LinkState) => void>();

/** Records whether the last request got a response. */
export function linkIs(state: LinkState): void {
  if (state === present) return;
  present = state;
  for (const tell of watchers) tell(state);
}

/** Calls the listener at every change. Returns a function that ends it. */
export function onLink(listener: (state: LinkState) => void): () => void {
  watchers.add(listener);
  return () => void watchers.delete(listener);
}

/** Whether the service responded to the last request. */
export function useLinkState(): LinkState {
  const [state, setState] = useState(present);
  useEffect(() => {
    setState(present);
    return onLink(setState);
  }, []);
  return state;
}
