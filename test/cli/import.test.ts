import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { openService, problemOf } from '../http/service-under-test.ts';
import { forge, framesWith, makeAnalysis } from '../local/made-analysis.ts';
import { reelstate, spawnReelstate, type Outcome } from './command-line.ts';

describe('reelstate import', () => {
  let folder: string;
  let dataDir: string;
  const run = (...args: readonly string[]): Promise<Outcome> =>
    reelstate(args, { environment: { DATA_DIR: dataDir }, cwd: folder });
  const idsIn = ({ stdout }: Outcome): readonly string[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 36));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'import-'));
    dataDir = join(folder, 'data');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('creates finished jobs with names, facts, history, results, segments and SQL rows', async () => {
    const paths = await makeAnalysis(join(folder, 'found'), 'MIND THE GAP');
    const imported = await run('import', 'found');
    expect(imported).to.include({ code: 0, stderr: '' });
    const [jobId = ''] = idsIn(imported);
    expect(imported.stdout).to.equal(`${jobId}  imported  MIND THE GAP.mp4\n`);

    for (const document of ['results', 'segments'] as const) {
      const stored = await readFile(join(dataDir, 'video_jobs', `${jobId}_${document}.json`), 'utf8');
      expect(stored).to.equal(await readFile(paths[document], 'utf8'));
    }
    const service = await openService({ folder: dataDir });
    try {
      const client = new ReelstateClient({ url: service.url });
      const { jobs } = await client.page();
      expect(jobs).to.have.lengthOf(1);
      expect(jobs[0]).to.deep.include({ job_id: jobId, status: 'completed', file_name: 'MIND THE GAP.mp4' });
      const job = await (await fetch(`${service.url}/video/jobs/${jobId}`)).json();
      expect(job).to.have.property('media').that.includes({ width: 320, duration_ms: 1_000 });
      const { transitions } = await client.transitions(jobId);
      expect(transitions.map(({ event, to, attempt }) => [event, to, attempt])).to.deep.equal([
        ['SUBMIT', 'pending', 0],
        ['START', 'running', 1],
        ['COMPLETE', 'completed', 1],
      ]);
      const results = [];
      for await (const frame of client.results(jobId)) results.push(frame);
      expect(results).to.deep.equal(framesWith('MIND THE GAP'));
      expect(await client.segments(jobId)).to.have.lengthOf(1);
      const second = await spawnReelstate(['import', 'found'], { environment: { DATA_DIR: dataDir }, cwd: folder });
      expect(second).to.include({ code: 1, stdout: '' });
      expect(second.stderr).to.contain('Stop it first');
      const video = await fetch(`${service.url}/video/source/${jobId}`);
      expect(await problemOf(video)).to.include({ status: 410, code: 'video_missing' });
    } finally {
      await service.close();
    }
  });

  it('supports SQL, and imports the same analysis once under any name', async () => {
    await makeAnalysis(join(folder, 'a'), 'first');
    await makeAnalysis(join(folder, 'a'), 'second');
    const first = await run('import', 'a');
    const again = await run('import', 'a', join('a', 'second_results.json'));
    expect(again.stdout).to.equal(first.stdout.replaceAll('imported', 'known   '));
    const record = JSON.parse(await readFile(join(folder, 'a', 'first_analysis.json'), 'utf8'));
    await writeFile(
      join(folder, 'a', 'renamed_analysis.json'),
      JSON.stringify({ ...record, file_name: 'renamed.mp4' }),
    );
    const renamed = await run('import', '--json', join('a', 'renamed_analysis.json'));
    expect(JSON.parse(renamed.stdout)).to.include({ status: 'known', job_id: idsIn(first)[0] });
    const sql = 'SELECT file_name, count(*) AS n FROM jobs JOIN texts USING (job_id) GROUP BY ALL ORDER BY ALL';
    const { stdout } = await run('query', '--format', 'csv', sql);
    expect(stdout.trim().split(/\r?\n/)).to.deep.equal(['file_name,n', 'first.mp4,5', 'second.mp4,5']);
  });

  it('rejects files that are not results of analyse, and imports the others', async () => {
    const line = (change: (frame: Record<string, unknown>) => unknown) => (text: string) => {
      const lines = text.split('\n');
      lines[3] = `${JSON.stringify(change(JSON.parse((lines[3] ?? '').slice(0, -1))))},`;
      return lines.join('\n');
    };
    const forgeries: Readonly<Record<string, (text: string) => string>> = {
      'a frame twice': line((frame) => ({ ...frame, frame_index: 1 })),
      'time going back': line((frame) => ({ ...frame, result: { timestamp_ms: 1 } })),
      'a field too many': line((frame) => ({ ...frame, more: 1 })),
      'a box beyond the frame': (text) => text.replace('[10,20,100,30]', '[10,20,400,30]'),
      'a confidence above 1': (text) => text.replace('0.99', '1.99'),
      'other spaces': (text) => text.replace('{"frame_index":2', '{ "frame_index":2'),
      'cut off': (text) => text.slice(0, text.lastIndexOf(',\n')),
      'a frame less': (text) => text.replace(/\{"frame_index":3.*\n/, ''),
      'text behind the end': (text) => `${text}more\n`,
    };
    for (const [name, change] of Object.entries(forgeries)) {
      await forge(await makeAnalysis(join(folder, 'forged'), name), change);
    }
    const changed = await makeAnalysis(join(folder, 'forged'), 'other sum');
    await writeFile(changed.results, (await readFile(changed.results, 'utf8')).replaceAll('sum', 'mus'));
    const outside = { file: '../secret_results.json', sha256: '0'.repeat(64), bytes: 1 };
    await makeAnalysis(join(folder, 'forged'), 'outside', framesWith('x'), { results: outside });
    await rm((await makeAnalysis(join(folder, 'forged'), 'without results')).results);
    await writeFile(join(folder, 'forged', 'no_analysis.json'), 'no JSON');
    const pipe = await makeAnalysis(join(folder, 'forged'), 'pipe');
    await rm(pipe.results);
    // Opening one would wait for a writer.
    execFileSync('mkfifo', [pipe.results, join(folder, 'forged', 'pipe-too_analysis.json')]);
    await symlink('/dev/zero', join(folder, 'forged', 'endless_analysis.json'));
    await makeAnalysis(join(folder, 'forged'), 'good');

    const { code, stdout, stderr } = await run('import', 'forged');
    expect(code).to.equal(3);
    expect(stdout.trim()).to.match(/^\S+ {2}imported {2}good\.mp4$/);
    const rejected = stderr.trim().split('\n');
    expect(rejected).to.have.lengthOf(Object.keys(forgeries).length + 7);
    for (const name of Object.keys(forgeries)) {
      expect(
        rejected.filter((text) => text.includes(`/${name}_results.json: `)),
        name,
      ).to.have.lengthOf(1);
    }
    expect(await run('import', 'forged', 'missing')).to.include({ code: 1, stdout: '' });
  });

  it('imports an intact copy of an analysis whose other copy is damaged', async () => {
    const damaged = await makeAnalysis(join(folder, 'node-1'), 'same');
    await makeAnalysis(join(folder, 'node-2'), 'same');
    await writeFile(damaged.results, 'damaged');
    const { code, stdout, stderr } = await run('import', 'node-1', 'node-2');
    expect(code).to.equal(3);
    expect(stdout).to.match(/^\S+ {2}imported {2}same\.mp4\n$/);
    expect(stderr).to.match(/^node-1\/same_analysis\.json: .*\n$/);
  });

  it('creates no data folder if there is no record', async () => {
    await mkdir(join(folder, 'empty'));
    expect(await run('import', 'empty')).to.include({ code: 1, stdout: '' });
    expect(await readdir(folder)).to.deep.equal(['empty']);
  });

  it('loses and doubles nothing when it is killed at random moments', async () => {
    const COUNT = 60;
    for (let index = 0; index < COUNT; index += 1) await makeAnalysis(join(folder, 'many'), `video ${index}`);
    const environment = { DATA_DIR: dataDir };
    const start = performance.now();
    const whole = await spawnReelstate(['import', 'many'], {
      environment: { DATA_DIR: join(folder, 'other') },
      cwd: folder,
    });
    const wholeMs = performance.now() - start;
    expect(whole.code).to.equal(0);
    for (let round = 0; round < 6; round += 1) {
      let timer: NodeJS.Timeout | undefined;
      await spawnReelstate(['import', 'many'], {
        environment,
        cwd: folder,
        onStart: (kill) => {
          timer = setTimeout(() => kill('SIGKILL'), Math.random() * wholeMs);
        },
      });
      clearTimeout(timer);
    }
    expect(await run('import', 'many')).to.include({ code: 0 });
    const service = await openService({ folder: dataDir });
    try {
      const listed = [];
      for await (const job of new ReelstateClient({ url: service.url }).list()) listed.push(job);
      expect(listed.map(({ job_id: id }) => id).toSorted()).to.deep.equal(idsIn(whole).toSorted());
      for (const { status } of listed) expect(status).to.equal('completed');
    } finally {
      await service.close();
    }
  });
});
