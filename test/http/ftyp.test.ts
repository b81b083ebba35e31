import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import { checkFileType } from '../../src/http/uploads/ftyp.ts';
import { fileTypeBox } from './service-under-test.ts';

describe('the check of the file type', () => {
  const accepted: Readonly<Record<string, Buffer>> = {
    'an MP4': fileTypeBox('isom', 'isom', 'iso2', 'avc1', 'mp41'),
    'an MP4 that names only its major brand': fileTypeBox('mp42'),
    'an M4V': fileTypeBox('M4V ', 'M4V ', 'M4A ', 'mp42', 'isom'),
    'a QuickTime movie': fileTypeBox('qt  ', 'qt  '),
    'a 3GP': fileTypeBox('3gp4', 'isom', '3gp4'),
    'a 3G2 of an operator': fileTypeBox('kddi', '3g2a'),
    'a fragmented video': fileTypeBox('iso6', 'iso6', 'dash'),
    'a CMAF track': fileTypeBox('cmfc', 'iso9', 'dash'),
    'a video with an unknown major brand': fileTypeBox('abcd', 'mp42'),
    'a video whose file type box comes after padding': Buffer.concat([
      Buffer.from('\0\0\0\x10free12345678', 'latin1'),
      fileTypeBox('isom'),
    ]),
    'a video with garbage behind its file type box': Buffer.concat([fileTypeBox('isom'), Buffer.alloc(100, 255)]),
  };
  for (const [name, head] of Object.entries(accepted)) {
    it(`accepts ${name}`, () => checkFileType(head));
  }

  const named: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    'an AVIF image': [fileTypeBox('avif', 'avif', 'mif1'), /AVIF image \(brand "avif"\)/],
    'an AVIF sequence that claims to be a video as well': [fileTypeBox('avis', 'avif', 'iso8', 'av01'), /AVIF.*"avis"/],
    'a HEIC image': [fileTypeBox('heic', 'mif1', 'heic'), /HEIF image \(brand "heic"\)/],
    'an M4A': [fileTypeBox('M4A ', 'M4A ', 'mp42', 'isom'), /audio file \(brand "M4A "\)/],
    'a CR3': [fileTypeBox('crx ', 'crx ', 'isom'), /Canon raw photo/],
    'a JP2': [
      Buffer.concat([Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), fileTypeBox('jp2 ', 'jp2 ')]),
      /JPEG 2000/,
    ],
    'unknown brands, printably': [
      fileTypeBox('\x00\x1b[2', 'wxyz'),
      /none of its brands is known for video: "\?\?\[2", "wxyz"/,
    ],
    'a box that says it is too small': [box(12, 'ftypisom'), /size of 12 bytes/],
    'a box that says it is huge': [box(0xffff_fff0, 'ftypisom'), /size of 4294967280 bytes/],
    'a box that says it reaches to the end': [box(0, 'ftypisom'), /size of 0 bytes/],
    'a box that is cut off': [fileTypeBox('isom', 'isom').subarray(0, 18), /ends within/],
    'a text that mentions it': [Buffer.from('# ftypmp42 is how a video begins'), /not as the type of a box/],
    'a playlist that mentions it': [Buffer.from('#EXTM3U\n#ftyp\n'), /not as the type of a box/],
    'padding that overlaps': [box(4, 'free\0\0\0\x14ftypisom'), /not as the type of a box/],
  };
  for (const [name, [head, found]] of Object.entries(named)) {
    it(`rejects ${name} and names it`, () => {
      const { message } = refusalOf(head);
      expect(message).to.match(/^Invalid MP4 file: /);
      expect(message).to.match(found);
    });
  }

  const plain: Readonly<Record<string, readonly [Buffer, RegExp | undefined]>> = {
    nothing: [Buffer.alloc(0), undefined],
    'one byte': [Buffer.from('x'), undefined],
    'a text': [Buffer.from('hello world'.repeat(100)), undefined],
    'a file type box beyond the first 64 bytes': [
      Buffer.concat([Buffer.alloc(64, 32), fileTypeBox('isom')]),
      undefined,
    ],
    'classic QuickTime': [box(8, 'wide\0\0\0\x08mdat'), /remux|ffmpeg -i/],
    'a Matroska video': [Buffer.from('\x1aE\xdf\xa3\x9fB\x86\x81', 'latin1'), /Matroska .*ffmpeg -i/],
    'a segment without its beginning': [box(24, 'stypmsdh'), /segment/],
    'a Hikvision recording': [
      latin1('IMKH\x01\x01\0\0\x02\0\x10\0'.padEnd(40, '\0'), '\0\0\x01\xba'),
      /Hikvision.*-f mpeg/,
    ],
    'a Dahua recording': [latin1('DHAV\xfd\0\0\0'), /Dahua.*-f dhav/],
    'an MPEG program stream': [latin1('\0\0\x01\xba\x21\0\x01'), /program stream.*-f mpeg /],
    'an MPEG transport stream': [transportStream(188, 0), /transport stream.*-f mpegts/],
    'an M2TS': [transportStream(192, 4), /transport stream/],
    'a transport stream with check bytes': [transportStream(204, 0), /transport stream/],
    'a raw H.264 stream': [latin1('\0\0\0\x01\x67\x64\0\x1f'), /raw H\.264.*-f h264/],
    'a raw H.264 stream that begins with a delimiter': [latin1('\0\0\x01\x09\xf0\0\0\x01\x67'), /raw H\.264/],
    'a raw HEVC stream': [latin1('\0\0\0\x01\x40\x01\x0c\x01'), /raw HEVC.*-f hevc/],
    'a raw HEVC stream that begins with a delimiter': [latin1('\0\0\0\x01\x46\x01\x50'), /raw HEVC/],
    'an MPEG-2 stream': [latin1('\0\0\x01\xb3\x14\0'), /MPEG-2/],
    'an AVI video': [latin1('RIFF\0\0\0\0AVI LIST'), /AVI/],
    'a WAV file': [latin1('RIFF\0\0\0\0WAVEfmt '), /without video/],
    'a web page': [Buffer.from('\uFEFF\n  <!DOCTYPE html><html>'), /web page/],
    'the error message of a server': [Buffer.from('<?xml version="1.0"?><Error>'), /XML.*error message/],
    'a playlist': [Buffer.from('#EXTM3U\nvideo.ts\n'), /playlist/],
    'a pointer of Git LFS': [Buffer.from('version https://git-lfs.github.com/spec/v1'), /git lfs pull/],
    'an archive': [latin1('PK\x03\x04\x14\0'), /ZIP.*Unpack/],
    'a PNG image': [latin1('\x89PNG\r\n\x1a\n'), /PNG/],
    'a recording that was never written': [Buffer.alloc(4096), /zeros/],
    'a text that begins with a G': [Buffer.from('G'.padEnd(189, ' ')), undefined],
  };
  for (const [name, [head, hint]] of Object.entries(plain)) {
    it(`rejects ${name} in the words of the contract${hint === undefined ? '' : ', with a hint'}`, () => {
      const error = refusalOf(head);
      expect(error.message).to.equal('Invalid MP4 file');
      if (hint === undefined) expect(error.hint).to.equal(undefined);
      else expect(error.hint).to.match(hint);
    });
  }
});

function box(size: number, rest: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(size);
  return Buffer.concat([head, Buffer.from(rest, 'latin1')]);
}

function latin1(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.join(''), 'latin1');
}

function transportStream(packetBytes: number, offset: number): Buffer {
  const stream = Buffer.alloc(packetBytes * 4);
  for (let at = offset; at < stream.length; at += packetBytes) stream[at] = 0x47;
  return stream;
}

function refusalOf(head: Buffer): ServiceError {
  try {
    checkFileType(head);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'invalid_mp4') return error;
    throw error;
  }
  return expect.fail('let it pass');
}
