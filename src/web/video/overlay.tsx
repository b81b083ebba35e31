import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useStore } from '../shared/store.ts';
import type { Finding } from './frame-windows.ts';
import type { VideoState, VideoStore } from './video-state.ts';

export interface OverlayProps {
  readonly store: VideoStore;
  readonly hues: ReadonlyMap<string, number>;
  /** Of the source frame, in its pixels: the boxes' own coordinates. */
  readonly size: readonly [width: number, height: number];
}

/** Boxes over the picture in pixels of the source frame. Names are shown for hovered and selected ones. */
export function Overlay({ store, hues, size: [width, height] }: OverlayProps) {
  const { frame, names, chosen, pointedAt } = useStore(store, (state) => state);
  const place = useRef<HTMLDivElement>(null);
  const [scale, setScale] = useState(1);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    // The stage has the picture's proportions, so both directions have the same scale.
    const observer = new ResizeObserver(() => setScale(width / Math.max(1, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [width]);
  const marks = (frame?.findings ?? [])
    .map((finding, index) => ({ finding, index }))
    .filter(({ finding }) => isShown(finding, store.value));
  return (
    <div ref={place} class="overlay" aria-hidden="true">
      <svg viewBox={`0 0 ${width} ${height}`}>
        {marks.map(({ finding: { kind, name, bbox }, index }) => (
          <rect
            key={index}
            class={`mark-box ${kind === 'text' ? 'line' : `object hue-${hues.get(name) ?? 0}`}${index === chosen ? ' is-chosen' : ''}${index === pointedAt ? ' is-pointed' : ''}`}
            x={bbox[0]}
            y={bbox[1]}
            width={bbox[2]}
            height={bbox[3]}
            rx={2 * scale}
            onPointerEnter={() => store.set({ pointedAt: index })}
            onPointerLeave={() => store.set({ pointedAt: null })}
            onClick={(event) => {
              event.stopPropagation();
              store.set({ chosen: index === chosen ? null : index, tab: 'frame' });
            }}
          />
        ))}
      </svg>
      {marks
        .filter(
          ({ finding, index }) =>
            index === chosen || index === pointedAt || (names === 'all' && finding.kind === 'object'),
        )
        .map(({ finding, index }) => (
          <Caption key={index} finding={finding} hue={hues.get(finding.name) ?? 0} size={[width, height]} />
        ))}
    </div>
  );
}

interface CaptionProps {
  readonly finding: Finding;
  readonly hue: number;
  readonly size: readonly [width: number, height: number];
}

/** HTML text, because only the browser knows its width in every script. */
function Caption({ finding: { kind, name, confidence, bbox }, hue, size: [width, height] }: CaptionProps) {
  const [x, y, w, h] = bbox;
  const isBelow = y < height * 0.08;
  const isRight = x + w / 2 > width / 2;
  const style = {
    ...(isBelow ? { top: `${((y + h) / height) * 100}%` } : { bottom: `${(1 - y / height) * 100}%` }),
    ...(isRight
      ? { right: `${Math.max(0, (1 - (x + w) / width) * 100)}%` }
      : { left: `${Math.max(0, (x / width) * 100)}%` }),
  };
  return (
    <span class={`caption ${kind === 'text' ? 'line' : `hue-${hue}`}`} style={style}>
      <bdi>{name}</bdi> <small>{Math.round(confidence * 100)} %</small>
    </span>
  );
}

/** Returns true if a finding is not filtered out by the viewer. */
export function isShown(
  { kind, name, confidence }: Finding,
  { hidden, showsObjects, showsText, minConfidence }: VideoState,
): boolean {
  if (confidence < minConfidence) return false;
  return kind === 'text' ? showsText : showsObjects && !hidden.has(name);
}
