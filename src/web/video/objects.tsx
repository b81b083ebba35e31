import { formatClock, formatDuration } from '../duration.ts';
import { useStore } from '../shared/store.ts';
import type { ObjectLane } from './object-lanes.ts';
import type { Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

export interface ObjectsProps {
  readonly store: VideoStore;
  readonly player: Player;
  readonly lanes: readonly ObjectLane[];
  readonly hues: ReadonlyMap<string, number>;
}

/** The appearances of each label: a lane and a switch for its boxes. */
export function Objects({ store, player, lanes, hues }: ObjectsProps) {
  const { hidden, durationMs } = useStore(store, (state) => ({ hidden: state.hidden, durationMs: state.durationMs }));
  if (lanes.length === 0) return <p class="empty">No objects were seen in this video.</p>;
  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    store.set({ hidden: next });
  };
  /** Goes to the next appearance, and from the last to the first. */
  const goToNext = ({ intervals }: ObjectLane): void => {
    const { timeMs } = store.value;
    const [start] = intervals.find(([begin]) => begin > timeMs + 1) ?? intervals[0] ?? [0];
    player.seek(start);
  };
  return (
    <ul class="lanes">
      {lanes.map((lane) => (
        <li
          key={lane.label}
          class={`lane hue-${hues.get(lane.label) ?? 0}${hidden.has(lane.label) ? ' is-hidden' : ''}`}
        >
          <div class="lane-head">
            <button type="button" class="lane-name" title="To the next time" onClick={() => goToNext(lane)}>
              <span class="light" />
              <bdi>{lane.label}</bdi>
            </button>
            <small>
              {formatDuration(lane.seenMs)} in {lane.intervals.length}{' '}
              {lane.intervals.length === 1 ? 'stretch' : 'stretches'}
              {lane.maxCount > 1 && `, up to ${lane.maxCount} at once`}
            </small>
            <label class="lane-switch">
              <input
                type="checkbox"
                aria-label={`Show boxes of ${lane.label}`}
                checked={!hidden.has(lane.label)}
                onChange={() => toggle(lane.label)}
              />
            </label>
          </div>
          <LaneBar lane={lane} durationMs={durationMs} store={store} player={player} />
          <p class="lane-times">
            {lane.intervals.slice(0, 3).map(([start]) => (
              <button key={start} type="button" onClick={() => player.seek(start)}>
                {formatClock(start)}
              </button>
            ))}
            {lane.intervals.length > 3 && <span>and {lane.intervals.length - 3} more</span>}
          </p>
        </li>
      ))}
    </ul>
  );
}

interface LaneBarProps {
  readonly lane: ObjectLane;
  readonly durationMs: number;
  readonly store: VideoStore;
  readonly player: Player;
}

function LaneBar({ lane, durationMs, store, player }: LaneBarProps) {
  const now = useStore(store, ({ timeMs }) => Math.round((timeMs / Math.max(1, durationMs)) * 500) * 2);
  const part = (ms: number): number => (ms / Math.max(1, durationMs)) * 1_000;
  return (
    <svg
      class="lane-bar"
      viewBox="0 0 1000 10"
      preserveAspectRatio="none"
      aria-hidden="true"
      onClick={(event) => {
        const { left, width } = event.currentTarget.getBoundingClientRect();
        player.seek(((event.clientX - left) / width) * durationMs);
      }}
    >
      {lane.intervals.map(([start, end]) => (
        <rect key={start} x={part(start)} width={Math.max(3, part(end) - part(start))} height={10} />
      ))}
      <path class="lane-now" d={`M${now} 0V10`} />
    </svg>
  );
}
