import { AV_PIX_FMT_RGB24, FF_DECODER_MJPEG, FF_DECODER_PNG, SWS_BICUBIC } from 'node-av/constants';
import { Codec, CodecContext, FFmpegError, Frame as NativeFrame, Packet, SoftwareScaleContext } from 'node-av/lib';
import type { Frame } from '../../src/pipeline/frame.ts';
import type { PictureFormat } from '../../src/pipeline/picture-encoder.ts';

/** Returns the pixels of a picture file. */
export function decodedPicture(bytes: Uint8Array, format: PictureFormat): Frame {
  const codec = Codec.findDecoderByName(format === 'jpeg' ? FF_DECODER_MJPEG : FF_DECODER_PNG);
  if (codec === null) throw new Error(`no decoder for ${format}`);
  const decoder = new CodecContext();
  const [frame, rgb, packet, scaler] = [new NativeFrame(), new NativeFrame(), new Packet(), new SoftwareScaleContext()];
  try {
    decoder.allocContext3(codec);
    FFmpegError.throwIfError(decoder.open2Sync(codec, null));
    for (const part of [frame, rgb, packet]) part.alloc();
    packet.data = Buffer.from(bytes);
    FFmpegError.throwIfError(decoder.sendPacketSync(packet));
    FFmpegError.throwIfError(decoder.receiveFrameSync(frame));
    const { width, height } = frame;
    rgb.format = AV_PIX_FMT_RGB24;
    rgb.width = width;
    rgb.height = height;
    FFmpegError.throwIfError(rgb.getBuffer(0));
    scaler.allocContext();
    scaler.setOption('sws_flags', SWS_BICUBIC);
    FFmpegError.throwIfError(scaler.scaleFrameSync(rgb, frame));
    const [plane, stride] = [rgb.data?.[0], rgb.linesize[0]];
    if (plane === undefined || stride === undefined) throw new Error('no pixels');
    const packed = new Uint8Array(width * height * 3);
    for (let row = 0; row < height; row += 1) {
      packed.set(plane.subarray(row * stride, row * stride + width * 3), row * width * 3);
    }
    return { index: 0, timestampMs: 0, width, height, rgb: packed };
  } finally {
    frame.free();
    rgb.free();
    packet.free();
    scaler.freeContext();
    decoder.freeContext();
  }
}
