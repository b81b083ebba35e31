/** How stored rows and columns become displayed ones: first swap x and y, then mirror the result. */
export interface Orientation {
  readonly transpose: boolean;
  readonly flipX: boolean;
  readonly flipY: boolean;
}

const UPRIGHT: Orientation = { transpose: false, flipX: false, flipY: false };

/** An RGB picture with 8 bits per channel and `stride` bytes per row. */
export interface RgbPicture {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Reads FFmpeg's display matrix: nine little-endian 32-bit numbers, row by row. A stored point (x, y) is shown at (a·x
 * + c·y, b·x + d·y) with a, b at 0 and 1 and c, d at 3 and 4. A rotation is rounded to 90°; a matrix that maps
 * everything onto a line or a point is ignored.
 */
export function orientationOf(matrix: Uint8Array | null): Orientation {
  if (matrix === null || matrix.byteLength < 36) return UPRIGHT;
  const view = new DataView(matrix.buffer, matrix.byteOffset, matrix.byteLength);
  const a = view.getInt32(0, true);
  const b = view.getInt32(4, true);
  const c = view.getInt32(12, true);
  const d = view.getInt32(16, true);
  if (a * d === b * c) return UPRIGHT;
  return Math.abs(a) + Math.abs(d) >= Math.abs(b) + Math.abs(c)
    ? { transpose: false, flipX: a < 0, flipY: d < 0 }
    : { transpose: true, flipX: c < 0, flipY: b < 0 };
}

/** Copies a picture into its own buffer, rotated and without padding: `height * width * 3` bytes. */
export function orientRgb(picture: RgbPicture, orientation: Orientation): Uint8Array {
  const { data, stride, width, height } = picture;
  const { transpose, flipX, flipY } = orientation;
  const packed = new Uint8Array(width * height * 3);
  if (!transpose && !flipX) {
    for (let y = 0; y < height; y += 1) {
      const from = (flipY ? height - 1 - y : y) * stride;
      packed.set(data.subarray(from, from + width * 3), y * width * 3);
    }
    return packed;
  }
  const shownWidth = transpose ? height : width;
  const shownHeight = transpose ? width : height;
  // Steps in the stored picture for one step right and one step down in the displayed one.
  const right = (transpose ? stride : 3) * (flipX ? -1 : 1);
  const down = (transpose ? 3 : stride) * (flipY ? -1 : 1);
  const origin = (flipX ? -right * (shownWidth - 1) : 0) + (flipY ? -down * (shownHeight - 1) : 0);
  let to = 0;
  for (let y = 0; y < shownHeight; y += 1) {
    let from = origin + y * down;
    for (let x = 0; x < shownWidth; x += 1) {
      packed[to] = data[from] ?? 0;
      packed[to + 1] = data[from + 1] ?? 0;
      packed[to + 2] = data[from + 2] ?? 0;
      from += right;
      to += 3;
    }
  }
  return packed;
}
