import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { ServiceError } from '../../src/errors.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { words } from './boxes.ts';

const run = promisify(execFile);

describe('decodeFrames of a video that asks for much', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'much-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  it('yields every frame or fails: refused memory does not count as damage', async function () {
    const isolation = await detectIsolation({ environment: process.env });
    if (!isolation.levels.includes('memory')) {
      console.log('    skipped: this machine has no prlimit');
      this.skip();
    }
    const path = join(folder, 'large.mp4');
    // The decoder keeps reference frames of 50 MB each; with 600 MB it returned 4 of the 8.
    makeVideo({
      path,
      width: 7680,
      height: 4320,
      frames: 8,
      picture: 'color=color=gray',
      encoderOptions: { refs: 4, bf: 3, preset: 'ultrafast' },
    });
    const program = `
      const { decodeFrames } = await import(${JSON.stringify(import.meta.resolve('../../src/pipeline/decode.js'))});
      const { serviceErrorOf } = await import(${JSON.stringify(import.meta.resolve('../../src/pool/child-errors.js'))});
      let frames = 0;
      try {
        for (const _ of decodeFrames(${JSON.stringify(path)})) frames += 1;
        console.log(frames);
      } catch (error) {
        console.log(serviceErrorOf(error).code);
      }`;
    // The limit counts mappings, of which a bare Node.js has 50 to 570 MB, depending on its version.
    const { stdout: status } = await run(process.execPath, ['--print', 'fs.readFileSync("/proc/self/status", "utf8")']);
    const bareKb = Number(/^VmData:\s*(\d+)/m.exec(status)?.[1]);
    const limited = [`--data=${bareKb * 1024 + 550_000_000}`, '--', ...isolation.command];
    const { stdout } = await run('prlimit', [...limited, '--input-type=module', '--eval', program]);
    expect(stdout.trim()).to.be.oneOf(['8', 'memory_limit']);
  });

  it('refuses pixels of absurd proportions', () => {
    const path = join(folder, 'wide.mp4');
    makeVideo({ path, width: 16, height: 16, frames: 1, codec: 'mjpeg', pixelAspect: [3, 2] });
    const bytes = readFileSync(path);
    for (const wide of [100_000, 129_000]) {
      words(wide, 1).copy(bytes, bytes.indexOf('pasp') + 4);
      writeFileSync(path, bytes);
      expect(() => [...decodeFrames(path)])
        .to.throw(ServiceError, `16 x 16 pixels, shown as ${16 * wide} x 16`)
        .with.property('code', 'invalid_video');
    }
  });
});
