import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { findSegments } from '../../src/segments/segment-finder.ts';
import { Random } from '../../tools/fuzz/random.ts';
import { drawVideo, readFrames } from '../../tools/segment-scripts/drawn-video.ts';
import { SCRIPTS } from '../../tools/segment-scripts/scripts.ts';
import { f1, score, sumOf } from '../../tools/segment-scripts/score.ts';
import type { Script } from '../../tools/segment-scripts/script.ts';
import { simulatedFrames } from '../../tools/segment-scripts/simulated-reading.ts';
import { idf1 } from '../../tools/segment-scripts/track-score.ts';

const STEP_MS = 200;
const VIDEOS = 10;
/** Every fifth frame at 25 frames per second. */
const STRIDE = 5;

describe('segments of made videos', () => {
  for (const [name, make] of Object.entries(SCRIPTS)) {
    it(`fit: ${name}`, async () => {
      const scores = [];
      for (let at = 0; at < VIDEOS; at += 1) {
        const random = Random.of(`test ${name} ${at}`);
        const script = make(random, name);
        const frames = [...simulatedFrames(script, STEP_MS, random)];
        scores.push(score(script, await findSegments(frames), STEP_MS));
        if (script.objects.length > 0) expect(idf1(script, frames), 'IDF1').to.be.at.least(0.9);
      }
      const sum = sumOf(scores);
      expect(f1(sum), 'F1').to.be.at.least(0.95);
      expect(sum.wrongCharacters).to.be.at.most(0.01 * sum.characters);
      expect(sum.farEdges, 'edges off by more than a sample').to.be.at.most(0.03 * 2 * sum.matched);
    });
  }

  it('fit when the video is decoded and read', async function () {
    const folder = await mkdtemp(join(tmpdir(), 'reelstate-segments-'));
    await using sessions = new ModelSessions();
    try {
      const analyser = await openAnalyser((await PipelineRegistry.open()).get('ocr_only'), sessions);
      const script = partOf(SCRIPTS['cues that differ in a digit']?.(Random.of('drawn'), 'drawn'), 2);
      const path = join(folder, 'video.mp4');
      drawVideo(script, path);
      const found = score(script, await findSegments(readFrames(path, STRIDE, analyser)), STEP_MS);
      expect(found).to.deep.include({ truths: 2, found: 2, matched: 2, wrongCharacters: 0, farEdges: 0, cues: 2 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** The first texts of a script. */
function partOf(script: Script | undefined, texts: number): Script {
  if (script === undefined) throw new Error('no such script');
  const kept = script.texts.slice(0, texts);
  return { ...script, texts: kept, durationMs: Math.max(...kept.map(({ toMs }) => toMs)) + 400, cues: texts };
}
