import { useEffect, useState } from 'preact/hooks';
import { linkIs } from './link-state.ts';
import { problemOf } from './problem.ts';

export interface Polled<T> {
  /** The last good answer to this address; undefined before the first. */
  readonly data?: T;
  /** Why the last question had no good answer; undefined when it had one. */
  readonly problem?: string | undefined;
}

/**
 * Asks an address at intervals, and not at all while the page is hidden. It sends the tag of the last answer along, so
 * that an idle service answers 304 without reading anything. A null address asks nothing.
 */
export function usePoll<T>(address: string | null, everyMs = 1_000): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { readonly address: string | null }>({ address });
  useEffect(() => {
    if (address === null) return undefined;
    const ending = new AbortController();
    let timer = 0;
    let tag: string | null = null;
    const ask = async (): Promise<void> => {
      try {
        const answer = await fetch(address, {
          signal: ending.signal,
          cache: 'no-store',
          headers: tag === null ? {} : { 'if-none-match': tag },
        });
        linkIs('up');
        if (answer.status === 304) {
          setPolled((last) => (last.problem === undefined ? last : { ...last, problem: undefined }));
        } else if (answer.status === 401) {
          sessionStorage.setItem('before-sign-in', location.pathname + location.hash);
          location.assign('/sign-in');
        } else if (answer.ok) {
          const data: T = await answer.json();
          tag = answer.headers.get('etag');
          setPolled({ address, data });
        } else {
          const problem = await problemOf(answer);
          setPolled((last) => ({ ...(last.address === address ? last : {}), address, problem }));
        }
      } catch {
        if (ending.signal.aborted) return;
        linkIs('down');
        setPolled((last) => ({ ...last, problem: 'The service does not answer. Trying again…' }));
      }
      if (!ending.signal.aborted && !document.hidden) timer = setTimeout(ask, everyMs);
    };
    const wake = (): void => {
      clearTimeout(timer);
      if (!document.hidden) void ask();
    };
    document.addEventListener('visibilitychange', wake);
    void ask();
    return () => {
      ending.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [address, everyMs]);
  return polled.address === address ? polled : {};
}
