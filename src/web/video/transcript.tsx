import { useEffect, useRef } from 'preact/hooks';
import type { Scene } from '../../client/responses.ts';
import { formatClock } from '../duration.ts';
import { Marked } from '../shared/marked.tsx';
import { useStore } from '../shared/store.ts';
import { Thumbnail } from '../shared/thumbnail.tsx';
import type { Player } from './player.ts';
import { currentAt } from './segments.ts';
import type { VideoStore } from './video-state.ts';

export interface TranscriptProps {
  readonly jobId: string;
  readonly store: VideoStore;
  readonly player: Player;
  readonly scenes: readonly Scene[];
  readonly query: string;
}

/** The text of the video, one row per slide or subtitle. Follows the current position. */
export function Transcript({ jobId, store, player, scenes, query }: TranscriptProps) {
  const list = useRef<HTMLOListElement>(null);
  const current = useStore(store, ({ timeMs }) => currentAt(scenes, timeMs));
  useEffect(() => {
    const row = list.current?.children[current];
    const panel = list.current?.closest('.panel-body');
    if (!(row instanceof HTMLElement) || !(panel instanceof HTMLElement)) return;
    const top = row.offsetTop - panel.offsetTop;
    // Scrolls only the panel, not the page.
    if (top < panel.scrollTop || top + row.offsetHeight > panel.scrollTop + panel.clientHeight) {
      panel.scrollTo({ top: top - panel.clientHeight / 3 });
    }
  }, [current]);
  if (scenes.length === 0) return <p class="empty">No text was read in this video.</p>;
  return (
    <ol ref={list} class="transcript">
      {scenes.map((scene, index) => (
        <li key={scene.start_ms}>
          <button
            type="button"
            class="scene"
            aria-current={index === current ? 'true' : undefined}
            onClick={() => player.seek(scene.start_ms)}
          >
            <Thumbnail jobId={jobId} frameIndex={scene.frame_index} />
            <SceneText text={scene.text} query={query} />
            <time>{formatClock(scene.start_ms)}</time>
          </button>
        </li>
      ))}
    </ol>
  );
}

function SceneText({ text, query }: { readonly text: string; readonly query: string }) {
  const [title = '', ...lines] = text.split('\n');
  return (
    <span class="scene-text" dir="auto">
      {title === '' ? (
        <i>no text</i>
      ) : (
        <b>
          <Marked text={title} query={query} />
        </b>
      )}
      {lines.length > 0 && (
        <span class="scene-lines">
          <Marked text={lines.join(' · ')} query={query} />
        </span>
      )}
    </span>
  );
}
