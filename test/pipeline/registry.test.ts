import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { expectRefusal } from './refusal.ts';

const SIGNS = `
id: signs
description: Reads what is written on cars
nodes:
  - id: cars
    tool: objects.detect
    params: { labels: [car], min_confidence: 0.5 }
  - id: text
    tool: ocr.read
    params: { regions: detections }
edges:
  - { from: frame, to: cars }
  - { from: frame, to: text }
  - { from: cars, to: text }
outputs: [cars, text]
`;

describe('the pipeline registry', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'pipelines-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const opened = async (name: string, content: string) => {
    await writeFile(path.join(directory, name), content);
    return PipelineRegistry.open({ directory });
  };

  it('has ocr_fast, ocr_only and yolo_ocr, with every parameter', async () => {
    const registry = await PipelineRegistry.open();
    expect(registry.list().map(({ id }) => id)).to.deep.equal(['ocr_fast', 'ocr_only', 'yolo_ocr']);
    expect(registry.get('yolo_ocr').nodes.map(({ tool, params }) => [tool, params])).to.deep.equal([
      ['objects.detect', { model: 'nanodet', min_confidence: 0.4, iou: 0.5, max_detections: 100 }],
      ['ocr.read', { recogniser: 'ppocr_v4', min_confidence: 0.6, regions: 'frame' }],
    ]);
  });

  it('gives definitions that survive JSON, as they do on their way to a child process', async () => {
    for (const definition of (await PipelineRegistry.open()).list()) {
      expect(JSON.parse(JSON.stringify(definition))).to.deep.equal(definition);
    }
  });

  it('reads more from a folder, YAML and JSON alike', async () => {
    await writeFile(path.join(directory, 'signs.yaml'), SIGNS);
    const plain = { ...(await PipelineRegistry.open()).get('ocr_only'), id: 'plain' };
    const registry = await opened('plain.json', JSON.stringify(plain));
    expect(registry.list().map(({ id }) => id)).to.deep.equal(['ocr_fast', 'ocr_only', 'yolo_ocr', 'plain', 'signs']);
    expect(registry.get('signs').nodes[0]?.params).to.include({ model: 'nanodet', iou: 0.5 });
  });

  it('describes a pipeline as declared, with the defaults of this installation', async () => {
    const signs = (await opened('signs.yaml', SIGNS)).describe().find(({ id }) => id === 'signs');
    expect(signs).to.deep.include({ id: 'signs', outputs: ['cars', 'text'] });
    expect(signs?.nodes.map(({ id, params }) => [id, params])).to.deep.equal([
      ['cars', { model: 'nanodet', labels: ['car'], min_confidence: 0.5, iou: 0.5, max_detections: 100 }],
      ['text', { recogniser: 'ppocr_v4', regions: 'detections', min_confidence: 0.6 }],
    ]);
    for (const { paramsSchema } of signs?.nodes ?? []) {
      for (const meaning of Object.values(Object(paramsSchema).properties))
        expect(meaning).to.have.property('description');
    }
  });

  it('lists the known pipelines if one is unknown', async () => {
    const registry = await PipelineRegistry.open();
    await expectRefusal(() => registry.get('nonesuch'), 'unknown_pipeline', 'nonesuch', 'ocr_fast, ocr_only, yolo_ocr');
  });

  it('rejects an invalid file and names file and node', async () => {
    const cases: readonly [string, 'invalid_pipeline' | 'invalid_model', ...string[]][] = [
      ['id: [', 'invalid_pipeline'],
      ['', 'invalid_pipeline'],
      ['id: empty', 'invalid_pipeline', 'nodes'],
      [SIGNS.replace('tool: ocr.read', 'toll: ocr.read'), 'invalid_pipeline', 'node text'],
      [SIGNS.replace('objects.detect', 'objects.find'), 'invalid_pipeline', 'node cars', 'objects.find'],
      [SIGNS.replace('[car]', '[carr]'), 'invalid_pipeline', 'node cars', 'carr'],
      [SIGNS.replace('labels: [car]', 'model: mine'), 'invalid_model', 'node cars', 'mine'],
      [SIGNS.replace('id: signs', 'id: ocr_only'), 'invalid_pipeline', 'ocr_only'],
    ];
    for (const [content, code, ...parts] of cases) {
      await expectRefusal(() => opened('odd.yaml', content), code, 'odd.yaml', ...parts);
    }
  });

  it('rejects a missing folder', async () => {
    const missing = path.join(directory, 'missing');
    await expectRefusal(() => PipelineRegistry.open({ directory: missing }), 'invalid_pipeline', missing);
  });

  it('loads neither the inference library nor FFmpeg', async () => {
    const program = `
      const { PipelineRegistry } = await import(${JSON.stringify(new URL('../../src/pipeline/registry.js', import.meta.url).href)});
      await PipelineRegistry.open();
      process.report.excludeNetwork = true;
      const { sharedObjects } = process.report.getReport();
      console.log(sharedObjects.filter((file) => /onnxruntime|node-av/.test(file)).length);`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout.trim()).to.equal('0');
  });

  it('has its files at the named paths', async () => {
    const file = new URL('src/pipeline/definitions/ocr_only.yaml', import.meta.resolve('#package.json'));
    expect(await readFile(file, 'utf8')).to.contain('id: ocr_only');
  });
});
