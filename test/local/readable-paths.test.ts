import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readableFolders, readableVideos } from '../../src/local/readable-paths.ts';

describe('what the child processes of the command line can read', () => {
  const inFolders = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, n) => `/none/videos/folder-${n}/video.mp4`);

  it('is the videos, or their folders if there are more than 500', () => {
    expect(readableVideos(inFolders(500))).to.deep.equal(inFolders(500));
    const many = Array.from({ length: 501 }, (_, n) => `/none/videos/video-${n}.mp4`);
    expect(readableVideos(many)).to.deep.equal(['/none/videos']);
  });

  it('is the folder above more than 500 folders, never everything at once', () => {
    expect(readableFolders(inFolders(500))).to.have.length(500);
    expect(readableFolders([...inFolders(501), '/none/other/folder/video.mp4'])).to.deep.equal([
      '/none/videos',
      '/none/other',
    ]);
  });

  it('is the folder that a link leads to', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'readable-')));
    try {
      await writeFile(join(folder, 'video.mp4'), '');
      const link = join(tmpdir(), `${folder.slice(-6)}.mp4`);
      await symlink(join(folder, 'video.mp4'), link);
      expect(readableFolders([link])).to.deep.equal([folder]);
      await rm(link);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
