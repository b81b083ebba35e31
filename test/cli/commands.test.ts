import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { jobIdSchema } from '../../src/job.ts';
import { openService, VIDEO } from '../http/service-under-test.ts';
import { openServiceWithPages, RESULTS, type ServiceWithPages } from '../web/service-with-pages.ts';
import { reelstate, spawnReelstate, type Outcome } from './command-line.ts';
import { jobIn } from '../job-in.ts';

const REELSTATE = fileURLToPath(new URL('../../src/cli/reelstate.js', import.meta.url));

describe('the command line', function () {
  let service: ServiceWithPages;
  let folder: string;
  let video: string;
  const run = (...args: readonly string[]): Promise<Outcome> =>
    reelstate(args, { environment: { REELSTATE_URL: service.url }, cwd: folder });
  const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

  before(async () => {
    service = await openServiceWithPages();
    folder = await mkdtemp(join(tmpdir(), 'command-line-'));
    video = service.video('holiday.mp4');
  });
  after(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it('submits videos, prints their jobs, and reports rejected files', async () => {
    const text = join(folder, 'notes.mp4');
    await writeFile(text, 'no video at all, only text in a file');
    const { code, stdout, stderr } = await run('submit', video, text, 'none.mp4', video, '--pipeline', 'yolo_ocr');
    expect(code).to.equal(3);
    const accepted = lines(stdout).map((line) => line.split('  '));
    expect(accepted.map(([, file]) => file)).to.deep.equal([video, video]);
    const jobIds = accepted.map(([jobId = '']) => jobId);
    expect(lines(stderr)[0]).to.equal(`${text}: Invalid MP4 file`);
    expect(lines(stderr)[1]).to.match(/^none\.mp4: ENOENT/);
    const states = await run('status', '--wait', ...jobIds);
    expect(states.code).to.equal(0);
    expect(lines(states.stdout).map((line) => line.split(/ {2,}/).slice(0, 2))).to.deep.equal(
      jobIds.map((jobId) => [jobId, 'completed']),
    );
    expect(states.stderr).to.equal('');
  });

  it('adds and lists models, and refuses one that has not the form of its format', async () => {
    const here = { environment: { DATA_DIR: join(folder, 'data') }, cwd: folder };
    const file = fileURLToPath(new URL('src/pipeline/models/nanodet.onnx', import.meta.resolve('#package.json')));
    const added = await reelstate(['models', 'add', 'mine', '--from', file, '--format', 'nanodet'], here);
    expect(added.stdout).to.match(/^added mine: nanodet, 80 labels, sha256 [0-9a-f]{64}\n$/);
    const refused = await reelstate(['models', 'add', 'other', '--from', file, '--format', 'yolox'], here);
    expect(refused.code).to.equal(1);
    const wrongKind = await reelstate(
      ['models', 'add', 'text', '--kind', 'text', '--from', file, '--format', 'nanodet'],
      here,
    );
    expect(wrongKind).to.include({ code: 1, stderr: 'reelstate: The format nanodet is of kind objects, not text\n' });
    const listed = await reelstate(['models', 'list'], here);
    expect(lines(listed.stdout).map((line) => line.split('  ').slice(0, 3))).to.deep.equal([
      ['nanodet', 'objects', 'nanodet'],
      ['mine', 'objects', 'nanodet'],
    ]);
  });

  it('retries a busy service, and says what was not submitted when it stops accepting', async () => {
    const responses: readonly (readonly [number, object])[] = [
      [503, { code: 'queue_full', detail: 'Too many jobs are waiting' }],
      [202, { job_id: 'first' }],
      [500, { code: 'internal', detail: 'The service failed' }],
      [202, { job_id: 'first' }],
      [500, { code: 'internal', detail: 'The service failed' }],
      [200, { job_id: 'first', status: 'completed', progress: 1, created_at: '', updated_at: '' }],
      [200, { results: [] }],
    ];
    const keys: unknown[] = [];
    const server = createServer((request, response) => {
      const [status, body] = responses[keys.length] ?? [500, {}];
      keys.push(request.headers['idempotency-key']);
      request.resume().once('end', () => {
        response.writeHead(status, status === 503 ? { 'Retry-After': '0' } : {}).end(JSON.stringify(body));
      });
    });
    const listening = once(server, 'listening');
    server.listen(0, '127.0.0.1');
    await listening;
    try {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const url = ['--url', `http://127.0.0.1:${port}`];
      const busy = await reelstate([...url, 'submit', video, video, 'c.mp4']);
      expect(busy.code).to.equal(1);
      expect(busy.stdout).to.equal(`first  ${video}\n`);
      expect(lines(busy.stderr)).to.deep.equal(['reelstate: The service failed', `Not submitted: ${video} c.mp4`]);
      expect(keys).to.have.lengthOf(3);
      expect(keys[1]).to.equal(keys[0]);
      expect(keys[2]).not.to.equal(keys[1]);
      // What was accepted is followed to its end all the same.
      await mkdir(join(folder, 'some'));
      const followed = await reelstate([...url, 'submit', '--output', 'some', video, video], { cwd: folder });
      expect(followed.code).to.equal(1);
      expect(followed.stdout).to.match(/^first {2}completed/);
      expect(await readFile(join(folder, 'some', 'first_results.json'), 'utf8')).to.equal('{"results":[]}');
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('passes on the selection of frames and regions', async () => {
    const flags = ['--sample-every-ms', '500', '--from-ms', '0', '--to-ms', '900', '--keyframes-only'];
    const { code, stdout } = await run('submit', '--json', ...flags, '--region', '0.25,0,0.5,1', video);
    expect(code).to.equal(0);
    const { options } = await jobIn(service.store, jobIdSchema.parse(JSON.parse(stdout).job_id));
    expect(options).to.deep.equal({
      frame_stride: 1,
      sample_every_ms: 500,
      from_ms: 0,
      to_ms: 900,
      keyframes_only: true,
      region: [0.25, 0, 0.5, 1],
    });
    for (const wrong of [
      ['--region', '0,0,1'],
      ['--from-ms', '-1'],
      ['--frame-stride', '2', '--sample-every-ms', '9'],
    ]) {
      expect((await run('submit', ...wrong, video)).code, wrong.join(' ')).to.equal(2);
    }
  });

  it('submits with a tag, analyses stored videos again, and lists by tag and name', async () => {
    const first = lines((await run('submit', '--tag', 'summer', '--frame-stride', '7', video)).stdout);
    const [firstId = ''] = first;
    const again = await run('submit', '--rerun', '--pipeline', 'yolo_ocr', firstId);
    const [secondId = ''] = lines(again.stdout);
    const job = await jobIn(service.store, jobIdSchema.parse(secondId));
    expect(job).to.deep.include({ tag: 'summer', fileName: 'holiday.mp4', pipelineId: 'yolo_ocr' });
    expect(job.options).to.deep.equal({ frame_stride: 7 });
    const unknown = await run('submit', '--rerun', '019ddddd-0000-7000-8000-000000000000');
    expect(unknown.code).to.equal(3);
    const listed = await run('list', '--tag', 'summer', '--name', 'HOLIDAY');
    expect(lines(listed.stdout).map((line) => line.split(' ')[0])).to.deep.equal([secondId, firstId]);
    expect((await run('list', '--tag', 'winter')).stdout).to.equal('');
    await run('status', '--wait', firstId, secondId);
  });

  it('waits for the results and saves the document of the service', async () => {
    const saved = await run('submit', '--output', 'found.json', '--json', video);
    expect(saved.code).to.equal(0);
    const status: { readonly job_id: string } = JSON.parse(saved.stdout);
    expect(status).to.include({ file: video, status: 'completed', progress: 1 });
    const answer = await fetch(`${service.url}/video/results/${status.job_id}`);
    expect(await readFile(join(folder, 'found.json'), 'utf8')).to.equal(await answer.text());

    await mkdir(join(folder, 'all'));
    const both = await run('submit', '--output', 'all', video, video);
    expect(lines(both.stdout)).to.have.lengthOf(2);
    for (const line of lines(both.stdout)) {
      const [jobId = ''] = line.split(' ');
      const document = JSON.parse(await readFile(join(folder, 'all', `${jobId}_results.json`), 'utf8'));
      expect(document).to.deep.equal({ job_id: jobId, results: RESULTS });
    }
    const piped = await run('submit', '--output', '-', video);
    expect(JSON.parse(piped.stdout)).to.have.property('results').that.deep.equals(RESULTS);
    expect((await run('submit', '--output', 'missing/x', video, video)).code).to.equal(2);
  });

  it('prints results as JSON, CSV and a table', async () => {
    const { stdout: submitted } = await run('submit', '--wait', video);
    const [jobId = ''] = submitted.split(' ');
    const json = await run('results', jobId);
    expect(JSON.parse(json.stdout)).to.deep.equal({ job_id: jobId, results: RESULTS });
    const csv = await run('results', '--format', 'csv', jobId);
    const rows = csv.stdout.split('\r\n');
    expect(rows[0]).to.equal('frame_index,timestamp_ms,kind,value,confidence,x,y,width,height');
    expect((await run('results', '--raw', jobId)).code).to.equal(2);
    expect(rows[1]).to.equal('0,0,detection,person,0.9,20,40,60,100');
    expect(rows).to.include('48,1920,detection,"dog, ""small""",0.6,200,100,80,60');
    expect(rows).to.include('48,1920,text,Gate B12,0.97,100,10,90,20');
    const table = await run('results', '--format', 'table', jobId);
    expect(lines(table.stdout).at(-1)?.trim().split(/ {2,}/)).to.deep.equal([
      '48',
      '0:01.920',
      'text',
      '0.97',
      '100, 10, 90, 20',
      'Gate B12',
    ]);
    const saved = await run('results', '--format', 'csv', '--output', 'found.csv', jobId);
    expect([saved.code, saved.stdout]).to.deep.equal([0, '']);
    expect(await readFile(join(folder, 'found.csv'), 'utf8')).to.equal(`\uFEFF${csv.stdout}`);
    await run('results', '--format', 'csv', '--raw', '--output', 'raw.csv', jobId);
    expect(await readFile(join(folder, 'raw.csv'), 'utf8')).to.equal(csv.stdout);
  });

  it('lists, inspects and cancels', async () => {
    service.pipelines.hold();
    const { stdout } = await run('submit', video, video);
    const [running = '', waiting = ''] = lines(stdout).map((line) => line.slice(0, 36));
    const cancelled = await run('cancel', waiting, running, '0190a000-0000-7000-8000-000000000000');
    service.pipelines.release();
    expect(cancelled.code).to.equal(1);
    expect(lines(cancelled.stdout).map((line) => line.split(/ {2,}/)[1])).to.deep.equal(['failed', 'failed']);
    expect(cancelled.stdout).to.contain('cancelled: ');
    expect(lines(cancelled.stderr)).to.have.lengthOf(1);
    expect((await run('status', '--wait', running)).code).to.equal(3);
    expect((await run('status', running)).code).to.equal(0);

    const listed = await run('list', '--json', '--limit', '2');
    const ids = lines(listed.stdout).map((line): unknown => JSON.parse(line).job_id);
    expect(ids).to.deep.equal([waiting, running]);
    const failed = await run('list', '--all', '--status', 'failed');
    expect(lines(failed.stdout)).to.have.lengthOf(2);
    expect((await run('list', '--status', 'lost')).code).to.equal(2);

    const inspected = await run('inspect', running);
    expect(inspected.stdout).to.match(/^Job \S+ · ocr_only · failed\n/);
    expect(inspected.stdout).to.match(/● failed \(final\)/);
    expect(inspected.stdout).to.match(/ 3 .* CANCEL +running → failed/);
    const { transitions } = JSON.parse((await run('inspect', '--json', running)).stdout);
    expect(transitions).to.have.lengthOf(3);
  });

  it('deletes the files of finished jobs, and reports the others', async () => {
    const { stdout: ended } = await run('submit', '--wait', video);
    const [jobId = ''] = ended.split(' ');
    service.pipelines.hold();
    const { stdout } = await run('submit', video);
    const [running = ''] = lines(stdout);
    const deleted = await run('delete', running, jobId);
    service.pipelines.release();
    expect(deleted.code).to.equal(1);
    expect(lines(deleted.stdout)).to.have.lengthOf(1);
    expect(deleted.stdout).to.match(new RegExp(`^${jobId} +deleted +\\d{4}-`));
    expect(deleted.stderr).to.match(new RegExp(`^${running}: `));
    expect((await run('results', jobId)).stderr).to.contain('deleted');
    expect(JSON.parse((await run('delete', '--json', jobId)).stdout)).to.include({ job_id: jobId });
  });

  it('reports an error in one line, with the exit code of its kind', async () => {
    const refused = await run('results', '0190a000-0000-7000-8000-000000000000', '--format', 'csv');
    expect(refused).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'reelstate: There is no job 0190a000-0000-7000-8000-000000000000\n',
    });
    const pipeline = await run('submit', '--pipeline', 'none', video);
    expect(pipeline.code).to.equal(1);
    expect(pipeline.stderr).to.contain('ocr_only');
    const unreachable = await run('list', '--url', 'http://127.0.0.1:9');
    expect(unreachable).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'reelstate: no response from http://127.0.0.1:9\n',
    });
    for (const args of [
      ['nonsense'],
      ['submit'],
      ['status'],
      ['list', '--limit', '0'],
      ['--url', 'ftp://x', 'list'],
      [],
    ])
      expect((await run(...args)).code, args.join(' ')).to.equal(2);
    expect((await run('--help')).code).to.equal(0);
    expect((await run('help', 'submit')).stdout).to.contain('Examples:');
    expect((await run('--version')).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('works as a program: output, errors and exit codes', async () => {
    const environment = { REELSTATE_URL: service.url };
    for (const args of [
      ['list', '--json'],
      ['status', '0190a000-0000-7000-8000-000000000000'],
      ['nonsense'],
      ['--help'],
    ]) {
      expect(await spawnReelstate(args, { environment }), args.join(' ')).to.deep.equal(await run(...args));
    }
  });

  it('ends quietly when its output is closed', async () => {
    const { stdout } = await run('submit', '--wait', video);
    const [jobId = ''] = stdout.split(' ');
    const pipe = `"$0" "$1" results ${jobId} | true; echo "\${PIPESTATUS[0]}"`;
    const env = { ...process.env, REELSTATE_URL: service.url };
    const piped = await promisify(execFile)('bash', ['-c', pipe, process.execPath, REELSTATE], { env });
    expect(piped.stderr).to.equal('');
    expect(piped.stdout).to.equal('141\n');
  });

  it('sends the key of the environment, and accepts none on the command line', async () => {
    const sha256 = createHash('sha256').update('secret').digest('hex');
    const guarded = await openService({ keys: [{ sha256, scopes: ['read'] }] });
    try {
      const ask = (environment: Readonly<Record<string, string>>, ...args: readonly string[]) =>
        reelstate(args, { environment: { REELSTATE_URL: guarded.url, ...environment } });
      expect(await ask({ REELSTATE_API_KEY: 'secret' }, 'list')).to.include({ code: 0, stderr: '' });
      expect((await ask({}, 'list')).code).to.equal(1);
      expect((await ask({}, '--api-key', 'secret', 'list')).code).to.equal(2);
      const denied = await ask({ REELSTATE_API_KEY: 'secret' }, 'submit', video);
      expect(denied.code).to.equal(1);
      expect(denied.stderr).not.to.contain('secret');
    } finally {
      await guarded.close();
    }
  });

  it('text from a video cannot control the terminal', async () => {
    const evil = await openService();
    try {
      const data = new FormData();
      data.set('file', new Blob([VIDEO]));
      const answer = await fetch(`${evil.url}/video/submit?pipeline_id=ocr_only`, { method: 'POST', body: data });
      const { jobId } = await jobIn(evil.store, Object(await answer.json()).job_id);
      await evil.engine.dispatch(jobId, { type: 'START' });
      const message = 'no \u001B]0;owned\u0007 frame\nreelstate: all is well';
      await evil.engine.dispatch(jobId, { type: 'FAIL', attempt: 1, code: 'invalid_video', message });
      for (const command of ['status', 'inspect']) {
        const { stdout } = await reelstate([command, jobId], { environment: { REELSTATE_URL: evil.url } });
        expect(stdout).to.contain('invalid_video: no \u{FFFD}]0;owned\u{FFFD} frame reelstate: all is well');
      }
    } finally {
      await evil.close();
    }
  });

  it('an interruption prints the ids of the jobs that continue', async () => {
    service.pipelines.hold();
    let interrupt = (): void => {};
    const heed = ({ url = '' }): void => {
      // The first status request: the job is accepted, and its id is known.
      if (url.startsWith('/video/status/')) interrupt();
    };
    service.server.on('request', heed);
    try {
      const { code, stdout, stderr } = await spawnReelstate(['submit', '--wait', video], {
        environment: { REELSTATE_URL: service.url },
        onStart: (kill) => {
          interrupt = () => kill('SIGINT');
        },
      });
      expect(code).to.equal(130);
      expect(stdout).to.equal('');
      expect(stderr).to.match(/^Accepted jobs continue: [0-9a-f-]{36}\n$/);
    } finally {
      service.server.off('request', heed);
      service.pipelines.release();
    }
  });
});
