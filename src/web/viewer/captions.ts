import type { Box } from '../../client/responses.ts';

/** A box with a caption. */
export interface Captioned {
  readonly bbox: Box;
  readonly caption: string;
}

export interface Frame {
  /** In pixels of the source frame, like all boxes. */
  readonly width: number;
  readonly height: number;
  /** Source pixels per CSS pixel, so that captions have the same size on the screen for every frame size. */
  readonly scale: number;
}

/** Sizes in CSS pixels. */
const LINE = 16;
const CHARACTER = 6.6;
const MARGINS = 10;

/**
 * Returns the positions of the captions: above the box, below, to the right or to the left, wherever least of other
 * boxes and earlier captions is covered; inside the frame.
 */
export function placeCaptions<T extends Captioned>(marks: readonly T[], frame: Frame): readonly T[] {
  const { width, height, scale } = frame;
  const placed: T[] = [];
  for (const mark of marks) {
    const [x, y, w, h] = mark.bbox;
    const size = [(mark.caption.length * CHARACTER + MARGINS) * scale, LINE * scale] as const;
    const places = [
      [x, y - size[1]],
      [x, y + h],
      [x + w, y + (h - size[1]) / 2],
      [x - size[0], y + (h - size[1]) / 2],
    ].map(([left = 0, top = 0]): Box => [
      Math.max(0, Math.min(left, width - size[0])),
      Math.max(0, Math.min(top, height - size[1])),
      ...size,
    ]);
    const taken = [...marks.filter((other) => other !== mark), ...placed].map(({ bbox }) => bbox);
    const costs = places.map((place) => [...taken, mark.bbox].reduce((sum, box) => sum + shared(place, box), 0));
    const best = costs.indexOf(Math.min(...costs));
    placed.push({ ...mark, bbox: places[best] ?? mark.bbox });
  }
  return placed;
}

/** Returns the shared area of two boxes in source pixels. */
function shared([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box): number {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  return width > 0 && height > 0 ? width * height : 0;
}
