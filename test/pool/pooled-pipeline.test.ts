import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import { PooledPipeline } from '../../src/pool/pooled-pipeline.ts';
import type { ProcessPool, ProcessPoolOptions } from '../../src/pool/process-pool.ts';
import { all, PoolFixture, rejectionOf } from './pool-fixture.ts';

describe('PooledPipeline', function () {
  let fixture: PoolFixture;
  let pool: ProcessPool;
  let pipeline: PooledPipeline;
  let video: string;
  /** On a busy machine, a thread may take long to load its models. */
  let patient: Partial<ProcessPoolOptions>;

  before(async () => {
    fixture = await PoolFixture.open();
    patient = { warmUp: fixture.registry.list() };
    pool = await fixture.pool({ ...patient, threads: 2 });
    pipeline = new PooledPipeline({ registry: fixture.registry, pool, limits: DEFAULT_VIDEO_LIMITS });
    // Frames with and without text take different times, so that two threads finish out of order.
    const captions = Array.from({ length: 6 }, (_, i) => ({ text: `LINE ${i}`, from: 4 * i, to: 4 * i, x: 10, y: 20 }));
    video = fixture.video('captions', { width: 240, height: 96, frames: 24, picture: 'color=c=black', captions });
  });

  after(async () => fixture[Symbol.asyncDispose]());

  it('lists the pipelines of its registry', () => {
    expect(pipeline.list().map(({ id }) => id)).to.include('ocr_only');
  });

  it('yields the sampled frames in frame order', async () => {
    const results = await all(pipeline.runOnFile('ocr_only', video, { frameStride: 2, maxFrames: 7 }));
    expect(results.map(({ frame_index }) => frame_index)).to.deep.equal([0, 2, 4, 6, 8, 10, 12]);
    expect(results.map(({ result }) => result.text)).to.deep.equal([
      'LINE 0',
      '',
      'LINE 1',
      '',
      'LINE 2',
      '',
      'LINE 3',
    ]);
    expect(results.map(({ result }) => result.timestamp_ms)).to.deep.equal([0, 80, 160, 240, 320, 400, 480]);
  });

  it('gives the same bytes again, with another number of threads, and with every repeated frame analysed', async () => {
    const single = await fixture.pool({ ...patient, threads: 1 });
    const { registry } = fixture;
    const limits = DEFAULT_VIDEO_LIMITS;
    const others = [
      pipeline,
      new PooledPipeline({ registry, limits, pool: single }),
      new PooledPipeline({ registry, limits, pool, analyseRepeats: true }),
    ];
    for (const [pipelineId, maxFrames] of [
      ['ocr_only', 24],
      ['yolo_ocr', 8],
    ] as const) {
      const first = JSON.stringify(await all(pipeline.runOnFile(pipelineId, video, { maxFrames })));
      expect(JSON.parse(first)).to.have.length(maxFrames);
      for (const other of others) {
        expect(JSON.stringify(await all(other.runOnFile(pipelineId, video, { maxFrames }))), pipelineId).to.equal(
          first,
        );
      }
    }
  });

  it('analyses a region alone, with boxes in pixels of the frame', async () => {
    const captions = [
      { text: 'LEFT', x: 10, y: 20, size: 30 },
      { text: 'RIGHT', x: 330, y: 120, size: 30 },
    ];
    const two = fixture.video('two-captions', {
      width: 480,
      height: 200,
      frames: 3,
      picture: 'color=c=black',
      captions,
    });
    const whole = await all(pipeline.runOnFile('ocr_only', two, { maxFrames: 1 }));
    const right = await all(pipeline.runOnFile('ocr_only', two, { region: [0.5, 0.5, 0.5, 0.5] }));
    expect(right.map(({ result }) => result.text)).to.deep.equal(['RIGHT', 'RIGHT', 'RIGHT']);
    const expected = whole[0]?.result.lines?.find(({ text }) => text === 'RIGHT')?.bbox ?? [];
    const actual = right[0]?.result.lines?.[0]?.bbox ?? [];
    expect(expected).to.have.length(4);
    expected.forEach((value, place) => expect(actual[place], String(actual)).to.be.within(value - 4, value + 4));
  });

  it('returns facts about the video', async () => {
    const results = pipeline.runOnFile('ocr_only', video, { sampleEveryMs: 400 });
    let next = await results.next();
    while (next.done !== true) next = await results.next();
    expect(next.value).to.deep.equal({
      width: 240,
      height: 96,
      duration_ms: 960,
      frame_rate: 25,
      codec: 'h264',
      frames_decoded: 21,
      frames_analysed: 3,
    });
  });

  it('refuses an unknown pipeline', async () => {
    const error = await rejectionOf(all(pipeline.runOnFile('nothing', video)));
    expect(error).to.include({ code: 'unknown_pipeline', retryable: false });
  });

  it('passes on the error of a broken video, and keeps the child', async () => {
    const before = pool.pids();
    const broken = fixture.video('broken');
    await writeFile(broken, 'this is no video');
    const error = await rejectionOf(all(pipeline.runOnFile('ocr_only', broken)));
    expect(error).to.include({ name: 'ServiceError', code: 'invalid_video', retryable: false });
    expect(pool.pids()).to.deep.equal(before);
  });
});
