import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Detection } from '../../src/job.ts';
import { openAnalyser } from '../../src/pipeline/analyser.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { ModelCatalogue, type DetectorFormatName } from '../../src/pipeline/models/model-catalogue.ts';
import { ModelFolder } from '../../src/pipeline/models/model-folder.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { COCO_LABELS } from '../../src/pipeline/objects/coco-labels.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { objectsDetect } from '../../src/pipeline/tools/objects-detect.ts';
import { expectRefusal } from './refusal.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';
import { tinyModel, type TinyModelOptions } from './tiny-model.ts';

// A frame of aspect ratio 2 in an input of 64 x 64: 64 x 32 pixels, each for 2 x 2 of the frame.
const FRAME: Frame = { index: 0, timestampMs: 0, width: 128, height: 64, rgb: new Uint8Array(128 * 64 * 3) };
const SIDE = 64;
const POINTS = 8 * 8 + 4 * 4 + 2 * 2;
const DOG = COCO_LABELS.indexOf('dog');
const CAR = COCO_LABELS.indexOf('car');

/** 84 x POINTS: centre x, centre y, width, height in pixels of the input, then the scores of the classes. */
function yolov8(boxes: readonly { at: readonly number[]; label: number; score: number }[]): TinyModelOptions {
  const values = new Map<number, number>();
  for (const [point, { at, label, score }] of boxes.entries()) {
    for (const [channel, value] of at.entries()) values.set(channel * POINTS + point, value);
    values.set((4 + label) * POINTS + point, score);
  }
  return { side: SIDE, outputDims: [1, 84, POINTS], values };
}

/** Values at consecutive indices. */
function valuesAt(start: number, values: readonly number[]): Map<number, number> {
  return new Map(values.map((value, at) => [start + at, value]));
}

