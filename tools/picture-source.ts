import { AV_PIX_FMT_RGB24, AVERROR_EOF } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, FormatContext, Frame, InputFormat, Packet } from 'node-av/lib';

import { drawtext } from './drawtext.ts';
import type { VideoRecipe } from './video-recipe.ts';

/** RGB frames, drawn by lavfi or given by the caller. */
export class PictureSource implements Disposable {
  readonly #recipe: VideoRecipe;
  readonly #input: FormatContext | undefined;
  readonly #decoder: CodecContext | undefined;
  readonly #packet = new Packet();
  #frame = new Frame();

  constructor(recipe: VideoRecipe, frames: number) {
    this.#recipe = recipe;
    this.#packet.alloc();
    this.#frame.alloc();
    if (typeof recipe.picture === 'function') return;
    const input = new FormatContext();
    FFmpegError.throwIfError(
      input.openInputSync(lavfiGraph(recipe, frames), InputFormat.findInputFormat('lavfi')),
      'The picture cannot be drawn',
    );
    const stream = input.streams[0];
    const codec = stream === undefined ? null : Codec.findDecoder(stream.codecpar.codecId);
    if (stream === undefined || codec === null) throw new Error('lavfi draws no video');
    const decoder = new CodecContext();
    decoder.allocContext3(codec);
    decoder.parametersToContext(stream.codecpar);
    FFmpegError.throwIfError(decoder.open2Sync(codec), 'The drawn picture cannot be read');
    this.#input = input;
    this.#decoder = decoder;
  }

  /** Returns frame `index`, valid until the next call. */
  next(index: number): Frame {
    const { picture, width, height } = this.#recipe;
    if (typeof picture === 'function') {
      const rgb = picture(index);
      this.#frame.free();
      this.#frame = Frame.fromVideoBuffer(Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength), {
        width,
        height,
        format: AV_PIX_FMT_RGB24,
      });
      return this.#frame;
    }
    this.#packet.unref();
    this.#frame.unref();
    FFmpegError.throwIfError(this.#input?.readFrameSync(this.#packet) ?? AVERROR_EOF, 'lavfi ended');
    FFmpegError.throwIfError(this.#decoder?.sendPacketSync(this.#packet) ?? AVERROR_EOF, 'lavfi ended');
    FFmpegError.throwIfError(this.#decoder?.receiveFrameSync(this.#frame) ?? AVERROR_EOF, 'lavfi ended');
    return this.#frame;
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#packet.free();
    this.#decoder?.freeContext();
    this.#input?.closeInputSync();
  }
}

/** A lavfi graph that ends in RGB frames. */
function lavfiGraph(recipe: VideoRecipe, frames: number): string {
  const { picture = 'testsrc2', width, height, fps = 25, captions = [] } = recipe;
  const source = `${String(picture)}${String(picture).includes('=') ? ':' : '='}size=${width}x${height}:rate=${fps}`;
  return [source, ...captions.map((caption) => drawtext(caption, frames)), 'format=rgb24'].join(',');
}
