import { useEffect, useState } from 'preact/hooks';
import type { ObjectSegment, Scene } from '../../client/responses.ts';
import { messageOf, requestJson } from '../shared/request.ts';

/** The segments of a video. */
export interface Findings {
  readonly scenes: readonly Scene[];
  readonly objects: readonly ObjectSegment[];
  /** End of the last one. */
  readonly endMs: number;
}

export type FindingsState = Findings | { readonly problem: string } | null;

/** Null while they are read. */
export function useFindings(jobId: string): FindingsState {
  const [state, setState] = useState<FindingsState>(null);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    const read = async (): Promise<void> => {
      try {
        const [{ segments: scenes }, { segments: objects }] = await Promise.all([
          requestJson<{ readonly segments: readonly Scene[] }>(`video/segments/${jobId}?kind=scenes`, { signal }),
          requestJson<{ readonly segments: readonly ObjectSegment[] }>(`video/segments/${jobId}?kind=objects`, {
            signal,
          }),
        ]);
        const endMs = [...scenes, ...objects].reduce((latest, { end_ms: end }) => Math.max(latest, end), 0);
        setState({ scenes, objects, endMs });
      } catch (error) {
        if (!signal.aborted) setState({ problem: messageOf(error) });
      }
    };
    void read();
    return () => ending.abort();
  }, [jobId]);
  return state;
}

/** Returns the index of the last segment that has started; -1 before the first. They are ordered by start. */
function indexAt(segments: readonly { readonly start_ms: number }[], ms: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // Players round times to microseconds, results to fractions of a millisecond.
    if ((segments[middle]?.start_ms ?? 0) <= ms + 0.5) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns the index of the segment at a time; -1 if there is none. */
export function currentAt(
  segments: readonly { readonly start_ms: number; readonly end_ms: number }[],
  ms: number,
): number {
  const index = indexAt(segments, ms);
  return ms < (segments[index]?.end_ms ?? 0) ? index : -1;
}
