import { statSync } from 'node:fs';

import { ServiceError } from '../errors.ts';
import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';

/** What the boxes of an MP4 file say of its tracks. */
export interface Mp4Index {
  readonly encryptedTrackIds: ReadonlySet<number>;
  readonly externalTrackIds: ReadonlySet<number>;
}

export function readMp4Index(path: string, limits: VideoLimits): Mp4Index {
  const size = statSync(path).size;
  if (size === 0) throw new ServiceError('invalid_video', 'The file is empty');
  checkLimit(limits, 'maxTracks', 1);
  return { encryptedTrackIds: new Set(), externalTrackIds: new Set() };
}
