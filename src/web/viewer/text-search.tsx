import { useEffect, useState } from 'preact/hooks';
import { formatTimecode } from '../duration.ts';
import type { Hit } from './results-index.ts';
import type { ResultsReader } from './results-reader.ts';

const MAX_HITS = 100;

export interface TextSearchProps {
  readonly reader: ResultsReader;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly onSeek: (ms: number) => void;
}

/** "Jump to the frame that says …" */
export function TextSearch({ reader, query, onQuery, onSeek }: TextSearchProps) {
  const [found, setFound] = useState<{ readonly hits: readonly Hit[]; readonly total: number }>({ hits: [], total: 0 });
  useEffect(() => {
    let isStale = false;
    void reader.ask({ ask: 'search', query, limit: MAX_HITS }).then((answer) => {
      if (!isStale) setFound(answer);
    });
    return () => {
      isStale = true;
    };
  }, [reader, query]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const [first] = found.hits;
        if (first !== undefined) onSeek(first.fromMs);
      }}
    >
      <input
        type="search"
        placeholder="Jump to the frame that says …"
        aria-label="Search in the text"
        value={query}
        onInput={({ currentTarget }) => onQuery(currentTarget.value)}
      />
      {query.trim() !== '' && (
        <p class="hits-count" role="status">
          {found.total === 0 ? 'No line says that.' : `${found.total} ${found.total === 1 ? 'place' : 'places'}`}
          {found.total > MAX_HITS && `, the first ${MAX_HITS} here`}
        </p>
      )}
      <ul class="hits">
        {found.hits.map((hit) => (
          <li key={`${hit.fromMs}/${hit.text}`}>
            <button type="button" class="hit" onClick={() => onSeek(hit.fromMs)}>
              <time>{formatTimecode(hit.fromMs)}</time>
              <span>{hit.text}</span>
            </button>
          </li>
        ))}
      </ul>
    </form>
  );
}
