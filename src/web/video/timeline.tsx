import { useState } from 'preact/hooks';
import type { Scene } from '../../client/responses.ts';
import { formatClock, formatTimecode } from '../duration.ts';
import { useStore } from '../shared/store.ts';
import { Thumbnail } from '../shared/thumbnail.tsx';
import type { Player } from './player.ts';
import { currentAt } from './segments.ts';
import type { VideoStore } from './video-state.ts';

export interface TimelineProps {
  readonly jobId: string;
  readonly store: VideoStore;
  readonly player: Player;
  readonly scenes: readonly Scene[];
  /** Times of search hits. */
  readonly hits: readonly number[];
  readonly onStep: (by: -1 | 1) => void;
}

/** The time line of the video: scenes, search hits, and the current position. */
export function Timeline({ jobId, store, player, scenes, hits, onStep }: TimelineProps) {
  const durationMs = useStore(store, (state) => state.durationMs);
  const [hoverMs, setHover] = useState<number | null>(null);
  const part = (ms: number): number => (durationMs === 0 ? 0 : Math.min(100, (ms / durationMs) * 100));
  const timeOf = (event: PointerEvent & { readonly currentTarget: HTMLElement }): number => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * durationMs;
  };
  const hovered = hoverMs === null ? undefined : scenes[currentAt(scenes, hoverMs)];
  return (
    <div
      class="timeline"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        player.seek(timeOf(event));
      }}
      onPointerMove={(event) => {
        const ms = timeOf(event);
        setHover(ms);
        if (event.currentTarget.hasPointerCapture(event.pointerId)) player.seek(ms);
      }}
      onPointerLeave={() => setHover(null)}
    >
      <svg class="timeline-scenes" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        {scenes.map(({ start_ms: start, end_ms: end }) => (
          <rect
            key={start}
            x={part(start) * 10}
            width={Math.max(1, (part(end) - part(start)) * 10 - 1.5)}
            height={10}
          />
        ))}
      </svg>
      <svg class="timeline-hits" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
        {hits.map((ms) => (
          <rect key={ms} x={Math.min(996, part(ms) * 10)} width={4} height={10} />
        ))}
      </svg>
      <Playhead store={store} player={player} onStep={onStep} />
      {hoverMs !== null && (
        <div class="timeline-preview" style={{ left: `clamp(90px, ${part(hoverMs)}%, calc(100% - 90px))` }}>
          {hovered !== undefined && <Thumbnail jobId={jobId} frameIndex={hovered.frame_index} />}
          <span>
            {formatClock(hoverMs)}
            {hovered !== undefined && hovered.text !== '' && <b>{hovered.text.split('\n')[0]}</b>}
          </span>
        </div>
      )}
    </div>
  );
}

/** Updated with every frame, so it is a separate component. */
function Playhead({ store, player, onStep }: Pick<TimelineProps, 'store' | 'player' | 'onStep'>) {
  const { timeMs, durationMs } = useStore(store, (state) => ({ timeMs: state.timeMs, durationMs: state.durationMs }));
  const moves: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => onStep(-1),
    ArrowRight: () => onStep(1),
    ArrowDown: () => onStep(-1),
    ArrowUp: () => onStep(1),
    PageDown: () => player.seek(timeMs - durationMs / 10),
    PageUp: () => player.seek(timeMs + durationMs / 10),
    Home: () => player.seek(0),
    End: () => player.seek(durationMs),
  };
  return (
    <div
      class="playhead"
      role="slider"
      tabIndex={0}
      aria-label="Time line"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs)}
      aria-valuenow={Math.round(Math.min(timeMs, durationMs))}
      aria-valuetext={`${formatTimecode(timeMs)} of ${formatTimecode(durationMs)}`}
      style={{ left: `${durationMs === 0 ? 0 : Math.min(100, (timeMs / durationMs) * 100)}%` }}
      onKeyDown={(event) => {
        const move = moves[event.key];
        if (move === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        move();
      }}
    />
  );
}
