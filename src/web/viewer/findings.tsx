import { hueOf } from './overlay.tsx';
import type { Finding, FrameView, Summary } from './results-index.ts';

export interface FindingsProps {
  readonly summary: Summary;
  readonly frame: FrameView | null;
  readonly hidden: ReadonlySet<string>;
  readonly onHidden: (hidden: ReadonlySet<string>) => void;
  readonly showsText: boolean;
  readonly onShowsText: (showsText: boolean) => void;
}

/** The findings of the whole video, which can be hidden, and those of the displayed frame. */
export function Findings({ summary, frame, hidden, onHidden, showsText, onShowsText }: FindingsProps) {
  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    onHidden(next);
  };
  const shown = frame?.detections.filter(({ name }) => !hidden.has(name)) ?? [];
  return (
    <>
      <div class="filters" role="group" aria-label="Show and hide">
        {summary.labels.map(({ label, count }) => (
          <button
            key={label}
            type="button"
            class={`chip hue-${hueOf(label)}`}
            aria-pressed={!hidden.has(label)}
            onClick={() => toggle(label)}
          >
            {label} <b>{count.toLocaleString('en')}</b>
          </button>
        ))}
        {summary.lines > 0 && (
          <button type="button" class="chip chip-text" aria-pressed={showsText} onClick={() => onShowsText(!showsText)}>
            text <b>{summary.lines.toLocaleString('en')}</b>
          </button>
        )}
      </div>
      <p class="in-all">
        {summary.frames.toLocaleString('en')} {summary.frames === 1 ? 'frame was' : 'frames were'} analysed.
      </p>
      <h3>In this frame</h3>
      {frame !== null && shown.length + frame.lines.length === 0 && <p class="empty">Nothing found here.</p>}
      {frame === null && <p class="empty">This part was not analysed.</p>}
      <ul class="finding-rows">
        {[
          ...shown.map((finding) => ({ finding, kind: `hue-${hueOf(finding.name)}` })),
          ...(frame?.lines ?? []).map((finding) => ({ finding, kind: 'text' })),
        ].map(
          // oxlint-disable-next-line react/no-array-index-key -- findings of a frame have no other name
          ({ finding, kind }, index) => (
            <Row key={index} finding={finding} kind={kind} />
          ),
        )}
      </ul>
    </>
  );
}

function Row({ finding, kind }: { readonly finding: Finding; readonly kind: string }) {
  return (
    <li
      class={`finding ${kind}`}
      title={`x y width height: ${finding.bbox.map((value) => Math.round(value)).join(' ')}`}
    >
      <span class="light" />
      <span class="finding-name">{finding.name}</span>
      <small>{Math.round(finding.confidence * 100)} %</small>
    </li>
  );
}
