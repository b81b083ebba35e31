import { expect } from 'chai';
import { DEFAULT_VIDEO_LIMITS } from '../../src/pipeline/limits.ts';
import type { DecodeEvent } from '../../src/pool/threads/decode-thread.ts';
import { PictureRun } from '../../src/pool/threads/picture-run.ts';

describe('a request for pictures in the child', () => {
  it('keeps a picture that comes after an empty reply', async () => {
    let send: (event: DecodeEvent) => void = () => {};
    const posted: string[] = [];
    const run = new PictureRun(
      {
        listen: (listener) => {
          send = listener;
        },
        post: ({ kind }) => void posted.push(kind),
      },
      {
        filePath: 'video.mp4',
        wish: { kind: 'thumbnails', timesMs: [0, 40], keyframesOnly: false, longestSide: 320, maxBytes: 1000 },
        limits: DEFAULT_VIDEO_LIMITS,
        extraDecoders: [],
      },
    );
    const picture = (timestampMs: number) => ({ timestampMs, bytes: Uint8Array.of(timestampMs) });
    expect((await run.next()).pictures, 'a slow decoder').to.deep.equal([]);
    send({ kind: 'picture', picture: picture(0) });
    expect((await run.next()).pictures).to.deep.equal([picture(0)]);
    expect(posted).to.deep.equal(['look', 'pull']);
    const second = run.next();
    send({ kind: 'picture', picture: picture(40) });
    expect((await second).pictures).to.deep.equal([picture(40)]);
    const last = run.next();
    send({ kind: 'end' });
    expect(await last)
      .to.include({ done: true })
      .and.to.have.deep.property('pictures', []);
  });
});
