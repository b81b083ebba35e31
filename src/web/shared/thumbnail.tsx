import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

export interface ThumbnailProps {
  readonly jobId: string;
  /** Index of the frame; null if unknown. */
  readonly frameIndex: number | null;
  /** Replacement if there is no picture. */
  readonly icon?: IconName;
}

/** The picture of a frame, or a plain tile without one. Decorative, because the words beside it describe it. */
export function Thumbnail({ jobId, frameIndex, icon = 'film' }: ThumbnailProps) {
  const address = frameIndex === null ? null : `video/thumbnails/${jobId}/${frameIndex}`;
  const [missing, setMissing] = useState<string | null>(null);
  return (
    <span class="thumbnail">
      {address === null || missing === address ? (
        <Icon name={icon} />
      ) : (
        <img src={address} alt="" loading="lazy" decoding="async" onError={() => setMissing(address)} />
      )}
    </span>
  );
}
