import type { Region } from '../image-tensor.ts';

export type Point = readonly [x: number, y: number];

/** A rectangle rotated about its centre `x`, `y`; `angle` in radians, clockwise in the picture. */
export interface TurnedRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly angle: number;
}

const QUARTER_TURN = Math.PI / 2;

/**
 * Returns the rectangle of least area that contains the points, rotated by at most 45°; of equal ones, the first along
 * their hull.
 */
export function smallestRectangle(points: readonly Point[]): TurnedRectangle {
  const hull = convexHull(points);
  const [x, y] = points[0] ?? [0, 0];
  let best: TurnedRectangle = { x, y, width: 0, height: 0, angle: 0 };
  let least = Number.POSITIVE_INFINITY;
  for (const [index, [x0, y0]] of hull.entries()) {
    const [x1, y1] = hull[(index + 1) % hull.length] ?? [x0, y0];
    const along = rectangleAlong(hull, Math.atan2(y1 - y0, x1 - x0));
    const area = along.width * along.height;
    if ((x1 === x0 && y1 === y0) || area >= least) continue;
    least = area;
    best = along;
  }
  return nearLevel(best);
}

/** Returns the smallest rectangle with sides at `angle` that contains the points. */
function rectangleAlong(points: readonly Point[], angle: number): TurnedRectangle {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const [x, y] of points) {
    const along = x * cos + y * sin;
    const across = y * cos - x * sin;
    left = Math.min(left, along);
    right = Math.max(right, along);
    top = Math.min(top, across);
    bottom = Math.max(bottom, across);
  }
  const [u, v] = [(left + right) / 2, (top + bottom) / 2];
  return { x: u * cos - v * sin, y: u * sin + v * cos, width: right - left, height: bottom - top, angle };
}

function nearLevel({ x, y, width, height, angle }: TurnedRectangle): TurnedRectangle {
  const quarters = Math.round(angle / QUARTER_TURN);
  const turned = angle - quarters * QUARTER_TURN;
  const [along, across] = quarters % 2 === 0 ? [width, height] : [height, width];
  return { x, y, width: along, height: across, angle: turned };
}

/** Returns the same rectangle described after a quarter turn clockwise. */
export function quarterTurned<T extends TurnedRectangle>(rectangle: T): T {
  const { width, height, angle } = rectangle;
  return { ...rectangle, width: height, height: width, angle: angle + QUARTER_TURN };
}

/** Returns the whole pixels around the corners, clipped to `limits`. */
export function boundsOf(corners: readonly Point[], limits: Region): Region {
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  const x = Math.max(limits.x, Math.floor(Math.min(...xs)));
  const y = Math.max(limits.y, Math.floor(Math.min(...ys)));
  const right = Math.min(limits.x + limits.width, Math.ceil(Math.max(...xs)));
  const bottom = Math.min(limits.y + limits.height, Math.ceil(Math.max(...ys)));
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/** Andrew's monotone chain; clockwise in the picture. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted(([ax, ay], [bx, by]) => ax - bx || ay - by);
  return [...chain(sorted), ...chain(sorted.toReversed())];
}

function chain(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    for (let a = hull.at(-2), b = hull.at(-1); a && b; a = hull.at(-2), b = hull.at(-1)) {
      if ((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) > 0) break;
      hull.pop();
    }
    hull.push(point);
  }
  hull.pop();
  return hull;
}
