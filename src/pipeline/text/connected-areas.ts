/** A connected area of a picture in its pixels; `right` and `bottom` are one past the last pixel. */
export interface ConnectedArea {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Positions of its pixels in the picture: y * width + x. */
  readonly pixels: Int32Array;
}

/** Returns the connected areas (8 neighbours) of the pixels that `isPart` accepts by position, in scan order. */
export function connectedAreas(width: number, height: number, isPart: (at: number) => boolean): ConnectedArea[] {
  const areas: ConnectedArea[] = [];
  const seen = new Uint8Array(width * height);
  const queue = new Int32Array(width * height);
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !isPart(start)) continue;
    let count = 0;
    let [left, top, right, bottom] = [width, height, 0, 0];
    seen[start] = 1;
    queue[count++] = start;
    for (let next = 0; next < count; next++) {
      const at = queue[next] ?? 0;
      const x = at % width;
      const y = (at - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      const lastColumn = Math.min(width - 1, x + 1);
      const lastRow = Math.min(height - 1, y + 1);
      for (let row = Math.max(0, y - 1); row <= lastRow; row++) {
        for (let column = Math.max(0, x - 1); column <= lastColumn; column++) {
          const neighbour = row * width + column;
          if (seen[neighbour] || !isPart(neighbour)) continue;
          seen[neighbour] = 1;
          queue[count++] = neighbour;
        }
      }
    }
    areas.push({ left, top, right, bottom, pixels: queue.slice(0, count) });
  }
  return areas;
}
