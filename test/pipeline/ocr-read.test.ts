import { expect } from 'chai';
import { openAnalyser, type FrameAnalyser } from '../../src/pipeline/analyser.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { frameResultSchema, type Box, type Detection } from '../../src/job.ts';
import type { Region } from '../../src/pipeline/image-tensor.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { BUILT_IN_RECOGNISER } from '../../src/pipeline/models/model-catalogue.ts';
import { openRecogniser } from '../../src/pipeline/text/ctc-recogniser.ts';
import { TextReader } from '../../src/pipeline/text/text-reader.ts';
import { ocrRead } from '../../src/pipeline/tools/ocr-read.ts';
import { editDistance } from '../../tools/edit-distance.ts';
import { renderFrame, type DrawnText } from '../../tools/rendered-frames.ts';
import { TEXT_SCENES } from '../../tools/text-scenes.ts';

const GREY = 'color=c=0xd0d0d0:s=1280x720:r=25';
const SHORT: DrawnText = { text: 'SOO I18', x: 60, y: 100, size: 40, colour: 'black' };
const LONG: DrawnText = {
  text: 'A very long neighbour that is much wider than the other line',
  x: 30,
  y: 400,
  size: 34,
  colour: 'black',
};

function sign(...bbox: Box): Detection {
  return { label: 'sign', confidence: 0.9, bbox };
}

describe('ocr.read', function () {
  let sessions: ModelSessions;
  let analyser: FrameAnalyser;
  before(async () => {
    sessions = new ModelSessions();
    analyser = await openAnalyser((await PipelineRegistry.open()).get('ocr_only'), sessions);
  });
  after(async () => {
    await sessions[Symbol.asyncDispose]();
  });

  const read = async (frame: Frame) => {
    const { result } = frameResultSchema.parse({
      frame_index: 0,
      result: { timestamp_ms: 0, ...(await analyser.analyse(frame)) },
    });
    return { text: result.text ?? '', lines: result.lines ?? [] };
  };

  describe('gets at most 2 % of the characters wrong in frames of 1280 × 720 as videos have them', () => {
    let wrong = 0;
    let all = 0;

    for (const { name, source, texts, errorRate = 0.02 } of TEXT_SCENES) {
      it(name, async () => {
        const truth = texts.map(({ text }) => text).join('\n');
        const { text } = await read(renderFrame(source, texts));
        const distance = editDistance(truth, text);
        wrong += distance;
        all += truth.length;
        expect(distance / truth.length, text).to.be.at.most(errorRate);
      });
    }

    it('all of them together', () => {
      console.log(`      ${wrong} of ${all} characters wrong: ${((100 * wrong) / all).toFixed(2)} %`);
      expect(all).to.be.above(1000);
      expect(wrong / all).to.be.at.most(0.02);
    });
  });

  it('gives the box of each line in pixels of the frame', async () => {
    const { lines } = await read(renderFrame(GREY, [SHORT, LONG]));
    expect(lines).to.have.length(2);
    const [x = 0, y = 0, width = 0, height = 0] = lines[1]?.bbox ?? [];
    expect(x).to.be.within(LONG.x - 20, LONG.x);
    expect(y).to.be.within(LONG.y - 20, LONG.y);
    expect(x + width).to.be.within(1050, 1280);
    expect(y + height).to.be.within(LONG.y + LONG.size * 0.7, LONG.y + LONG.size + 30);
  });

  it('gives one line of text for each line', async () => {
    const { text, lines } = await read(renderFrame(GREY, [SHORT, LONG]));
    expect(text).to.equal(lines.map((line) => line.text).join('\n'));
    expect(text.split('\n')[1]).to.equal(LONG.text);
  });

  it('finds nothing in a frame without text', async () => {
    expect(await read(renderFrame(GREY, []))).to.deep.equal({ text: '', lines: [] });
  });

  it('reads each crop independently of its neighbours', async () => {
    const alone = renderFrame(GREY, [SHORT]);
    const long = renderFrame(GREY, [LONG]);
    // The lower half comes from the other frame, so that the pixels of the short line are identical.
    const both = { ...alone, rgb: Uint8Array.from(alone.rgb) };
    const half = both.rgb.length / 2;
    both.rgb.set(long.rgb.subarray(half), half);
    const { lines } = await read(both);
    const [short, neighbour] = lines.map(({ bbox: [x, y, width, height] }): Region => ({ x, y, width, height }));
    if (!short || !neighbour) throw new Error('two lines were drawn');
    const fresh = await TextReader.open(sessions, await openRecogniser(sessions, BUILT_IN_RECOGNISER));
    const other = await TextReader.open(sessions, await openRecogniser(sessions, BUILT_IN_RECOGNISER));
    const [single] = await fresh.readBoxes(alone, [{ bounds: short }]);
    const [before, beside] = await other.readBoxes(both, [{ bounds: neighbour }, { bounds: short }]);
    expect(before?.text).to.equal(LONG.text);
    expect(beside).to.deep.equal(single);
    expect(lines[0]?.text).to.equal(single?.text);
  });

  it('gives byte-identical results for the same frame, whether a crop is remembered or not', async () => {
    const frame = renderFrame(GREY, [SHORT, LONG]);
    const once = JSON.stringify(await analyser.analyse(frame));
    const again = JSON.stringify(await analyser.analyse(frame));
    const fresh = await openAnalyser((await PipelineRegistry.open()).get('ocr_only'), sessions);
    expect(again).to.equal(once);
    expect(JSON.stringify(await fresh.analyse(frame))).to.equal(once);
  });

  it('reads only inside detections if configured, and a text in two of them once', async () => {
    const tool = ocrRead.configure({ regions: 'detections' }, { detector: 'nanodet' });
    const run = await tool.open(sessions);
    const frame = renderFrame(GREY, [SHORT, LONG]);
    const detections = [sign(0, 350, 1280, 150), sign(10, 340.5, 1270, 200.2), sign(1279.5, 719.9, 30, 30)];
    expect((await run({ frame, detections })).text).to.equal(LONG.text);
    expect(await run({ frame, detections: [] })).to.deep.equal({ text: '', lines: [] });
  });

  it('reads frames of any size', async () => {
    const tiny = { index: 0, timestampMs: 0, width: 2, height: 2, rgb: new Uint8Array(12) };
    const tall = { index: 0, timestampMs: 0, width: 17, height: 900, rgb: new Uint8Array(17 * 900 * 3) };
    for (const frame of [tiny, tall]) expect((await read(frame)).lines).to.deep.equal([]);
    const large = renderFrame('color=c=black:s=3840x2160:r=25', [{ text: 'LARGE PICTURE', x: 300, y: 900, size: 160 }]);
    expect((await read(large)).text).to.equal('LARGE PICTURE');
  });
});
