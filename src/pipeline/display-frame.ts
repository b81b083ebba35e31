import {
  AV_FRAME_DATA_DISPLAYMATRIX,
  AV_FRAME_DATA_DYNAMIC_HDR_PLUS,
  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
  AV_FRAME_FLAG_INTERLACED,
  AV_PIX_FMT_RGB24,
  SWS_BILINEAR,
} from 'node-av/constants';
import { FFmpegError, Frame as NativeFrame, SoftwareScaleContext } from 'node-av/lib';
import type { Stream } from 'node-av/lib';
import type { IRational } from 'node-av';

import { ServiceError } from '../errors.ts';
import { apertureOf, displayGeometry, isKnownRatio } from './display-geometry.ts';
import type { Aperture, DisplayGeometry, Size } from './display-geometry.ts';
import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import { orientationOf, orientRgb } from './orientation.ts';
import { throwIfMemoryRefused } from './refused-memory.ts';
import { takeColorTags } from './scaling-tags.ts';
import type { ColorTags } from './scaling-tags.ts';
import { toneMapFor } from './tone-map.ts';
import type { ToneMap } from './tone-map.ts';

const BRIGHTNESS_METADATA = [AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_DYNAMIC_HDR_PLUS] as const;

/** A picture as a player shows it: `width * height * 3` bytes of RGB without padding, in its own buffer. */
export interface DisplayPicture extends Size {
  readonly rgb: Uint8Array;
}

/**
 * Turns the decoded frames of one track into pictures as a player shows them:
 *
 * - samples of any depth and chroma format become 8-bit RGB by the matrix and range that the frame names
 *   (`scaling-tags.ts`); PQ and HLG are brought to the brightness and gamut of BT.709 (`tone-map.ts`);
 * - the clean aperture is cut out, and pixels become square: the picture is widened when they are wider than high and
 *   heightened when they are higher than wide, so that no detail is lost;
 * - then the display matrix is applied: quarter turns and mirror images;
 * - a frame of another size than the first one is brought to the size of that one, so that all boxes of a video are in
 *   the same coordinates;
 * - both fields of an interlaced frame stay in one picture, woven: a frame decoded is a frame shown.
 */
export class DisplayConverter implements Disposable {
  readonly #limits: VideoLimits;
  readonly #pixelAspect: IRational;
  readonly #aperture: Aperture | undefined;
  readonly #scaler = new SoftwareScaleContext();
  readonly #rgb = new NativeFrame();
  #toneMap: { readonly key: string; readonly map: ToneMap | undefined } | undefined;
  #shown: Size | undefined;

  /** The pixel aspect of the track counts; if it is unknown, that of each frame. */
  constructor(stream: Stream, limits: VideoLimits) {
    this.#limits = limits;
    this.#pixelAspect = stream.sampleAspectRatio;
    this.#aperture = apertureOf(stream.codecpar);
    this.#scaler.allocContext();
    this.#scaler.setOption('sws_flags', SWS_BILINEAR);
    this.#rgb.alloc();
  }

  /** Size of every picture; known after the first measured or converted frame. */
  get shown(): Size | undefined {
    return this.#shown;
  }

  /** Records the size of the video's first frame. */
  measure(frame: NativeFrame): void {
    this.#geometryOf(frame);
  }

  /** Changes the tags of `frame`, which can be converted only once. */
  convert(frame: NativeFrame): DisplayPicture {
    const orientation = orientationOf(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX));
    const geometry = this.#geometryOf(frame);
    const { scaled, left, top, cut, shown } = geometry;
    checkLimit(this.#limits, 'maxFramePixels', scaled.width * scaled.height);
    const tags = takeColorTags(frame);
    const rgb = this.#target(frame, geometry);
    const code = this.#scaler.scaleFrameSync(rgb, frame);
    const plane = rgb.data?.[0];
    const stride = rgb.linesize[0];
    if (code < 0 || plane === undefined || stride === undefined) throw unshowable(frame, scaled, code);
    const data = plane.subarray(top * stride + left * 3);
    const packed = orientRgb({ data, stride, ...cut }, orientation);
    this.#toneMapOf(tags)?.(packed);
    return { ...shown, rgb: packed };
  }

  #geometryOf(frame: NativeFrame): DisplayGeometry {
    const geometry = displayGeometry({
      frame: { width: frame.width, height: frame.height },
      pixelAspect: isKnownRatio(this.#pixelAspect) ? this.#pixelAspect : frame.sampleAspectRatio,
      aperture: this.#aperture,
      orientation: orientationOf(frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX)),
      shown: this.#shown,
    });
    this.#shown ??= geometry.shown;
    return geometry;
  }

  #toneMapOf({ transfer, primaries }: ColorTags): ToneMap | undefined {
    const key = `${transfer}/${primaries}`;
    if (this.#toneMap?.key !== key) this.#toneMap = { key, map: toneMapFor(transfer, primaries) };
    return this.#toneMap.map;
  }

  /** The frame that receives the RGB samples; allocated again only if the size changes. */
  #target(source: NativeFrame, { scaled }: DisplayGeometry): NativeFrame {
    const rgb = this.#rgb;
    if (rgb.width !== scaled.width || rgb.height !== scaled.height) {
      rgb.unref();
      rgb.format = AV_PIX_FMT_RGB24;
      rgb.width = scaled.width;
      rgb.height = scaled.height;
      const allocated = rgb.getBuffer(0);
      if (allocated < 0) throw unshowable(source, scaled, allocated);
    }
    // For a brightness other than the target's, the scaler would spend seconds on a table.
    for (const type of BRIGHTNESS_METADATA) source.removeSideData(type);
    // The scaler converts each field of an interlaced frame separately, which is right for colours and wrong for
    // interpolated lines. It cannot convert interlaced to progressive.
    if (scaled.height !== source.height) source.clearFlags(AV_FRAME_FLAG_INTERLACED);
    if (source.hasFlags(AV_FRAME_FLAG_INTERLACED)) rgb.setFlags(AV_FRAME_FLAG_INTERLACED);
    else rgb.clearFlags(AV_FRAME_FLAG_INTERLACED);
    return rgb;
  }

  [Symbol.dispose](): void {
    this.#rgb.free();
    this.#scaler.freeContext();
  }
}

/** The pixel format cannot be converted, or extreme pixel proportions make an extreme picture. */
function unshowable(frame: NativeFrame, scaled: Size, code: number): ServiceError {
  throwIfMemoryRefused(code);
  const sizes = `${frame.width} x ${frame.height} pixels, shown as ${scaled.width} x ${scaled.height}`;
  const cause = new FFmpegError(code);
  return new ServiceError('invalid_video', `The frames of the video (${sizes}) cannot be shown as RGB`, { cause });
}
