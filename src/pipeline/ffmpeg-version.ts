import { getFFmpegInfo } from 'node-av/lib';

/** Version of the FFmpeg of the decoding package in its own words: `8.1-Jellyfin`. */
export function ffmpegVersion(): string {
  return getFFmpegInfo().version;
}
