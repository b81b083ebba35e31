import type { FrameResult } from '../../src/job.ts';
import { frameResultSchema } from '../../src/job.ts';
import type { FrameAnalyser } from '../../src/pipeline/analyser.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import { makeVideo } from '../make-video.ts';
import type { Caption } from '../video-recipe.ts';
import { HEIGHT, WIDTH, type Script, type ShownText } from './script.ts';

const FRAMES_PER_SECOND = 25;

/** Creates the video of a script with a usual encoder. */
export function drawVideo(script: Script, path: string): void {
  makeVideo({
    path,
    width: WIDTH,
    height: HEIGHT,
    fps: FRAMES_PER_SECOND,
    frames: Math.round((script.durationMs * FRAMES_PER_SECOND) / 1000),
    picture: script.picture,
    captions: script.texts.map(captionOf),
    encoderOptions: { preset: 'veryfast', crf: 26 },
  });
}

/** Returns the pipeline's results for every `stride`-th frame of a video. */
export async function* readFrames(path: string, stride: number, analyser: FrameAnalyser): AsyncGenerator<FrameResult> {
  for (const frame of decodeFrames(path, { frameStride: stride })) {
    const result = { timestamp_ms: frame.timestampMs, ...(await analyser.analyse(frame)) };
    yield frameResultSchema.parse({ frame_index: frame.index, result });
  }
}

function captionOf({ text, x, y, size, fromMs, toMs, fadeMs, speed, isBoxed = true }: ShownText): Caption {
  const at = (start: number, perSecond: number) =>
    perSecond === 0 ? start : `${start}+${perSecond}*(t-${seconds(fromMs)})`;
  return {
    text,
    x: at(x, speed?.[0] ?? 0),
    y: at(y, speed?.[1] ?? 0),
    size,
    from: Math.ceil((fromMs * FRAMES_PER_SECOND) / 1000),
    to: Math.ceil((toMs * FRAMES_PER_SECOND) / 1000) - 1,
    ...(isBoxed ? { box: 'black@0.6' } : {}),
    ...(fadeMs === undefined
      ? {}
      : { alpha: `clip(min(t-${seconds(fromMs)},${seconds(toMs)}-t)/${seconds(fadeMs)},0,1)` }),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
