import { coverage } from '../../src/segments/box-relations.ts';
import type { Findings } from '../../src/segments/segment-finder.ts';
import type { TextSegment } from '../../src/segments/segment.ts';
import { editDistance } from '../edit-distance.ts';
import { boxOf, type Script, type ShownText } from './script.ts';

/** How well the segments of a video fit its content. */
export interface Score {
  readonly truths: number;
  readonly found: number;
  /** Correct segments, with a temporal IoU of 0.7 or more. */
  readonly matched: number;
  /** Largest distance of a start or end from the correct sample, in samples. */
  readonly worstEdge: number;
  /** Number of edges that are off by more than one sample. */
  readonly farEdges: number;
  readonly wrongCharacters: number;
  readonly characters: number;
  readonly cues: number;
  readonly expectedCues: number | undefined;
}

const LEAST_OVERLAP = 0.7;

interface Truth {
  readonly shown: ShownText;
  readonly startMs: number;
  readonly endMs: number;
}

/** Moving texts are scored as far as possible: a ticker is read through a window, so its spelling is not compared. */
export function score(script: Script, findings: Findings, stepMs: number): Score {
  const truths = script.texts.filter(isScored).map((shown) => truthOf(shown, stepMs));
  const tickers = script.texts.filter((shown) => !isScored(shown));
  const rest = new Set(
    findings.texts.filter(({ bbox }) => !tickers.some((ticker) => Math.abs(bbox[1] - ticker.y) < 2 * ticker.size)),
  );
  const candidates = truths.flatMap((truth) =>
    [...rest].map((segment) => ({ truth, segment, overlap: overlapOf(truth, segment) })),
  );
  const left = new Set(truths);
  const pairs: { readonly truth: Truth; readonly segment: TextSegment }[] = [];
  let found = rest.size;
  for (const { truth, segment, overlap } of candidates.toSorted((a, b) => b.overlap - a.overlap)) {
    if (overlap < LEAST_OVERLAP || !left.has(truth) || !rest.has(segment) || !isOf(truth, segment)) continue;
    left.delete(truth);
    rest.delete(segment);
    pairs.push({ truth, segment });
  }
  if (script.isBusy === true) found = pairs.length;
  const edges = pairs.flatMap(({ truth, segment }) => [
    Math.abs(segment.start_ms - truth.startMs) / stepMs,
    Math.abs(segment.end_ms - truth.endMs) / stepMs,
  ]);
  return {
    truths: truths.length,
    found,
    matched: pairs.length,
    worstEdge: Math.max(0, ...edges),
    farEdges: edges.filter((edge) => edge > 1.01).length,
    wrongCharacters: pairs.reduce((sum, { truth, segment }) => sum + editDistance(truth.shown.text, segment.text), 0),
    characters: pairs.reduce((sum, { truth }) => sum + truth.shown.text.length, 0),
    cues: findings.scenes.length,
    expectedCues: script.cues,
  };
}

export function f1({ truths, found, matched }: Pick<Score, 'truths' | 'found' | 'matched'>): number {
  return truths + found === 0 ? 1 : (2 * matched) / (truths + found);
}

export function sumOf(scores: readonly Score[]): Omit<Score, 'cues' | 'expectedCues'> {
  const total = (key: 'truths' | 'found' | 'matched' | 'farEdges' | 'wrongCharacters' | 'characters') =>
    scores.reduce((sum, each) => sum + each[key], 0);
  return {
    truths: total('truths'),
    found: total('found'),
    matched: total('matched'),
    worstEdge: Math.max(0, ...scores.map(({ worstEdge }) => worstEdge)),
    farEdges: total('farEdges'),
    wrongCharacters: total('wrongCharacters'),
    characters: total('characters'),
  };
}

function isScored({ speed }: ShownText): boolean {
  return speed === undefined || speed[0] === 0;
}

/** From the first sample that shows it at half strength to the first that does not. */
function truthOf(shown: ShownText, stepMs: number): Truth {
  const fade = (shown.fadeMs ?? 0) / 2;
  const sampleAt = (ms: number) => Math.ceil(Math.round(ms) / stepMs) * stepMs;
  return { shown, startMs: sampleAt(shown.fromMs + fade), endMs: sampleAt(shown.toMs - fade) };
}

function overlapOf({ startMs, endMs }: Truth, { start_ms, end_ms }: TextSegment): number {
  const shared = Math.min(endMs, end_ms) - Math.max(startMs, start_ms);
  return shared <= 0 ? 0 : shared / (Math.max(endMs, end_ms) - Math.min(startMs, start_ms));
}

function isOf({ shown }: Truth, { text, bbox }: TextSegment): boolean {
  const isThere = shown.speed !== undefined || coverage(boxOf(shown, shown.fromMs), bbox) > 0.3;
  const isAlike = editDistance(shown.text, text) <= shown.text.length * 0.3;
  const sameDigits = shown.text.replaceAll(/\D/g, '') === text.replaceAll(/\D/g, '');
  return isThere && isAlike && sameDigits;
}
