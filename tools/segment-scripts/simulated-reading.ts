import type { Box, Detection, FrameResult, TextLine } from '../../src/job.ts';
import type { Random } from '../fuzz/random.ts';
import { alphaAt, boxOf, WIDTH, type Script, type ShownObject, type ShownText } from './script.ts';

/** Error rates of reading, as shares of 1. */
export interface ReadingNoise {
  readonly wrongCharacters: number;
  /** Missed lines. */
  readonly missedLines: number;
  /** Lines found in two pieces. */
  readonly cutLines: number;
  readonly missedObjects: number;
}

const USUAL_NOISE: ReadingNoise = {
  wrongCharacters: 0.02,
  missedLines: 0.01,
  cutLines: 0.01,
  missedObjects: 0.03,
};

/** Below this visibility a fading text is not found; below twice this it is misread. */
const VISIBLE = 0.25;
/** Digits are misread less often than letters by this factor. */
const DIGITS = 0.25;
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz');
const CONFUSED: Readonly<Record<string, string>> = { l: 'I', I: 'l', o: '0', e: 'c', n: 'h', u: 'v', '.': ',', t: 'f' };

/** Returns what a pipeline would find in a script's video, one frame every `stepMs`. */
export function* simulatedFrames(
  script: Script,
  stepMs: number,
  random: Random,
  noise: ReadingNoise = USUAL_NOISE,
): Generator<FrameResult> {
  for (let index = 0; index * stepMs < script.durationMs; index += 1) {
    const timeMs = index * stepMs;
    const lines = script.texts.flatMap((shown) => readText(shown, timeMs, random, noise));
    if (script.isBusy === true && random.chance(0.15)) lines.push(falseText(random));
    const detections = script.objects.flatMap((shown) => seeObject(shown, timeMs, random, noise));
    yield {
      frame_index: index * 5,
      result: { timestamp_ms: timeMs, text: lines.map(({ text }) => text).join('\n'), lines, detections },
    };
  }
}

function readText(shown: ShownText, timeMs: number, random: Random, noise: ReadingNoise): TextLine[] {
  const alpha = alphaAt(shown, timeMs);
  if (alpha < VISIBLE || random.chance(noise.missedLines)) return [];
  const visible = inFrame(shown, boxOf(shown, timeMs));
  if (visible === undefined) return [];
  const wrong = alpha < 2 * VISIBLE ? 0.2 : noise.wrongCharacters;
  const { text, errors } = misread(visible.text, wrong, random);
  const confidence = Math.max(0.61, 0.985 - random.below(30) / 1000 - Math.min(0.3, errors * 0.06));
  const line = { text, confidence: rounded(confidence), bbox: jittered(visible.box, shown.size, random) };
  const space = text.indexOf(' ', text.length / 3);
  if (space === -1 || !random.chance(noise.cutLines)) return [line];
  const [x, y, width, height] = line.bbox;
  const left = Math.round((width * space) / text.length);
  return [
    { ...line, text: text.slice(0, space), bbox: [x, y, left - 4, height] },
    { ...line, text: text.slice(space + 1), bbox: [x + left + 8, y, width - left - 8, height] },
  ];
}

/** Returns the part of a text inside the frame. */
function inFrame(
  shown: ShownText,
  [x, y, width, height]: Box,
): { readonly text: string; readonly box: Box } | undefined {
  const letter = width / shown.text.length;
  const from = Math.max(0, Math.ceil(-x / letter));
  const to = Math.min(shown.text.length, Math.floor((WIDTH - x) / letter));
  const text = shown.text.slice(from, to);
  if (text.trim() === '') return undefined;
  return { text: text.trim(), box: [x + from * letter, y, (to - from) * letter, height] };
}

function misread(text: string, part: number, random: Random): { readonly text: string; readonly errors: number } {
  let errors = 0;
  let read = '';
  for (const letter of text) {
    if (!random.chance(/\d/.test(letter) ? part * DIGITS : part)) {
      read += letter;
      continue;
    }
    errors += 1;
    if (random.chance(0.25)) continue;
    if (random.chance(0.1)) read += letter;
    read += CONFUSED[letter] ?? (/\d/.test(letter) ? String(random.below(10)) : random.pick(LETTERS));
  }
  return { text: read.trim() === '' ? text : read, errors };
}

/** Boxes of text are enlarged and end on whole pixels. */
function jittered([x, y, width, height]: Box, size: number, random: Random): Box {
  const margin = Math.round(size / 4);
  const shift = () => random.below(5) - 2;
  return [
    Math.round(x) - margin + shift(),
    Math.round(y) - margin + shift(),
    Math.round(width) + 2 * margin + shift(),
    height + 2 * margin + shift(),
  ];
}

function falseText(random: Random): TextLine {
  const text = Array.from({ length: 2 + random.below(4) }, () => random.pick(LETTERS)).join('');
  const bbox: Box = [random.below(1000), random.below(500), 60 + random.below(80), 30];
  return { text, confidence: rounded(0.6 + random.below(250) / 1000), bbox };
}

function seeObject(shown: ShownObject, timeMs: number, random: Random, noise: ReadingNoise): Detection[] {
  if (timeMs < shown.fromMs || timeMs >= shown.toMs || random.chance(noise.missedObjects)) return [];
  const shift = () => random.below(9) - 4;
  const [x, y] = placeOf(shown, timeMs);
  const [width, height] = shown.size;
  const bbox: Box = [x + shift(), y + shift(), width + shift(), height + shift()];
  return [{ label: shown.label, confidence: rounded(0.45 + random.below(500) / 1000), bbox }];
}

export function placeOf({ corner, speed, fromMs }: ShownObject, timeMs: number): readonly [number, number] {
  const passed = (timeMs - fromMs) / 1000;
  return [Math.round(corner[0] + speed[0] * passed), Math.round(corner[1] + speed[1] * passed)];
}

function rounded(confidence: number): number {
  return Math.round(confidence * 1000) / 1000;
}
