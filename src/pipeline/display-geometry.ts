import { AV_PKT_DATA_FRAME_CROPPING } from 'node-av/constants';
import type { IRational } from 'node-av';
import type { CodecParameters } from 'node-av/lib';

import type { Orientation } from './orientation.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The displayed part of a track's frames (`clap`), and the size of the frames that it refers to. */
export interface Aperture extends Size {
  readonly left: number;
  readonly top: number;
  readonly coded: Size;
}

/** How a decoded frame becomes the displayed one: scaled, then cropped, then rotated. */
export interface DisplayGeometry {
  readonly scaled: Size;
  /** The displayed part of the scaled frame. */
  readonly left: number;
  readonly top: number;
  readonly cut: Size;
  /** The cropped part after rotation. */
  readonly shown: Size;
}

export interface GeometryInput {
  readonly frame: Size;
  /** Width of a pixel over its height; numbers below 1 mean unknown. */
  readonly pixelAspect: IRational;
  readonly aperture: Aperture | undefined;
  readonly orientation: Orientation;
  /** Size to which the frame is scaled; undefined: its own. */
  readonly shown: Size | undefined;
}

export function displayGeometry(input: GeometryInput): DisplayGeometry {
  const { frame, pixelAspect, aperture, orientation, shown } = input;
  const isMeant = aperture?.coded.width === frame.width && aperture.coded.height === frame.height;
  const part = isMeant ? aperture : { ...frame, left: 0, top: 0 };
  const cut = shown === undefined ? squarePixelSize(part, pixelAspect) : turned(shown, orientation);
  const across = cut.width / part.width;
  const down = cut.height / part.height;
  const scaled = {
    width: Math.max(cut.width, Math.round(frame.width * across)),
    height: Math.max(cut.height, Math.round(frame.height * down)),
  };
  return {
    scaled,
    left: Math.min(Math.round(part.left * across), scaled.width - cut.width),
    top: Math.min(Math.round(part.top * down), scaled.height - cut.height),
    cut,
    shown: turned(cut, orientation),
  };
}

/** Returns the clean aperture of a track; undefined if it has none or an empty one. */
export function apertureOf(track: CodecParameters): Aperture | undefined {
  const cropping = track.getCodedSideData(AV_PKT_DATA_FRAME_CROPPING);
  if (cropping === null || cropping.length < 16) return undefined;
  const [top, bottom, left, right] = [0, 4, 8, 12].map((place) => cropping.readUInt32LE(place));
  if (top === undefined || bottom === undefined || left === undefined || right === undefined) return undefined;
  const width = track.width - left - right;
  const height = track.height - top - bottom;
  if (width < 1 || height < 1) return undefined;
  return { left, top, width, height, coded: { width: track.width, height: track.height } };
}

export function isKnownRatio(ratio: IRational): boolean {
  return ratio.num > 0 && ratio.den > 0;
}

/** Widened if pixels are wide and heightened if they are high, so that no detail is lost. */
function squarePixelSize({ width, height }: Size, aspect: IRational): Size {
  if (!isKnownRatio(aspect) || aspect.num === aspect.den) return { width, height };
  return aspect.num > aspect.den
    ? { width: Math.round((width * aspect.num) / aspect.den), height }
    : { width, height: Math.round((height * aspect.den) / aspect.num) };
}

function turned({ width, height }: Size, { transpose }: Orientation): Size {
  return transpose ? { width: height, height: width } : { width, height };
}
