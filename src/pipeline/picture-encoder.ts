import {
  AV_CODEC_FLAG_QSCALE,
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUVJ420P,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_SMPTE170M,
  FF_ENCODER_MJPEG,
  FF_ENCODER_PNG,
  FF_QP2LAMBDA,
  SWS_AREA,
} from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational, SoftwareScaleContext } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { DisplayPicture } from './display-frame.ts';
import type { Size } from './display-geometry.ts';
import { throwIfMemoryRefused } from './refused-memory.ts';

export const PICTURE_FORMATS = ['jpeg', 'png'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

const ENCODERS = {
  jpeg: { name: FF_ENCODER_MJPEG, pixelFormat: AV_PIX_FMT_YUVJ420P },
  png: { name: FF_ENCODER_PNG, pixelFormat: AV_PIX_FMT_RGB24 },
} as const;
/** Quantiser of JPEG, from 1 (finest) to 31. */
const JPEG_QUANTISER = 4;

export interface EncodeOptions {
  readonly format: PictureFormat;
  /** Maximum pixels of the longer side; a larger picture is reduced. Absent: the picture's own size. */
  readonly longestSide?: number | undefined;
}

/**
 * Encodes a picture with FFmpeg; the same pixels give the same bytes. JPEG has the colours of JFIF (BT.601, full
 * range).
 */
export function encodePicture(
  picture: DisplayPicture,
  { format, longestSide }: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const size = fittingSize(picture, longestSide);
  using frames = new Frames();
  const source = frames.allocate({ ...picture, format: AV_PIX_FMT_RGB24 });
  copyRows(picture, source);
  const isSame = format === 'png' && size.width === picture.width && size.height === picture.height;
  const encoded = isSame ? source : frames.allocate({ ...size, format: ENCODERS[format].pixelFormat });
  if (!isSame) {
    if (format === 'jpeg') {
      encoded.colorSpace = AVCOL_SPC_SMPTE170M;
      encoded.colorRange = AVCOL_RANGE_JPEG;
    }
    scale(source, encoded);
  }
  return encode(encoded, format);
}

/** Returns the largest size of the same proportions, at least one pixel each way. */
export function fittingSize({ width, height }: Size, longestSide = Infinity): Size {
  const factor = Math.min(1, longestSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/** Frames that are freed together. */
class Frames implements Disposable {
  readonly #frames: Frame[] = [];

  allocate({ width, height, format }: Size & { readonly format: Frame['format'] }): Frame {
    const frame = new Frame();
    frame.alloc();
    this.#frames.push(frame);
    frame.format = format;
    frame.width = width;
    frame.height = height;
    requireSuccess(frame.getBuffer(0));
    return frame;
  }

  [Symbol.dispose](): void {
    for (const frame of this.#frames) frame.free();
  }
}

/** Rows of an FFmpeg frame are padded. */
function copyRows({ width, height, rgb }: DisplayPicture, frame: Frame): void {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0];
  if (plane === undefined || stride === undefined) throw unencodable();
  for (let row = 0; row < height; row += 1) {
    plane.set(rgb.subarray(row * width * 3, (row + 1) * width * 3), row * stride);
  }
}

function scale(source: Frame, target: Frame): void {
  const scaler = new SoftwareScaleContext();
  scaler.allocContext();
  try {
    scaler.setOption('sws_flags', SWS_AREA);
    requireSuccess(scaler.scaleFrameSync(target, source));
  } finally {
    scaler.freeContext();
  }
}

function encode(frame: Frame, format: PictureFormat): Uint8Array<ArrayBuffer> {
  const { name, pixelFormat } = ENCODERS[format];
  const codec = Codec.findEncoderByName(name);
  if (codec === null) throw new ServiceError('internal', `This FFmpeg has no encoder for ${format}`);
  const encoder = new CodecContext();
  const packet = new Packet();
  packet.alloc();
  try {
    encoder.allocContext3(codec);
    encoder.width = frame.width;
    encoder.height = frame.height;
    encoder.pixelFormat = pixelFormat;
    encoder.timeBase = new Rational(1, 1);
    encoder.threadCount = 1;
    if (format === 'jpeg') {
      encoder.colorRange = AVCOL_RANGE_JPEG;
      encoder.setFlags(AV_CODEC_FLAG_QSCALE);
      encoder.globalQuality = JPEG_QUANTISER * FF_QP2LAMBDA;
      frame.quality = JPEG_QUANTISER * FF_QP2LAMBDA;
    }
    // A dictionary for `open2Sync` corrupts the heap (node-av 6.1).
    requireSuccess(encoder.open2Sync(codec, null));
    requireSuccess(encoder.sendFrameSync(frame));
    requireSuccess(encoder.sendFrameSync(null));
    requireSuccess(encoder.receivePacketSync(packet));
    if (packet.data === null) throw unencodable();
    return Uint8Array.from(packet.data);
  } finally {
    packet.free();
    encoder.freeContext();
  }
}

function requireSuccess(code: number): void {
  if (code >= 0) return;
  throwIfMemoryRefused(code);
  throw unencodable(new FFmpegError(code));
}

function unencodable(cause?: unknown): ServiceError {
  return new ServiceError('invalid_video', 'The frame cannot be encoded as a picture', { cause });
}
