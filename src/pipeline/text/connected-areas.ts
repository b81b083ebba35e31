/** A connected area of a picture in its pixels; `right` and `bottom` are one past the last pixel. */
export interface ConnectedArea {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Positions of its pixels in the picture: y * width + x. */
  readonly pixels: Int32Array;
}

/**
 * Returns the connected areas (8 neighbours) of a picture's marked pixels, in scan order. `marks` has one value per
 * pixel, 1 where it is marked, and is cleared.
 */
export function connectedAreas(width: number, height: number, marks: Uint8Array): ConnectedArea[] {
  const areas: ConnectedArea[] = [];
  let queue = new Int32Array(1024);
  for (let start = marks.indexOf(1); start !== -1; start = marks.indexOf(1, start + 1)) {
    let count = 0;
    let [left, top, right, bottom] = [width, height, 0, 0];
    marks[start] = 0;
    queue[count++] = start;
    for (let next = 0; next < count; next++) {
      const at = queue[next] ?? 0;
      const x = at % width;
      const y = (at - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      if (count + 8 > queue.length) queue = doubled(queue);
      const firstColumn = Math.max(0, x - 1);
      const lastColumn = Math.min(width - 1, x + 1);
      const lastRow = Math.min(height - 1, y + 1);
      for (let row = Math.max(0, y - 1); row <= lastRow; row++) {
        for (let column = firstColumn; column <= lastColumn; column++) {
          const neighbour = row * width + column;
          if (marks[neighbour] === 0) continue;
          marks[neighbour] = 0;
          queue[count++] = neighbour;
        }
      }
    }
    areas.push({ left, top, right, bottom, pixels: queue.slice(0, count) });
  }
  return areas;
}

function doubled(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}
