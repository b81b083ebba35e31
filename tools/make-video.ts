/** Creates real, small video files with known content for tests and the demo. */
import { AV_LOG_ERROR } from 'node-av/constants';
import { Log } from 'node-av/lib';

import { PictureSource } from './picture-source.ts';
import type { VideoRecipe } from './video-recipe.ts';
import { VideoWriter } from './video-writer.ts';

/** Creates a video with one video track. Blocks until it is written. */
export function makeVideo(recipe: VideoRecipe): void {
  const frames = recipe.timesMs?.length ?? recipe.frames ?? 10;
  const { fps = 25 } = recipe;
  Log.setLevel(AV_LOG_ERROR);
  // SVT-AV1 logs to stderr unless its level is set to errors.
  process.env['SVT_LOG'] ??= '1';
  using source = new PictureSource(recipe, frames);
  using writer = new VideoWriter(recipe);
  const timesMs = recipe.timesMs ?? Array.from({ length: frames }, (_, index) => (index * 1000) / fps);
  timesMs.forEach((ms, index) => writer.write(source.next(index), ms, (timesMs[index + 1] ?? ms + 1000 / fps) - ms));
  writer.finish();
}
