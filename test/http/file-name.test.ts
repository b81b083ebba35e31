import { expect } from 'chai';
import { assert, property, string } from 'fast-check';
import { cleanFileName } from '../../src/http/uploads/file-name.ts';
import { jobsResponseSchema } from '../../src/http/routes/jobs.ts';
import { form, openService, VIDEO } from './service-under-test.ts';

describe('cleanFileName', () => {
  it('keeps the name and removes paths, control and direction characters', () => {
    const names: readonly (readonly [string | undefined, string | null])[] = [
      ['holiday.mp4', 'holiday.mp4'],
      ['../../etc/passwd.mp4', 'passwd.mp4'],
      [String.raw`C:\Users\me\clip.mp4`, 'clip.mp4'],
      ['evil\u202E4pm.exe', 'evil4pm.exe'],
      ['a\u0000b\r\nc\u2066.mp4', 'abc.mp4'],
      ['  中文 😀.mp4 ', '中文 😀.mp4'],
      ['', null],
      ['a/', null],
      ['..', null],
      [undefined, null],
      ['\u0007', null],
    ];
    for (const [given, kept] of names) expect(cleanFileName(given), JSON.stringify(given)).to.equal(kept);
  });

  it('cuts a long name before its extension, between characters', () => {
    const name = cleanFileName(`${'ü'.repeat(300)}.mp4`) ?? '';
    expect(name).to.match(/^ü+\.mp4$/);
    expect(Buffer.byteLength(name)).to.equal(254);
  });

  it('is idempotent and never returns more than 255 bytes', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 400 }), (given) => {
        const name = cleanFileName(given);
        if (name === null) return;
        expect(Buffer.byteLength(name)).to.be.at.most(255);
        expect(name).not.to.match(/[/\\\p{Cc}\u202A-\u202E]/u);
        expect(cleanFileName(name)).to.equal(name);
      }),
    );
  });
});

describe('KEEP_FILE_NAMES=false', () => {
  it('stores no names', async () => {
    const service = await openService({ keepFileNames: false });
    try {
      await fetch(`${service.url}/video/submit?pipeline_id=ocr_only`, {
        method: 'POST',
        body: form({}, VIDEO, 'a.mp4'),
      });
      const { jobs } = jobsResponseSchema.parse(await (await fetch(`${service.url}/video/jobs`)).json());
      expect(jobs.map(({ file_name: name }) => name)).to.deep.equal([null]);
    } finally {
      await service.close();
    }
  });
});
