import { Store } from '../shared/store.ts';
import type { FrameView } from './frame-windows.ts';

export type Tab = 'transcript' | 'objects' | 'frame';
/** Which names are written beside the boxes. */
export type Names = 'hover' | 'all';

/** Everything that changes while a video is looked at. */
export interface VideoState {
  readonly timeMs: number;
  readonly isPlaying: boolean;
  readonly isMuted: boolean;
  readonly rate: number;
  /** Width and height in pixels of the frame as a player shows it; null until known. */
  readonly size: readonly [width: number, height: number] | null;
  readonly durationMs: number;
  /** True when the browser cannot play the video: pictures of it are shown instead. */
  readonly isBlank: boolean;
  /** The frame in view; null where nothing was analysed, undefined while it is read. */
  readonly frame: FrameView | null | undefined;
  readonly tab: Tab;
  readonly query: string;
  /** Labels whose boxes are not shown. */
  readonly hidden: ReadonlySet<string>;
  readonly showsObjects: boolean;
  readonly showsText: boolean;
  readonly names: Names;
  readonly minConfidence: number;
  /** Index of the finding of the frame in view that is pointed at or chosen. */
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
