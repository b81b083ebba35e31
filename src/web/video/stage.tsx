import { useEffect, useRef } from 'preact/hooks';
import type { Scene } from '../../client/responses.ts';
import { useStore } from '../shared/store.ts';
import { Overlay } from './overlay.tsx';
import type { Player } from './player.ts';
import { currentAt } from './segments.ts';
import type { VideoStore } from './video-state.ts';

/** Milliseconds between two pictures of a video that the browser cannot play. */
const STILL_STEP_MS = 500;

export interface StageProps {
  readonly jobId: string;
  readonly store: VideoStore;
  readonly player: Player;
  readonly scenes: readonly Scene[];
  readonly hues: ReadonlyMap<string, number>;
  readonly size: readonly [width: number, height: number];
}

/** The picture in its proportions with its findings. */
export function Stage({ jobId, store, player, scenes, hues, size }: StageProps) {
  const { isBlank, isMuted } = useStore(store, (state) => ({ isBlank: state.isBlank, isMuted: state.isMuted }));
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => (isBlank || video.current === null ? undefined : player.attach(video.current)), [player, isBlank]);
  return (
    <div class={isBlank ? 'stage is-blank' : 'stage'} onClick={() => player.toggle()}>
      {isBlank ? (
        <Still jobId={jobId} store={store} scenes={scenes} />
      ) : (
        // oxlint-disable-next-line jsx-a11y/media-has-caption -- what the video says is not known
        <video ref={video} src={`video/source/${jobId}`} preload="auto" playsInline muted={isMuted} />
      )}
      <Overlay store={store} hues={hues} size={size} />
    </div>
  );
}

/** A picture of the current position from the service. Until it is there, the small one of the scene is shown. */
function Still({ jobId, store, scenes }: Pick<StageProps, 'jobId' | 'store' | 'scenes'>) {
  const { at, scene } = useStore(store, ({ timeMs }) => ({
    at: Math.round(timeMs / STILL_STEP_MS) * STILL_STEP_MS,
    scene: scenes[currentAt(scenes, timeMs)],
  }));
  return (
    <>
      {scene !== undefined && (
        <Picture key={scene.frame_index} address={`video/thumbnails/${jobId}/${scene.frame_index}`} />
      )}
      <Picture
        address={`video/still/${jobId}?at_ms=${at}`}
        onLoad={({ naturalWidth, naturalHeight }) => {
          if (store.value.size === null) store.set({ size: [naturalWidth, naturalHeight] });
        }}
      />
    </>
  );
}

interface PictureProps {
  readonly address: string;
  readonly onLoad?: (picture: HTMLImageElement) => void;
}

/** Hidden if there is no such picture. */
function Picture({ address, onLoad }: PictureProps) {
  return (
    <img
      class="still"
      src={address}
      alt=""
      onLoad={({ currentTarget }) => {
        currentTarget.hidden = false;
        onLoad?.(currentTarget);
      }}
      onError={({ currentTarget }) => {
        currentTarget.hidden = true;
      }}
    />
  );
}
