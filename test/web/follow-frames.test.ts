import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { followFrames, type FrameStore } from '../../src/web/video/follow-frames.ts';
import { FrameWindows, type FrameView } from '../../src/web/video/frame-windows.ts';

class VideoStore implements FrameStore {
  value: { readonly timeMs: number; readonly frame?: FrameView | null | undefined } = { timeMs: 0 };
  readonly #listeners = new Set<() => void>();

  set(patch: Partial<VideoStore['value']>): void {
    this.value = { ...this.value, ...patch };
    if (patch.timeMs !== undefined) for (const listener of this.#listeners) listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** Longer than any test. */
const LONG_MS = 3_600_000;

describe('the frame of the current position', () => {
  const open = (pauseMs: number) => {
    const seen = { requests: 0, fails: true };
    const load = async () => {
      seen.requests += 1;
      if (seen.fails) throw new Error('The service does not respond');
      return [{ frame_index: 0, result: { timestamp_ms: 0 } }];
    };
    const windows = new FrameWindows({ load, stepMs: 100, endMs: 1_000, foundMs: 1_000 });
    const store = new VideoStore();
    const stop = followFrames(store, windows, pauseMs);
    return { seen, store, stop };
  };
  const play = async (store: VideoStore): Promise<void> => {
    for (let ms = 10; ms <= 500; ms += 10) {
      store.set({ timeMs: ms });
      await setImmediate();
    }
  };

  it('is not requested at each position while requests fail', async () => {
    const { seen, store, stop } = open(LONG_MS);
    await setImmediate();
    await play(store);
    stop();
    expect(seen.requests).to.equal(1);
  });

  it('is requested again after a pause, also when the video does not play', async () => {
    const { seen, store, stop } = open(0);
    await setImmediate();
    seen.fails = false;
    while (store.value.frame === undefined) await setImmediate();
    stop();
    expect(store.value.frame?.frameIndex).to.equal(0);
    expect(seen.requests).to.be.greaterThan(1);
  });

  it('is not requested after the end', async () => {
    const { seen, store, stop } = open(0);
    await setImmediate();
    stop();
    const { requests } = seen;
    await play(store);
    expect(seen.requests).to.equal(requests);
  });
});
