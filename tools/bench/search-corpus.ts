import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobId } from '../../src/job.ts';
import { segmentsDocument } from '../../src/segments/segments-document.ts';
import type { Scene, TextSegment } from '../../src/segments/segment.ts';
import { Random } from '../fuzz/random.ts';

/** Distinct words before misreadings. */
const VOCABULARY = 100_000;
/** Share of all words with one wrong letter. */
const MISREAD = 0.03;
const TEXTS = 80;
const SCENES = 15;
const OBJECTS = 5;
const LETTERS = 'etaoinshrdlucmfwypvbgkqjxz';
const LABELS = ['person', 'car', 'dog', 'traffic light', 'bicycle'] as const;
const bbox: TextSegment['bbox'] = [140, 610, 1000, 48];

/** Words of the corpus by rank, the most frequent first. */
export function vocabulary(): readonly string[] {
  const random = Random.of('words of the search corpus');
  const words = new Set<string>();
  while (words.size < VOCABULARY) {
    const length = 2 + random.below(4) + random.below(7);
    words.add(Array.from({ length }, () => LETTERS[Math.min(random.below(26), random.below(26))]).join(''));
  }
  return [...words];
}

/** Writes the segments of these jobs: 100 segments each, words by Zipf's law. */
export async function writeCorpus(folder: string, jobs: readonly JobId[]): Promise<void> {
  const words = vocabulary();
  const random = Random.of('texts of the search corpus');
  const word = (): string => {
    // By the inverse of the distribution with density 1 / rank.
    const rank = Math.floor(Math.exp((random.below(2 ** 30) / 2 ** 30) * Math.log(VOCABULARY)));
    const right = words[rank - 1] ?? '';
    if (!random.chance(MISREAD)) return right;
    const at = random.below(right.length);
    return right.slice(0, at) + LETTERS[random.below(26)] + right.slice(at + 1);
  };
  const text = (): string => Array.from({ length: 1 + random.below(9) }, word).join(' ');
  for (const jobId of jobs) {
    const texts = Array.from({ length: TEXTS }, (_, at) => textSegment(text(), at));
    const scenes = Array.from({ length: SCENES }, (_, at) => sceneOf(texts.slice(2 * at, 2 * at + 2)));
    const objects = Array.from({ length: OBJECTS }, (_, at) => ({
      kind: 'object' as const,
      label: random.pick(LABELS),
      start_ms: at * 1_000,
      end_ms: at * 1_000 + 3_000,
      max_count: 1 + random.below(4),
      confidence: 0.8,
      bbox,
      frames: 15,
    }));
    await writeFile(
      join(folder, `${jobId}_segments.json`),
      [...segmentsDocument({ texts, objects, scenes }, undefined)].join(''),
    );
  }
}

function textSegment(text: string, at: number): TextSegment {
  const startMs = Math.floor(at / 2) * 2_000;
  return { kind: 'text', start_ms: startMs, end_ms: startMs + 1_800, text, confidence: 0.96, bbox, frames: 9 };
}

function sceneOf(lines: readonly TextSegment[]): Scene {
  const [{ start_ms: startMs, end_ms: endMs } = { start_ms: 0, end_ms: 0 }] = lines;
  return {
    kind: 'scene',
    start_ms: startMs,
    end_ms: endMs,
    text: lines.map(({ text }) => text).join('\n'),
    lines: lines.map(({ text, confidence }) => ({ text, confidence, bbox })),
    frame_index: startMs / 40,
  };
}
