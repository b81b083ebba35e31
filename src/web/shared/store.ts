import { useEffect, useRef, useState } from 'preact/hooks';

/** A value that components watch: the state of a page or part of it. */
export class Store<T extends object> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  /** Replaces some members and notifies the listeners if something differs. */
  set(patch: Partial<T>): void {
    const next = { ...this.#value, ...patch };
    if (isShallowEqual(next, this.#value)) return;
    this.#value = next;
    for (const listener of this.#listeners) listener();
  }

  /** Returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Returns a part of a store. The component renders again only if that has changed (shallow comparison). */
export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const [, setShown] = useState({});
  const selected = select(store.value);
  const latest = useRef({ select, selected });
  latest.current = { select, selected };
  useEffect(() => {
    const look = (): void => {
      const { select: selectNow, selected: shown } = latest.current;
      if (!isShallowEqual(selectNow(store.value), shown)) setShown({});
    };
    // It may have changed between the first rendering and this effect.
    look();
    return store.subscribe(look);
  }, [store]);
  return selected;
}

function isShallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.keys(b)];
  return left.length === right.length && left.every(([name, value]) => Object.is(value, Reflect.get(b, name)));
}
