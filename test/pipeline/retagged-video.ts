import { readFileSync, writeFileSync } from 'node:fs';

import { BitStreamFilter, BitStreamFilterContext, FFmpegError, FormatContext, InputFormat, Packet } from 'node-av/lib';

/** Code points of ITU-T H.273. */
export interface ColorCodes {
  readonly primaries: number;
  readonly transfer: number;
  readonly matrix: number;
}

/** Replaces the code points in the `colr` box of a file. */
export function writeColrBox(path: string, codes: ColorCodes): void {
  const bytes = readFileSync(path);
  let place = bytes.indexOf('colrncl', 0, 'latin1');
  if (place < 0) throw new Error(`${path} has no colr box`);
  for (; place >= 0; place = bytes.indexOf('colrncl', place + 1, 'latin1')) writeCodes(bytes, place + 8, codes, 2);
  writeFileSync(path, bytes);
}

/** Replaces the code points in the frame headers of ProRes; only in one if `frame` is given. */
export function writeProResHeaders(path: string, codes: ColorCodes, frame?: number): void {
  const bytes = readFileSync(path);
  let found = 0;
  for (let place = bytes.indexOf('icpf'); place >= 0; place = bytes.indexOf('icpf', place + 1)) {
    // After the identifier: sizes and version (4), creator (4), width and height (4), flags (2).
    if (frame === undefined || frame === found) writeCodes(bytes, place + 18, codes, 1);
    found += 1;
  }
  if (found === 0) throw new Error(`${path} has no ProRes frames`);
  writeFileSync(path, bytes);
}

function writeCodes(bytes: Buffer, place: number, { primaries, transfer, matrix }: ColorCodes, size: number): void {
  [primaries, transfer, matrix].forEach((code, field) => bytes.writeUIntBE(code, place + field * size, size));
}

/** Copies the video track of an MP4 file with other code points in the headers of its H.264, HEVC or AV1. */
export function copyWithHeaderCodes(
  source: string,
  target: string,
  filter: 'h264_metadata' | 'hevc_metadata' | 'av1_metadata',
  { primaries, transfer, matrix }: ColorCodes,
): void {
  const input = new FormatContext();
  check(input.openInputSync(`file:${source}`, InputFormat.findInputFormat('mov')));
  const from = input.streams[0];
  const found = BitStreamFilter.getByName(filter);
  if (from === undefined || found === null) throw new Error(`${source} has no track, or FFmpeg no ${filter}`);
  using tagger = new BitStreamFilterContext();
  check(tagger.alloc(found));
  const parameters = tagger.inputCodecParameters;
  if (parameters === null) throw new Error('The filter takes no parameters');
  check(from.codecpar.copy(parameters));
  tagger.inputTimeBase = from.timeBase;
  check(tagger.setOption(filter === 'av1_metadata' ? 'color_primaries' : 'colour_primaries', primaries));
  check(tagger.setOption('transfer_characteristics', transfer));
  check(tagger.setOption('matrix_coefficients', matrix));
  check(tagger.init());
  const output = new FormatContext();
  check(output.allocOutputContext2(null, 'mp4', target));
  const to = output.newStream();
  const tagged = tagger.outputCodecParameters;
  if (tagged === null) throw new Error('The filter gives no parameters');
  check(tagged.copy(to.codecpar));
  to.timeBase = from.timeBase;
  check(output.openOutputSync());
  check(output.writeHeaderSync());
  using packet = new Packet();
  packet.alloc();
  while (input.readFrameSync(packet) >= 0) {
    check(tagger.sendPacketSync(packet));
    while (tagger.receivePacketSync(packet) >= 0) {
      packet.rescaleTs(from.timeBase, to.timeBase);
      packet.streamIndex = 0;
      check(output.interleavedWriteFrameSync(packet));
    }
  }
  check(output.writeTrailerSync());
  output.closeOutputSync();
  output.freeContext();
  input.closeInputSync();
}

function check(code: number): void {
  FFmpegError.throwIfError(code, 'The video cannot be copied');
}
