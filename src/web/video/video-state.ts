import { Store } from '../shared/store.ts';
import type { FrameView } from './frame-windows.ts';

export type Tab = 'transcript' | 'objects' | 'frame';
/** Which names are shown beside the boxes. */
export type Names = 'hover' | 'all';

/** The state of the video page. */
export interface VideoState {
  readonly timeMs: number;
  readonly isPlaying: boolean;
  readonly isMuted: boolean;
  readonly rate: number;
  /** Width and height of the displayed frame in pixels; null until known. */
  readonly size: readonly [width: number, height: number] | null;
  readonly durationMs: number;
  /** True if the browser cannot play the video; pictures are shown instead. */
  readonly isBlank: boolean;
  /** The current frame; null without an analysed frame, undefined while it is read. */
  readonly frame: FrameView | null | undefined;
  readonly tab: Tab;
  readonly query: string;
  /** Labels whose boxes are hidden. */
  readonly hidden: ReadonlySet<string>;
  readonly showsObjects: boolean;
  readonly showsText: boolean;
  readonly names: Names;
  readonly minConfidence: number;
  /** Index of the hovered or selected finding of the current frame. */
  readonly pointedAt: number | null;
  readonly chosen: number | null;
}

export type VideoStore = Store<VideoState>;

export function createVideoStore(initial: Partial<VideoState>): VideoStore {
  return new Store<VideoState>({
    timeMs: 0,
    isPlaying: false,
    isMuted: true,
    rate: 1,
    size: null,
    durationMs: 0,
    isBlank: false,
    frame: undefined,
    tab: 'transcript',
    query: '',
    hidden: new Set(),
    showsObjects: true,
    showsText: true,
    names: 'hover',
    minConfidence: 0,
    pointedAt: null,
    chosen: null,
    ...initial,
  });
}
