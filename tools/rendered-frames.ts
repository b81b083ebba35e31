import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Decoder, Demuxer, Encoder, Muxer, Scaler } from 'node-av/api';
import { AV_LOG_ERROR, FF_ENCODER_LIBX264 } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { Frame } from '../src/pipeline/frame.ts';

const FONTS = new URL('ttf/', import.meta.resolve('dejavu-fonts-ttf/package.json'));

/** A line of text drawn into a picture. */
export interface DrawnText {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Font size in pixels. */
  readonly size: number;
  readonly font?: string;
  readonly colour?: string;
  /** Colour of a box behind the text; absent: none. */
  readonly box?: string;
  /** Width of a black outline in pixels; absent: none. */
  readonly outline?: number;
}

/**
 * Renders an FFmpeg source (`color=…`, `mandelbrot=…`) with text, encoded with H.264 (crf 23), and returns its second
 * frame.
 */
export function renderFrame(source: string, texts: readonly DrawnText[]): Frame {
  Log.setLevel(AV_LOG_ERROR);
  const graph = [source, ...texts.map(drawText), 'format=yuv420p'].join(',');
  const folder = mkdtempSync(path.join(tmpdir(), 'rendered-'));
  try {
    const file = path.join(folder, 'frame.mp4');
    encode(graph, file);
    return decodeLast(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function drawText({ text, x, y, size, font = 'DejaVuSans', colour = 'white', box, outline = 0 }: DrawnText): string {
  const escaped = text.replace(/[\\:,;'%[\]]/g, (character) => `\\\\\\${character}`);
  const background = box === undefined ? '' : `:box=1:boxborderw=6:boxcolor=${box}`;
  const file = fileURLToPath(new URL(`${font}.ttf`, FONTS));
  return `drawtext=fontfile=${file}:expansion=none:text=${escaped}:fontsize=${size}:x=${x}:y=${y}:fontcolor=${colour}:borderw=${outline}${background}`;
}

function encode(graph: string, file: string): void {
  using source = Demuxer.openSync(graph, { format: 'lavfi' });
  const video = source.video();
  if (!video) throw new Error('the graph has no video');
  using decoder = Decoder.createSync(video);
  using encoder = Encoder.createSync(FF_ENCODER_LIBX264, {
    decoder,
    configure: (context) => {
      context.setOption('preset', 'veryfast');
      context.setOption('crf', '23');
    },
  });
  using muxer = Muxer.openSync(file);
  const stream = muxer.addStream(encoder);
  let frames = 0;
  const input = (function* () {
    for (const frame of decoder.framesSync(source.packetsSync(video.index))) {
      if (frame && frames++ < 2) yield frame;
      if (frames >= 2) break;
    }
    yield null;
  })();
  for (const packet of encoder.packetsSync(input)) if (packet) muxer.writePacketSync(packet, stream);
  muxer.closeSync();
}

function decodeLast(file: string): Frame {
  using demuxer = Demuxer.openSync(file, { format: 'mov' });
  const video = demuxer.video();
  if (!video) throw new Error('no video was written');
  using decoder = Decoder.createSync(video);
  using scaler = new Scaler();
  let last: Frame | undefined;
  let index = 0;
  for (const frame of decoder.framesSync(demuxer.packetsSync(video.index))) {
    if (!frame) continue;
    const { width, height } = frame;
    const rgb = new Uint8Array(scaler.toBufferSync(frame, { format: 'rgb' }));
    last = { index, timestampMs: index * 40, width, height, rgb };
    index++;
  }
  if (!last) throw new Error('no frame was decoded');
  return last;
}
