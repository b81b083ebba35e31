import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openServiceWithPages, type ServiceWithPages } from '../web/service-with-pages.ts';
import { until } from '../search/search-harness.ts';
import { reelstate, type Outcome } from './command-line.ts';

describe('the command line on segments', () => {
  let service: ServiceWithPages;
  let folder: string;
  let video: string;
  let jobId: string;
  const run = (...args: readonly string[]): Promise<Outcome> =>
    reelstate(args, { environment: { REELSTATE_URL: service.url }, cwd: folder });

  before(async () => {
    service = await openServiceWithPages();
    folder = await mkdtemp(join(tmpdir(), 'command-line-'));
    video = service.video('holiday.mp4');
    jobId = (await run('submit', video)).stdout.trim();
    await run('status', '--wait', jobId);
  });
  after(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('prints subtitles, text and tables', async () => {
    const srt = await run('results', '--format', 'srt', jobId);
    expect(srt.stdout).to.equal('1\n00:00:01,200 --> 00:00:02,000\nGate B12\n\n');
    expect((await run('results', '--format', 'txt', jobId)).stdout).to.equal('0:01.2–0:02.0  Gate B12\n');
    const table = join(folder, 'objects.csv');
    await run('results', '--segments', 'objects', '--format', 'csv', '--output', table, jobId);
    expect(await readFile(table, 'utf8')).to.match(/^\uFEFFkind,start_ms,/);
    expect((await run('results', '--segments', 'text', '--format', 'table', jobId)).code).to.equal(2);
  });

  it('saves subtitles of a submitted video', async () => {
    const { code } = await run('submit', '--output', folder, '--format', 'vtt', video);
    expect(code).to.equal(0);
    const [id = ''] = (await run('list', '--json')).stdout.match(/[0-9a-f-]{36}/) ?? [];
    expect(await readFile(join(folder, `${id}_segments.vtt`), 'utf8')).to.match(/^WEBVTT\n\n00:00:01\.200 --> /);
  });

  it('finds texts and objects in all videos', async () => {
    await run('status', '--wait', jobId);
    await until(() => service.search.state().isComplete);
    const found = await run('search', 'gate', 'B12');
    expect(found).to.deep.include({ code: 0, stderr: '' });
    expect(found.stdout.split('\n')).to.include(`${jobId}  holiday.mp4  0:01.200–0:02.000  Gate B12`);
    expect((await run('search', 'holiday')).stdout).to.contain(`${jobId}  holiday.mp4  in the name\n`);
    const label = await run('search', '--label', 'person', '--limit', '1', '--json');
    expect(JSON.parse(label.stdout)).to.have.nested.property('segments[0].label', 'person');
    expect(await run('search', 'nowhere')).to.deep.include({ code: 0, stdout: '' });
    expect((await run('search')).code).to.equal(2);
    expect((await run('search', 'a', '--from', 'yesterday')).code).to.equal(1);
  });

  it('reports by its exit code whether a text is seen, and names the nearest one', async () => {
    const met = await run('expect', video, '--text', 'Gate B12', '--within', '1s..3s', '--at-least', '500ms');
    expect(met).to.deep.include({ code: 0, stdout: 'met: "Gate B12" is seen: "Gate B12" at 0:01.200–0:02.000\n' });
    const missed = await run('expect', jobId, '--text', 'Gate B16', '--absent', 'Gate A1');
    expect(missed.code).to.equal(1);
    expect(missed.stdout).to.equal(
      'not met: "Gate B16" is not seen; nearest: "Gate B12" at 0:01.200–0:02.000\nmet: "Gate A1" is not seen\n',
    );
    expect((await run('expect', jobId, '--text', 'Gate B\\d+', '--regex')).code).to.equal(0);
    expect((await run('expect', jobId, '--text', 'Gote B12', '--edits', '1')).code).to.equal(0);
    expect((await run('expect', jobId, '--absent', 'Gate')).code).to.equal(1);
  });

  it('saves the frame in question', async () => {
    const [png, jpeg] = [join(folder, 'seen.png'), join(folder, 'nearest.jpg')];
    expect((await run('expect', jobId, '--text', 'Gate B12', '--still', png)).code).to.equal(0);
    expect(await readFile(png, 'utf8')).to.equal('png 1200');
    expect((await run('expect', jobId, '--text', 'Gate', '--text', 'Gate B16', '--still', jpeg)).code).to.equal(1);
    expect(await readFile(jpeg, 'utf8')).to.equal('jpeg 1200');
    expect((await run('expect', jobId, '--text', 'x', '--still', 'x.gif')).code).to.equal(2);
  });

  it('names saved files by a pattern, each its own, and in no other folder', async () => {
    const subtitles = '1\n00:00:01,200 --> 00:00:02,000\nGate B12\n\n';
    const outcome = await run('submit', '--format', 'srt', '--output', '{name}-{job_id}.srt', video);
    const [id = ''] = outcome.stdout.split(' ');
    expect(await readFile(join(folder, `holiday-${id}.srt`), 'utf8')).to.equal(subtitles);
    expect((await run('submit', '--format', 'srt', '--output', '{name}.srt', video, video)).code).to.equal(0);
    for (const name of ['holiday.srt', 'holiday (2).srt']) {
      expect(await readFile(join(folder, name), 'utf8')).to.equal(subtitles);
    }
    await run('results', '--format', 'srt', '--output', '{name}_again.srt', id);
    expect(await readFile(join(folder, 'holiday_again.srt'), 'utf8')).to.equal(subtitles);
  });

  it('writes a report for test runners', async () => {
    const report = join(folder, 'report.xml');
    expect((await run('expect', jobId, '--text', 'A < B', '--text', 'Gate', '--junit', report)).code).to.equal(1);
    const xml = await readFile(report, 'utf8');
    expect(xml).to.include('tests="2" failures="1"');
    expect(xml).to.include('name="text: A &lt; B"><failure message="not met: &quot;A &lt; B&quot; is not seen;');
  });

  it('rejects a command line without expectations or with an invalid time', async () => {
    for (const args of [
      [],
      ['--text', '(', '--regex'],
      ['--text', 'x', '--within', '6s..3s'],
      ['--text', 'x', '--at-least', '5'],
    ]) {
      expect((await run('expect', jobId, ...args)).code, args.join(' ')).to.equal(2);
    }
    expect((await run('expect', 'none.mp4', '--text', 'x')).code).to.equal(3);
  });
});
