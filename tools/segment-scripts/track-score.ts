import { assign } from '../../src/segments/assignment.ts';
import { intersectionOverUnion } from '../../src/segments/box-relations.ts';
import { ObjectTracker } from '../../src/segments/object-tracker.ts';
import { sampleOf } from '../../src/segments/sample.ts';
import type { Box, FrameResult } from '../../src/job.ts';
import { placeOf } from './simulated-reading.ts';
import type { Script } from './script.ts';

const LEAST_OVERLAP = 0.5;

/**
 * IDF1: the share of detections with the right identity (Ristani et al., "Performance Measures and a Data Set for
 * Multi-Target, Multi-Camera Tracking", 2016). Tracks and instances are paired so that most boxes agree.
 */
export function idf1(script: Script, frames: readonly FrameResult[]): number {
  const tracks = new Map<number, Map<number, Box>>();
  const tracker = new ObjectTracker({
    ended: () => undefined,
    seen(key, box, timeMs) {
      const boxes = tracks.get(key) ?? new Map<number, Box>();
      tracks.set(key, boxes.set(timeMs, box));
    },
  });
  for (const frame of frames) tracker.push(sampleOf(frame, { minConfidence: 0 }));
  // A track of one sample does not count, as in the service.
  const found = [...tracks.values()].filter(({ size }) => size > 1);
  const truths = script.objects.map((shown) => {
    const times = frames.map(({ result }) => result.timestamp_ms);
    return new Map(
      times
        .filter((timeMs) => timeMs >= shown.fromMs && timeMs < shown.toMs)
        .map((timeMs): [number, Box] => [timeMs, [...placeOf(shown, timeMs), ...shown.size]]),
    );
  });
  const agreements = truths.map((truth) => found.map((track) => agreeing(truth, track)));
  const columns = assign(agreements.map((row) => row.map((agreement) => -agreement)));
  const right = columns.reduce<number>((sum, column, row) => sum + (agreements[row]?.[column ?? -1] ?? 0), 0);
  const all = [...truths, ...found].reduce((sum, { size }) => sum + size, 0);
  return all === 0 ? 1 : (2 * right) / all;
}

function agreeing(truth: ReadonlyMap<number, Box>, track: ReadonlyMap<number, Box>): number {
  let count = 0;
  for (const [timeMs, box] of truth) {
    const other = track.get(timeMs);
    if (other !== undefined && intersectionOverUnion(box, other) >= LEAST_OVERLAP) count += 1;
  }
  return count;
}
