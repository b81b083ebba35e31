/**
 * `node dist/tools/bench/accuracy.js [--folder DIR] [--pipeline ID]`: how much text and how many objects of frames are
 * found, compared with the `tesseract` program if it is installed. Pipelines and models are those of PIPELINES_DIR and
 * DATA_DIR.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import { ModelCatalogue } from '../../src/pipeline/models/model-catalogue.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { objectsDetect } from '../../src/pipeline/tools/objects-detect.ts';
import { scoreObjects, type ObjectFrame } from '../accuracy/object-score.ts';
import { scoreText, type TextScore } from '../accuracy/text-score.ts';
import { casesOfFolder, drawnCases } from '../accuracy/truth.ts';
import { costOf } from './cost.ts';
import { runTesseract } from './tesseract.ts';

/** COCO's evaluation needs nearly all detections. */
const EVERY_DETECTION = { min_confidence: 0.02, iou: 0.6 };

interface ReadFrame {
  readonly name: string;
  readonly score: TextScore;
  readonly cpuMs: number;
}

const { values } = parseArgs({
  options: { folder: { type: 'string' }, pipeline: { type: 'string', default: 'ocr_only' } },
});
const { folder } = values;
const { PIPELINES_DIR: directory, DATA_DIR: dataDir } = process.env;
const models = dataDir === undefined ? {} : { modelsFolder: join(dataDir, 'models') };
const cases = folder === undefined ? drawnCases() : await casesOfFolder(folder);
const registry = await PipelineRegistry.open({ ...models, ...(directory !== undefined && { directory }) });
await using sessions = new ModelSessions(models);
const analyser = await openAnalyser(registry.get(values.pipeline), sessions);
const detector = await new ModelCatalogue(models.modelsFolder).defaultName();
const detect = await objectsDetect.configure(EVERY_DETECTION, { detector }).open(sessions);

const ours: ReadFrame[] = [];
const theirs: ReadFrame[] = [];
const seen: ObjectFrame[] = [];
const work = await mkdtemp(join(tmpdir(), 'reelstate-accuracy-'));
try {
  for (const { truth, frame: open } of cases) {
    const frame = open();
    if (truth.objects !== undefined) {
      const { detections = [] } = await detect({ frame });
      seen.push({ objects: truth.objects, detections });
    }
    if (truth.lines === undefined) continue;
    let lines: readonly string[] = [];
    const { cpuSeconds } = await costOf(async () => {
      lines = ((await analyser.analyse(frame)).lines ?? []).map(({ text }) => text);
    });
    ours.push({ name: truth.class, score: scoreText(truth, lines), cpuMs: cpuSeconds * 1000 });
    const run = await runTesseract(frame, work);
    if (run === undefined) continue;
    const score = scoreText(truth, run.output.split('\n'));
    theirs.push({ name: truth.class, score, cpuMs: run.cost.cpuSeconds * 1000 });
  }
} finally {
  await rm(work, { recursive: true, force: true });
}

printText(`pipeline ${values.pipeline}`, ours);
if (theirs.length > 0) printText('the tesseract program', theirs);
else if (ours.length > 0) console.log('the tesseract program is not installed');
if (seen.length > 0) {
  const { map, map50 } = scoreObjects(seen);
  console.log(
    `objects, ${detector}, ${seen.length} frames: ${percent(map)} % mAP, ${percent(map50)} % at an overlap of 0.5`,
  );
}

function printText(title: string, frames: readonly ReadFrame[]): void {
  if (frames.length === 0) return;
  console.log(row([title, 'frames', 'wrong chars', 'wrong words', 'missed lines', 'false lines', 'CPU ms']));
  const names = [...new Set(frames.map(({ name }) => name))];
  if (names.length > 1)
    for (const name of names)
      printRow(
        name,
        frames.filter((frame) => frame.name === name),
      );
  printRow('all', frames);
}

function printRow(name: string, frames: readonly ReadFrame[]): void {
  const sum = (key: keyof TextScore) => frames.reduce((total, { score }) => total + score[key], 0);
  const cpuMs = frames.reduce((total, frame) => total + frame.cpuMs, 0) / frames.length;
  console.log(
    row([
      name,
      String(frames.length),
      `${percent(sum('wrongCharacters') / sum('characters'))} %`,
      `${percent(sum('wrongWords') / sum('words'))} %`,
      `${sum('missedLines')} of ${sum('lines')}`,
      String(sum('falseLines')),
      cpuMs.toFixed(0),
    ]),
  );
}

function row([first = '', ...others]: readonly string[]): string {
  return [first.padEnd(32), ...others.map((cell) => cell.padStart(13))].join('');
}

function percent(part: number): string {
  return (100 * part).toFixed(1);
}
