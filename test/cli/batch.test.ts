import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import type { Analyst } from '../../src/cli/batch/analyst.ts';
import { openBatchState } from '../../src/cli/batch/batch-state.ts';
import { LocalAnalyst } from '../../src/cli/batch/local-analyst.ts';
import { runBatch } from '../../src/cli/batch/run-batch.ts';
import { parseConfig } from '../../src/config.ts';
import { hashFile } from '../../src/local/analysis-record.ts';
import { createLog } from '../../src/log.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { VIDEO } from '../http/service-under-test.ts';
import { openServiceWithPages, type ServiceWithPages } from '../web/service-with-pages.ts';
import { reelstate, spawnReelstate, type Outcome } from './command-line.ts';

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

describe('reelstate batch against a service', () => {
  let service: ServiceWithPages;
  let folder: string;
  const run = (...args: readonly string[]): Promise<Outcome> =>
    reelstate(['batch', ...args], { environment: { REELSTATE_URL: service.url }, cwd: folder });
  /** Passes the check of the file type. */
  const put = async (path: string, content: string): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), Buffer.concat([VIDEO, Buffer.from(content)]));
  };
  const jobs = async (): Promise<number> => {
    const counts = await service.store.countByStatus();
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  };
  const report = ({ stdout }: Outcome): unknown => JSON.parse(linesOf(stdout).at(-1) ?? '').report;

  beforeEach(async () => {
    service = await openServiceWithPages();
    folder = await mkdtemp(join(tmpdir(), 'batch-'));
  });
  afterEach(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('analyses each content once under any name, and continues where it stopped', async () => {
    await put('videos/a.mp4', 'one');
    await put('videos/deep/er/b.MP4', 'two');
    await put('videos/deep/same-as-a.mp4', 'one');
    await put('videos/notes.txt', 'three');
    const args = ['videos', '--output', '{dir}/{name}.srt'];
    const first = await run(...args);
    expect(first).to.include({ code: 0, stderr: '' });
    expect(linesOf(first.stdout).at(-1)).to.equal('3 videos: 3 done, 0 skipped, 0 failed');
    expect(await jobs()).to.equal(2);
    const subtitles = await readFile(join(folder, 'videos/a.srt'), 'utf8');
    expect(subtitles).to.contain('Gate B12');
    for (const path of ['deep/er/b.srt', 'deep/same-as-a.srt']) {
      expect(await readFile(join(folder, 'videos', path), 'utf8'), path).to.equal(subtitles);
    }
    expect(report(await run(...args, '--json'))).to.deep.equal({ videos: 3, done: 0, skipped: 3, failed: {}, open: 0 });

    await rename(join(folder, 'videos/a.mp4'), join(folder, 'videos/renamed.mp4'));
    await rm(join(folder, 'videos/deep/same-as-a.srt'));
    expect(report(await run(...args, '--json'))).to.include({ done: 2, skipped: 1 });
    expect(await readFile(join(folder, 'videos/renamed.srt'), 'utf8')).to.equal(subtitles);
    expect(await jobs()).to.equal(2);
    await put('videos/renamed.mp4', 'other content');
    expect(report(await run(...args, '--json'))).to.include({ done: 1, skipped: 2 });
    expect(await jobs()).to.equal(3);
    expect(report(await run(...args, '--json', '--max-frames', '7'))).to.include({ done: 3 });
    expect(await jobs()).to.equal(6);
  });

  it('analyses files whose names have line breaks, leading dashes or 255 bytes', async () => {
    const names = ['line\nbreak/-x.mp4', '--y.mp4', `${'z'.repeat(251)}.mp4`];
    for (const name of names) await put(join('videos', name), name);
    expect(report(await run('videos', '--output', '{dir}/{name}.srt', '--json'))).to.include({ done: 3, open: 0 });
    for (const name of names) {
      const subtitles = await readFile(join(folder, 'videos', name.replace('.mp4', '.srt')), 'utf8');
      expect(subtitles, name).to.contain('Gate B12');
    }
  });

  it('finds the jobs of a run without its notes, and creates new ones for deleted results', async () => {
    await put('videos/a.mp4', 'one');
    await run('videos');
    await rm(join(folder, '.reelstate-batch'), { recursive: true });
    expect(report(await run('videos', '--json'))).to.include({ done: 0, skipped: 1 });
    expect(await jobs()).to.equal(1);
    const [{ job_id: jobId }] = linesOf((await run('videos', '--json')).stdout).map((line) => JSON.parse(line));
    await fetch(`${service.url}/video/jobs/${jobId}`, { method: 'DELETE' });
    expect(await run('videos', '--output', 'found/{subdir}/{name}.vtt')).to.include({ code: 0 });
    expect(await readFile(join(folder, 'found/a.vtt'), 'utf8')).to.contain('Gate B12');
    expect(await jobs()).to.equal(2);
  });

  it('reports failures by reason with 3, and repeats them only on request', async () => {
    await writeFile(join(folder, 'text.mp4'), 'no video');
    await put('good.mp4', 'good');
    await put('bad.mp4', 'bad');
    service.pipelines.hold();
    const running = run('.', '--jobs', '1', '--match', 'b*.mp4', '--json');
    const jobId = await submitted(service);
    await service.engine.cancel(jobId);
    service.pipelines.release();
    expect(await running).to.include({ code: 3 });
    await writeFile(join(folder, 'list'), 'text.mp4\n\ngood.mp4\nbad.mp4\nnone.mp4\n');
    const { code, stdout } = await run('list', '--json');
    expect(code).to.equal(3);
    const lines = linesOf(stdout).map((line) => JSON.parse(line));
    expect(lines.at(-1).report).to.deep.equal({
      videos: 4,
      done: 1,
      skipped: 0,
      failed: { cancelled: 1, input_missing: 1, invalid_mp4: 1 },
      open: 0,
    });
    expect(await jobs()).to.equal(2);
    expect(report(await run('list', '--json', '--retry-failed'))).to.include({ done: 1, skipped: 1 });
    expect(await jobs()).to.equal(3);
  });

  it('rejects invalid options and then does nothing', async () => {
    await put('a/x.mp4', 'one');
    await put('b/x.mp4', 'two');
    for (const wrong of [
      ['.', '--output', '{name}.srt'],
      ['.', '--output', 'one.srt'],
      ['.', '--output', '{dir}/{name}.mp4'],
      ['.', '--threads', '2'],
      ['.', '--jobs', '0'],
    ]) {
      expect((await run(...wrong)).code, wrong.join(' ')).to.equal(2);
    }
    expect((await run('a/x.mp4')).stderr).to.contain('not a list of paths');
    expect((await run('.', '--match', '*.mov')).code).to.equal(1);
    expect((await run('.', '--pipeline', 'none')).stderr).to.contain('ocr_only');
    expect(await jobs()).to.equal(0);
    service.pipelines.hold();
    const first = run('.', '--match', 'a/*');
    await submitted(service);
    const second = await spawnReelstate(['batch', '.'], { cwd: folder, environment: { REELSTATE_URL: service.url } });
    service.pipelines.release();
    expect(second).to.include({ code: 1, stdout: '' });
    expect(second.stderr).to.contain('--state');
    expect(await first).to.include({ code: 0 });
  });
});

