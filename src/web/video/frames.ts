import { useEffect, useState } from 'preact/hooks';
import { FrameWindows, type FrameWindowsOptions } from './frame-windows.ts';
import type { Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

/** Keeps the current frame in the store. Returns a function that steps to the next or previous analysed frame. */
export function useFrames(store: VideoStore, player: Player, options: FrameWindowsOptions): (by: -1 | 1) => void {
  const [windows] = useState(() => new FrameWindows(options));
  useEffect(() => {
    let isStale = false;
    let wanted = -1;
    const read = async (ms: number): Promise<void> => {
      try {
        await windows.around(ms);
        if (!isStale) store.set({ frame: windows.frameAt(store.value.timeMs) });
      } catch {
        // Requested again at the next position.
        wanted = -1;
      }
    };
    const look = (): void => {
      const { timeMs } = store.value;
      const frame = windows.frameAt(timeMs);
      // The last frame stays while the next window is read.
      if (frame !== undefined) store.set({ frame });
      const number = Math.floor(timeMs / windows.windowMs);
      if (frame !== undefined && number === wanted) return;
      wanted = number;
      void read(timeMs);
    };
    look();
    const stop = store.subscribe(look);
    return () => {
      isStale = true;
      stop();
    };
  }, [store, windows]);
  const step = async (by: -1 | 1): Promise<void> => {
    const { timeMs, frame } = store.value;
    const next = await windows.neighbour(frame?.timestampMs ?? timeMs, by).catch(() => null);
    if (next !== null) player.seek(next.timestampMs);
  };
  return (by) => void step(by);
}
