import { formatClock, formatTimecode } from '../duration.ts';
import { Icon } from '../shared/icon.tsx';
import { Menu } from '../shared/menu.tsx';
import { useStore } from '../shared/store.ts';
import { RATES, type Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

export interface ControlsProps {
  readonly store: VideoStore;
  readonly player: Player;
  readonly onStep: (by: -1 | 1) => void;
  readonly onFullScreen: () => void;
  readonly onHelp: () => void;
}

/** The controls of the player below its picture. */
export function Controls({ store, player, onStep, onFullScreen, onHelp }: ControlsProps) {
  const { isPlaying, isMuted, isBlank, rate } = useStore(store, (state) => ({
    isPlaying: state.isPlaying,
    isMuted: state.isMuted,
    isBlank: state.isBlank,
    rate: state.rate,
  }));
  return (
    <div class="controls">
      <button type="button" class="play" aria-label={isPlaying ? 'Pause' : 'Play'} onClick={() => player.toggle()}>
        <Icon name={isPlaying ? 'pause' : 'play'} />
      </button>
      <button type="button" aria-label="Previous analysed frame" onClick={() => onStep(-1)}>
        <Icon name="back" />
      </button>
      <button type="button" aria-label="Next analysed frame" onClick={() => onStep(1)}>
        <Icon name="next" />
      </button>
      <Timecode store={store} />
      <span class="gap" />
      {!isBlank && (
        <button
          type="button"
          aria-label="Sound"
          title="Sound"
          aria-pressed={!isMuted}
          onClick={() => player.setMuted(!isMuted)}
        >
          <Icon name={isMuted ? 'mute' : 'sound'} />
        </button>
      )}
      <select
        aria-label="Speed"
        value={rate}
        onChange={({ currentTarget }) => player.setRate(Number(currentTarget.value))}
      >
        {RATES.map((known) => (
          <option key={known} value={known}>
            {known}×
          </option>
        ))}
      </select>
      <Menu class="view-menu" label="What is shown" closesOnChoice={false} button={<Icon name="sliders" />}>
        <ViewOptions store={store} />
      </Menu>
      <button type="button" class="wide-only" aria-label="Keyboard shortcuts" title="Shortcuts (?)" onClick={onHelp}>
        <Icon name="help" />
      </button>
      <button type="button" aria-label="Full screen" title="Full screen (f)" onClick={onFullScreen}>
        <Icon name="full" />
      </button>
    </div>
  );
}

function Timecode({ store }: { readonly store: VideoStore }) {
  const { timeMs, durationMs } = useStore(store, (state) => ({ timeMs: state.timeMs, durationMs: state.durationMs }));
  return (
    <output class="timecode" aria-live="off">
      {formatTimecode(timeMs)} <small>/ {formatClock(durationMs)}</small>
    </output>
  );
}

function ViewOptions({ store }: { readonly store: VideoStore }) {
  const { showsObjects, showsText, names, minConfidence } = useStore(store, (state) => ({
    showsObjects: state.showsObjects,
    showsText: state.showsText,
    names: state.names,
    minConfidence: state.minConfidence,
  }));
  return (
    <div class="view-options">
      <label>
        <input type="checkbox" checked={showsObjects} onChange={() => store.set({ showsObjects: !showsObjects })} />
        Boxes of objects
      </label>
      <label>
        <input type="checkbox" checked={showsText} onChange={() => store.set({ showsText: !showsText })} />
        Boxes of text
      </label>
      <label>
        <input
          type="checkbox"
          checked={names === 'all'}
          onChange={() => store.set({ names: names === 'all' ? 'hover' : 'all' })}
        />
        Names of all objects
      </label>
      <label class="confidence">
        <span>
          At least <b>{Math.round(minConfidence * 100)} %</b> sure
        </span>
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={minConfidence * 100}
          aria-label="Lowest confidence"
          onInput={({ currentTarget }) => store.set({ minConfidence: currentTarget.valueAsNumber / 100 })}
        />
      </label>
    </div>
  );
}
