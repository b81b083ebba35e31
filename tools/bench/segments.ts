/** `node dist/tools/bench/segments.js`: how well segments fit generated videos, and their cost. */
import { findSegments, SegmentFinder } from '../../src/segments/segment-finder.ts';
import { Random } from '../fuzz/random.ts';
import { SCRIPTS } from '../segment-scripts/scripts.ts';
import { f1, score, sumOf } from '../segment-scripts/score.ts';
import { simulatedFrames } from '../segment-scripts/simulated-reading.ts';
import { idf1 } from '../segment-scripts/track-score.ts';
import { print } from './figures.ts';

const VIDEOS = 40;
const STEP_MS = 200;
const MANY_FRAMES = 20_000;

for (const [name, make] of Object.entries(SCRIPTS)) {
  const scores = [];
  const identities: number[] = [];
  for (let at = 0; at < VIDEOS; at += 1) {
    const random = Random.of(`bench ${name} ${at}`);
    const script = make(random, name);
    const frames = [...simulatedFrames(script, STEP_MS, random)];
    scores.push(score(script, await findSegments(frames), STEP_MS));
    if (script.objects.length > 0) identities.push(idf1(script, frames));
  }
  const sum = sumOf(scores);
  const right = scores.filter(({ cues, expectedCues }) => expectedCues === undefined || cues === expectedCues).length;
  const tracks = identities.reduce((a, b) => a + b, 0) / identities.length;
  const told =
    identities.length > 0
      ? `IDF1 ${tracks.toFixed(3)}`
      : [
          `F1 ${f1(sum).toFixed(3)}`,
          `wrong characters ${((100 * sum.wrongCharacters) / Math.max(1, sum.characters)).toFixed(2)} %`,
          `edges off by more than a sample ${sum.farEdges} of ${2 * sum.matched}`,
          `cue counts right ${right} of ${scores.length}`,
        ].join(', ');
  print(name, told);
}

const random = Random.of('bench of many frames');
const script = SCRIPTS['ticker, clock and logo beside subtitles']?.(random, 'many');
if (script !== undefined) {
  const frames = [...simulatedFrames(script, STEP_MS, random)];
  const before = process.cpuUsage();
  const finder = new SegmentFinder();
  for (let at = 0; at < MANY_FRAMES; at += 1) {
    const frame = frames[at % frames.length];
    if (frame === undefined) break;
    finder.push({ ...frame, result: { ...frame.result, timestamp_ms: at * STEP_MS } });
  }
  const { texts } = finder.finish();
  const { user, system } = process.cpuUsage(before);
  print(`${MANY_FRAMES} frames to ${texts.length} text segments`, `${((user + system) / 1e6).toFixed(2)} CPU s`);
}
