import { fileURLToPath } from 'node:url';

import type { Caption } from './video-recipe.ts';

const FONT = fileURLToPath(import.meta.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'));

/** Returns an FFmpeg filter that draws a caption; `frames` is the number of frames. */
export function drawtext(caption: Caption, frames: number): string {
  const { text, from = 0, to = frames, x = 40, y = 40, size = 40, color = 'white', box, alpha } = caption;
  const values = {
    fontfile: FONT,
    text,
    // Otherwise a per cent sign begins an expression.
    expansion: 'none',
    fontsize: size,
    fontcolor: color,
    x,
    y,
    ...(box === undefined ? {} : { box: 1, boxcolor: box, boxborderw: Math.round(size / 4) }),
    ...(alpha === undefined ? {} : { alpha }),
    enable: `between(n,${from},${to})`,
  };
  const pairs = Object.entries(values).map(([name, value]) => `${name}=${escapeFilterValue(String(value))}`);
  return `drawtext=${pairs.join(':')}`;
}

/** FFmpeg parses a filter's value twice, as an option and as part of the graph, and removes escapes each time. */
function escapeFilterValue(value: string): string {
  return value.replaceAll(/[\\':]/g, '\\$&').replaceAll(/[\\'[\],;]/g, '\\$&');
}
