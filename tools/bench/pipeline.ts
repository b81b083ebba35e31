/**
 * `node dist/tools/bench/pipeline.js`: decoding, reading and detecting, compared with the usual programs if they are
 * installed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PixelBudget } from '../../src/pipeline/pixel-budget.ts';
import { readMp4Index } from '../../src/pipeline/mp4-index.ts';
import { VideoDecoder } from '../../src/pipeline/video-decoder.ts';
import { VideoInput } from '../../src/pipeline/video-input.ts';
import { BUILT_IN_DETECTOR } from '../../src/pipeline/models/model-catalogue.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { objectsDetect } from '../../src/pipeline/tools/objects-detect.ts';
import { editDistance } from '../edit-distance.ts';
import { makeVideo } from '../make-video.ts';
import { renderFrame } from '../rendered-frames.ts';
import { TEXT_SCENES } from '../text-scenes.ts';
import { costOf, medianCpu, program, type Cost } from './cost.ts';
import { median, print } from './figures.ts';
import { runTesseract } from './tesseract.ts';

const ROUNDS = 5;
const FRAMES = 450;

const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
try {
  await benchDecoding();
  await benchAnalysis();
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** One thread each; frames are not kept. */
async function benchDecoding(): Promise<void> {
  const video = join(folder, 'video.mp4');
  const encoderOptions = { preset: 'veryfast', crf: 23 };
  const picture = 'mandelbrot=start_scale=0.9';
  makeVideo({ path: video, width: 1280, height: 720, frames: FRAMES, picture, encoderOptions });
  const [ours, theirs]: [Cost[], Cost[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours.push(await costOf(async () => decodeAll(video)));
    const run = program('ffmpeg', ['-threads', '1', '-i', video, '-f', 'null', '-']);
    if (run !== undefined) theirs.push(run.cost);
  }
  print(`decode ${FRAMES} frames of 1280x720 H.264, ours`, toldDecoding(ours));
  const ratio = medianCpu(ours) / medianCpu(theirs);
  print(
    'the same, the ffmpeg program',
    theirs.length === 0 ? 'not installed' : `${toldDecoding(theirs)}; ours takes ${ratio.toFixed(2)} times the CPU`,
  );
}

/** Every frame, without conversion. */
function decodeAll(video: string): Promise<void> {
  const index = readMp4Index(video, DEFAULT_VIDEO_LIMITS);
  const budget = new PixelBudget(DEFAULT_VIDEO_LIMITS, index.fileBytes);
  using input = VideoInput.open(video, index, DEFAULT_VIDEO_LIMITS, []);
  using decoder = VideoDecoder.open(input.stream, { limits: DEFAULT_VIDEO_LIMITS, extraDecoders: [], budget });
  let frames = 0;
  for (const packet of input.packets()) for (const _ of decoder.decode(packet)) frames += 1;
  for (const _ of decoder.drain()) frames += 1;
  if (frames !== FRAMES) throw new Error(`${frames} frames were decoded in place of ${FRAMES}`);
  return Promise.resolve();
}

function toldDecoding(costs: readonly Cost[]): string {
  const perSecond = FRAMES / median(costs.map(({ wallSeconds }) => wallSeconds));
  return `${medianCpu(costs).toFixed(2)} CPU s, ${perSecond.toFixed(0)} frames/s`;
}

/** Frames of 1280x720 with captions, scoreboards, slides, small text and text on busy pictures, through H.264. */
async function benchAnalysis(): Promise<void> {
  const scenes = TEXT_SCENES.map(({ source, texts }) => ({
    frame: renderFrame(source, texts),
    lines: texts.map(({ text }) => text),
  }));
  const registry = await PipelineRegistry.open();
  await using sessions = new ModelSessions();
  const detect = await objectsDetect.configure({}, { detector: BUILT_IN_DETECTOR }).open(sessions);
  const [read, tesseract, detected]: [Cost[], Cost[], Cost[]] = [[], [], []];
  const [wrong, theirWrong]: [number[], number[]] = [[], []];
  // Round 0 loads the models and warms up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    // A new one has read no crop before.
    const analyser = await openAnalyser(registry.get('ocr_only'), sessions);
    const [ourTexts, theirTexts]: [string[], string[]] = [[], []];
    for (const { frame } of scenes) {
      const ours = await costOf(async () => ourTexts.push(String((await analyser.analyse(frame))['text'])));
      const found = await costOf(async () => detect({ frame }));
      if (round === 0) continue;
      read.push(ours);
      detected.push(found);
      const run = await runTesseract(frame, folder);
      if (run === undefined) continue;
      tesseract.push(run.cost);
      theirTexts.push(run.output);
    }
    if (round === 0) continue;
    wrong.push(errorRate(ourTexts));
    if (theirTexts.length > 0) theirWrong.push(errorRate(theirTexts));
  }
  print('read text of a 1280x720 frame, ocr.read', `${toldReading(read)}; ${percent(wrong)} of characters wrong`);
  print(
    'the same, the tesseract program',
    tesseract.length === 0 ? 'not installed' : `${toldReading(tesseract)}; ${percent(theirWrong)} of characters wrong`,
  );
  print('detect objects in a 1280x720 frame', toldReading(detected));

  function errorRate(texts: readonly string[]): number {
    const errors = scenes.map(({ lines }, at) => lines.reduce((sum, line) => sum + errorsIn(line, texts[at] ?? ''), 0));
    const characters = scenes.flatMap(({ lines }) => lines).join('').length;
    return errors.reduce((a, b) => a + b, 0) / characters;
  }
}

/** Characters of a line that were read wrong: of the lines read, the one that is most like it counts. */
function errorsIn(line: string, text: string): number {
  return Math.min(line.length, ...text.split('\n').map((read) => editDistance(line, read.trim())));
}

function toldReading(costs: readonly Cost[]): string {
  const wallMs = median(costs.map(({ wallSeconds }) => wallSeconds)) * 1000;
  return `${(medianCpu(costs) * 1000).toFixed(0)} CPU ms, ${wallMs.toFixed(0)} ms`;
}

function percent(rates: readonly number[]): string {
  return `${(100 * median(rates)).toFixed(1)} %`;
}