/** The id of the next accepted job, or of one that exists. */
async function submitted({ engine, store }: ServiceWithPages) {
  const accepted = new Promise<void>((resolve) => {
    const end = engine.onTransition(() => {
      end();
      resolve();
    });
  });
  const [there] = await store.newest({}, 1);
  if (there !== undefined) return there.jobId;
  await accepted;
  const [job] = await store.newest({}, 1);
  if (job === undefined) throw new Error('no job was accepted');
  return job.jobId;
}

describe('reelstate batch at a service that is busy', () => {
  it('waits for Retry-After with the same key, and stops on a final rejection', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batch-'));
    const keys: unknown[] = [];
    const pipeline = { id: 'ocr_only', description: '', nodes: [], edges: [], outputs: [] };
    const answers: readonly (readonly [number, object])[] = [
      [429, { code: 'too_many_requests', detail: 'too many' }],
      [503, { code: 'queue_full', detail: 'too many wait' }],
      [401, { code: 'unauthorized', detail: 'no key' }],
    ];
    const server = createServer((request, response) => {
      request.resume().once('end', () => {
        const [status, body] =
          request.url === '/pipelines' ? [200, { pipelines: [pipeline] }] : (answers[keys.length] ?? [500, {}]);
        if (request.url !== '/pipelines') keys.push(request.headers['idempotency-key']);
        response.writeHead(status, { 'Retry-After': '0' }).end(JSON.stringify(body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      for (const name of ['a.mp4', 'b.mp4']) await writeFile(join(folder, name), name);
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const args = ['--url', `http://127.0.0.1:${port}`, 'batch', '.', '--jobs', '1'];
      const { code, stdout, stderr } = await reelstate(args, { cwd: folder });
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '2 videos: 0 done, 0 skipped, 0 failed, 2 open\n' });
      expect(stderr).to.equal('reelstate: no key. try again in 0 s\n');
      expect(keys).to.have.lengthOf(3);
      expect(new Set(keys)).to.have.property('size', 1);
    } finally {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true });
    }
  });
});

