import { formatTimecode } from '../duration.ts';
import { useAnswer } from './answer.ts';
import type { ResultsReader } from './results-reader.ts';

const MAX_HITS = 100;
const NOTHING = { hits: [], total: 0 };

export interface TextSearchProps {
  readonly reader: ResultsReader;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly onSeek: (ms: number) => void;
}

/** Jumps to the frame with a text. */
export function TextSearch({ reader, query, onQuery, onSeek }: TextSearchProps) {
  const found = useAnswer(reader, { ask: 'search', query, limit: MAX_HITS });
  const { hits, total } = found ?? NOTHING;
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const [first] = hits;
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
          {total === 0 ? 'No line says that.' : `${total} ${total === 1 ? 'place' : 'places'}`}
          {total > MAX_HITS && `, the first ${MAX_HITS} here`}
        </p>
      )}
      <ul class="hits">
        {hits.map((hit) => (
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
