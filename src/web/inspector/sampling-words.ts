import type { JobItem } from '../../client/responses.ts';
import { formatClock, formatDuration } from '../duration.ts';

/** Returns which frames and pixels a job analyses: `one frame in 5, at most 20`. */
export function samplingWords({
  frame_stride: stride,
  max_frames: most,
  sample_every_ms: everyMs,
  from_ms: fromMs,
  to_ms: toMs,
  keyframes_only: isKeyFrames,
  region,
}: JobItem['options']): string {
  const stepped = stride === 1 ? 'every frame' : `one frame in ${stride}`;
  const timed = everyMs === undefined ? stepped : `a frame every ${formatDuration(everyMs)}`;
  return [
    isKeyFrames === true ? 'key frames' : timed,
    ...(fromMs === undefined ? [] : [`from ${formatClock(fromMs)}`]),
    ...(toMs === undefined ? [] : [`to ${formatClock(toMs)}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
    ...(region === undefined ? [] : ['a part of the picture']),
  ].join(', ');
}