describe('two batches with the same outputs', () => {
  it('write whole files and leave no draft', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batch-'));
    try {
      await writeFile(join(folder, 'a.mp4'), 'a');
      const output = join(folder, 'out', 'a.txt');
      const write = async (name: string, text: () => AsyncIterable<string>): Promise<void> => {
        await using state = await openBatchState(join(folder, name));
        const analyst: Analyst = {
          parameters: {},
          analyse: async () => ({ status: 'completed', isNew: true }),
          save: async (_subject, _format, _signal, save) => save(text()),
          [Symbol.asyncDispose]: async () => {},
        };
        const { signal } = new AbortController();
        const { ledger, draftTag } = state;
        const tasks = [{ path: join(folder, 'a.mp4'), output, format: 'txt' }] as const;
        await runBatch(tasks, { analyst, ledger, draftTag, jobs: 1, signal, onReport: async () => {} });
      };
      await write('first', async function* () {
        yield 'written by ';
        await write('second', async function* () {
          yield 'the second';
        });
        yield 'the first';
      });
      expect(await readFile(output, 'utf8')).to.equal('written by the first');
      expect(await readdir(join(folder, 'out'))).to.deep.equal(['a.txt']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('reelstate batch --analyse', () => {
  it('analyses each content once on this machine, and import reads what it keeps', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'batch-'));
    try {
      const recipe = { width: 200, height: 80, frames: 2, picture: 'color=color=gray' };
      await mkdir(join(folder, 'videos'));
      for (const text of ['ALPHA', 'BRAVO']) {
        const captions = [{ text, x: 10, y: 20, size: 36 }];
        makeVideo({ ...recipe, path: join(folder, 'videos', `${text}.mp4`), captions });
      }
      const broken = Buffer.concat([VIDEO, Buffer.alloc(4_000)]);
      await writeFile(join(folder, 'videos', 'broken.mp4'), broken);
      const run = (...args: readonly string[]): Promise<Outcome> =>
        reelstate(['batch', 'videos', '--analyse', '--json', '--output', 'out/{name}.txt', ...args], {
          environment: { PIPELINE_THREADS: '1' },
          cwd: folder,
        });
      const reportOf = ({ stdout }: Outcome): unknown => JSON.parse(linesOf(stdout).at(-1) ?? '').report;
      const first = await run();
      expect(first.code).to.equal(3);
      expect(reportOf(first)).to.deep.include({ done: 2, failed: { invalid_video: 1 } });
      expect(await readFile(join(folder, 'out/BRAVO.txt'), 'utf8')).to.contain('BRAVO');

      const kept = join(folder, '.reelstate-batch', 'analyses');
      const written = async (): Promise<unknown> =>
        Promise.all((await readdir(kept)).map(async (name) => [name, (await stat(join(kept, name))).mtimeMs]));
      const before = await written();
      expect(before).to.have.lengthOf(6);
      await rename(join(folder, 'videos/ALPHA.mp4'), join(folder, 'videos/renamed.mp4'));
      const again = await run('--threads', '1');
      expect(reportOf(again)).to.deep.include({ done: 1, skipped: 1, failed: { invalid_video: 1 } });
      expect(await written()).to.deep.equal(before);

      const imported = await reelstate(['import', '.reelstate-batch'], { cwd: folder });
      expect(imported).to.include({ code: 0, stderr: '' });
      const names = linesOf(imported.stdout).map((line) => line.split('  ').at(-1));
      expect(names).to.have.members(['ALPHA.mp4', 'BRAVO.mp4']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('lets its processes read the folders of the videos and no other', async function whereSupported() {
    const { levels } = await detectIsolation({ environment: process.env });
    if (!levels.includes('files')) this.skip();
    const folder = await mkdtemp(join(tmpdir(), 'batch-'));
    try {
      for (const name of ['links', 'videos', 'other']) await mkdir(join(folder, name));
      const [link, video, other] = ['links/a.mp4', 'videos/a.mp4', 'other/b.mp4'].map((path) => join(folder, path));
      if (link === undefined || video === undefined || other === undefined) throw new Error('no paths');
      makeVideo({ path: video, width: 64, height: 64, frames: 1 });
      makeVideo({ path: other, width: 64, height: 64, frames: 2 });
      await symlink(video, link);
      await using state = await openBatchState(join(folder, 'state'));
      await using analyst = await LocalAnalyst.open({
        config: parseConfig({ PIPELINE_THREADS: '1', DATA_DIR: join(folder, 'none') }),
        log: createLog('silent'),
        ledger: state.ledger,
        folder: state.analysesFolder,
        draftTag: state.draftTag,
        videos: [link, join(folder, 'none', 'absent.mp4')],
        pipelineId: 'ocr_only',
        options: { frame_stride: 1 },
        retryFailed: false,
      });
      const { signal } = new AbortController();
      const endings = [];
      for (const path of [link, other]) {
        endings.push(await analyst.analyse({ path, video: await hashFile(path, signal), key: basename(path) }, signal));
      }
      expect(endings.map(({ status }) => status)).to.deep.equal(['completed', 'failed']);
      expect(state.ledger.failure(basename(other)), 'not a fault of the content').to.equal(undefined);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
