import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeVideo } from '../make-video.ts';
import type { VideoRecipe } from '../video-recipe.ts';

/**
 * Small, so that thousands of them are decoded quickly, and all with another codec, container or index. Of the allowed
 * codecs only VVC is missing, for which FFmpeg has no encoder; the mutation of the codec reaches its decoder.
 */
const RECIPES: Readonly<Record<string, Partial<VideoRecipe>>> = {
  'h264, index at the end': {},
  'h264 with B-frames, index at the start': {
    encoderOptions: { preset: 'veryfast', bf: 2, g: 6 },
    muxerOptions: { movflags: 'faststart' },
  },
  'h264 in fragments': {
    encoderOptions: { g: 4 },
    muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' },
  },
  'h264 of 10 bits': { pixelFormat: 'yuv420p10le' },
  'h264 turned': { displayMatrix: [0, 1, -1, 0] },
  'h264 with an edit list': { timesMs: [200, 240, 300, 500, 520, 900] },
  hevc: { codec: 'hevc' },
  'hevc in fragments': { codec: 'hevc', muxerOptions: { movflags: 'frag_every_frame+empty_moov+default_base_moof' } },
  av1: { codec: 'av1' },
  'av1 in fragments': { codec: 'av1', muxerOptions: { movflags: 'frag_keyframe+empty_moov+default_base_moof' } },
  vp8: { codec: 'vp8' },
  vp9: { codec: 'vp9' },
  'vp9 in fragments': { codec: 'vp9', muxerOptions: { movflags: 'frag_every_frame+empty_moov' } },
  mpeg2video: { codec: 'mpeg2video' },
  mpeg1video: { codec: 'mpeg1video' },
  'h263 in mov': { codec: 'h263', width: 128, height: 96 },
  'dnxhd in mov': { codec: 'dnxhd', width: 256, height: 128, frames: 2 },
  'mpeg4 with B-frames': { codec: 'mpeg4', encoderOptions: { bf: 2, b: 300_000 } },
  'mpeg4, interlaced, with wide pixels': {
    codec: 'mpeg4',
    encoderOptions: { b: 300_000 },
    interlaced: true,
    pixelAspect: [3, 2],
  },
  mjpeg: { codec: 'mjpeg', frames: 4 },
  'prores in mov': { codec: 'prores', frames: 3 },
};

export interface SeedVideo {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Creates one valid video of each kind in a folder. */
export async function makeSeedVideos(folder: string): Promise<readonly SeedVideo[]> {
  const videos: SeedVideo[] = [];
  for (const [name, recipe] of Object.entries(RECIPES)) {
    const path = join(folder, `${name.replaceAll(/\W+/g, '-')}.mp4`);
    makeVideo({ path, width: 96, height: 64, frames: 12, ...recipe });
    const bytes = await readFile(path);
    const entry = bytes.indexOf('jpeg', bytes.indexOf('stsd'), 'latin1');
    if (recipe.codec === 'vp8') bytes.write('vp08', entry, 'latin1');
    videos.push({ name, bytes });
  }
  return videos;
}
