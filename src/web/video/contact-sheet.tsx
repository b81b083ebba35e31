import type { Scene } from '../../client/responses.ts';
import { formatClock } from '../duration.ts';
import { useStore } from '../shared/store.ts';
import { Thumbnail } from '../shared/thumbnail.tsx';
import type { Player } from './player.ts';
import { currentAt } from './segments.ts';
import type { VideoStore } from './video-state.ts';

export interface ContactSheetProps {
  readonly jobId: string;
  readonly codec: string | null;
  readonly scenes: readonly Scene[];
  readonly store: VideoStore;
  readonly player: Player;
}

/** Pictures of a video without text. */
const STILLS = 12;

/** The scenes as pictures, if the browser cannot play the video. */
export function ContactSheet({ jobId, codec, scenes, store, player }: ContactSheetProps) {
  const { isBlank, current, durationMs } = useStore(store, ({ isBlank: blank, timeMs, durationMs: length }) => ({
    isBlank: blank,
    current: currentAt(scenes, timeMs),
    durationMs: length,
  }));
  if (!isBlank) return null;
  const stills =
    scenes.length > 0 ? [] : Array.from({ length: STILLS }, (_, index) => Math.floor((durationMs * index) / STILLS));
  return (
    <section class="contact-sheet" aria-label="Scenes">
      <p class="note" role="status">
        This browser cannot play the video{codec === null ? '' : ` (${codec})`}. The service shows pictures of it.
      </p>
      <ul>
        {scenes.map((scene, index) => (
          <li key={scene.start_ms}>
            <button
              type="button"
              class="sheet-scene"
              aria-label={`${formatClock(scene.start_ms)} ${scene.text.split('\n')[0]}`}
              aria-current={index === current ? 'true' : undefined}
              onClick={() => player.seek(scene.start_ms)}
            >
              <Thumbnail jobId={jobId} frameIndex={scene.frame_index} />
              <time>{formatClock(scene.start_ms)}</time>
            </button>
          </li>
        ))}
        {stills.map((ms) => (
          <li key={ms}>
            <button type="button" class="sheet-scene" aria-label={formatClock(ms)} onClick={() => player.seek(ms)}>
              <span class="thumbnail">
                <img src={`video/still/${jobId}?at_ms=${ms}`} alt="" loading="lazy" />
              </span>
              <time>{formatClock(ms)}</time>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
