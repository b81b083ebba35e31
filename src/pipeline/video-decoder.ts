import { AV_PIX_FMT_NONE, AVERROR_EOF } from 'node-av/constants';
import { avGetCodecName, CodecContext, FFmpegError, Frame, PosixError } from 'node-av/lib';
import type { Codec, Packet, Stream } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import { allowedDecoders, decoderFor } from './decoders.ts';
import type { PixelBudget } from './pixel-budget.ts';
import type { VideoLimits } from './limits.ts';
import { throwIfMemoryRefused } from './refused-memory.ts';

/** Errors in a row after which a flushed decoder has no more frames. */
const FAILED_FRAMES_AT_END = 64;

/** A video without a frame after this many packets has none: minutes of it, or a hostile file. */
const FRUITLESS_PACKETS = 10_000;

export interface VideoDecoderOptions {
  readonly limits: VideoLimits;
  /** Additional decoders. */
  readonly extraDecoders: readonly string[];
  /** Charged for each packet. */
  readonly budget: PixelBudget;
  /** Called for each packet. */
  readonly onPacket?: () => void;
}

/**
 * FFmpeg's decoder for one track. Continues after damage. Has one thread, because the inference threads need the cores.
 */
export class VideoDecoder implements Disposable {
  readonly #context: CodecContext;
  readonly #codec: Codec;
  readonly #budget: PixelBudget;
  readonly #onPacket: () => void;
  readonly #frame = new Frame();
  readonly #probe = new Frame();
  readonly #needsPacket = FFmpegError.AVERROR(PosixError.EAGAIN);
  #damage = 0;
  #packets = 0;
  #hasFrames = false;
  #lastError: FFmpegError | undefined;

  private constructor(context: CodecContext, codec: Codec, { budget, onPacket = () => {} }: VideoDecoderOptions) {
    this.#context = context;
    this.#codec = codec;
    this.#budget = budget;
    this.#onPacket = onPacket;
    this.#frame.alloc();
    this.#probe.alloc();
  }

  /**
   * Throws `invalid_video` if there is no decoder for the track, none that is allowed, or it rejects the track's
   * description.
   */
  static open(stream: Stream, options: VideoDecoderOptions): VideoDecoder {
    const { limits, extraDecoders } = options;
    const { codecpar } = stream;
    const codec = decoderFor(codecpar, extraDecoders);
    const context = new CodecContext();
    try {
      context.allocContext3(codec);
      throwIfFailed(context.parametersToContext(codecpar));
      context.pktTimebase = stream.timeBase;
      context.threadCount = 1;
      // Set here and not through a dictionary for `open2Sync`, because any entry of one corrupts the heap (node-av
      // 6.1).
      throwIfFailed(context.setOption('max_pixels', limits.maxFramePixels));
      throwIfFailed(context.setOption('codec_whitelist', allowedDecoders(extraDecoders)));
      throwIfFailed(context.open2Sync(codec, null));
      return new VideoDecoder(context, codec, options);
    } catch (cause) {
      context.freeContext();
      throw new ServiceError('invalid_video', `The decoder ${codec.name ?? ''} does not accept the video track`, {
        cause,
      });
    }
  }

  /** Number of damages reported by the decoder. Only the content of damaged packets may be missing. */
  get damage(): number {
    return this.#damage;
  }

  get codecName(): string | null {
    return avGetCodecName(this.#codec.id);
  }

  /** True if so many packets gave no frame that none is to be expected. */
  get isFruitless(): boolean {
    return this.#packets > FRUITLESS_PACKETS && !this.#hasFrames;
  }

  /** Yields the frames that are ready after the packet. Each is valid until the next one is taken. */
  *decode(packet: Packet): Generator<Frame, void> {
    // For FFmpeg an empty packet means the end of the video.
    if (packet.size === 0) return;
    this.#packets += 1;
    this.#onPacket();
    // Also without a frame, because a packet that is broken near its end costs as much as a complete one.
    this.#budget.decode(this.#context.width * this.#context.height);
    const sent = this.#context.sendPacketSync(packet);
    if (sent < 0) this.#note(sent);
    yield* this.#finished();
  }

  /** Yields the frames that the decoder still holds. It accepts no more packets until it is reset. */
  *drain(): Generator<Frame, void> {
    this.#context.sendPacketSync(null);
    yield* this.#finished();
  }

  /** Forgets all previous packets. The next one must be a key frame. */
  reset(): void {
    this.#context.flushBuffers();
  }

  /** Why no frame came out. */
  nothingDecoded(): ServiceError {
    if (this.#packets === 0) return new ServiceError('invalid_video', 'The video track has no frames');
    const reason = this.#lastError === undefined ? '' : ` (${this.#codec.name ?? ''}: ${this.#lastError.message})`;
    return new ServiceError('invalid_video', `No frame of the video can be decoded${reason}`, {
      cause: this.#lastError,
    });
  }

  /** Yields the frames that are ready. */
  *#finished(): Generator<Frame, void> {
    let failures = 0;
    while (failures < FAILED_FRAMES_AT_END) {
      const received = this.#context.receiveFrameSync(this.#frame);
      if (received === this.#needsPacket || received === AVERROR_EOF) return;
      if (received < 0) {
        failures += 1;
        this.#note(received);
        continue;
      }
      failures = 0;
      this.#hasFrames = true;
      try {
        yield this.#frame;
      } finally {
        this.#frame.unref();
      }
    }
  }

  #note(code: number): void {
    throwIfMemoryRefused(code);
    throwIfMemoryRefused(this.#askForMemory());
    this.#damage += 1;
    this.#lastError = new FFmpegError(code);
  }

  /** FFmpeg's H.264 decoder reports missing memory for a frame as damage, so request memory for another frame here. */
  #askForMemory(): number {
    const { width, height, pixelFormat } = this.#context;
    if (width === 0 || pixelFormat === AV_PIX_FMT_NONE) return 0;
    const probe = this.#probe;
    probe.width = width;
    probe.height = height;
    probe.format = pixelFormat;
    const answer = probe.getBuffer(0);
    probe.unref();
    return answer;
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#probe.free();
    this.#context.freeContext();
  }
}

function throwIfFailed(code: number): void {
  if (code < 0) throw new FFmpegError(code);
}
