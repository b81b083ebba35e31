import {
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_DNXHD,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_MJPEG,
  AV_CODEC_ID_PRORES,
  AV_CODEC_ID_VP9,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import type { CodecParameters, Packet } from 'node-av/lib';

/** Codecs with one picture per packet, whose key frames end all references to earlier pictures. */
const INDEPENDENT_KEY_FRAMES: ReadonlySet<number> = new Set([
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_VP9,
  AV_CODEC_ID_MJPEG,
  AV_CODEC_ID_PRORES,
  AV_CODEC_ID_DNXHD,
]);

/**
 * Identifies packets at which decoding may start with the same result as decoding everything, and before which nothing
 * later is shown. For H.264 and HEVC these are only IDR pictures, because pictures after other key frames may refer to
 * earlier ones. Undefined for other codecs.
 */
export function entryPointsOf(track: CodecParameters): ((packet: Packet) => boolean) | undefined {
  if (track.codecType !== AVMEDIA_TYPE_VIDEO) return undefined;
  if (INDEPENDENT_KEY_FRAMES.has(track.codecId)) return (packet) => packet.isKeyframe;
  const description = track.extradata;
  if (description === null || description[0] !== 1) return undefined;
  if (track.codecId === AV_CODEC_ID_H264) {
    const lengthBytes = ((description[4] ?? 3) & 3) + 1;
    return (packet) => packet.isKeyframe && firstPicture(packet, lengthBytes, (type) => type & 0x1f, 1, 5) === 5;
  }
  if (track.codecId === AV_CODEC_ID_HEVC) {
    const lengthBytes = ((description[21] ?? 3) & 3) + 1;
    return (packet) =>
      packet.isKeyframe && isIdr(firstPicture(packet, lengthBytes, (type) => (type >> 1) & 0x3f, 0, 31));
  }
  return undefined;
}

/** An HEVC picture without references to earlier ones (IDR_W_RADL, IDR_N_LP). */
function isIdr(type: number | undefined): boolean {
  return type === 19 || type === 20;
}

/** Returns the type of a packet's first picture unit, whose type is within the bounds. */
function firstPicture(
  packet: Packet,
  lengthBytes: number,
  typeOf: (header: number) => number,
  least: number,
  greatest: number,
): number | undefined {
  const data = packet.data;
  if (data === null) return undefined;
  for (let at = 0; at + lengthBytes < data.length; at += lengthBytes + data.readUIntBE(at, lengthBytes)) {
    const type = typeOf(data[at + lengthBytes] ?? 0);
    if (type >= least && type <= greatest) return type;
  }
  return undefined;
}
