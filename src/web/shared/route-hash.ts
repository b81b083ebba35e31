const JOB_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The route in an address after its `#`: `#job=…&t=225.0&q=dijkstra`. */
export interface Route {
  /** Null for the library. */
  readonly jobId: string | null;
  /** Start position in the video; null for its beginning. */
  readonly timeMs: number | null;
  /** The query in the video or in the library. */
  readonly query: string;
  /** The displayed step of a job's history in the inspector; null for the last. */
  readonly step: number | null;
}

export const LIBRARY: Route = { jobId: null, timeMs: null, query: '', step: null };

/** Parses the part of an address after `#`. Invalid parts are ignored, because an address may come from anywhere. */
export function parseRoute(hash: string): Route {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const id = query.get('job') ?? '';
  const seconds = Number(query.get('t') ?? Number.NaN);
  const step = Number(query.get('step') ?? Number.NaN);
  return {
    jobId: JOB_ID.test(id) ? id.toLowerCase() : null,
    timeMs: seconds >= 0 && seconds < 1e9 ? Math.round(seconds * 1_000) : null,
    query: (query.get('q') ?? '').slice(0, 200),
    step: Number.isInteger(step) && step > 0 ? step : null,
  };
}

/** Formats a route as the part of an address after the path. */
export function routeHash(route: Partial<Route>): string {
  const { jobId, timeMs, query, step } = { ...LIBRARY, ...route };
  const parts = [
    ...(jobId === null ? [] : [`job=${jobId}`]),
    ...(timeMs === null ? [] : [`t=${(timeMs / 1_000).toFixed(1)}`]),
    ...(query === '' ? [] : [`q=${encodeURIComponent(query)}`]),
    ...(step === null ? [] : [`step=${step}`]),
  ];
  return parts.length === 0 ? '' : `#${parts.join('&')}`;
}
