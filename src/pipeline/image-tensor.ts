/** Pixels for a tool: RGB, 8 bits each, `width * height * 3` bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/** A rectangle of whole pixels inside an image. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface TensorLayout {
  /** Size to which the region is resized, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Size of the tensor. Default: the resized size. */
  readonly paddedWidth?: number;
  readonly paddedHeight?: number;
  /** Position of the resized region in the tensor. Default: top left corner. */
  readonly left?: number;
  readonly top?: number;
  /** Pixel value of the padding, before normalisation. */
  readonly padding?: number;
  /** Order of the tensor's planes. */
  readonly order: 'rgb' | 'bgr';
  /** Per plane of the tensor: value = (pixel - mean) / deviation, in pixel values 0 to 255. */
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** Returns a region of an image, resized and normalised, as 3 planes (CHW). Depends only on the region's pixels. */
export function imageTensor(image: RgbImage, region: Region, layout: TensorLayout): Float32Array {
  const { source, window } = shrunk(image, region, layout);
  const { width, height, order } = layout;
  const stride = layout.paddedWidth ?? width;
  const plane = stride * (layout.paddedHeight ?? height);
  const tensor = new Float32Array(3 * plane);
  const columns = samplePoints(0, window.width, width);
  const rows = samplePoints(window.y, window.height, height);
  const scales = layout.deviation.map((deviation) => 1 / deviation);
  const [scale0 = 1, scale1 = 1, scale2 = 1] = scales;
  const offsets = layout.mean.map((mean, channel) => -mean * (scales[channel] ?? 1));
  const [offset0 = 0, offset1 = 0, offset2 = 0] = offsets;
  if (plane > width * height) {
    for (let channel = 0; channel < 3; channel++) {
      const value = (layout.padding ?? 0) * (scales[channel] ?? 1) + (offsets[channel] ?? 0);
      tensor.fill(value, channel * plane, (channel + 1) * plane);
    }
  }
  const byte0 = order === 'rgb' ? 0 : 2;
  const byte2 = 2 - byte0;
  const between = new Float64Array(3 * window.width);
  for (let y = 0; y < height; y++) {
    blendRows(between, source, window.x, rows.first[y] ?? 0, rows.second[y] ?? 0, rows.weight[y] ?? 0);
    let out = ((layout.top ?? 0) + y) * stride + (layout.left ?? 0);
    // One loop over all three planes, because this runs on every frame.
    for (let x = 0; x < width; x++, out++) {
      const left = (columns.first[x] ?? 0) * 3;
      const right = (columns.second[x] ?? 0) * 3;
      const across = columns.weight[x] ?? 0;
      let a = between[left + byte0] ?? 0;
      tensor[out] = (a + ((between[right + byte0] ?? 0) - a) * across) * scale0 + offset0;
      a = between[left + 1] ?? 0;
      tensor[out + plane] = (a + ((between[right + 1] ?? 0) - a) * across) * scale1 + offset1;
      a = between[left + byte2] ?? 0;
      tensor[out + 2 * plane] = (a + ((between[right + byte2] ?? 0) - a) * across) * scale2 + offset2;
    }
  }
  return tensor;
}

/** Fills `between` with the pixels between two rows of an image, from column `left` on. */
function blendRows(
  between: Float64Array,
  { width, rgb }: RgbImage,
  left: number,
  first: number,
  second: number,
  weight: number,
): void {
  const upper = (first * width + left) * 3;
  const lower = (second * width + left) * 3;
  for (let i = 0; i < between.length; i++) {
    const above = rgb[upper + i] ?? 0;
    between[i] = above + ((rgb[lower + i] ?? 0) - above) * weight;
  }
}

/** Returns a copy of the pixels of a region. */
export function cropped(image: RgbImage, region: Region): Uint8Array {
  const bytes = new Uint8Array(region.width * region.height * 3);
  for (let y = 0; y < region.height; y++) {
    const start = ((region.y + y) * image.width + region.x) * 3;
    bytes.set(image.rgb.subarray(start, start + region.width * 3), y * region.width * 3);
  }
  return bytes;
}

/**
 * Returns the region averaged over squares of n × n pixels if it is resized to less than half. Bilinear sampling reads
 * two pixels across and would skip the others, so that thin strokes appear and disappear.
 */
function shrunk(image: RgbImage, region: Region, layout: TensorLayout) {
  const n = Math.floor(Math.min(region.width / layout.width, region.height / layout.height));
  if (n < 2) return { source: image, window: region };
  const width = Math.floor(region.width / n);
  const height = Math.floor(region.height / n);
  const rgb = new Uint8Array(width * height * 3);
  const half = (n * n) >> 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = half;
      let green = half;
      let blue = half;
      for (let row = 0; row < n; row++) {
        let at = ((region.y + y * n + row) * image.width + region.x + x * n) * 3;
        for (let column = 0; column < n; column++, at += 3) {
          red += image.rgb[at] ?? 0;
          green += image.rgb[at + 1] ?? 0;
          blue += image.rgb[at + 2] ?? 0;
        }
      }
      const out = (y * width + x) * 3;
      rgb[out] = red / (n * n);
      rgb[out + 1] = green / (n * n);
      rgb[out + 2] = blue / (n * n);
    }
  }
  return { source: { width, height, rgb }, window: { x: 0, y: 0, width, height } };
}

/**
 * Returns where each of `to` pixels falls between two of the `from` pixels beginning at `start`; pixel centres are at
 * .5.
 */
function samplePoints(start: number, from: number, to: number) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const whole = Math.floor(at);
    first[i] = start + whole;
    second[i] = start + Math.min(from - 1, whole + 1);
    weight[i] = at - whole;
  }
  return { first, second, weight };
}
