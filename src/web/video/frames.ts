import { useEffect, useState } from 'preact/hooks';
import { followFrames } from './follow-frames.ts';
import { FrameWindows, type FrameWindowsOptions } from './frame-windows.ts';
import type { Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

/** Keeps the current frame in the store. Returns a function that steps to the next or previous analysed frame. */
export function useFrames(store: VideoStore, player: Player, options: FrameWindowsOptions): (by: -1 | 1) => void {
  const [windows] = useState(() => new FrameWindows(options));
  useEffect(() => followFrames(store, windows), [store, windows]);
  const step = async (by: -1 | 1): Promise<void> => {
    const { timeMs, frame } = store.value;
    const next = await windows.neighbour(frame?.timestampMs ?? timeMs, by).catch(() => null);
    if (next !== null) player.seek(next.timestampMs);
  };
  return (by) => void step(by);
}
