import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../shared/icon.tsx';
import { isTyping } from '../shared/keys.ts';

export interface SearchFieldProps {
  readonly query: string;
  /** Called when it is submitted. */
  readonly onQuery: (query: string) => void;
  /** Called for every letter, if results can follow at once. */
  readonly onInput?: (query: string) => void;
}

/** Searches all videos. `/` focuses it. */
export function SearchField({ query, onQuery, onInput }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const ending = new AbortController();
    addEventListener(
      'keydown',
      (event) => {
        if (event.key !== '/' || event.ctrlKey || event.metaKey || isTyping(event)) return;
        event.preventDefault();
        input.current?.focus();
      },
      { signal: ending.signal },
    );
    return () => ending.abort();
  }, []);
  return (
    <form
      class="search-all"
      role="search"
      aria-label="All videos"
      onSubmit={(event) => {
        event.preventDefault();
        onQuery(input.current?.value.trim() ?? '');
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        placeholder="Search all videos"
        aria-label="Search all videos"
        aria-keyshortcuts="/"
        defaultValue={query}
        onInput={({ currentTarget }) => onInput?.(currentTarget.value.trim())}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
