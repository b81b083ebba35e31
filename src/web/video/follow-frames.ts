import type { FrameView, FrameWindows } from './frame-windows.ts';

/** Milliseconds between a failed request and the next one. */
const PAUSE_MS = 2_000;

/** The part of the video page's state that this module reads and changes. */
export interface FrameStore {
  readonly value: { readonly timeMs: number };
  set(patch: { readonly frame: FrameView | null | undefined }): void;
  subscribe(listener: () => void): () => void;
}

/** Keeps the frame of the current position in the store. Returns a function that ends it. */
export function followFrames(
  store: FrameStore,
  windows: Pick<FrameWindows, 'around' | 'frameAt' | 'windowMs'>,
  pauseMs = PAUSE_MS,
): () => void {
  let hasEnded = false;
  let wanted = -1;
  let pause: ReturnType<typeof setTimeout> | undefined;
  const read = async (ms: number): Promise<void> => {
    try {
      await windows.around(ms);
      if (!hasEnded) store.set({ frame: windows.frameAt(store.value.timeMs) });
    } catch {
      if (!hasEnded) pause ??= setTimeout(resume, pauseMs);
    }
  };
  const look = (): void => {
    const { timeMs } = store.value;
    const frame = windows.frameAt(timeMs);
    // The last frame stays while the next window is read.
    if (frame !== undefined) store.set({ frame });
    const number = Math.floor(timeMs / windows.windowMs);
    if (pause !== undefined || (frame !== undefined && number === wanted)) return;
    wanted = number;
    void read(timeMs);
  };
  const resume = (): void => {
    pause = undefined;
    wanted = -1;
    look();
  };
  look();
  const stop = store.subscribe(look);
  return () => {
    hasEnded = true;
    clearTimeout(pause);
    stop();
  };
}
