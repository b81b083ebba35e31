import {
  AV_FRAME_DATA_DISPLAYMATRIX,
  AV_FRAME_DATA_DYNAMIC_HDR_PLUS,
  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
  AV_FRAME_FLAG_INTERLACED,
  AV_PIX_FMT_RGB24,
  SWS_BILINEAR,
} from 'node-av/constants';
import { FFmpegError, Frame as NativeFrame, SoftwareScaleContext } from 'node-av/lib';
import type { IRational } from 'node-av';

import { ServiceError } from '../errors.ts';
import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import { orientationOf, orientRgb } from './orientation.ts';
import { throwIfMemoryRefused } from './refused-memory.ts';
import { toneMapFor } from './tone-map.ts';
import type { ToneMap } from './tone-map.ts';

const BRIGHTNESS_METADATA = [AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_DYNAMIC_HDR_PLUS] as const;

/** A picture as a player shows it: `width * height * 3` bytes of RGB, without padding, in a buffer of its own. */
export interface DisplayPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

/**
 * Turns decoded frames into pictures as a player shows them:
 *
 * - samples of any depth and chroma format become 8-bit RGB by the matrix and range that the frame names (BT.601 when
 *   it names none); PQ and HLG are brought to the brightness and gamut of BT.709 (`tone-map.ts`);
 * - pixels become square: the picture is widened when they are wider than high and heightened when they are higher
 *   than wide, so that no detail is lost;
 * - then the display matrix is applied: quarter turns and mirror images;
 * - both fields of an interlaced frame stay in one picture, woven: a frame decoded is a frame shown.
 */
export class DisplayConverter implements Disposable {
  readonly #limits: VideoLimits;
  readonly #scaler = new SoftwareScaleContext();
  readonly #rgb = new NativeFrame();
  #toneMap: { readonly key: string; readonly map: ToneMap | undefined } | undefined;

  constructor(limits: VideoLimits) {
    this.#limits = limits;
    this.#scaler.allocContext();
    this.#scaler.setOption('sws_flags', SWS_BILINEAR);
    this.#rgb.alloc();
  }

  /** `pixelAspect` is the container's width of a pixel over its height; the frame's own counts when it is not known. */
  convert(frame: NativeFrame, pixelAspect: IRational): DisplayPicture {
    const { width, height } = squarePixelSize(frame, isKnown(pixelAspect) ? pixelAspect : frame.sampleAspectRatio);
    checkLimit(this.#limits, 'maxFramePixels', width * height);
    const rgb = this.#target(frame, width, height);
    const scaled = this.#scaler.scaleFrameSync(rgb, frame);
    const plane = rgb.data?.[0];
    const stride = rgb.linesize[0];
    if (scaled < 0 || plane === undefined || stride === undefined) throw unshowable(frame, width, height, scaled);
    const orientation = orientationOf(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX));
    const turned = orientation.transpose ? { width: height, height: width } : { width, height };
    const packed = orientRgb({ data: plane, stride, width, height }, orientation);
    this.#toneMapOf(frame)?.(packed);
    return { ...turned, rgb: packed };
  }

  #toneMapOf({ colorTrc, colorPrimaries }: NativeFrame): ToneMap | undefined {
    const key = `${colorTrc}/${colorPrimaries}`;
    if (this.#toneMap?.key !== key) this.#toneMap = { key, map: toneMapFor(colorTrc, colorPrimaries) };
    return this.#toneMap.map;
  }

  /** The frame that receives the RGB samples; allocated anew only when the size changes. */
  #target(source: NativeFrame, width: number, height: number): NativeFrame {
    const rgb = this.#rgb;
    if (rgb.width !== width || rgb.height !== height) {
      rgb.unref();
      rgb.format = AV_PIX_FMT_RGB24;
      rgb.width = width;
      rgb.height = height;
      const allocated = rgb.getBuffer(0);
      if (allocated < 0) throw unshowable(source, width, height, allocated);
    }
    // Where gamut or brightness differ from the target's, the scaler builds a table, for seconds. Both must look alike.
    rgb.colorTrc = source.colorTrc;
    rgb.colorPrimaries = source.colorPrimaries;
    for (const type of BRIGHTNESS_METADATA) source.removeSideData(type);
    // The scaler refuses to go from interlaced to progressive; it converts each field by itself.
    if (source.hasFlags(AV_FRAME_FLAG_INTERLACED)) rgb.setFlags(AV_FRAME_FLAG_INTERLACED);
    else rgb.clearFlags(AV_FRAME_FLAG_INTERLACED);
    return rgb;
  }

  [Symbol.dispose](): void {
    this.#rgb.free();
    this.#scaler.freeContext();
  }
}

/** The pixel format is one that cannot be converted, or pixels of absurd proportions make an absurd picture. */
function unshowable(frame: NativeFrame, width: number, height: number, code: number): ServiceError {
  throwIfMemoryRefused(code);
  const sizes = `${frame.width} x ${frame.height} pixels, shown as ${width} x ${height}`;
  const cause = new FFmpegError(code);
  return new ServiceError('invalid_video', `The frames of the video (${sizes}) cannot be shown as RGB`, { cause });
}

function isKnown(ratio: IRational): boolean {
  return ratio.num > 0 && ratio.den > 0;
}

function squarePixelSize(frame: NativeFrame, aspect: IRational): { readonly width: number; readonly height: number } {
  const { width, height } = frame;
  if (!isKnown(aspect) || aspect.num === aspect.den) return { width, height };
  return aspect.num > aspect.den
    ? { width: Math.round((width * aspect.num) / aspect.den), height }
    : { width, height: Math.round((height * aspect.den) / aspect.num) };
}
