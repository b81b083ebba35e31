import type { Scene } from '../../client/responses.ts';
import { useStore } from '../shared/store.ts';
import { Find } from './find.tsx';
import type { ObjectLane } from './object-lanes.ts';
import { Objects } from './objects.tsx';
import type { Player } from './player.ts';
import { ThisFrame } from './this-frame.tsx';
import { Transcript } from './transcript.tsx';
import type { Tab, VideoStore } from './video-state.ts';

export interface PanelProps {
  readonly jobId: string;
  readonly store: VideoStore;
  readonly player: Player;
  readonly scenes: readonly Scene[];
  readonly lanes: readonly ObjectLane[];
  readonly hues: ReadonlyMap<string, number>;
  readonly hits: readonly number[];
}

/** The findings: in the whole video, by text or by object, and in the current frame. */
export function Panel({ jobId, store, player, scenes, lanes, hues, hits }: PanelProps) {
  const { tab, query } = useStore(store, (state) => ({ tab: state.tab, query: state.query }));
  const tabs: readonly (readonly [Tab, string, number | null])[] = [
    ['transcript', 'Transcript', scenes.length],
    ['objects', 'Objects', lanes.length],
    ['frame', 'This frame', null],
  ];
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const at = tabs.findIndex(([id]) => id === tab);
    const [next] = tabs[(at + by + tabs.length) % tabs.length] ?? [tab];
    store.set({ tab: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <section class="panel" aria-label="What was found">
      <Find store={store} player={player} hits={hits} onQuery={(next) => store.set({ query: next })} />
      <div class="tabs" role="tablist" aria-label="What is listed" onKeyDown={move}>
        {tabs.map(([id, name, count]) => (
          <button
            key={id}
            id={`tab-${id}`}
            type="button"
            role="tab"
            aria-selected={id === tab}
            aria-controls="tab-panel"
            tabIndex={id === tab ? 0 : -1}
            onClick={() => store.set({ tab: id })}
          >
            {name}
            {count !== null && count > 0 && <small>{count.toLocaleString('en')}</small>}
          </button>
        ))}
      </div>
      <div id="tab-panel" class="panel-body" role="tabpanel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === 'transcript' && (
          <Transcript jobId={jobId} store={store} player={player} scenes={scenes} query={query} />
        )}
        {tab === 'objects' && <Objects store={store} player={player} lanes={lanes} hues={hues} />}
        {tab === 'frame' && <ThisFrame store={store} hues={hues} />}
      </div>
    </section>
  );
}
