/** `node dist/tools/draw-boxes.js VIDEO RESULTS PICTURE [FRAME]`: draws a frame with its findings, as JPEG. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { frameResultSchema } from '../src/job.ts';
import { decodeFrames } from '../src/pipeline/decode.ts';
import { annotatedJpeg } from './annotated-picture.ts';

const USAGE = `Draws the boxes of a frame's objects and lines of text over that frame.

  node dist/tools/draw-boxes.js VIDEO RESULTS PICTURE [FRAME]

  VIDEO    the video that was analysed
  RESULTS  its results: {job_id}_results.json, or what GET /video/results/{job_id} answers
  PICTURE  the JPEG to write
  FRAME    the frame_index of a result; without it, the first that there is`;

const resultsSchema = z.object({ results: z.array(frameResultSchema).min(1, 'there are no results') });

const [video, results, picture, frame] = process.argv.slice(2);
if (video === undefined || results === undefined || picture === undefined) {
  console.log(USAGE);
  process.exitCode = 2;
} else {
  const list = resultsSchema.parse(JSON.parse(await readFile(results, 'utf8'))).results;
  const chosen = frame === undefined ? list[0] : list.find(({ frame_index: index }) => String(index) === frame);
  if (chosen === undefined) throw new Error(`${results} has no result for frame ${frame}`);
  // Frame 0 is always decoded, then the wanted one.
  const decoded = [...decodeFrames(video, { frameStride: Math.max(1, chosen.frame_index), maxFrames: 2 })];
  const shown = decoded.find(({ index }) => index === chosen.frame_index);
  if (shown === undefined) throw new Error(`${video} has no frame ${chosen.frame_index}`);
  await writeFile(picture, annotatedJpeg(shown, chosen.result));
}