describe('objects.detect', function () {
  let folder: string;
  let sessions: ModelSessions;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'models-'));
    sessions = new ModelSessions({ modelsFolder: folder });
  });
  afterEach(async () => {
    await sessions[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const add = async (name: string, format: DetectorFormatName, model: TinyModelOptions) => {
    const file = path.join(folder, 'source');
    await writeFile(file, tinyModel(model));
    return new ModelFolder(folder).add({ name, file, format });
  };
  /** Returns the detections of the model `mine` with these parameters, without boxes. */
  const found = async (params: object) =>
    (await detect({ model: 'mine', ...params })).map(({ label, confidence }) => `${label} ${confidence}`);
  const detect = async (params: Record<string, unknown>): Promise<readonly Detection[]> => {
    const run = await objectsDetect.configure(params, { detector: 'nanodet' }).open(sessions);
    return (await run({ frame: FRAME })).detections ?? [];
  };

  it('decodes YOLOv8 in its published form: 1 x 84 x points, letterboxed into the middle', async () => {
    // The frame is in rows 16 to 48 of the input.
    await add('mine', 'yolov8', yolov8([{ at: [20, 32, 10, 8], label: DOG, score: 0.75 }]));
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'dog', confidence: 0.75, bbox: [30, 24, 20, 16] }]);
  });

  it('gives a model with open sides an input in the proportions of the frame', async () => {
    // 640 x 384 pixels, five for each of the frame, which is in rows 12 to 372.
    const frame: Frame = { ...FRAME, height: 72, rgb: new Uint8Array(128 * 72 * 3) };
    const points = 80 * 48 + 40 * 24 + 20 * 12;
    const values = new Map([100, 62, 20, 10].map((value, channel) => [channel * points, value]));
    values.set((4 + DOG) * points, 0.75);
    const inputDims = ['batch', 3, 'height', 'width'];
    await add('mine', 'yolov8', { side: SIDE, inputDims, outputDims: [1, 84, points], values });
    const run = await objectsDetect.configure({ model: 'mine' }, { detector: 'nanodet' }).open(sessions);
    expect(await run({ frame })).to.deep.equal({
      detections: [{ label: 'dog', confidence: 0.75, bbox: [18, 9, 4, 2] }],
    });
  });

  it('decodes YOLOX: strides and cells applied, letterboxed to the top left', async () => {
    const values = new Map<number, number>();
    const point = 64 + 4 + 2; // stride 16, row 1, column 2
    for (const [channel, value] of [0.5, 0.25, Math.log(2), Math.log(0.5), 0.8].entries()) {
      values.set(point * 85 + channel, value);
    }
    values.set(point * 85 + 5 + CAR, 0.9);
    await add('mine', 'yolox', { side: SIDE, outputDims: [1, POINTS, 85], values });
    // Centre (2.5, 1.25) and size (2, 0.5) strides: 40, 20, 32, 8 pixels of the input, twice that in the frame.
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'car', confidence: 0.72, bbox: [48, 32, 64, 16] }]);
  });

  it('decodes NanoDet: distances are means of distributions, measured from the middle of a cell', async () => {
    const channels = 80 + 4 * 8;
    const values = new Map<number, number>();
    const point = 3 * 8 + 4; // stride 8, row 3, column 4: middle (36, 28)
    values.set(point * channels + DOG, 0.6);
    for (const [side, distance] of [2, 1, 3, 1].entries()) values.set(point * channels + 80 + side * 8 + distance, 40);
    await add('mine', 'nanodet', { side: SIDE, outputDims: [1, POINTS, channels], values });
    // 20 to 60 across and 20 to 36 down in the input, whose rows from 16 on are the frame.
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'dog', confidence: 0.6, bbox: [40, 8, 80, 32] }]);
  });

  it('decodes YOLOX with strides and cells applied by the model', async () => {
    const values = valuesAt(7 * 85, [40, 20, 32, 8, 0.8]).set(7 * 85 + 5 + CAR, 0.9);
    await add('mine', 'yolox_decoded', { side: SIDE, outputDims: [1, POINTS, 85], values });
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'car', confidence: 0.72, bbox: [48, 32, 64, 16] }]);
  });

  it('decodes YOLOv5: three anchors a cell, objectness times score', async () => {
    const point = 3 * POINTS - 1;
    const values = valuesAt(point * 85, [20, 32, 10, 8, 0.5]).set(point * 85 + 5 + DOG, 0.9);
    await add('mine', 'yolov5', { side: SIDE, outputDims: [1, 3 * POINTS, 85], values });
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'dog', confidence: 0.45, bbox: [30, 24, 20, 16] }]);
  });

  it('decodes YOLOv10: corners, confidence and label, overlaps kept', async () => {
    const values = valuesAt(0, [15, 28, 25, 36, 0.75, DOG, 15, 28, 25, 36, 0.5, DOG, 1, 20, 9, 30, 0.3, CAR]);
    await add('mine', 'yolov10', { side: SIDE, outputDims: [1, 300, 6], values });
    expect(await detect({ model: 'mine' })).to.deep.equal([
      { label: 'dog', confidence: 0.75, bbox: [30, 24, 20, 16] },
      { label: 'dog', confidence: 0.5, bbox: [30, 24, 20, 16] },
    ]);
  });

  it('decodes RT-DETR and D-FINE: logits and shares of the stretched frame, overlaps kept', async () => {
    const logits = new Map(Array.from({ length: 300 * 80 }, (_, at) => [at, -9]));
    logits.set(5 * 80 + DOG, Math.log(3)).set(6 * 80 + DOG, 0);
    const boxes = valuesAt(5 * 4, [0.5, 0.25, 0.25, 0.5, 0.5, 0.25, 0.25, 0.5]);
    const others = [{ name: 'pred_boxes', outputDims: [1, 300, 4], values: boxes }];
    await add('mine', 'rtdetr', { name: 'logits', side: SIDE, outputDims: [1, 300, 80], values: logits, others });
    expect(await detect({ model: 'mine' })).to.deep.equal([
      { label: 'dog', confidence: 0.75, bbox: [48, 0, 32, 32] },
      { label: 'dog', confidence: 0.5, bbox: [48, 0, 32, 32] },
    ]);
  });

  it('gives RT-DETR with open sides a square input', async () => {
    const values = new Map([[DOG, 2]]);
    const others = [{ name: 'pred_boxes', outputDims: [1, 1, 4], values: valuesAt(0, [0.5, 0.5, 1, 1]) }];
    const inputDims = ['batch', 3, 'height', 'width'];
    await add('mine', 'rtdetr', { name: 'logits', side: SIDE, inputDims, outputDims: [1, 1, 80], values, others });
    expect(await detect({ model: 'mine', min_confidence: 0.6 })).to.deep.equal([
      { label: 'dog', confidence: 0.881, bbox: [0, 0, 128, 64] },
    ]);
  });

  it('runs models with numbers of 16 bits', async () => {
    await add('mine', 'yolov8', { ...yolov8([{ at: [20, 32, 10, 8], label: DOG, score: 0.75 }]), isHalf: true });
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'dog', confidence: 0.75, bbox: [30, 24, 20, 16] }]);
  });

  it('keeps the overlapping box with the highest confidence per label, and applies the parameters', async () => {
    await add(
      'mine',
      'yolov8',
      yolov8([
        { at: [20, 32, 10, 10], label: DOG, score: 0.6 },
        { at: [21, 32, 10, 10], label: DOG, score: 0.8 },
        { at: [21, 32, 10, 10], label: CAR, score: 0.7 },
        { at: [50, 32, 10, 10], label: DOG, score: 0.5 },
      ]),
    );
    expect(await found({})).to.deep.equal(['dog 0.8', 'car 0.7', 'dog 0.5']);
    expect(await found({ iou: 0.9 })).to.deep.equal(['dog 0.8', 'car 0.7', 'dog 0.6', 'dog 0.5']);
    expect(await found({ labels: ['car'] })).to.deep.equal(['car 0.7']);
    expect(await found({ min_confidence: 0.55 })).to.deep.equal(['dog 0.8', 'car 0.7']);
    expect(await found({ max_detections: 1 })).to.deep.equal(['dog 0.8']);
  });

  it('clips boxes to the frame and drops those outside of it', async () => {
    await add(
      'mine',
      'yolov8',
      yolov8([
        { at: [0, 32, 20, 60], label: DOG, score: 0.9 },
        { at: [32, 4, 8, 8], label: CAR, score: 0.9 },
      ]),
    );
    expect(await detect({ model: 'mine' })).to.deep.equal([{ label: 'dog', confidence: 0.9, bbox: [0, 0, 20, 64] }]);
  });

  it('runs the built-in detector, with byte-identical results for the same frame', async () => {
    const definition = (await PipelineRegistry.open()).get('yolo_ocr');
    const analyser = await openAnalyser(definition, sessions);
    const frame = renderFrame('smptehdbars=s=640x360:r=25', [{ text: 'STOP', x: 200, y: 150, size: 60 }]);
    const result = await analyser.analyse(frame);
    expect(Object.keys(result)).to.deep.equal(['detections', 'text', 'lines']);
    expect(result['text']).to.equal('STOP');
    const again = await openAnalyser(definition, sessions);
    expect(JSON.stringify(await again.analyse(frame))).to.equal(JSON.stringify(result));
  });
});

