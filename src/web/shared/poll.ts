import { useEffect, useState } from 'preact/hooks';
import { linkIs } from './link-state.ts';
import { PollLoop } from './poll-loop.ts';
import { problemOf } from './problem.ts';
import { signIn } from './session.ts';

export interface Polled<T> {
  /** The last successful response of this address; undefined before the first. */
  readonly data?: T;
  /** Why the last request failed; undefined if it succeeded. */
  readonly problem?: string | undefined;
}

/**
 * Requests an address at intervals while the page is visible. It sends the ETag of the last response, so that an idle
 * service responds with 304 without reading anything. A null address requests nothing.
 * @param asked a new number requests at once
 */
export function usePoll<T>(address: string | null, everyMs = 1_000, asked = 0): Polled<T> {
  const [polled, setPolled] = useState<Polled<T> & { readonly address: string | null }>({ address });
  useEffect(() => {
    if (address === null) return undefined;
    const ending = new AbortController();
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
          signIn();
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
        setPolled((last) => ({ ...last, problem: 'The service does not respond. Trying again…' }));
      }
    };
    const loop = new PollLoop({ ask, everyMs, isHidden: () => document.hidden });
    const wake = (): void => loop.wake();
    document.addEventListener('visibilitychange', wake);
    loop.wake();
    return () => {
      ending.abort();
      loop.end();
      document.removeEventListener('visibilitychange', wake);
    };
  }, [address, everyMs, asked]);
  return polled.address === address ? polled : {};
}
