import { cropped, type Region, type RgbImage } from '../image-tensor.ts';
import { CROP_HEIGHT, lineWidth } from './line-tensor.ts';
import { levelled, type TextStrip } from './text-strip.ts';

/** A picture of one line with a border of `margin` pixels around it. */
export interface LineCrop extends RgbImage {
  readonly margin: number;
}

/** Cuts a level line out of an image; `share` is the border as a share of its height. */
export function levelCrop(image: RgbImage, bounds: Region, share: number): LineCrop {
  const margin = Math.round(share * bounds.height);
  if (margin === 0) return { width: bounds.width, height: bounds.height, rgb: cropped(image, bounds), margin };
  const width = bounds.width + 2 * margin;
  const height = bounds.height + 2 * margin;
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    // What lies outside of the image repeats its border.
    const y = Math.min(image.height - 1, Math.max(0, bounds.y - margin + row));
    for (let column = 0; column < width; column++) {
      const x = Math.min(image.width - 1, Math.max(0, bounds.x - margin + column));
      const from = (y * image.width + x) * 3;
      rgb.set(image.rgb.subarray(from, from + 3), (row * width + column) * 3);
    }
  }
  return { width, height, rgb, margin };
}

/** Cuts a strip out of an image, levelled to the height of a recogniser's line. */
export function stripCrop(image: RgbImage, strip: TextStrip, share: number): LineCrop {
  const margin = Math.round(share * CROP_HEIGHT);
  const border = (2 * margin * strip.height) / CROP_HEIGHT;
  const grown = { ...strip, width: strip.width + border, height: strip.height + border };
  return { ...levelled(image, grown, lineWidth(strip) + 2 * margin, CROP_HEIGHT + 2 * margin), margin };
}

export function withoutMargin({ margin, ...image }: LineCrop): RgbImage {
  if (margin === 0) return image;
  const [width, height] = [image.width - 2 * margin, image.height - 2 * margin];
  return { width, height, rgb: cropped(image, { x: margin, y: margin, width, height }) };
}
