import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Finding, FrameView } from './results-index.ts';

export interface OverlayProps {
  readonly frame: FrameView | null;
  /** Of the source frame, in its pixels: the boxes' own coordinates. */
  readonly size: readonly [width: number, height: number];
  readonly hidden: ReadonlySet<string>;
  readonly showsText: boolean;
  readonly query: string;
}

/** Boxes and text over the picture, drawn in pixels of the source frame and scaled as the picture is. */
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
  return (
    <svg ref={svg} class="overlay" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {frame?.detections
        .filter(({ name }) => !hidden.has(name))
        .map((finding, index) => (
          <Mark
            // oxlint-disable-next-line react/no-array-index-key -- findings of a frame have no other name
            key={`d${index}`}
            finding={finding}
            kind={`detection hue-${hueOf(finding.name)}`}
            caption={`${finding.name} ${Math.round(finding.confidence * 100)} %`}
            scale={scale}
          />
        ))}
      {showsText &&
        frame?.lines.map((finding, index) => (
          <Mark
            // oxlint-disable-next-line react/no-array-index-key -- findings of a frame have no other name
            key={`t${index}`}
            finding={finding}
            kind={wanted !== '' && finding.name.toLowerCase().includes(wanted) ? 'line is-hit' : 'line'}
            caption={finding.name}
            scale={scale}
          />
        ))}
    </svg>
  );
}

interface MarkProps {
  readonly finding: Finding;
  readonly kind: string;
  readonly caption: string;
  /** Source pixels for each CSS pixel. */
  readonly scale: number;
}

function Mark({ finding, kind, caption, scale }: MarkProps) {
  const [x, y, width, height] = finding.bbox;
  const line = 16 * scale;
  const captionWidth = (caption.length * 6.6 + 10) * scale;
  const captionY = y >= line ? y - line : y + height;
  return (
    <g class={`mark ${kind}`}>
      <rect class="mark-box" x={x} y={y} width={width} height={height} />
      <rect class="mark-back" x={x} y={captionY} width={captionWidth} height={line} />
      <text x={x + 5 * scale} y={captionY + line / 2} font-size={11 * scale}>
        {caption}
      </text>
    </g>
  );
}

/** One of eight hues, always the same for a label. */
export function hueOf(label: string): number {
  let sum = 0;
  for (const character of label) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 997;
  return sum % 8;
}
