import { useEffect, useState } from 'preact/hooks';
import { ReelstateError } from '../../client/reelstate-error.ts';
import type { ObjectSegment, Scene, SearchResponse, TextSegment } from '../../client/responses.ts';
import { formatClock } from '../duration.ts';
import { JobName } from '../shared/job-name.tsx';
import { Marked } from '../shared/marked.tsx';
import { messageOf, requestJson } from '../shared/request.ts';
import { routeHash } from '../shared/route-hash.ts';
import { Thumbnail } from '../shared/thumbnail.tsx';
import { currentAt } from '../video/segments.ts';
import { useJobFindings } from './job-findings.ts';

/** Milliseconds without input before the search is sent. */
const PAUSE_MS = 250;
/** Listed positions per video; the page of the video lists all. */
const SHOWN = 4;

type Found = SearchResponse | { readonly problem: string } | null;

/** Positions of a text or an object in all videos. */
export function SearchHits({ query }: { readonly query: string }) {
  const found = useSearch(query);
  if (found === null) return <p class="empty">Searching…</p>;
  if ('problem' in found)
    return (
      <p class="problem" role="alert">
        {found.problem}
      </p>
    );
  const { complete: isComplete } = found;
  // Videos that match by name are listed below.
  const hits = found.hits.filter(({ matches }) => matches > 0);
  return (
    <section class="search-hits" aria-labelledby="hits-title">
      <h1 id="hits-title">In the videos</h1>
      <p class="hits-count" role="status">
        {hits.length === 0
          ? 'Nothing was found.'
          : `Found in ${hits.length} ${hits.length === 1 ? 'video' : 'videos'}.`}
        {!isComplete && ' The index is being rebuilt: there may be more.'}
      </p>
      <ul class="hit-videos">
        {hits.map((hit) => (
          <li key={hit.job_id} class="hit-video">
            <a class="hit-name" href={`./${routeHash({ jobId: hit.job_id, query })}`}>
              <HitPicture hit={hit} />
              <JobName job={hit} />
            </a>
            <ul>
              {distinct(hit.segments)
                .slice(0, SHOWN)
                .map((segment) => (
                  <li key={`${segment.start_ms} ${textOf(segment)}`}>
                    <a class="hit" href={`./${routeHash({ jobId: hit.job_id, timeMs: segment.start_ms, query })}`}>
                      <time>{formatClock(segment.start_ms)}</time>
                      <span>
                        <Marked text={textOf(segment)} query={query} />
                      </span>
                    </a>
                  </li>
                ))}
              {hit.matches > SHOWN && <li class="hit-more">and {hit.matches - SHOWN} more</li>}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Null while the first response to this query is awaited. */
function useSearch(query: string): Found {
  const [found, setFound] = useState<{ readonly query: string; readonly is: Found }>({ query, is: null });
  useEffect(() => {
    const ending = new AbortController();
    const read = async (): Promise<void> => {
      try {
        const answer = await requestJson<SearchResponse>(
          `video/search?${new URLSearchParams({ q: query, limit: '50' })}`,
          {
            signal: ending.signal,
          },
        );
        setFound({ query, is: answer });
      } catch (error) {
        if (ending.signal.aborted) return;
        const isUnknown = error instanceof ReelstateError && error.code === 'route_not_found';
        setFound({ query, is: { problem: isUnknown ? 'This service searches names only.' : messageOf(error) } });
      }
    };
    const timer = setTimeout(() => void read(), PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [query]);
  return found.query === query ? found.is : null;
}

/** One of the segments that begin together with equal words, such as a label and its first instance. */
function distinct<T extends TextSegment | ObjectSegment | Scene>(segments: readonly T[]): readonly T[] {
  return [...new Map(segments.map((segment) => [`${segment.start_ms} ${textOf(segment)}`, segment])).values()];
}

function textOf(segment: TextSegment | ObjectSegment | Scene): string {
  return segment.kind === 'object' ? segment.label : segment.text.replaceAll('\n', ' · ');
}

interface HitPictureProps {
  readonly hit: SearchResponse['hits'][number];
}

/** The picture of the scene in which the first match begins. */
function HitPicture({ hit: { job_id: jobId, segments } }: HitPictureProps) {
  const findings = useJobFindings({ job_id: jobId, status: 'completed', deleted_at: null });
  const [first] = segments;
  const scene = findings?.scenes[currentAt(findings.scenes, first?.start_ms ?? 0)];
  return <Thumbnail jobId={jobId} frameIndex={scene?.frame_index ?? findings?.frameIndex ?? null} />;
}
