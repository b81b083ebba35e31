import { expect } from 'chai';

import type { Frame } from '../../src/pipeline/frame.ts';

export type Rgb = readonly [number, number, number];

export const RED: Rgb = [220, 30, 30];
export const GREEN: Rgb = [30, 200, 30];
export const BLUE: Rgb = [30, 30, 220];
export const GRAY: Rgb = [128, 128, 128];

/** Returns RGB bytes of a picture of one colour. */
export function plain(width: number, height: number, color: Rgb): Uint8Array {
  return quadrants(width, height, [color, color, color, color]);
}

/** Returns RGB bytes of a picture in four colours: top left, top right, bottom left, bottom right. */
export function quadrants(
  width: number,
  height: number,
  colors: readonly [Rgb, Rgb, Rgb, Rgb] = [RED, GREEN, BLUE, GRAY],
): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const color = y < height / 2 ? colors[x < width / 2 ? 0 : 1] : colors[x < width / 2 ? 2 : 3];
      rgb.set(color, (y * width + x) * 3);
    }
  }
  return rgb;
}

/** Returns the colour at a position given as fractions of width and height. */
export function colorAt(frame: Frame, x: number, y: number): Rgb {
  const place = (Math.floor(y * frame.height) * frame.width + Math.floor(x * frame.width)) * 3;
  const [r = -1, g = -1, b = -1] = frame.rgb.subarray(place, place + 3);
  return [r, g, b];
}

/** Returns the colours in the centres of the four quarters, in reading order. */
export function quarterColors(frame: Frame): readonly Rgb[] {
  return [
    colorAt(frame, 0.25, 0.25),
    colorAt(frame, 0.75, 0.25),
    colorAt(frame, 0.25, 0.75),
    colorAt(frame, 0.75, 0.75),
  ];
}

export function expectColors(actual: readonly Rgb[], expected: readonly Rgb[], tolerance: number): void {
  const worst = Math.max(
    ...actual.flatMap((color, place) =>
      color.map((value, channel) => Math.abs(value - (expected[place]?.[channel] ?? -999))),
    ),
  );
  expect(worst, `${JSON.stringify(actual)} for ${JSON.stringify(expected)}`).to.be.at.most(tolerance);
}
