import type { Box, Detection } from '../job.ts';
import { assign } from './assignment.ts';
import { intersectionOverUnion } from './box-relations.ts';
import { BoxMotion } from './box-motion.ts';
import type { Sample } from './sample.ts';

/**
 * Follows instances of objects with ByteTrack: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every
 * Detection Box", ECCV 2022. Confident detections are matched first, then the others with the remaining tracks; an
 * unconfident detection does not start a track. Tracks of different labels are independent.
 */
const SURE = 0.5;
const LEAST_OVERLAP_SURE = 0.2;
const LEAST_OVERLAP_UNSURE = 0.5;
/** Samples after which a new track counts. */
const CONFIRMED = 2;
/** How long a lost track is kept. */
const LOST_MS = 1000;
const LOST_SAMPLES = 2;

/** One followed instance. */
export interface FoundTrack {
  readonly label: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence: number;
  readonly bbox: Box;
  readonly frames: number;
}

interface Track {
  readonly key: number;
  readonly label: string;
  readonly motion: BoxMotion;
  readonly startMs: number;
  confidence: number;
  bbox: Box;
  frames: number;
  missing: number;
  firstMissingMs: number | undefined;
}

export interface TrackerEvents {
  ended(track: FoundTrack): void;
  /** Called when a sample shows a track; for tests and scores. */
  seen?(key: number, box: Box, timeMs: number): void;
}

/** Memory: the tracks of the last second. */
export class ObjectTracker {
  readonly #events: TrackerEvents;
  #tracks: Track[] = [];
  #keys = 0;

  constructor(events: TrackerEvents) {
    this.#events = events;
  }

  push({ timeMs, detections }: Sample): void {
    for (const { motion } of this.#tracks) motion.predict();
    const labels = new Set([...this.#tracks, ...detections].map(({ label }) => label));
    for (const label of labels) {
      this.#match(
        this.#tracks.filter((track) => track.label === label),
        detections.filter((detection) => detection.label === label),
        timeMs,
      );
    }
    for (const track of this.#tracks) this.#loseWhenGone(track, timeMs);
    this.#tracks = this.#tracks.filter((track) => !isGone(track, timeMs));
  }

  finish(endMs: number): void {
    for (const track of this.#tracks) this.#end(track, endMs);
    this.#tracks = [];
  }

  #match(tracks: readonly Track[], detections: readonly Detection[], timeMs: number): void {
    const sure = detections.filter(({ confidence }) => confidence >= SURE);
    const unsure = detections.filter(({ confidence }) => confidence < SURE);
    const first = this.#pair(tracks, sure, LEAST_OVERLAP_SURE, timeMs);
    const left = first.tracks.filter(({ missing }) => missing === 0);
    const second = this.#pair(left, unsure, LEAST_OVERLAP_UNSURE, timeMs);
    const lost = new Set([...first.tracks.filter(({ missing }) => missing > 0), ...second.tracks]);
    for (const track of lost) {
      track.missing += 1;
      track.firstMissingMs ??= timeMs;
    }
    for (const detection of first.detections) this.#begin(detection, timeMs);
  }

  /** Matches boxes that overlap enough and returns the rest. */
  #pair(tracks: readonly Track[], detections: readonly Detection[], leastOverlap: number, timeMs: number) {
    const overlaps = tracks.map(({ motion }) => {
      const { box } = motion;
      return detections.map(({ bbox }) => intersectionOverUnion(box, bbox));
    });
    const columns = assign(overlaps.map((row) => row.map((overlap) => 1 - overlap)));
    const [leftTracks, leftDetections] = [new Set(tracks), new Set(detections)];
    for (const [row, track] of tracks.entries()) {
      const column = columns[row] ?? -1;
      const detection = detections[column];
      if (detection === undefined || (overlaps[row]?.[column] ?? 0) < leastOverlap) continue;
      this.#see(track, detection, timeMs);
      leftTracks.delete(track);
      leftDetections.delete(detection);
    }
    return { tracks: [...leftTracks], detections: [...leftDetections] };
  }

  #begin({ label, confidence, bbox }: Detection, timeMs: number): void {
    this.#keys += 1;
    const beginning = { frames: 1, missing: 0, firstMissingMs: undefined };
    const key = this.#keys;
    this.#tracks.push({ key, label, motion: new BoxMotion(bbox), startMs: timeMs, confidence, bbox, ...beginning });
    this.#events.seen?.(key, bbox, timeMs);
  }

  #see(track: Track, { confidence, bbox }: Detection, timeMs: number): void {
    track.motion.correct(bbox);
    if (confidence > track.confidence) {
      track.confidence = confidence;
      track.bbox = bbox;
    }
    track.frames += 1;
    track.missing = 0;
    track.firstMissingMs = undefined;
    this.#events.seen?.(track.key, bbox, timeMs);
  }

  #loseWhenGone(track: Track, timeMs: number): void {
    if (isGone(track, timeMs)) this.#end(track, timeMs);
  }

  #end({ label, startMs, firstMissingMs, confidence, bbox, frames }: Track, timeMs: number): void {
    if (frames < CONFIRMED) return;
    this.#events.ended({ label, startMs, endMs: firstMissingMs ?? timeMs, confidence, bbox, frames });
  }
}

function isGone({ frames, missing, firstMissingMs }: Track, timeMs: number): boolean {
  if (firstMissingMs === undefined) return false;
  if (frames < CONFIRMED) return missing > 0;
  return missing > LOST_SAMPLES && timeMs - firstMissingMs >= LOST_MS;
}
