import { expect } from 'chai';
import { classify } from '../../src/engine/classify-error.ts';
import { ServiceError, type ErrorCode } from '../../src/errors.ts';

const systemError = (code: string) =>
  Object.assign(new Error(`${code}: refused, open '/data/video_jobs/x'`), { code, syscall: 'open', errno: -1 });

describe('an error during a job', () => {
  for (const [code, failure] of [
    ['invalid_video', 'invalid_video'],
    ['too_large', 'too_large'],
    ['memory_limit', 'memory_limit'],
    ['timeout', 'timeout'],
    ['input_missing', 'input_missing'],
    ['file_missing', 'input_missing'],
    ['unknown_pipeline', 'internal'],
    ['invalid_model', 'internal'],
  ] as const) {
    it(`with the code ${code} concerns the video and fails the job with ${failure}`, () => {
      const message = 'why';
      expect(classify(new ServiceError(code, message))).to.deep.equal({ kind: 'video', code: failure, message });
    });
  }

  const refusals: readonly ErrorCode[] = [
    'store_unavailable',
    'storage_full',
    'storage_unavailable',
    'child_unavailable',
  ];
  for (const code of refusals) {
    it(`with the code ${code} concerns the environment`, () => {
      expect(classify(new ServiceError(code, 'why'))).to.include({ kind: 'environment', code });
    });
  }

  for (const errno of ['EACCES', 'EMFILE', 'ENFILE', 'EIO', 'EROFS', 'ENOENT', 'EAGAIN', 'ENOMEM']) {
    it(`of the system, ${errno}, concerns the environment, also as a cause`, () => {
      const expected = { kind: 'environment', code: 'storage_unavailable' };
      expect(classify(systemError(errno))).to.include(expected);
      const wrapped = new Error('while starting', { cause: new Error('again', { cause: systemError(errno) }) });
      expect(classify(wrapped)).to.include(expected);
    });
  }

  for (const errno of ['ENOSPC', 'EDQUOT']) {
    it(`of the system, ${errno}, is a full disk`, () => {
      expect(classify(systemError(errno))).to.include({ kind: 'environment', code: 'storage_full' });
    });
  }

  for (const code of ['decoder_crashed', 'stalled', 'interrupted'] as const) {
    it(`with the code ${code} concerns the attempt`, () => {
      expect(classify(new ServiceError(code, 'why', { retryable: true }))).to.include({ kind: 'attempt', code });
    });
  }

  for (const error of [new TypeError('a defect'), 'thrown text', undefined, new ServiceError('job_conflict', 'why')]) {
    it(`that is unknown (${String(error)}) concerns the attempt`, () => {
      expect(classify(error)).to.include({ kind: 'attempt', code: 'internal' });
    });
  }

  it('of a video stays a video error, with any cause', () => {
    const error = new ServiceError('invalid_video', 'broken', { cause: systemError('EIO') });
    expect(classify(error)).to.include({ kind: 'video', code: 'invalid_video' });
  });

  for (const [message, shown] of [
    [`ENOENT: no such file, rename '/data/a b/incoming/x' -> "/data/y"`, 'ENOENT: no such file, rename … -> …'],
    ['cannot open /srv/data/jobs.duckdb: denied', 'cannot open …: denied'],
    ['/srv/data is missing', '… is missing'],
    ['24/1 frames of kind application/json', '24/1 frames of kind application/json'],
  ] as const) {
    it(`shows ${JSON.stringify(message)} without paths of the machine`, () => {
      expect(classify(new Error(message)).message).to.equal(shown);
    });
  }
});
