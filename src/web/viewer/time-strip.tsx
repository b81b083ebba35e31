import { formatTimecode } from '../duration.ts';
import type { Strip } from './results-index.ts';

export interface TimeStripProps {
  readonly strip: Strip | null;
  readonly timeMs: number;
  readonly durationMs: number;
  readonly onSeek: (ms: number) => void;
  /** One analysed frame back or forward. */
  readonly onStep: (step: -1 | 1) => void;
}

/** The time line: positions of detections, text and search hits, and the current position. */
export function TimeStrip({ strip, timeMs, durationMs, onSeek, onStep }: TimeStripProps) {
  const seekTo = (event: PointerEvent & { readonly currentTarget: HTMLElement }): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    onSeek(Math.min(1, Math.max(0, (event.clientX - left) / width)) * durationMs);
  };
  return (
    <div
      class="strip"
      role="slider"
      tabIndex={0}
      aria-label="Time line"
      aria-valuemin={0}
      aria-valuemax={Math.round(durationMs)}
      aria-valuenow={Math.round(timeMs)}
      aria-valuetext={`${formatTimecode(timeMs)} of ${formatTimecode(durationMs)}`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seekTo(event);
      }}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && seekTo(event)}
      onKeyDown={(event) => {
        const moves: Readonly<Record<string, () => void>> = {
          ArrowLeft: () => onStep(-1),
          ArrowRight: () => onStep(1),
          ArrowDown: () => onStep(-1),
          ArrowUp: () => onStep(1),
          PageDown: () => onSeek(Math.max(0, timeMs - durationMs / 10)),
          PageUp: () => onSeek(Math.min(durationMs, timeMs + durationMs / 10)),
          Home: () => onSeek(0),
          End: () => onSeek(durationMs),
        };
        const move = moves[event.key];
        if (move === undefined) return;
        event.preventDefault();
        move();
      }}
    >
      <Lane name="detections" values={strip?.detections ?? []} />
      <Lane name="lines" values={strip?.lines ?? []} />
      <Lane name="hits" values={strip?.hits ?? []} />
      <div class="playhead" style={{ left: `${durationMs === 0 ? 0 : Math.min(100, (timeMs / durationMs) * 100)}%` }} />
    </div>
  );
}

function Lane({ name, values }: { readonly name: string; readonly values: readonly number[] }) {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  const bars = values.map((value, index) => {
    if (value === 0) return '';
    // The smallest value stays visible.
    const height = 0.3 + (0.7 * value) / most;
    return `M${index},${(1 - height).toFixed(3)}h1V1h-1z`;
  });
  return (
    <svg
      class={`lane lane-${name}`}
      viewBox={`0 0 ${Math.max(1, values.length)} 1`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={bars.join('')} />
    </svg>
  );
}
