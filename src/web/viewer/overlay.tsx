import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { placeCaptions } from './captions.ts';
import type { FrameView } from './results-index.ts';

export interface OverlayProps {
  readonly frame: FrameView | null;
  /** Size of the source frame in its pixels, the coordinates of the boxes. */
  readonly size: readonly [width: number, height: number];
  readonly hidden: ReadonlySet<string>;
  readonly showsText: boolean;
  readonly query: string;
}

/** Boxes and text over the picture, drawn in pixels of the source frame and scaled with the picture. */
export function Overlay({ frame, size: [width, height], hidden, showsText, query }: OverlayProps) {
  const svg = useRef<SVGSVGElement>(null);
  const [scale, setScale] = useState(1);
  useLayoutEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setScale(width / Math.max(1, element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [width]);
  const wanted = query.trim().toLowerCase();
  const marks = [
    ...(frame?.detections ?? [])
      .filter(({ name }) => !hidden.has(name))
      .map(({ name, confidence, bbox }) => ({
        bbox,
        kind: `detection hue-${hueOf(name)}`,
        caption: `${name} ${Math.round(confidence * 100)} %`,
      })),
    ...((showsText && frame?.lines) || []).map(({ name, bbox }) => ({
      bbox,
      kind: wanted !== '' && name.toLowerCase().includes(wanted) ? 'line is-hit' : 'line',
      caption: name,
    })),
  ];
  const captions = placeCaptions(marks, { width, height, scale });
  return (
    <svg ref={svg} class="overlay" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {marks.map(({ bbox, kind }, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- findings of a frame have no other name
        <g key={index} class={`mark ${kind}`}>
          <rect class="mark-box" x={bbox[0]} y={bbox[1]} width={bbox[2]} height={bbox[3]} />
        </g>
      ))}
      {captions.map(({ kind, caption, bbox: [x, y, w, h] }, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- as above
        <g key={index} class={`mark ${kind}`}>
          <rect class="mark-back" x={x} y={y} width={w} height={h} rx={2 * scale} />
          <text x={x + 5 * scale} y={y + h / 2} font-size={11 * scale}>
            {caption}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** One of eight hues, always the same for a label. */
export function hueOf(label: string): number {
  let sum = 0;
  for (const character of label) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return sum % 8;
}
