import {
  AV_CODEC_FLAG_FRAME_DURATION,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_CODEC_FLAG_INTERLACED_DCT,
  AV_CODEC_ID_MJPEG,
  AV_FRAME_FLAG_INTERLACED,
  AV_FRAME_FLAG_TOP_FIELD_FIRST,
  AV_PKT_DATA_DISPLAYMATRIX,
  AV_PKT_DATA_FRAME_CROPPING,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_SMPTE170M,
  FF_ENCODER_DNXHD,
  FF_ENCODER_H263,
  FF_ENCODER_LIBSVTAV1,
  FF_ENCODER_LIBVPX_VP8,
  FF_ENCODER_LIBVPX_VP9,
  FF_ENCODER_LIBX264,
  FF_ENCODER_LIBX265,
  FF_ENCODER_MJPEG,
  FF_ENCODER_MPEG1VIDEO,
  FF_ENCODER_MPEG2VIDEO,
  FF_ENCODER_MPEG4,
  FF_ENCODER_PRORES_KS,
  SWS_ACCURATE_RND,
  SWS_BICUBIC,
  SWS_FULL_CHR_H_INT,
} from 'node-av/constants';
import type { AVPixelFormat } from 'node-av/constants';
import {
  avGetPixFmtFromName,
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  FormatContext,
  Frame,
  Packet,
  Rational,
  SoftwareScaleContext,
} from 'node-av/lib';
import type { Stream } from 'node-av/lib';

import type { VideoCodec, VideoRecipe } from './video-recipe.ts';

/** Ticks per second: whole for 24, 25, 30, 50, 60 and 29.97 frames per second, and below the 65,535 of MPEG-4. */
const TICKS_PER_SECOND = 60_000;

/** Their encoders accept one tick per frame only. */
const FRAME_TICKS: ReadonlySet<VideoCodec> = new Set(['mpeg2video', 'mpeg1video']);

const MODERN = { pixelFormat: 'yuv420p', space: AVCOL_SPC_BT709, range: AVCOL_RANGE_MPEG, container: 'mp4' } as const;

/** Encoder options of each codec: fast, legible, and with the colours that players expect. */
const CODECS = {
  h264: { encoder: FF_ENCODER_LIBX264, options: { preset: 'ultrafast', crf: 18 }, ...MODERN },
  hevc: {
    // With B-frames, x265 gives the packets of a short video arbitrary decoding times.
    encoder: FF_ENCODER_LIBX265,
    options: { preset: 'ultrafast', crf: 18, 'x265-params': 'log-level=none:pools=none:frame-threads=1:bframes=0' },
    ...MODERN,
  },
  av1: { encoder: FF_ENCODER_LIBSVTAV1, options: { preset: 10, crf: 20 }, ...MODERN },
  // FFmpeg does not write VP8 into these containers. The track is declared as `jpeg`, and its type has to be replaced.
  vp8: {
    encoder: FF_ENCODER_LIBVPX_VP8,
    options: { deadline: 'realtime', 'cpu-used': 8, b: 300_000 },
    ...MODERN,
    container: 'mov',
  },
  vp9: { encoder: FF_ENCODER_LIBVPX_VP9, options: { deadline: 'realtime', 'cpu-used': 8, crf: 15, b: 0 }, ...MODERN },
  mpeg4: { encoder: FF_ENCODER_MPEG4, options: { b: 8_000_000 }, ...MODERN, space: AVCOL_SPC_SMPTE170M },
  mpeg2video: { encoder: FF_ENCODER_MPEG2VIDEO, options: { b: 300_000 }, ...MODERN },
  mpeg1video: { encoder: FF_ENCODER_MPEG1VIDEO, options: { b: 300_000 }, ...MODERN },
  h263: { encoder: FF_ENCODER_H263, options: { b: 300_000 }, ...MODERN, container: 'mov' },
  mjpeg: {
    encoder: FF_ENCODER_MJPEG,
    options: { b: 20_000_000 },
    ...MODERN,
    pixelFormat: 'yuvj420p',
    space: AVCOL_SPC_SMPTE170M,
    range: AVCOL_RANGE_JPEG,
  },
  prores: { encoder: FF_ENCODER_PRORES_KS, options: {}, ...MODERN, pixelFormat: 'yuv422p10le', container: 'mov' },
  dnxhd: {
    encoder: FF_ENCODER_DNXHD,
    options: { profile: 'dnxhr_lb' },
    ...MODERN,
    pixelFormat: 'yuv422p',
    container: 'mov',
  },
} as const satisfies Readonly<Record<VideoCodec, unknown>>;

