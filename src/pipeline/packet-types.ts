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

/** What can be known about a packet without decoding it. */
export interface PacketTypes {
  /**
   * True if decoding may start here with the same result as decoding everything, and nothing later is shown before it.
   * For H.264 and HEVC these are only IDR pictures, because pictures after other key frames may refer to earlier ones.
   */
  isEntryPoint(packet: Packet): boolean;
  /** True if no other picture refers to this one, so that it need not be decoded for others. */
  isUnreferenced(packet: Packet): boolean;
}

/** Undefined for codecs without known entry points. */
export function packetTypesOf(track: CodecParameters): PacketTypes | undefined {
  if (track.codecType !== AVMEDIA_TYPE_VIDEO) return undefined;
  if (INDEPENDENT_KEY_FRAMES.has(track.codecId)) {
    return { isEntryPoint: (packet) => packet.isKeyframe, isUnreferenced: () => false };
  }
  const description = track.extradata;
  if (description === null || description[0] !== 1) return undefined;
  if (track.codecId === AV_CODEC_ID_H264) return h264Types(((description[4] ?? 3) & 3) + 1);
  if (track.codecId === AV_CODEC_ID_HEVC) {
    const layers = ((description[21] ?? 0) >> 3) & 7;
    return hevcTypes(((description[21] ?? 3) & 3) + 1, layers === 1);
  }
  return undefined;
}

/** Table 7-1 of ITU-T H.264: types 1 to 5 are slices, 5 of an IDR picture. */
function h264Types(lengthBytes: number): PacketTypes {
  const slices = (packet: Packet) =>
    unitHeaders(packet, lengthBytes).filter((header) => (header & 0x1f) >= 1 && (header & 0x1f) <= 5);
  return {
    isEntryPoint: (packet) => packet.isKeyframe && ((slices(packet)[0] ?? 0) & 0x1f) === 5,
    isUnreferenced(packet) {
      const found = slices(packet);
      return found.length > 0 && found.every((header) => (header & 0x60) === 0);
    },
  };
}

/**
 * Table 7-1 of ITU-T H.265: types 0 to 31 are slices, 19 and 20 of an IDR picture. Even types up to 14 are not referred
 * to by pictures of the same temporal layer.
 */
function hevcTypes(lengthBytes: number, hasOneLayer: boolean): PacketTypes {
  const slices = (packet: Packet) =>
    unitHeaders(packet, lengthBytes)
      .map((header) => (header >> 1) & 0x3f)
      .filter((type) => type <= 31);
  return {
    isEntryPoint(packet) {
      const type = packet.isKeyframe ? slices(packet)[0] : undefined;
      return type === 19 || type === 20;
    },
    isUnreferenced(packet) {
      const found = hasOneLayer ? slices(packet) : [];
      return found.length > 0 && found.every((type) => type <= 14 && type % 2 === 0);
    },
  };
}

/** Returns the first byte of each unit of a packet. */
function unitHeaders(packet: Packet, lengthBytes: number): number[] {
  const headers: number[] = [];
  const data = packet.data ?? Buffer.alloc(0);
  for (let at = 0; at + lengthBytes < data.length; at += lengthBytes + data.readUIntBE(at, lengthBytes)) {
    headers.push(data[at + lengthBytes] ?? 0);
  }
  return headers;
}
