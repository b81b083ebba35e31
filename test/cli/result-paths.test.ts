import { expect } from 'chai';
import { ResultPaths } from '../../src/cli/result-paths.ts';

describe('the paths of saved results', () => {
  const pathOf = (output: string, fileName: string | undefined) =>
    new ResultPaths(output).pathFor({ jobId: 'the-id', fileName, format: 'srt' });

  it('have the name of the video without its ending', async () => {
    expect(await pathOf('a/{name}.srt', 'my film.final.mp4')).to.equal('a/my film.final.srt');
    expect(await pathOf('{job_id}/{name}-{name}.srt', 'x.mp4')).to.equal('the-id/x-x.srt');
    expect(await pathOf('{name}.srt', undefined)).to.equal('the-id.srt');
    expect(await pathOf('{other}.srt', 'x.mp4')).to.equal('{other}.srt');
  });

  it('cannot leave the folder or control a terminal, for any name of the video', async () => {
    for (const [name, expected] of [
      ['../../etc/passwd', 'passwd'],
      ['..\\..\\boot.ini', 'boot'],
      ['...mp4', 'the-id'],
      ['..', 'the-id'],
      ['.profile', 'profile'],
      ['a\u001b[31mb\u202egpj.mp4', 'a_[31mb_gpj'],
      ['C:x.mp4', 'C_x'],
      ['{job_id}.mp4', '{job_id}'],
      [`${'é'.repeat(300)}.mp4`, 'é'.repeat(100)],
    ] as const) {
      expect(await pathOf('out/{name}.srt', name), name).to.equal(`out/${expected}.srt`);
    }
  });

  it('get a number where another job has them', async () => {
    const paths = new ResultPaths('{name}.srt');
    const names = ['a.mp4', 'A.mov', 'a (2).mp4', 'b.mp4'];
    const made: string[] = [];
    for (const fileName of names) made.push(await paths.pathFor({ jobId: 'id', fileName, format: 'srt' }));
    expect(made).to.deep.equal(['a.srt', 'A (2).srt', 'a (2) (2).srt', 'b.srt']);
  });
});