/** Converts RGB frames, encodes them and writes them to a file. */
export class VideoWriter implements Disposable {
  readonly #recipe: VideoRecipe;
  readonly #codec: (typeof CODECS)[VideoCodec];
  readonly #pixelFormat: AVPixelFormat;
  readonly #scaler = new SoftwareScaleContext();
  readonly #frame = new Frame();
  readonly #packet = new Packet();
  readonly #encoder = new CodecContext();
  readonly #file = new FormatContext();
  readonly #stream: Stream;
  readonly #ticksPerSecond: number;
  #lastDuration = 0n;

  constructor(recipe: VideoRecipe) {
    this.#recipe = recipe;
    this.#codec = CODECS[recipe.codec ?? 'h264'];
    this.#ticksPerSecond = FRAME_TICKS.has(recipe.codec ?? 'h264') ? (recipe.fps ?? 25) : TICKS_PER_SECOND;
    this.#pixelFormat = avGetPixFmtFromName(recipe.pixelFormat ?? this.#codec.pixelFormat);
    this.#scaler.allocContext();
    this.#scaler.setOption('sws_flags', SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT);
    this.#frame.alloc();
    this.#packet.alloc();
    this.#openEncoder();
    this.#stream = this.#openFile();
  }

  write(rgb: Frame, ms: number, durationMs: number): void {
    const { width, height, color, interlaced, pixelAspect } = this.#recipe;
    const frame = this.#frame;
    // A new buffer each time, because the encoder keeps those that it has not encoded yet.
    frame.unref();
    frame.format = this.#pixelFormat;
    frame.width = width;
    frame.height = height;
    FFmpegError.throwIfError(frame.getBuffer(0), 'No memory for a frame');
    frame.colorSpace = color?.space ?? this.#codec.space;
    frame.colorRange = color?.range ?? this.#codec.range;
    FFmpegError.throwIfError(this.#scaler.scaleFrameSync(frame, rgb), 'The pixel format cannot be made');
    if (color?.primaries !== undefined) frame.colorPrimaries = color.primaries;
    if (color?.transfer !== undefined) frame.colorTrc = color.transfer;
    if (pixelAspect !== undefined) frame.sampleAspectRatio = new Rational(...pixelAspect);
    if (interlaced === true) frame.setFlags(AV_FRAME_FLAG_INTERLACED, AV_FRAME_FLAG_TOP_FIELD_FIRST);
    frame.pts = this.#ticksOf(ms);
    frame.duration = this.#ticksOf(durationMs);
    this.#lastDuration = frame.duration;
    FFmpegError.throwIfError(this.#encoder.sendFrameSync(frame), 'The frame cannot be encoded');
    this.#writePackets();
  }

  /** Writes what the encoder still holds and the index. */
  finish(): void {
    FFmpegError.throwIfError(this.#encoder.sendFrameSync(null), 'The video cannot be ended');
    this.#writePackets();
    FFmpegError.throwIfError(this.#file.writeTrailerSync(), 'The index cannot be written');
  }

  #ticksOf(ms: number): bigint {
    return BigInt(Math.round((ms * this.#ticksPerSecond) / 1000));
  }

  #writePackets(): void {
    while (this.#encoder.receivePacketSync(this.#packet) >= 0) {
      this.#packet.streamIndex = this.#stream.index;
      // Without its duration the last frame would have none, and the edit list would cut it off.
      if (this.#packet.duration === 0n) this.#packet.duration = this.#lastDuration;
      this.#packet.rescaleTs(this.#encoder.timeBase, this.#stream.timeBase);
      FFmpegError.throwIfError(this.#file.interleavedWriteFrameSync(this.#packet), 'The file cannot be written');
    }
  }

  #openEncoder(): void {
    const { width, height, fps = 25, color, interlaced, pixelAspect } = this.#recipe;
    const codec = Codec.findEncoderByName(this.#codec.encoder);
    if (codec === null) throw new Error('This FFmpeg has no encoder for the codec');
    const encoder = this.#encoder;
    encoder.allocContext3(codec);
    encoder.width = width;
    encoder.height = height;
    encoder.pixelFormat = this.#pixelFormat;
    encoder.timeBase = new Rational(1, this.#ticksPerSecond);
    encoder.framerate = new Rational(Math.round(fps * 1000), 1000);
    encoder.threadCount = 1;
    encoder.colorSpace = color?.space ?? this.#codec.space;
    encoder.colorRange = color?.range ?? this.#codec.range;
    if (color?.primaries !== undefined) encoder.colorPrimaries = color.primaries;
    if (color?.transfer !== undefined) encoder.colorTrc = color.transfer;
    if (pixelAspect !== undefined) encoder.sampleAspectRatio = new Rational(...pixelAspect);
    if (interlaced === true) encoder.setFlags(AV_CODEC_FLAG_INTERLACED_DCT);
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER, AV_CODEC_FLAG_FRAME_DURATION);
    // One by one, because a dictionary for `open2Sync` corrupts the heap (node-av 6.1).
    for (const [option, value] of Object.entries({ ...this.#codec.options, ...this.#recipe.encoderOptions })) {
      FFmpegError.throwIfError(encoder.setOption(option, value), `The encoder has no option ${option}`);
    }
    FFmpegError.throwIfError(
      withoutRoot(() => encoder.open2Sync(codec)),
      'The encoder cannot be opened',
    );
  }

  #openFile(): Stream {
    const {
      path,
      container = this.#codec.container,
      muxerOptions = {},
      pixelAspect,
      displayMatrix,
      cutOff,
    } = this.#recipe;
    const file = this.#file;
    FFmpegError.throwIfError(file.allocOutputContext2(null, container, path), 'No such container');
    const stream = file.newStream();
    FFmpegError.throwIfError(stream.codecpar.fromContext(this.#encoder), 'The codec does not fit');
    if (this.#recipe.codec === 'vp8') stream.codecpar.codecId = AV_CODEC_ID_MJPEG;
    stream.timeBase = this.#encoder.timeBase;
    if (pixelAspect !== undefined) stream.sampleAspectRatio = new Rational(...pixelAspect);
    if (displayMatrix !== undefined) {
      stream.codecpar.addCodedSideData(AV_PKT_DATA_DISPLAYMATRIX, matrixBytes(displayMatrix));
    }
    if (cutOff !== undefined) {
      const bytes = Buffer.alloc(16);
      cutOff.forEach((value, place) => bytes.writeUInt32LE(value, place * 4));
      stream.codecpar.addCodedSideData(AV_PKT_DATA_FRAME_CROPPING, bytes);
    }
    FFmpegError.throwIfError(file.openOutputSync(), `${path} cannot be written`);
    const options = Dictionary.fromObject(muxerOptions);
    try {
      FFmpegError.throwIfError(file.writeHeaderSync(options), 'The container does not take the video');
    } finally {
      options.free();
    }
    return stream;
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#frame.free();
    this.#scaler.freeContext();
    this.#encoder.freeContext();
    this.#file.closeOutputSync();
    this.#file.freeContext();
  }
}

/** Nine 32-bit numbers: 16.16 fixed point, except the last column, which is 2.30. */
function matrixBytes([a, b, c, d]: readonly [number, number, number, number]): Buffer {
  const bytes = Buffer.alloc(36);
  [a, b, 0, c, d, 0, 0, 0].forEach((value, place) => bytes.writeInt32LE(value * 0x10000, place * 4));
  bytes.writeInt32LE(0x40000000, 32);
  return bytes;
}

/**
 * Runs a callback without root privileges. As root, SVT-AV1 (EbThreads.c) puts the calling thread and its own into the
 * first-in-first-out class of the scheduler at priority 99, which children inherit: nothing else on the machine would
 * run.
 */
function withoutRoot<T>(call: () => T): T {
  if (process.geteuid?.() !== 0) return call();
  process.seteuid?.('nobody');
  try {
    return call();
  } finally {
    process.seteuid?.(0);
  }
}
