import { ServiceError } from '../../errors.ts';
import { describeForeignFile } from './foreign-file.ts';

/** Number of leading bytes that must contain `ftyp`. */
const MAGIC_BYTES = 64;
/** Largest accepted file type box: a thousand brands; real files have a dozen. */
const LARGEST_FTYP_BYTES = 4096;
/** Number of leading bytes that `checkFileType` needs. */
export const HEAD_BYTES = MAGIC_BYTES + LARGEST_FTYP_BYTES;

const REFUSAL = 'Invalid MP4 file';

/** Brands of containers that hold video; the registered ones are listed at mp4ra.org. */
const VIDEO_BRANDS: ReadonlySet<string> = new Set(
  [
    // ISO base media, MPEG-4, and the codecs that have a brand
    ['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9', 'isoa', 'isob', 'isoc'],
    ['mp41', 'mp42', 'mp71', 'avc1', 'hvc1', 'hev1', 'vvc1', 'av01', 'vp08', 'vp09', 'dby1', 'mjp2', 'mj2s'],
    // fragmented: DASH, CMAF, HLS, Smooth
    ['dash', 'msdh', 'msix', 'cmfc', 'cmf2', 'cmff', 'cmfl', 'cmfs', 'hlsf', 'isml', 'piff', 'ccff'],
    // QuickTime, iTunes, Flash, and those of phones and cameras
    ['qt  ', 'mqt ', 'M4V ', 'M4VH', 'M4VP', 'F4V ', 'f4v ', 'F4P ', 'mmp4', 'kddi', 'KDDI', 'MSNV', 'XAVC', 'CAEP'],
    ['ndsc', 'ndsh', 'ndsm', 'ndsp', 'ndss', 'ndxc', 'ndxh', 'ndxm', 'ndxp', 'ndxs', 'NIKO', 'niko', 'pana', 'caqv'],
  ].flat(),
);
/** 3GPP and 3GPP2: profile letter, then release. */
const MOBILE_BRAND = /^3g[2eghprst][0-9a-c]$/;

/** Major brands of files that resemble MP4 but are not, even with other video brands. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ...['avif', 'avis'].map((brand) => [brand, 'an AVIF image'] as const),
  ...['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'mif2', 'msf1'].map(
    (brand) => [brand, 'a HEIF image'] as const,
  ),
  ...['M4A ', 'M4B ', 'M4P ', 'F4A ', 'F4B '].map((brand) => [brand, 'an audio file'] as const),
  ...['jp2 ', 'jpx ', 'jpm '].map((brand) => [brand, 'a JPEG 2000 image'] as const),
  ['crx ', 'a Canon raw photo'],
]);

/** Boxes that may precede `ftyp`: padding, and the signature of JPEG 2000, which its brand then names. */
const LEADING_BOXES: ReadonlySet<string> = new Set(['free', 'skip', 'wide', 'jP  ']);

const HINTS: ReadonlyMap<string, string> = new Map([
  ...['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'].map(
    (box) =>
      [
        box,
        'It looks like a QuickTime file without a file type box. Give it one, without encoding it again: ffmpeg -i old.mov -c copy new.mp4',
      ] as const,
  ),
  ...['styp', 'sidx', 'moof'].map(
    (box) =>
      [
        box,
        'It looks like a segment of a fragmented video. Put its initialisation segment before it: cat init.mp4 segment.m4s > new.mp4',
      ] as const,
  ),
]);

/**
 * Accepts a file whose file type box (ISO/IEC 14496-12, 4.3) names a video brand. This is a claim; only decoding, in
 * another process, shows whether there is a video.
 * @param head the first `HEAD_BYTES` of the file, or all of a shorter one
 * @throws ServiceError `invalid_mp4`, which names what was found
 */
export function checkFileType(head: Buffer): void {
  const box = findFileTypeBox(head);
  const size = head.readUInt32BE(box);
  if (size < 16 || size > LARGEST_FTYP_BYTES) throw refusal(`its file type box claims a size of ${size} bytes`);
  if (box + size > head.length) throw refusal('it ends within its file type box');
  const major = head.toString('latin1', box + 8, box + 12);
  const kind = OTHER_KINDS.get(major);
  if (kind !== undefined) throw refusal(`it is ${kind} (brand ${shown(major)})`);
  const brands = [major];
  for (let at = box + 16; at + 4 <= box + size; at += 4) brands.push(head.toString('latin1', at, at + 4));
  if (brands.some((brand) => VIDEO_BRANDS.has(brand) || MOBILE_BRAND.test(brand))) return;
  const some = brands.slice(0, 8).map(shown).join(', ');
  throw refusal(`none of its brands is known for video: ${some}`);
}

/** Offset of the file type box. The letters alone are not enough, because they occur in texts. */
function findFileTypeBox(head: Buffer): number {
  for (let at = 0; at + 8 <= Math.min(head.length, MAGIC_BYTES); at += head.readUInt32BE(at)) {
    const type = head.toString('latin1', at + 4, at + 8);
    if (type === 'ftyp') return at;
    if (!LEADING_BOXES.has(type) || head.readUInt32BE(at) < 8) break;
  }
  if (head.subarray(0, MAGIC_BYTES).includes('ftyp')) {
    throw refusal('"ftyp" is in its first bytes, but not as the type of a box');
  }
  const hint = HINTS.get(head.toString('latin1', 4, 8)) ?? describeForeignFile(head);
  throw new ServiceError('invalid_mp4', REFUSAL, hint === undefined ? {} : { hint });
}

function refusal(found: string): ServiceError {
  return new ServiceError('invalid_mp4', `${REFUSAL}: ${found}`);
}

function shown(brand: string): string {
  return `"${brand.replaceAll(/[^\x20-\x7e]/g, '?')}"`;
}
