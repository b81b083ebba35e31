import { Dialog } from '../shared/dialog.tsx';
import { isTyping } from '../shared/keys.ts';
import { RATES, type Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

const JUMP_MS = 5_000;
const FAR_MS = 10_000;

export interface ShortcutContext {
  readonly store: VideoStore;
  readonly player: Player;
  readonly step: (by: -1 | 1) => void;
  /** To the next or previous scene. */
  readonly scene: (by: -1 | 1) => void;
  readonly fullScreen: () => void;
  readonly help: () => void;
}

interface Shortcut {
  readonly keys: readonly string[];
  readonly words: string;
  readonly act: (context: ShortcutContext) => void;
}

const jump =
  (ms: number) =>
  ({ player, store }: ShortcutContext): void =>
    player.seek(store.value.timeMs + ms);

/** As in common players. */
const SHORTCUTS: readonly Shortcut[] = [
  { keys: [' ', 'k'], words: 'Play or pause', act: ({ player }) => player.toggle() },
  { keys: ['ArrowLeft'], words: 'Back 5 seconds', act: jump(-JUMP_MS) },
  { keys: ['ArrowRight'], words: 'On 5 seconds', act: jump(JUMP_MS) },
  { keys: ['j'], words: 'Back 10 seconds', act: jump(-FAR_MS) },
  { keys: ['l'], words: 'On 10 seconds', act: jump(FAR_MS) },
  { keys: [','], words: 'Previous analysed frame', act: ({ step }) => step(-1) },
  { keys: ['.'], words: 'Next analysed frame', act: ({ step }) => step(1) },
  { keys: ['p', '['], words: 'Previous scene', act: ({ scene }) => scene(-1) },
  { keys: ['n', ']'], words: 'Next scene', act: ({ scene }) => scene(1) },
  { keys: ['<'], words: 'Slower', act: ({ player, store }) => changeRate(player, store, -1) },
  { keys: ['>'], words: 'Faster', act: ({ player, store }) => changeRate(player, store, 1) },
  { keys: ['m'], words: 'Sound on or off', act: ({ player, store }) => player.setMuted(!store.value.isMuted) },
  { keys: ['f'], words: 'Full screen', act: ({ fullScreen }) => fullScreen() },
  { keys: ['b'], words: 'Boxes on or off', act: ({ store }) => toggleBoxes(store) },
  { keys: ['Home'], words: 'To the beginning', act: ({ player }) => player.seek(0) },
  { keys: ['End'], words: 'To the end', act: ({ player, store }) => player.seek(store.value.durationMs) },
  { keys: ['?'], words: 'This list', act: ({ help }) => help() },
];

/** Handles a key, unless it belongs to a field or a control. */
export function handleKey(event: KeyboardEvent, context: ShortcutContext): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  const { target, key } = event;
  const isControl = target instanceof HTMLElement && target.closest('button, a, summary, input, select') !== null;
  // Space and the arrows belong to the focused control.
  if (isControl && (key === ' ' || key.startsWith('Arrow') || key === 'Home' || key === 'End')) return;
  const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(key));
  if (shortcut === undefined) return;
  event.preventDefault();
  shortcut.act(context);
}

export function ShortcutSheet({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(({ keys, words }) => (
          <div key={words}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{nameOfKey(key)}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Ctrl</kbd>
            <kbd>F</kbd>
          </dt>
          <dd>Find in this video</dd>
        </div>
        <div>
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Search all videos</dd>
        </div>
      </dl>
    </Dialog>
  );
}

function changeRate(player: Player, store: VideoStore, by: -1 | 1): void {
  const index = RATES.findIndex((rate) => rate === store.value.rate);
  player.setRate(RATES[Math.min(RATES.length - 1, Math.max(0, index + by))] ?? 1);
}

function toggleBoxes(store: VideoStore): void {
  const { showsObjects, showsText } = store.value;
  const shows = !(showsObjects || showsText);
  store.set({ showsObjects: shows, showsText: shows });
}

function nameOfKey(key: string): string {
  const names: Readonly<Record<string, string>> = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→' };
  return names[key] ?? key;
}
