import { useStore } from '../shared/store.ts';
import { isShown } from './overlay.tsx';
import type { VideoStore } from './video-state.ts';

export interface ThisFrameProps {
  readonly store: VideoStore;
  readonly hues: ReadonlyMap<string, number>;
}

/** The findings of the current frame. */
export function ThisFrame({ store, hues }: ThisFrameProps) {
  const { frame, chosen, pointedAt } = useStore(store, (state) => state);
  if (frame === undefined) return <p class="empty">Reading…</p>;
  if (frame === null) return <p class="empty">This part was not analysed.</p>;
  const rows = frame.findings
    .map((finding, index) => ({ finding, index }))
    .filter(({ finding }) => isShown(finding, store.value));
  return (
    <>
      <p class="frame-number">Frame {frame.frameIndex}</p>
      {rows.length === 0 && <p class="empty">Nothing found here.</p>}
      <ul class="findings">
        {rows.map(({ finding: { name, kind, confidence, bbox }, index }) => (
          <li key={index}>
            <button
              type="button"
              class={`finding ${kind === 'text' ? 'line' : `hue-${hues.get(name) ?? 0}`}${index === pointedAt ? ' is-pointed' : ''}`}
              aria-pressed={index === chosen}
              title={`x y width height: ${bbox.map((value) => Math.round(value)).join(' ')}`}
              onPointerEnter={() => store.set({ pointedAt: index })}
              onPointerLeave={() => store.set({ pointedAt: null })}
              onFocus={() => store.set({ pointedAt: index })}
              onBlur={() => store.set({ pointedAt: null })}
              onClick={() => store.set({ chosen: index === chosen ? null : index })}
            >
              <span class="light" />
              <bdi class="finding-name">{name}</bdi>
              <small>{Math.round(confidence * 100)} %</small>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
