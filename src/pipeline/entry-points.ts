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

/** Codecs each packet of which is one picture, and each key frame of which ends all references to earlier ones. */
const INDEPENDENT_KEY_FRAMES: ReadonlySet<number> = new Set([
  AV_CODEC_ID_AV1,
  AV_CODEC_ID_VP9,
  AV_CODEC_ID_MJPEG,
  AV_CODEC_ID_PRORES,
  AV_CODEC_ID_DNXHD,
]);

/**
 * Tells the packets at which decoding may begin with the very result that decoding everything before has, and before
 * which nothing is shown that comes after them. For H.264 and HEVC those are the IDR pictures alone: pictures that
 * follow another key frame may refer to earlier ones. Undefined for codecs of which it is not known.
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

/** A picture of HEVC to which nothing before it matters (IDR_W_RADL, IDR_N_LP). */
function isIdr(type: number | undefined): boolean {
  return type === 19 || type === 20;
}

/** The type of a packet's first unit that holds a picture: one whose type is within the bounds. */
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
