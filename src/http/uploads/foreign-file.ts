/** A kind of file other than MP4: its first bytes, and how to convert it. */
interface Kind {
  readonly name: string;
  /** Advice for the user, in one sentence. */
  readonly remedy: string;
  readonly isAtStartOf: (head: Buffer) => boolean;
}

const ENCODE = 'Make an MP4 of it: ffmpeg -i old new.mp4';
const COPY = 'Make an MP4 of it, without encoding it again: ffmpeg -i old -c copy new.mp4';
const NOT_A_VIDEO = 'Upload the video itself';

/** Bytes of a transport stream packet: plain, with a leading time code (M2TS), with trailing check bytes. */
const TRANSPORT_PACKETS = [
  { bytes: 188, offset: 0 },
  { bytes: 192, offset: 4 },
  { bytes: 204, offset: 0 },
] as const;

/** Packets in a row with the sync byte of a transport stream, which alone is only the letter G. */
const TRANSPORT_MARKS = 3;

/** The first match counts. */
const PROBLEM_TYPES: readonly Kind[] = [
  kind('a Hikvision recording (MPEG program stream behind a header IMKH)', copyAs('mpeg'), begins('IMKH')),
  kind('a Dahua recording (DHAV)', copyAs('dhav'), begins('DHAV')),
  kind('a Matroska or WebM video', ENCODE, begins('\x1aE\xdf\xa3')),
  kind('an AVI video', ENCODE, (head) => begins('RIFF')(head) && has('AVI ', 8)(head)),
  kind('a RIFF file without video (WAV or WebP)', NOT_A_VIDEO, begins('RIFF')),
  kind('a Flash video', ENCODE, begins('FLV\x01')),
  kind('a Windows Media video', ENCODE, begins('0&\xb2u\x8ef\xcf\x11')),
  kind('a RealMedia video', ENCODE, begins('.RMF')),
  kind('an MXF video', ENCODE, begins('\x06\x0e+4\x02\x05\x01\x01')),
  kind('an Ogg file', ENCODE, begins('OggS')),
  kind('an IVF video', COPY, begins('DKIF')),
  kind('an uncompressed Y4M video', ENCODE, begins('YUV4MPEG2 ')),
  kind('an MPEG program stream (PS, VOB)', copyAs('mpeg'), begins('\0\0\x01\xba')),
  kind('an MPEG-1 or MPEG-2 elementary stream', copyAs('mpegvideo'), begins('\0\0\x01\xb3')),
  kind('an MPEG transport stream (TS, M2TS)', copyAs('mpegts'), isTransportStream),
  kind('a raw HEVC stream', copyAs('hevc'), (head) => startsWithUnit(head, isHevcStart)),
  kind('a raw H.264 stream', copyAs('h264'), (head) => startsWithUnit(head, isH264Start)),
  kind('a web page (HTML), probably that of a failed download', NOT_A_VIDEO, isMarkup(/^(?:<!doctype html|<html)/i)),
  kind('an XML document, probably the error message of a server', NOT_A_VIDEO, isMarkup(/^<\?xml/i)),
  kind('a JSON document, probably the error message of a server', NOT_A_VIDEO, isMarkup(/^\{\s*"/)),
  kind('a playlist, which only names its video', NOT_A_VIDEO, isMarkup(/^#EXTM3U/)),
  kind(
    'a pointer of Git LFS, which only names its video',
    'Fetch the file: git lfs pull',
    begins('version https://git-lfs'),
  ),
  kind('a ZIP archive', 'Unpack it and upload the video', begins('PK\x03\x04')),
  kind('a RAR archive', 'Unpack it and upload the video', begins('Rar!\x1a\x07')),
  kind('a 7z archive', 'Unpack it and upload the video', begins('7z\xbc\xaf\x27\x1c')),
  kind('a gzip archive', 'Unpack it and upload the video', begins('\x1f\x8b')),
  kind('a PDF document', NOT_A_VIDEO, begins('%PDF-')),
  kind('a PNG image', NOT_A_VIDEO, begins('\x89PNG\r\n\x1a\n')),
  kind('a JPEG image', NOT_A_VIDEO, begins('\xff\xd8\xff')),
  kind('a GIF image', ENCODE, begins('GIF8')),
  kind('an MP3 audio file', NOT_A_VIDEO, begins('ID3')),
];

/** Returns one or two sentences about the kind of a file that is not an MP4; undefined if it is unknown. */
export function describeForeignFile(head: Buffer): string | undefined {
  if (head.length >= 16 && head.every((byte) => byte === 0)) {
    return 'It begins with zeros only: the recording was never written, or the copy of it failed. Copy it from the device again';
  }
  const found = PROBLEM_TYPES.find(({ isAtStartOf }) => isAtStartOf(head));
  return found === undefined ? undefined : `It looks like ${found.name}. ${found.remedy}`;
}

function kind(name: string, remedy: string, isAtStartOf: (head: Buffer) => boolean): Kind {
  return { name, remedy, isAtStartOf };
}

function copyAs(format: string): string {
  return `Make an MP4 of it, without encoding it again: ffmpeg -f ${format} -i old -c copy new.mp4`;
}

function begins(magic: string): (head: Buffer) => boolean {
  return has(magic, 0);
}

function has(magic: string, offset: number): (head: Buffer) => boolean {
  return (head) => head.toString('latin1', offset, offset + magic.length) === magic;
}

/** A text with this start, after a byte order mark and white space. */
function isMarkup(start: RegExp): (head: Buffer) => boolean {
  return (head) =>
    start.test(
      head
        .toString('utf8', 0, 256)
        .replace(/^\uFEFF/, '')
        .trimStart(),
    );
}

function isTransportStream(head: Buffer): boolean {
  return TRANSPORT_PACKETS.some(({ bytes, offset }) =>
    Array.from({ length: TRANSPORT_MARKS }, (_, packet) => offset + packet * bytes).every((at) => head[at] === 0x47),
  );
}

/** A start code of Annex B and a unit that can start a stream of that codec. */
function startsWithUnit(head: Buffer, isStart: (first: number, second: number) => boolean): boolean {
  const code = [begins('\0\0\0\x01'), begins('\0\0\x01')].findIndex((test) => test(head));
  if (code < 0) return false;
  const at = code === 0 ? 4 : 3;
  return isStart(head[at] ?? 0, head[at + 1] ?? 0);
}

/** Supplemental information, access unit delimiter, sequence or picture parameters, with any reference value. */
function isH264Start(first: number): boolean {
  return [0x06, 0x09, 0x27, 0x47, 0x67, 0x28, 0x48, 0x68].includes(first);
}

/** Parameter sets, access unit delimiter or supplemental information (types 32 to 35 and 39), layer 0, first sub-layer. */
function isHevcStart(first: number, second: number): boolean {
  return [0x40, 0x42, 0x44, 0x46, 0x4e].includes(first) && second === 0x01;
}
