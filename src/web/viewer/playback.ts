import type { RefObject } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** True if the browser reports the displayed frame; otherwise its occasional time is used. */
const TELLS_FRAMES = 'requestVideoFrameCallback' in HTMLVideoElement.prototype;

/** Source of the pictures: the video, or a clock if the browser cannot show it. */
export interface Playback {
  readonly video: RefObject<HTMLVideoElement | null>;
  readonly timeMs: number;
  readonly isPlaying: boolean;
  /** Null until known. */
  readonly size: readonly [width: number, height: number] | null;
  readonly videoMs: number | null;
  /** True without pictures: boxes and text are shown over a blank frame. */
  readonly isBlank: boolean;
  readonly seek: (ms: number) => void;
  readonly toggle: () => void;
}

/** @param endMs where a clock without a video stops */
export function usePlayback(endMs: number): Playback {
  const video = useRef<HTMLVideoElement>(null);
  const [timeMs, setTime] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const [isBlank, setBlank] = useState(false);
  const [shape, setShape] = useState<{ readonly size: readonly [number, number]; readonly videoMs: number } | null>(
    null,
  );

  useEffect(() => {
    const element = video.current;
    if (element === null || isBlank) return undefined;
    const ending = new AbortController();
    const on = (name: string, listener: () => void): void =>
      element.addEventListener(name, listener, { signal: ending.signal });
    const blank = (): void => {
      setBlank(true);
      setPlaying(false);
    };
    const look = (): void => {
      // Audio without a picture counts as no video.
      if (element.videoWidth === 0) return blank();
      setShape({ size: [element.videoWidth, element.videoHeight], videoMs: element.duration * 1_000 });
    };
    on('loadedmetadata', look);
    on('error', blank);
    on('play', () => setPlaying(true));
    on('pause', () => setPlaying(false));
    on('seeked', () => setTime(element.currentTime * 1_000));
    on('timeupdate', () => {
      if (!TELLS_FRAMES) setTime(element.currentTime * 1_000);
    });
    let callback = 0;
    const shown = (_now: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
      setTime(mediaTime * 1_000);
      callback = element.requestVideoFrameCallback(shown);
    };
    if (TELLS_FRAMES) callback = element.requestVideoFrameCallback(shown);
    // Both may have happened before this effect ran.
    if (element.error !== null) blank();
    else if (element.readyState >= HTMLMediaElement.HAVE_METADATA) look();
    return () => {
      ending.abort();
      if (TELLS_FRAMES) element.cancelVideoFrameCallback(callback);
    };
  }, [isBlank]);

  useEffect(() => {
    if (!isBlank || !isPlaying) return undefined;
    let request = 0;
    let last = performance.now();
    const tick = (now: number): void => {
      const passed = now - last;
      last = now;
      setTime((time) => Math.min(endMs, time + passed));
      request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(request);
  }, [isBlank, isPlaying, endMs]);

  useEffect(() => {
    if (isBlank && isPlaying && timeMs >= endMs) setPlaying(false);
  }, [isBlank, isPlaying, timeMs, endMs]);

  const seek = useCallback(
    (ms: number) => {
      const element = video.current;
      if (isBlank || element === null) setTime(ms);
      // A little into the frame, because at its edge some browsers show the previous one.
      else element.currentTime = (ms + 1) / 1_000;
    },
    [isBlank],
  );
  const toggle = useCallback(() => {
    const element = video.current;
    if (isBlank || element === null) {
      if (timeMs >= endMs) setTime(0);
      setPlaying(!isPlaying);
    } else if (element.paused) void element.play();
    else element.pause();
  }, [isBlank, isPlaying, timeMs, endMs]);
  return {
    video,
    timeMs,
    isPlaying,
    size: shape?.size ?? null,
    videoMs: shape?.videoMs ?? null,
    isBlank,
    seek,
    toggle,
  };
}
