import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_DISPOSITION_DEFAULT,
  AV_LOG_QUIET,
  AVDISCARD_ALL,
  AVMEDIA_TYPE_VIDEO,
  AVSEEK_FLAG_BACKWARD,
} from 'node-av/constants';
import { Dictionary, FFmpegError, FormatContext, InputFormat, Log, Packet, PosixError } from 'node-av/lib';
import type { Stream } from 'node-av/lib';

import { ServiceError } from '../errors.ts';
import type { MediaFacts } from '../job.ts';
import { allowedDecoders, decoderFor } from './decoders.ts';
import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import type { Mp4Index } from './mp4-index.ts';

/**
 * Failed reads in a row after which a file has ended. FFmpeg reports a sample outside the file like the end, and
 * continues with the next sample at the next read.
 */
const FAILED_READS_AT_END = 64;

/** The video track of a file, opened only by FFmpeg's MP4 demuxer, without following links out of it. */
export class VideoInput implements Disposable {
  readonly stream: Stream;
  readonly #format: FormatContext;
  readonly #packet = new Packet();

  private constructor(format: FormatContext, stream: Stream) {
    this.#format = format;
    this.stream = stream;
    this.#packet.alloc();
  }

  /**
   * Throws `invalid_video` if FFmpeg does not understand the file or it has no video track to show, `too_large` if its
   * frames are.
   */
  static open(path: string, index: Mp4Index, limits: VideoLimits, extraDecoders: readonly string[]): VideoInput {
    Log.setLevel(AV_LOG_QUIET);
    const format = new FormatContext();
    // A dictionary works for the demuxer; for a decoder, node-av 6.1 corrupts the heap.
    const options = Dictionary.fromObject({
      protocol_whitelist: 'file',
      codec_whitelist: allowedDecoders(extraDecoders),
      enable_drefs: '0',
      use_absolute_path: '0',
    });
    try {
      // Without the prefix, a file named `concat:a|b` would be a protocol and its parts.
      const opened = format.openInputSync(`file:${path}`, InputFormat.findInputFormat('mov'), options);
      if (opened < 0) throw unreadable(opened);
      const stream = chooseStream(format.streams, index);
      const checkSize = (): void => checkLimit(limits, 'maxFramePixels', areaOf(stream));
      checkSize();
      // Before the probing, which decodes.
      decoderFor(stream.codecpar, extraDecoders);
      // Before the probing too, which would open a decoder for each track without these limits.
      for (const other of format.streams) if (other.index !== stream.index) other.discard = AVDISCARD_ALL;
      // Decodes a little, because otherwise the H.264 decoder does not know how many frames to reorder. A size that the
      // header misstates shows only now.
      const probed = format.findStreamInfoSync(null);
      if (probed < 0) throw unreadable(probed);
      checkSize();
      return new VideoInput(format, stream);
    } catch (error) {
      format.closeInputSync();
      throw error;
    } finally {
      options.free();
    }
  }

  /** The container's facts about the track. */
  facts(): Pick<MediaFacts, 'duration_ms' | 'frame_rate'> {
    const { duration, timeBase, avgFrameRate } = this.stream;
    const ofFile = this.#format.duration;
    const ticks = duration > 0n ? Number(duration) * (timeBase.num / timeBase.den) * 1000 : undefined;
    const ms = ticks ?? (ofFile > 0n ? Number(ofFile) / 1000 : undefined);
    const rate = avgFrameRate.num > 0 && avgFrameRate.den > 0 ? avgFrameRate.num / avgFrameRate.den : undefined;
    return {
      duration_ms: ms === undefined ? null : Math.round(ms * 1000) / 1000,
      frame_rate: rate === undefined ? null : Math.round(rate * 1000) / 1000,
    };
  }

  /**
   * Seeks to the last decodable key frame at or before a time; before the first frame, to the first. If the file cannot
   * be searched, the position does not change.
   */
  seek(ms: number): void {
    const { timeBase, startTime, index } = this.stream;
    const ticks = Number.isFinite(ms) ? BigInt(Math.floor((ms * timeBase.den) / (timeBase.num * 1000))) : -(2n ** 40n);
    const first = startTime > 0n ? startTime : 0n;
    this.#format.seekFrameSync(index, ticks < first ? -(2n ** 40n) : ticks, AVSEEK_FLAG_BACKWARD);
  }

  /** Yields the packets of the video track in stored order. Each is valid until the next one is taken. */
  *packets(): Generator<Packet, void> {
    let failedReads = 0;
    while (failedReads < FAILED_READS_AT_END) {
      // Also if it reports refused memory, which it does for a sample with an absurd size.
      if (this.#format.readFrameSync(this.#packet) < 0) {
        failedReads += 1;
        continue;
      }
      failedReads = 0;
      try {
        if (this.#packet.streamIndex === this.stream.index) yield this.#packet;
      } finally {
        this.#packet.unref();
      }
    }
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.#format.closeInputSync();
  }
}

/** Returns the track that a player would show: enabled before disabled, then the largest picture, then the first. */
function chooseStream(streams: readonly Stream[], index: Mp4Index): Stream {
  const videos = streams.filter(
    (stream) =>
      stream.codecpar.codecType === AVMEDIA_TYPE_VIDEO &&
      // Cover art and chapter pictures look like video tracks of one frame.
      !stream.hasDisposition(AV_DISPOSITION_ATTACHED_PIC),
  );
  if (videos.length === 0) throw new ServiceError('invalid_video', 'The file has no video track');
  const clear = videos.filter((stream) => !index.encryptedTrackIds.has(stream.id));
  if (clear.length === 0) throw new ServiceError('invalid_video', 'The video track is encrypted');
  const own = clear.filter((stream) => !index.externalTrackIds.has(stream.id));
  if (own.length === 0) {
    throw new ServiceError('invalid_video', 'The pictures of the video track are in another file');
  }
  return own.reduce((best, stream) => (isBetter(stream, best) ? stream : best));
}

function isBetter(stream: Stream, best: Stream): boolean {
  const isEnabled = stream.hasDisposition(AV_DISPOSITION_DEFAULT);
  if (isEnabled !== best.hasDisposition(AV_DISPOSITION_DEFAULT)) return isEnabled;
  return areaOf(stream) > areaOf(best);
}

function areaOf(stream: Stream): number {
  return stream.codecpar.width * stream.codecpar.height;
}

function unreadable(code: number): ServiceError {
  const cause = new FFmpegError(code);
  // The demuxer reports contradicting boxes like this; the needs of a valid index were checked before.
  const isContradiction = code === FFmpegError.AVERROR(PosixError.ENOMEM);
  const reason = isContradiction ? 'its index is broken' : cause.message;
  return new ServiceError('invalid_video', `The file cannot be read as MP4: ${reason}`, { cause });
}
