import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { openService, problemOf, VIDEO, type ServiceUnderTest } from './service-under-test.ts';

describe('GET /video/source/{job_id}', () => {
  let service: ServiceUnderTest;
  let jobId: string;
  const video = Buffer.concat([VIDEO, Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251))]);
  before(async () => {
    service = await openService();
    jobId = await service.submit(video);
  });
  after(() => service.close());

  const get = (headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(`${service.url}/video/source/${jobId}`, { method, headers });
  const bytesOf = async (answer: Response): Promise<Buffer> => Buffer.from(await answer.arrayBuffer());

  it('is the stored video, byte for byte, and cannot be interpreted as a page', async () => {
    const answer = await get();
    expect(answer.status).to.equal(200);
    expect((await bytesOf(answer)).equals(video)).to.equal(true);
    const { headers } = answer;
    expect(headers.get('content-type')).to.equal('video/mp4');
    expect(headers.get('content-length')).to.equal(String(video.length));
    expect(headers.get('accept-ranges')).to.equal('bytes');
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
    expect(headers.get('content-disposition')).to.equal('inline; filename="video.mp4"');
  });

  it('responds to one range with 206', async () => {
    const size = video.length;
    const ranges = [
      ['bytes=0-9', 0, 9],
      ['bytes=100-', 100, size - 1],
      ['bytes=-7', size - 7, size - 1],
      ['bytes=500-999999', 500, size - 1],
      ['bytes=-999999', 0, size - 1],
    ] as const;
    for (const [range, start, end] of ranges) {
      const answer = await get({ range });
      expect(answer.status, range).to.equal(206);
      expect(answer.headers.get('content-range')).to.equal(`bytes ${start}-${end}/${size}`);
      expect(answer.headers.get('content-length')).to.equal(String(end - start + 1));
      expect((await bytesOf(answer)).equals(video.subarray(start, end + 1)), range).to.equal(true);
    }
  });

  it('responds to a range beyond the end with 416 and the length', async () => {
    for (const range of [`bytes=${video.length}-`, 'bytes=-0']) {
      const answer = await get({ range });
      expect(answer.headers.get('content-range'), range).to.equal(`bytes */${video.length}`);
      expect(await problemOf(answer)).to.include({ status: 416, code: 'range_not_satisfiable' });
    }
  });

  it('responds with the whole video to unknown units, several ranges, and a range of another file', async () => {
    const whole = ['lines=1-2', 'bytes=9-3', 'bytes=x-', 'bytes=0-1,5-6', 'bytes=-'];
    for (const range of whole) expect((await get({ range })).status, range).to.equal(200);
    expect((await get({ range: 'bytes=0-1', 'if-range': '"another"' })).status).to.equal(200);
    expect((await get({ range: 'bytes=0-1', 'if-range': `"${jobId}"` })).status).to.equal(206);
  });

  it('gives its length to HEAD', async () => {
    const answer = await get({}, 'HEAD');
    expect([answer.status, answer.headers.get('content-length')]).to.deep.equal([200, String(video.length)]);
  });

  it('is 404 for an unknown job, and 410 for a deleted video', async () => {
    const unknown = await fetch(`${service.url}/video/source/${uuidv7()}`);
    expect((await problemOf(unknown)).code).to.equal('job_not_found');
    await service.storage.deleteFile(`${jobId}.mp4`);
    expect(await problemOf(await get())).to.include({ status: 410, code: 'video_missing' });
  });
});
