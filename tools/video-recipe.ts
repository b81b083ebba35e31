import type { AVColorPrimaries, AVColorRange, AVColorSpace, AVColorTransferCharacteristic } from 'node-av/constants';

export type VideoCodec =
  | 'h264'
  | 'hevc'
  | 'av1'
  | 'vp8'
  | 'vp9'
  | 'mpeg4'
  | 'mpeg2video'
  | 'mpeg1video'
  | 'h263'
  | 'mjpeg'
  | 'prores'
  | 'dnxhd';

/** Text over the picture. */
export interface Caption {
  readonly text: string;
  /** First and last frame with it; default all. */
  readonly from?: number;
  readonly to?: number;
  /** Top left corner in pixels, or expressions of drawtext such as `(w-text_w)/2`; default 40, 40. */
  readonly x?: number | string;
  readonly y?: number | string;
  /** Height of the font in pixels; default 40. */
  readonly size?: number;
  /** Default white. */
  readonly color?: string;
  /** Colour of the box behind the text; default no box. */
  readonly box?: string;
  /** Opacity, 0 to 1, as an expression of drawtext; default 1. */
  readonly alpha?: string;
}

/** Content and format of a video. */
export interface VideoRecipe {
  /** Path of the file; an existing one is replaced. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Number of frames; default 10. */
  readonly frames?: number;
  /** Frames per second; default 25. */
  readonly fps?: number;
  /** Presentation time of each frame in milliseconds, rising, in place of `fps`. */
  readonly timesMs?: readonly number[];
  /**
   * Content: a lavfi source with its options (default `testsrc2`; size and rate are added), or a function that returns
   * each frame as `width * height * 3` bytes of RGB.
   */
  readonly picture?: string | ((index: number) => Uint8Array);
  /** Drawn over a lavfi source. */
  readonly captions?: readonly Caption[];
  /** Default `h264`. */
  readonly codec?: VideoCodec;
  /** Default `yuv420p`; `yuvj420p` for mjpeg, `yuv422p10le` for prores. */
  readonly pixelFormat?: string;
  /** Options of the encoder, in addition to the fast defaults. */
  readonly encoderOptions?: Readonly<Record<string, string | number>>;
  /** Options of the muxer, such as `movflags`. */
  readonly muxerOptions?: Readonly<Record<string, string>>;
  /** Default `mp4`; `mov` for prores. */
  readonly container?: 'mp4' | 'mov';
  /**
   * Colour tags; default BT.709 in limited range, for mpeg4 BT.601, for mjpeg BT.601 in full range. RGB is converted to
   * the space and the range; primaries and transfer are only tagged.
   */
  readonly color?: {
    readonly space?: AVColorSpace;
    readonly range?: AVColorRange;
    readonly primaries?: AVColorPrimaries;
    readonly transfer?: AVColorTransferCharacteristic;
  };
  /** Width of a pixel over its height; default 1:1. */
  readonly pixelAspect?: readonly [number, number];
  /** a, b, c, d of the display matrix: a stored point (x, y) is shown at (a·x + c·y, b·x + d·y). */
  readonly displayMatrix?: readonly [number, number, number, number];
  /** Pixels cropped by the clean aperture: top, bottom, left, right. */
  readonly cutOff?: readonly [number, number, number, number];
  /** Mark the frames as interlaced, top field first. */
  readonly interlaced?: boolean;
}
