import type { VideoStore } from './video-state.ts';

/** True if the browser reports the displayed frame; otherwise its less frequent time updates are used. */
const TELLS_FRAMES = 'HTMLVideoElement' in globalThis && 'requestVideoFrameCallback' in HTMLVideoElement.prototype;

/** Seeks go this far into a frame, because at its start some browsers show the previous one. */
const INTO_FRAME_MS = 1;

export const RATES = [0.5, 1, 1.5, 2, 4] as const;

/** Plays the video, or advances a clock if the browser cannot play it, and writes the position into the store. */
export class Player {
  readonly #store: VideoStore;
  #video: HTMLVideoElement | null = null;
  #request = 0;

  constructor(store: VideoStore) {
    this.#store = store;
  }

  /** Attaches an element. Returns a function that detaches it. */
  attach(video: HTMLVideoElement): () => void {
    const store = this.#store;
    const ending = new AbortController();
    const on = (name: string, listener: () => void): void =>
      video.addEventListener(name, listener, { signal: ending.signal });
    this.#video = video;
    const blank = (): void => {
      this.#video = null;
      store.set({ isBlank: true, isPlaying: false });
    };
    let isPlaced = false;
    const look = (): void => {
      // Sound without a picture is no video either.
      if (video.videoWidth === 0) {
        blank();
        return;
      }
      const durationMs = Number.isFinite(video.duration) ? video.duration * 1_000 : 0;
      store.set({
        size: [video.videoWidth, video.videoHeight],
        durationMs: Math.max(store.value.durationMs, durationMs),
      });
      if (store.value.timeMs > 0) this.seek(store.value.timeMs);
      isPlaced = true;
    };
    const tell = (): void => store.set({ timeMs: Math.max(0, video.currentTime * 1_000 - INTO_FRAME_MS) });
    on('loadedmetadata', look);
    on('error', blank);
    on('play', () => store.set({ isPlaying: true }));
    on('pause', () => store.set({ isPlaying: false }));
    on('seeked', tell);
    on('timeupdate', () => {
      if (!TELLS_FRAMES) tell();
    });
    let callback = 0;
    const shown = (_now: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
      // During a seek, the old position is ignored. The first frame can be shown before the position of a link is set.
      if (isPlaced && !video.seeking) store.set({ timeMs: mediaTime * 1_000 });
      callback = video.requestVideoFrameCallback(shown);
    };
    if (TELLS_FRAMES) callback = video.requestVideoFrameCallback(shown);
    // Both may have happened before.
    if (video.error !== null) blank();
    else if (video.readyState >= HTMLMediaElement.HAVE_METADATA) look();
    return () => {
      ending.abort();
      if (TELLS_FRAMES) video.cancelVideoFrameCallback(callback);
      if (this.#video === video) this.#video = null;
    };
  }

  seek(ms: number): void {
    const { durationMs } = this.#store.value;
    const place = Math.max(0, durationMs > 0 ? Math.min(ms, durationMs) : ms);
    this.#store.set({ timeMs: place, chosen: null, pointedAt: null });
    if (this.#video !== null) this.#video.currentTime = (place + INTO_FRAME_MS) / 1_000;
  }

  toggle(): void {
    const { isPlaying, timeMs, durationMs } = this.#store.value;
    if (this.#video === null) {
      if (!isPlaying && timeMs >= durationMs) this.seek(0);
      this.#store.set({ isPlaying: !isPlaying });
      if (!isPlaying) this.#tick(performance.now());
      // Rejected if the browser requires a gesture first: it stays paused.
    } else if (this.#video.paused) this.#video.play().catch(() => undefined);
    else this.#video.pause();
  }

  setRate(rate: number): void {
    this.#store.set({ rate });
    if (this.#video !== null) this.#video.playbackRate = rate;
  }

  setMuted(isMuted: boolean): void {
    this.#store.set({ isMuted });
    if (this.#video !== null) this.#video.muted = isMuted;
  }

  /** Ends the clock. */
  close(): void {
    cancelAnimationFrame(this.#request);
  }

  #tick(lastMs: number): void {
    this.#request = requestAnimationFrame((nowMs) => {
      const { isPlaying, timeMs, durationMs, rate } = this.#store.value;
      if (!isPlaying || this.#video !== null) return;
      const next = Math.min(durationMs, timeMs + (nowMs - lastMs) * rate);
      this.#store.set({ timeMs: next, isPlaying: next < durationMs });
      this.#tick(nowMs);
    });
  }
}
