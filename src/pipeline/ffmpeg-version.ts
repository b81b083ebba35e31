import { getFFmpegInfo } from 'node-av/lib';

/** Version of the FFmpeg in the package that decodes, as it names itself: `8.1-Jellyfin`. */
export function ffmpegVersion(): string {
  return getFFmpegInfo().version;
}
