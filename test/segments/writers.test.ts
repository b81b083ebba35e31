import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Demuxer } from 'node-av/api';
import { srtText, vttText } from '../../src/segments/cue-text.ts';
import { csvText, plainText } from '../../src/segments/segment-tables.ts';
import { isDocumentHead, parseDocumentLine, segmentsDocument } from '../../src/segments/segments-document.ts';
import type { Scene, Segment } from '../../src/segments/segment.ts';

function scene(start_ms: number, end_ms: number, text: string): Scene {
  const lines = text.split('\n').map((line) => ({ text: line, confidence: 0.9, bbox: [0, 0, 10, 10] as const }));
  return {
    kind: 'scene',
    start_ms,
    end_ms,
    text,
    frame_index: 0,
    lines: lines.map((line) => ({ ...line, bbox: [...line.bbox] })),
  };
}

const SCENES = [
  scene(0, 1200.4, 'Hello.\nWhere are you?'),
  scene(1200.4, 3_723_004, 'A --> B & <i>C</i>'),
  scene(3_723_004, 3_723_004.2, 'At once\n\nand again'),
  scene(3_723_004.2, 3_725_000, '{\\an8} Größe: 1 %'),
];

async function listed(texts: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const text of texts) list.push(text);
  return list;
}

/** Returns the cues that FFmpeg reads from a subtitle file. */
async function cuesRead(format: 'srt' | 'webvtt', text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'reelstate-cues-'));
  try {
    const path = join(folder, `cues.${format}`);
    await writeFile(path, text);
    using demuxer = Demuxer.openSync(path, { format });
    const cues = [];
    for (const packet of demuxer.packetsSync()) {
      if (packet === null) continue;
      cues.push({ start: Number(packet.pts), duration: Number(packet.duration), text: packet.data?.toString() });
    }
    return cues;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('segments are written', () => {
  it('as SubRip that FFmpeg reads back', async () => {
    const cues = await cuesRead('srt', (await listed(srtText(SCENES))).join(''));
    expect(cues).to.deep.equal([
      { start: 0, duration: 1200, text: 'Hello.\nWhere are you?' },
      { start: 1200, duration: 3_721_804, text: 'A → B & <i>C</i>' },
      { start: 3_723_004, duration: 1, text: 'At once\nand again' },
      { start: 3_723_005, duration: 1995, text: '{\\an8} Größe: 1 %' },
    ]);
  });

  it('as WebVTT that FFmpeg reads back', async () => {
    const cues = await cuesRead('webvtt', (await listed(vttText(SCENES))).join(''));
    expect(cues).to.deep.equal([
      { start: 0, duration: 1200, text: 'Hello.\nWhere are you?' },
      { start: 1200, duration: 3_721_804, text: 'A → B &amp; &lt;i&gt;C&lt;/i&gt;' },
      { start: 3_723_004, duration: 1, text: 'At once\nand again' },
      { start: 3_723_005, duration: 1995, text: '{\\an8} Größe: 1 %' },
    ]);
  });

  it('as text for people', async () => {
    expect((await listed(plainText(SCENES))).slice(0, 2)).to.deep.equal([
      '0:00.0–0:01.2  Hello. / Where are you?\n',
      '0:01.2–1:02:03.0  A --> B & <i>C</i>\n',
    ]);
  });

  it('as CSV for spreadsheets: no formula, quotes where they are needed', async () => {
    const text: Segment = {
      kind: 'text',
      start_ms: 0,
      end_ms: 200,
      text: '=HYPERLINK("http://x","y")',
      confidence: 0.9,
      bbox: [-1, 2, 3, 4],
      frames: 1,
    };
    const car: Segment = {
      kind: 'object',
      label: 'car',
      start_ms: 0,
      end_ms: 400,
      max_count: 1,
      confidence: 0.8,
      bbox: [1, 2, 3, 4],
      frames: 2,
      track_id: 7,
    };
    for (const start of ['+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
      expect((await listed(csvText([{ ...text, text: `${start}1+1` }])))[1], start).to.match(/^text,0,200,"?'/);
    }
    expect(await listed(csvText([text, car]))).to.deep.equal([
      '\uFEFFkind,start_ms,end_ms,text,confidence,x,y,width,height,frames,max_count,track_id\r\n',
      `text,0,200,"'=HYPERLINK(""http://x"",""y"")",0.9,-1,2,3,4,1,,\r\n`,
      'object,0,400,car,0.8,1,2,3,4,2,1,7\r\n',
    ]);
  });

  it('as a document whose lines are read one by one', () => {
    const counts = { frames_decoded: 50, frames_analysed: 10 };
    const media = { width: 640, height: 360, duration_ms: 2000, frame_rate: 25, codec: 'h264', ...counts };
    const document = [...segmentsDocument({ texts: [], objects: [], scenes: SCENES }, media)].join('');
    expect(JSON.parse(document)).to.deep.equal({ version: 2, media, segments: SCENES });
    const [head = '', ...lines] = document.trimEnd().split('\n');
    expect(isDocumentHead(head)).to.equal(true);
    expect(lines.map(parseDocumentLine)).to.deep.equal([...SCENES, undefined]);
    const empty = [...segmentsDocument({ texts: [], objects: [], scenes: [] }, undefined)].join('');
    expect(JSON.parse(empty)).to.deep.equal({ version: 2, media: null, segments: [] });
    expect(isDocumentHead(empty.split('\n')[0] ?? '')).to.equal(true);
    expect(parseDocumentLine('{"kind":"text"}')).to.equal(undefined);
    expect(isDocumentHead('{"version":0,"media":null,"segments":[')).to.equal(false);
    expect(isDocumentHead('')).to.equal(false);
  });
});
