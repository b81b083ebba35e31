import { useEffect, useRef } from 'preact/hooks';
import { useStore } from '../shared/store.ts';
import { Overlay } from './overlay.tsx';
import type { Player } from './player.ts';
import type { VideoStore } from './video-state.ts';

/** Milliseconds between two pictures of a video that the browser cannot play. */
const STILL_STEP_MS = 500;

export interface StageProps {
  readonly jobId: string;
  readonly store: VideoStore;
  readonly player: Player;
  readonly hues: ReadonlyMap<string, number>;
  readonly size: readonly [width: number, height: number];
}

/** The picture in its proportions with its findings. */
export function Stage({ jobId, store, player, hues, size }: StageProps) {
  const { isBlank, isMuted } = useStore(store, (state) => ({ isBlank: state.isBlank, isMuted: state.isMuted }));
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (isBlank || video.current === null ? undefined : player.attach(video.current)), [player, isBlank]);
  return (
    <div class={isBlank ? 'stage is-blank' : 'stage'} onClick={() => player.toggle()}>
      {isBlank ? (
        <Still jobId={jobId} store={store} />
      ) : (
        // oxlint-disable-next-line jsx-a11y/media-has-caption -- what the video says is not known
        <video ref={video} src={`video/source/${jobId}`} preload="auto" playsInline muted={isMuted} />
      )}
      <Overlay store={store} hues={hues} size={size} />
    </div>
  );
}

/** A picture of the current position from the service, or nothing. */
function Still({ jobId, store }: { readonly jobId: string; readonly store: VideoStore }) {
  const at = useStore(store, ({ timeMs }) => Math.round(timeMs / STILL_STEP_MS) * STILL_STEP_MS);
  return (
    <img
      class="still"
      src={`video/still/${jobId}?at_ms=${at}`}
      alt=""
      onLoad={({ currentTarget }) => {
        currentTarget.hidden = false;
        if (store.value.size === null) store.set({ size: [currentTarget.naturalWidth, currentTarget.naturalHeight] });
      }}
      onError={({ currentTarget }) => {
        currentTarget.hidden = true;
      }}
    />
  );
}
