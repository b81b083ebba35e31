import { expect } from 'chai';
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  double,
  integer,
  nat,
  oneof,
  property,
  record,
  string,
  tuple,
  type Arbitrary,
} from 'fast-check';
import type { Box, FrameResult, TextLine } from '../../src/job.ts';
import { intersectionOverUnion } from '../../src/segments/box-relations.ts';
import { csvText } from '../../src/segments/segment-tables.ts';
import { srtText } from '../../src/segments/cue-text.ts';
import { findSegments, SegmentFinder, type Findings } from '../../src/segments/segment-finder.ts';
import { compareSegments } from '../../src/segments/segment.ts';

const WORDS = [
  'Gate 10',
  'Gate 16',
  'Hello there',
  'Hello there!',
  'Helo there',
  'No',
  'x',
  '08:14:00',
  '08:14:01',
  '=1+1',
];

/** Lines with any text in a few places, jittered; some overlap others. */
const line: Arbitrary<TextLine> = record({
  text: oneof(constantFrom(...WORDS), string({ maxLength: 20 })),
  confidence: double({ min: 0, max: 1, noNaN: true }),
  bbox: tuple(integer({ min: 0, max: 3 }), integer({ min: 0, max: 3 }), integer({ min: -3, max: 3 })).map(
    ([column, row, jitter]): Box => [column * 300 + jitter, row * 60 + jitter, 280, 40],
  ),
});

/** The same with texts bound to their places, so that none moves. */
const unmoved = line.map(({ text, bbox, confidence }): TextLine => {
  const letter = String.fromCodePoint(0x41 + Math.round(bbox[0] / 300) * 4 + Math.round(bbox[1] / 60));
  return { text: `${text} ${letter.repeat(12)}`, bbox, confidence };
});

const detection = record({
  label: constantFrom('car', 'dog'),
  confidence: double({ min: 0, max: 1, noNaN: true }),
  bbox: tuple(nat(900), nat(500), integer({ min: 1, max: 300 }), integer({ min: 1, max: 200 })),
});

const framesOf = (lines: Arbitrary<TextLine>): Arbitrary<FrameResult[]> =>
  array(
    record({
      stepMs: constantFrom(40, 200, 200, 200, 1000),
      lines: array(lines, { maxLength: 4 }),
      detections: array(detection, { maxLength: 3 }),
    }),
    { maxLength: 40 },
  ).map((samples) => {
    let timeMs = 0;
    return samples.map(({ stepMs, lines: written, detections }, at) => {
      timeMs += stepMs;
      return { frame_index: at, result: { timestamp_ms: timeMs, lines: written, detections } };
    });
  });

const frames = framesOf(line);

/** Each sample several times, as in real videos. */
const steadily = (once: Arbitrary<FrameResult[]>): Arbitrary<FrameResult[]> =>
  tuple(once, integer({ min: 1, max: 5 })).map(([samples, repeats]) =>
    samples
      .flatMap((sample) => Array.from({ length: repeats }, () => sample))
      .map(({ result }, at) => ({ frame_index: at, result: { ...result, timestamp_ms: at * 200 } })),
  );

function found(samples: readonly FrameResult[]): Findings {
  const finder = new SegmentFinder({ minDurationMs: 0 });
  for (const sample of samples) finder.push(sample);
  return finder.finish();
}

describe('segments of any frames', () => {
  it('lie within the video, are ordered, and last', () => {
    assert(
      property(oneof(frames, steadily(frames)), (samples) => {
        const { texts, objects, scenes } = found(samples);
        const firstMs = samples[0]?.result.timestamp_ms ?? 0;
        const lastMs = samples.at(-1)?.result.timestamp_ms ?? 0;
        for (const list of [texts, objects, scenes]) {
          for (const [at, segment] of list.entries()) {
            expect(segment.start_ms).to.be.at.least(firstMs);
            expect(segment.start_ms).to.be.at.most(lastMs);
            expect(segment.end_ms).to.be.above(segment.start_ms);
            expect(segment.end_ms).to.be.at.most(lastMs + 1000);
            const before = list[at - 1];
            if (before !== undefined) expect(compareSegments(before, segment)).to.be.at.most(0);
          }
        }
      }),
    );
  });

  it('do not overlap in one place', () => {
    assert(
      property(oneof(framesOf(unmoved), steadily(framesOf(unmoved))), (samples) => {
        const { texts } = found(samples);
        for (const [at, a] of texts.entries()) {
          for (const b of texts.slice(at + 1)) {
            const sharedMs = Math.min(a.end_ms, b.end_ms) - Math.max(a.start_ms, b.start_ms);
            if (sharedMs <= 0) continue;
            const told = `${JSON.stringify(a)} and ${JSON.stringify(b)}`;
            expect(intersectionOverUnion(a.bbox, b.bbox), told).to.be.below(0.7);
          }
        }
      }),
    );
  });

  it('do not depend on the batching of frames, and are deterministic', async () => {
    await assert(
      asyncProperty(frames, async (samples) => {
        async function* later() {
          for (const sample of samples) {
            await Promise.resolve();
            yield sample;
          }
        }
        const expected = JSON.stringify(found(samples));
        expect(JSON.stringify(await findSegments(later(), { minDurationMs: 0 }))).to.equal(expected);
        expect(JSON.stringify(await findSegments(samples, { minDurationMs: 0 }))).to.equal(expected);
      }),
    );
  });

  it('never merge two numbers', () => {
    assert(
      property(array(tuple(integer({ min: 0, max: 99 }), integer({ min: 3, max: 6 }))), (runs) => {
        const texts = runs.flatMap(([number, count]) => Array.from({ length: count }, () => `Gate ${number}`));
        const bbox: Box = [400, 600, 300, 40];
        const samples = texts.map((text, at) => ({
          frame_index: at,
          result: { timestamp_ms: at * 200, lines: [{ text, confidence: 0.95, bbox }] },
        }));
        const changes = texts.filter((text, at) => text !== texts[at - 1]);
        expect(found(samples).texts.map(({ text }) => text)).to.deep.equal(changes);
      }),
    );
  });

  it('make cues that never overlap and are never empty, and rows of as many cells as columns', async () => {
    await assert(
      asyncProperty(frames, async (samples) => {
        const { scenes, texts } = found(samples);
        let freeMs = 0;
        for await (const cue of srtText(scenes)) {
          const [, times = '', ...lines] = cue.trimEnd().split('\n');
          const [startMs = Number.NaN, endMs = Number.NaN] = times.split(' --> ').map(milliseconds);
          expect(startMs).to.be.at.least(freeMs);
          expect(endMs).to.be.above(startMs);
          expect(lines.length).to.be.above(0);
          expect(lines.every((text) => text.trim() !== '')).to.equal(true);
          freeMs = endMs;
        }
        for await (const row of csvText(texts)) expect(row.endsWith('\r\n')).to.equal(true);
      }),
    );
  });
});

function milliseconds(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0, ms = 0] = time.split(/[:,.]/).map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}
