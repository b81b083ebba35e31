import { expect } from 'chai';
import { ServiceError } from '../../src/errors.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import {
  checkPipelineMemory,
  memoryOfThreads,
  planChildren,
  threadsForFrames,
  type ChildSettings,
} from '../../src/pool/memory-plan.ts';

const GiB = 1024 ** 3;
const MB = 1_000_000;

const plan = (cores: number, memoryBytes: number, settings: Partial<ChildSettings> = {}) =>
  planChildren({ cores, memoryBytes }, { concurrency: 1, threads: undefined, memoryBytes: undefined, ...settings });

const pipeline = (side: number): PipelineDefinition => ({
  id: 'reads',
  description: 'Reads text',
  nodes: [{ id: 'text', tool: 'ocr.read', params: { detection_side: side } }],
  edges: [{ from: 'frame', to: 'text' }],
  outputs: ['text'],
});

describe('planChildren', () => {
  for (const [cores, memory, concurrency, threads, megabytes] of [
    [2, 24, 1, 2, 3890],
    [6, 24, 1, 6, 5010],
    [16, 24, 1, 16, 7810],
    [64, 24, 1, 16, 7810],
    [128, 24, 4, 16, 5412],
    [128, 512, 4, 16, 7810],
    [4, 4, 1, 4, 3395],
    [2, 2, 1, 2, 1570],
    [16, 2, 1, 4, 1570],
    [16, 2, 2, 1, 785],
    [2, 1, 1, 1, 657],
    [64, 1, 1, 1, 657],
  ] as const) {
    it(`gives ${cores} cores, ${memory} GiB and ${concurrency} jobs ${threads} threads and ${megabytes} MB`, () => {
      const planned = plan(cores, memory * GiB, { concurrency });
      expect({ ...planned, memoryBytes: Math.floor(planned.memoryBytes / MB) }).to.deep.equal({
        threads,
        memoryBytes: megabytes,
        isOvercommitted: false,
      });
    });
  }

  it('never gives less than one thread needs, and reports if the machine has less', () => {
    expect(plan(64, GiB, { concurrency: 4 })).to.deep.equal({
      threads: 1,
      memoryBytes: memoryOfThreads(1),
      isOvercommitted: true,
    });
  });

  it('fits the memory to threads that were set, and the threads to memory that was set', () => {
    expect(plan(2, 24 * GiB, { threads: 64 }).memoryBytes).to.be.at.least(memoryOfThreads(64));
    expect(plan(64, 24 * GiB, { memoryBytes: 900 * MB })).to.include({ threads: 2, memoryBytes: 900 * MB });
  });

  for (const [settings, proposal] of [
    [{ threads: 16, memoryBytes: 900 * MB }, 'set PIPELINE_THREADS=2 or CHILD_MEMORY_BYTES=4610000000'],
    [{ memoryBytes: 100 * MB }, 'set CHILD_MEMORY_BYTES=410000000'],
    [{ threads: 64 }, 'set PIPELINE_THREADS=7'],
  ] as const) {
    it(`refuses ${JSON.stringify(settings)} with values that work`, () => {
      expect(() => plan(8, 2 * GiB, settings))
        .to.throw(ServiceError, proposal)
        .with.property('code', 'invalid_config');
    });
  }

  it('proposes values that it accepts', () => {
    expect(plan(8, 2 * GiB, { threads: 2, memoryBytes: 900 * MB })).to.include({ threads: 2 });
    expect(plan(8, 8 * GiB, { threads: 16, memoryBytes: 4610 * MB })).to.include({ threads: 16 });
  });
});

describe('checkPipelineMemory', () => {
  it('accepts the largest detection_side with the defaults of a machine with 4 GiB', () => {
    checkPipelineMemory([pipeline(4096)], plan(2, 4 * GiB));
  });

  it('rejects a pipeline that does not fit one thread, with a sufficient limit', () => {
    const small = plan(2, GiB);
    expect(() => checkPipelineMemory([pipeline(640), pipeline(4096)], small)).to.throw(
      ServiceError,
      /^Pipeline reads looks for text at detection_side 4096.*set CHILD_MEMORY_BYTES=\d+ or lower detection_side$/,
    );
  });
});

describe('threadsForFrames', () => {
  const threads = (width: number, height: number, side: number, freeBytes: number) =>
    threadsForFrames(width * height * 3, [{ width, height }], pipeline(side), freeBytes);

  it('uses all threads for small frames and one for frames that fill the memory', () => {
    expect(threads(1280, 720, 640, 400 * MB)).to.be.at.least(4);
    expect(threads(3840, 2160, 640, 400 * MB)).to.equal(1);
    expect(threads(3840, 2160, 4096, 400 * MB)).to.equal(1);
    expect(threads(7680, 4320, 640, 3000 * MB)).to.be.at.least(4);
  });

  it('counts the second look at small text if no detection_side is named', () => {
    const [node] = pipeline(640).nodes;
    if (!node) throw new Error('no node');
    const definition = { ...pipeline(640), nodes: [{ ...node, params: {} }] };
    const parts = [{ width: 3840, height: 2160 }];
    expect(threadsForFrames(3840 * 2160 * 3, parts, definition, 800 * MB)).to.equal(2);
    expect(threadsForFrames(3840 * 2160 * 3, parts, pipeline(640), 800 * MB)).to.equal(4);
  });

  it('depends on the largest analysed part', () => {
    const bytes = 3840 * 2160 * 3;
    const parts = [
      { width: 64, height: 64 },
      { width: 640, height: 640 },
    ];
    expect(threadsForFrames(bytes, parts, pipeline(4096), 1000 * MB)).to.equal(5);
  });
});
