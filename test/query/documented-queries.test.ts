import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { FrameResult } from '../../src/job.ts';
import { EngineHarness } from '../engine/engine-harness.ts';
import { projectRoot } from '../tools/sample-project.ts';
import { rowsOf } from './query-harness.ts';

const document = readFileSync(path.join(projectRoot, 'docs/COMMAND_LINE.md'), 'utf8');
const examples = [...document.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql = '']) => sql);

const box = { confidence: 0.5, bbox: [0, 0, 1, 1] as [number, number, number, number] };
const frame = (index: number, labels: readonly string[], texts: readonly string[]): FrameResult => ({
  frame_index: index,
  result: {
    timestamp_ms: index * 40,
    detections: labels.map((label) => ({ label, ...box })),
    text: texts.join('\n'),
    lines: texts.map((text) => ({ text, ...box })),
  },
});

describe('the queries of docs/COMMAND_LINE.md', function () {
  let harness: EngineHarness;
  const ids: string[] = [];
  before(async () => {
    harness = await EngineHarness.open();
    for (const frames of [
      // Every tenth frame: 400 ms apart.
      [
        frame(0, ['person', 'person'], ['EXIT']),
        frame(10, ['dog'], ['EXIT']),
        frame(20, ['person'], ['NO EXIT', 'EXIT']),
      ],
      [frame(0, ['person'], ['EXITING']), frame(25, [], ['EXIT'])],
    ]) {
      harness.pipelines.script = async function* scripted() {
        yield* frames;
      };
      ids.push((await harness.submit()).jobId);
      await harness.worker().runOnce();
    }
  });
  after(() => harness[Symbol.asyncDispose]());

  it('are five', () => expect(examples).to.have.length(5));

  it('find every video where a person and the word EXIT appear in one frame', async () => {
    const rows = await rowsOf(harness.folder, examples[0] ?? '');
    expect(rows).to.deep.equal([{ job_id: ids[0], frames: 2, first_ms: 0 }]);
  });

  it('add up the seconds of each label by video', async () => {
    expect(await rowsOf(harness.folder, examples[1] ?? '')).to.deep.equal([
      { job_id: ids[0], label: 'dog', seconds: 0.4 },
      { job_id: ids[0], label: 'person', seconds: 0.8 },
      { job_id: ids[1], label: 'person', seconds: 1 },
    ]);
  });

  it('give the 95th percentile of the durations by pipeline', async () => {
    const durations = (await rowsOf(harness.folder, 'FROM jobs')).map(({ duration_ms: ms }) => Number(ms));
    const [low = 0, high = 0] = durations.toSorted((a, b) => a - b);
    const [row] = await rowsOf(harness.folder, examples[2] ?? '');
    expect(row).to.include({ pipeline_id: 'ocr_only', jobs: 2 });
    expect(row?.['p95_ms']).to.be.closeTo(low + 0.95 * (high - low), 1e-6);
  });

  it('tell when a thing is seen, and in which video', async () => {
    const sql = (examples[3] ?? '').replace("label = 'car'", "label = 'person'");
    expect(await rowsOf(harness.folder, sql)).to.deep.equal([
      { file_name: null, from_s: 0, to_s: 1, max_count: 1 },
      { file_name: null, from_s: 0, to_s: 1.2, max_count: 2 },
    ]);
  });

  it('add up the time of each text', async () => {
    expect(await rowsOf(harness.folder, examples[4] ?? '')).to.deep.equal([
      // Similar text in the same place is one text.
      { text: 'EXITING', seconds: 2, videos: 1 },
      { text: 'NO EXIT', seconds: 1.2, videos: 1 },
    ]);
  });
});
