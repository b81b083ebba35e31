import { useEffect, useRef } from 'preact/hooks';
import type { ObjectSegment, Scene } from '../../client/responses.ts';
import { foldText, hasAllWords, wordsOf } from '../shared/fold-text.ts';
import { Icon } from '../shared/icon.tsx';
import { useStore } from '../shared/store.ts';
import type { Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

/** Start times in ms, in order, of matches of every word of a query: scenes by text, objects by label. */
export function findHits(
  scenes: readonly Scene[],
  objects: readonly ObjectSegment[],
  query: string,
): readonly number[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  const times = [
    ...scenes.filter(({ text }) => hasAllWords(foldText(text), words)),
    ...objects.filter(({ label }) => hasAllWords(foldText(label), words)),
  ].map(({ start_ms: start }) => start);
  return [...new Set(times)].toSorted((a, b) => a - b);
}

export interface FindProps {
  readonly store: VideoStore;
  readonly player: Player;
  readonly hits: readonly number[];
  readonly onQuery: (query: string) => void;
}

/** Searches this video. Enter goes to the next hit, Shift+Enter to the previous one. */
export function Find({ store, player, hits, onQuery }: FindProps) {
  const query = useStore(store, (state) => state.query);
  const input = useRef<HTMLInputElement>(null);
  // The current hit: the last one that has started.
  const current = useStore(store, ({ timeMs }) => hits.findLastIndex((ms) => ms <= timeMs + 1.5));
  useEffect(() => {
    const ending = new AbortController();
    const focus = (event: KeyboardEvent): void => {
      if (event.key !== 'f' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', focus, { signal: ending.signal });
    return () => ending.abort();
  }, []);
  const go = (by: -1 | 1): void => {
    const { timeMs } = store.value;
    const isAtHit = Math.abs((hits[current] ?? Number.NEGATIVE_INFINITY) - timeMs) <= 1.5;
    const next = by === 1 ? current + 1 : isAtHit ? current - 1 : current;
    const ms = hits[(next + hits.length) % hits.length];
    if (ms !== undefined) player.seek(ms);
  };
  const isSearching = query.trim() !== '';
  return (
    <form
      class="find"
      role="search"
      aria-label="This video"
      onSubmit={(event) => {
        event.preventDefault();
        go(1);
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        placeholder="Find in this video"
        aria-label="Find in this video"
        value={query}
        onInput={({ currentTarget }) => onQuery(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !event.shiftKey) return;
          event.preventDefault();
          go(-1);
        }}
      />
      <span class="find-count" role="status">
        {isSearching && (hits.length === 0 ? 'none' : `${Math.max(0, current) + 1}/${hits.length}`)}
      </span>
      <button
        type="button"
        class="quiet icon-only"
        aria-label="Previous hit"
        disabled={hits.length === 0}
        onClick={() => go(-1)}
      >
        <Icon name="back" />
      </button>
      <button type="submit" class="quiet icon-only" aria-label="Next hit" disabled={hits.length === 0}>
        <Icon name="next" />
      </button>
    </form>
  );
}
