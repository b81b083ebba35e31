import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ModelFolder } from '../../src/pipeline/models/model-folder.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { ocrRead } from '../../src/pipeline/tools/ocr-read.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';
import { expectRefusal } from './refusal.ts';
import { tinyModel } from './tiny-model.ts';

const CHARACTERS = ['ж', 'у', 'к', 'и'];
const STEPS = 8;

/** A recogniser with the same output for every crop: one class per step, 0 is the blank. */
function reader(classes: number, read: readonly number[]): Uint8Array {
  const values = new Map<number, number>();
  for (let step = 0; step < STEPS; step += 1) values.set(step * classes + (read[step] ?? 0), 1);
  const outputDims = [1, STEPS, classes];
  return tinyModel({ side: 48, inputDims: [1, 3, 48, 'width'], outputDims, values });
}

describe('a text recogniser of the user', function () {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'recognisers-'));
    await writeFile(path.join(folder, 'keys.txt'), `${CHARACTERS.join('\n')}\n`);
  });
  afterEach(async () => rm(folder, { recursive: true }));

  const add = async (model: Uint8Array, { hasLabels } = { hasLabels: true }) => {
    const file = path.join(folder, 'rec.onnx');
    await writeFile(file, model);
    const models = new ModelFolder(path.join(folder, 'models'));
    return models.add({
      name: 'mine',
      file,
      format: 'ppocr',
      ...(hasLabels && { labelsFile: path.join(folder, 'keys.txt') }),
    });
  };
  const read = async (): Promise<unknown> => {
    await using sessions = new ModelSessions({ modelsFolder: path.join(folder, 'models') });
    const run = await ocrRead.configure({ recogniser: 'mine' }, { detector: 'nanodet' }).open(sessions);
    const text = { text: 'OPEN', x: 80, y: 80, size: 60 };
    return (await run({ frame: renderFrame('color=c=black:s=480x240:r=25', [text]) })).text;
  };

  it('reads with its own characters', async () => {
    await add(reader(CHARACTERS.length + 1, [1, 0, 2, 2, 3, 0, 0, 4]));
    expect(await read()).to.equal('жуки');
  });

  it('may have a class more for the space', async () => {
    const space = CHARACTERS.length + 1;
    await add(reader(CHARACTERS.length + 2, [1, 2, 3, space, space, 4]));
    expect(await read()).to.equal('жук и');
  });

  it('is refused with another number of characters than classes, or without any', async () => {
    await expectRefusal(
      async () => add(reader(9, [1])),
      'invalid_model',
      'gives 1 x 8 x 9, where ppocr is 1 x steps x 5 or 6',
    );
    await expectRefusal(async () => add(reader(5, [1]), { hasLabels: false }), 'invalid_model', '--labels');
  });

  it('is not a detector, and a detector no recogniser', async () => {
    await add(reader(5, [1]));
    const modelsFolder = path.join(folder, 'models');
    const pipeline = (tool: string, params: object) => ({
      id: 'mine',
      description: 'Uses a model',
      nodes: [{ id: 'node', tool, params }],
      edges: [{ from: 'frame', to: 'node' }],
      outputs: ['node'],
    });
    const open = async (definition: object) => {
      await writeFile(path.join(folder, 'pipeline.json'), JSON.stringify(definition));
      await rm(path.join(folder, 'rec.onnx'), { force: true });
      return PipelineRegistry.open({ directory: folder, modelsFolder });
    };
    expect((await open(pipeline('ocr.read', { recogniser: 'mine' }))).get('mine').nodes).to.have.length(1);
    await expectRefusal(
      async () => open(pipeline('objects.detect', { model: 'mine' })),
      'invalid_model',
      'of kind text',
    );
    await expectRefusal(
      async () => open(pipeline('ocr.read', { recogniser: 'nanodet' })),
      'invalid_model',
      'of kind objects',
    );
  });
});