describe('the model folder', function () {
  let folder: string;
  let source: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'models-'));
    source = path.join(folder, 'source');
    await writeFile(source, tinyModel(yolov8([])));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('adds a model, makes it the default of pipelines that name none, and removes it', async () => {
    const models = new ModelFolder(folder);
    await models.add({ name: 'mine', file: source, format: 'yolov8' });
    await models.setDefault('mine');
    const registry = await PipelineRegistry.open({ modelsFolder: folder });
    expect(registry.get('yolo_ocr').nodes[0]?.params).to.include({ model: 'mine' });
    await expectRefusal(() => models.remove('mine'), 'invalid_model', 'default');
    await models.setDefault('nanodet');
    await models.remove('mine');
    expect((await new ModelCatalogue(folder).list()).map(({ name }) => name)).to.deep.equal(['nanodet']);
  });

  it('takes the labels of a file, one in each line', async () => {
    const labels = path.join(folder, 'labels.txt');
    await writeFile(labels, 'cat\r\ndog\n\n');
    await writeFile(source, tinyModel({ side: SIDE, outputDims: [1, 6, POINTS], values: new Map() }));
    const { labels: read } = await new ModelFolder(folder).add({
      name: 'pets',
      file: source,
      format: 'yolov8',
      labelsFile: labels,
    });
    expect(read).to.deep.equal(['cat', 'dog']);
  });

  it('refuses what is not a model of that format, and leaves nothing behind', async () => {
    const models = new ModelFolder(folder);
    const good = { name: 'mine', file: source, format: 'yolov8' } as const;
    await expectRefusal(() => models.add({ ...good, format: 'yolox' }), 'invalid_model', '1 x 84 x 84', '5 + 80');
    await expectRefusal(() => models.add({ ...good, format: 'nanodet' }), 'invalid_model', '4 x bins');
    await expectRefusal(() => models.add({ ...good, format: 'yolov5' }), 'invalid_model', '1 x 252 x (5 + 80)');
    await expectRefusal(() => models.add({ ...good, format: 'yolov10' }), 'invalid_model', '1 x boxes x 6');
    await expectRefusal(() => models.add({ ...good, format: 'rtdetr' }), 'invalid_model', 'logits', 'pred_boxes');
    await expectRefusal(() => models.add({ ...good, sha256: '0'.repeat(64) }), 'invalid_model', 'sum');
    await expectRefusal(() => models.add({ ...good, file: `${source}.not` }), 'invalid_model', `${source}.not`);
    for (const name of ['nanodet', 'default', 'no/way', '..']) {
      await expectRefusal(() => models.add({ ...good, name }), 'invalid_model');
    }
    await writeFile(source, 'not a model');
    await expectRefusal(() => models.add(good), 'invalid_model', 'cannot be loaded');
    expect((await new ModelCatalogue(folder).list()).map(({ name }) => name)).to.deep.equal(['nanodet']);
  });

  it('accepts the right sum', async () => {
    const sha256 = createHash('sha256')
      .update(tinyModel(yolov8([])))
      .digest('hex')
      .toUpperCase();
    const added = await new ModelFolder(folder).add({ name: 'mine', file: source, format: 'yolov8', sha256 });
    expect(added.sha256).to.equal(sha256.toLowerCase());
  });

  it('whose file was changed or is gone keeps the service from starting, and a thread from opening it', async () => {
    await new ModelFolder(folder).add({ name: 'mine', file: source, format: 'yolov8' });
    await new ModelFolder(folder).setDefault('mine');
    await writeFile(path.join(folder, 'mine.onnx'), tinyModel(yolov8([{ at: [1, 1, 1, 1], label: 0, score: 1 }])));
    await expectRefusal(
      () => PipelineRegistry.open({ modelsFolder: folder }),
      'invalid_model',
      'yolo_ocr.yaml',
      'mine',
    );
    await using sessions = new ModelSessions({ modelsFolder: folder });
    await expectRefusal(() => sessions.named('mine'), 'invalid_model', 'mine');
    await rm(path.join(folder, 'mine.onnx'));
    await expectRefusal(() => PipelineRegistry.open({ modelsFolder: folder }), 'invalid_model', 'node objects', 'mine');
  });
});
