import { imageTensor, type RgbImage } from '../image-tensor.ts';

/** Height of a crop as PP-OCR's networks were trained, in pixels. */
export const CROP_HEIGHT = 48;
/** 3200 pixels are a line of some 130 characters; a longer one is squeezed. */
const LARGEST_WIDTH = 3200;
const MIDDLE_GREY = 127.5;

/** Returns the width of a line in pixels when it is as high as a crop. */
export function lineWidth({ width, height }: { readonly width: number; readonly height: number }): number {
  return Math.min(LARGEST_WIDTH, Math.max(1, Math.ceil((CROP_HEIGHT * width) / height)));
}

/** Returns a crop of that width, padded on the right, as PP-OCR's networks want it. */
export function lineTensor(crop: RgbImage, width: number, paddedWidth: number): Float32Array {
  const greys = [MIDDLE_GREY, MIDDLE_GREY, MIDDLE_GREY] as const;
  const layout = { width, height: CROP_HEIGHT, paddedWidth, padding: MIDDLE_GREY, mean: greys, deviation: greys };
  return imageTensor(crop, { x: 0, y: 0, width: crop.width, height: crop.height }, { ...layout, order: 'bgr' });
}
