import { watch } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { ReelstateClient } from '../../src/client/reelstate-client.ts';
import { analysisText } from '../../src/cli/analysis-text.ts';
import { resultsText } from '../../src/cli/results-text.ts';
import { parseConfig } from '../../src/config.ts';
import { ServiceError } from '../../src/errors.ts';
import { analysisPaths, readRecord } from '../../src/local/analysis-record.ts';
import { LocalAnalyser } from '../../src/local/local-analyser.ts';
import { createLog } from '../../src/log.ts';
import { detectIsolation } from '../../src/pool/isolation.ts';
import { childrenOf } from '../../tools/child-processes.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService } from '../../tools/service-process.ts';
import { refusalOf } from '../refusal-of.ts';
import { reelstate, spawnReelstate, type Outcome } from './command-line.ts';

describe('reelstate analyse', () => {
  const environment = { PIPELINE_THREADS: '1' };
  let folder: string;
  let video: string;
  const analyse = (...args: readonly string[]): Promise<Outcome> =>
    reelstate(['analyse', ...args], { environment, cwd: folder });
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'analyse-'));
    video = join(folder, 'signs.mp4');
    makeVideo({
      path: video,
      width: 320,
      height: 180,
      frames: 20,
      fps: 10,
      picture: 'color=color=gray',
      captions: [
        { text: 'PLATFORM 9', to: 9, x: 10, size: 30 },
        { text: 'MIND THE GAP', from: 10, x: 10, size: 30 },
      ],
    });
  });
  after(() => rm(folder, { recursive: true }));

  it('writes the same bytes with 1, 2 and 8 threads', async () => {
    const results: string[] = [];
    for (const threads of [1, 2, 8]) {
      const flags = ['--pipeline=yolo_ocr', '--frame-stride=4', `--threads=${threads}`, '--output=out.json'];
      const { code, stderr } = await analyse(...flags, video);
      expect(code, stderr).to.equal(0);
      results.push(await read('out.json'));
    }
    expect(results[0]).to.contain('MIND THE GAP');
    expect(new Set(results)).to.have.lengthOf(1);
  });

  it('writes the same bytes as a service', async () => {
    const output = await mkdtemp(join(folder, 'whole-'));
    const analysed = await spawnReelstate(['analyse', '--every', '200ms', '--output', output, video], { environment });
    expect(analysed).to.deep.equal({ code: 0, stdout: `completed  ${output}/signs_results.json\n`, stderr: '' });
    expect((await readdir(output)).toSorted()).to.deep.equal([
      'signs_analysis.json',
      'signs_results.json',
      'signs_segments.json',
    ]);
    const record = await readRecord(join(output, 'signs_analysis.json'));
    expect(record).to.deep.include({ file_name: 'signs.mp4', pipeline_id: 'ocr_only' });
    expect(record.options).to.deep.equal({ frame_stride: 1, sample_every_ms: 200 });
    expect(record.media).to.include({ width: 320, height: 180, frames_analysed: 10 });

    const dataDir = join(folder, 'data');
    const signal = AbortSignal.timeout(240_000);
    const service = await startService({ dataDir, signal, settings: { ...environment, LOG_LEVEL: 'warn' } });
    try {
      const { url } = service;
      const client = new ReelstateClient({ url });
      const { jobId } = await client.submit({
        file: new Blob([await readFile(video)]),
        pipelineId: 'ocr_only',
        sampleEveryMs: 200,
        signal,
      });
      expect((await client.waitFor(jobId, { signal })).status).to.equal('completed');
      for (const document of ['results', 'segments']) {
        const stored = await readFile(join(dataDir, 'video_jobs', `${jobId}_${document}.json`), 'utf8');
        expect(await readFile(join(output, `signs_${document}.json`), 'utf8'), document).to.equal(stored);
        expect(stored).to.contain('MIND THE GAP');
      }
      for (const format of ['srt', 'vtt', 'txt', 'csv'] as const) {
        const made = await whole(analysisText(analysisPaths(output, 'signs'), format));
        expect(made, format).to.equal(await whole(resultsText(client, jobId, { format, signal })));
      }
    } finally {
      await service.stop();
    }
  });

  it('fails broken videos with 3, finishes the others, and leaves no draft', async () => {
    const broken = join(folder, 'broken.mp4');
    await writeFile(
      broken,
      Buffer.concat([Buffer.from('00000018', 'hex'), Buffer.from('ftypmp42'), Buffer.alloc(4_000)]),
    );
    const output = await mkdtemp(join(folder, 'some-'));
    const outcome = await analyse('--max-frames', '1', '--json', '--output', output, broken, 'none.mp4', video);
    expect(outcome.code).to.equal(3);
    const lines = outcome.stdout.trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line).status)).to.deep.equal(['failed', 'completed']);
    expect(lines[0]).to.contain('"error_code":"invalid_video"');
    expect(outcome.stderr).to.match(/^broken\.mp4: invalid_video: .*\nnone\.mp4: ENOENT/);
    expect(await readdir(output)).to.have.lengthOf(3);
    expect(await analyse('--skip-done', '--max-frames', '1', '--output', output, video)).to.deep.include({
      code: 0,
      stdout: `skipped  ${output}/signs_results.json\n`,
    });
    const other = await analyse('--skip-done', '--max-frames', '2', '--output', output, video);
    expect(other.stdout).to.match(/^completed /);
  });

  it('names outputs by a pattern, and refuses what it cannot name', async () => {
    expect(await analyse('--max-frames', '1', '--output', '{dir}/{name}.vtt', video)).to.include({ code: 0 });
    expect(await read('signs.vtt')).to.match(/^WEBVTT\n[^]*PLATFORM 9/);
    for (const wrong of [
      [video, video],
      [video, video, '--output', '{name}.srt'],
      [video, '--output', '{dir}/{name}.mp4'],
      [video, '--from-ms', '9', '--to-ms', '9'],
      [video, '--every', '1s', '--frame-stride', '2'],
      [video, '--skip-done'],
    ]) {
      expect((await reelstate(['analyse', ...wrong])).code, wrong.join(' ')).to.equal(2);
    }
    const unknown = await analyse('--pipeline', 'none', video);
    expect(unknown).to.include({ code: 1, stdout: '' });
    expect(unknown.stderr).to.contain('ocr_only');
    expect(await analyse('--max-frames', '1', '--output', 'missing/x.json', video)).to.include({ code: 1 });
  });

  it('repeats an attempt that is lost, and ends all processes when it is interrupted', async () => {
    const config = parseConfig({ PIPELINE_THREADS: '1', LOG_LEVEL: 'silent' });
    const folderOfResults = await mkdtemp(join(folder, 'lost-'));
    const target = analysisPaths(folderOfResults, 'signs');
    const request = { videoPath: video, pipelineId: 'ocr_only', options: { frame_stride: 1 }, target };
    const before = childrenOf(process.pid);
    const drafts = new Set<string>();
    let killed = 0;
    // The results have a draft from the start of an attempt, which changes with the first result.
    const watcher = watch(folderOfResults, (event, name) => {
      if (name?.startsWith('.signs_results') !== true) return;
      drafts.add(name);
      if (event !== 'change' || killed > 0) return;
      for (const pid of childrenOf(process.pid).filter((child) => !before.includes(child))) {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      }
    });
    try {
      await using analyser = await LocalAnalyser.open(config, createLog('silent'), [video]);
      const outcome = await analyser.analyse({ ...request, signal: new AbortController().signal });
      expect(outcome.kind).to.equal('completed');
      expect(killed).to.equal(1);
      expect(drafts).to.have.property('size', 2);
      const undisturbed = await analyse(video);
      expect(await readFile(target.results, 'utf8')).to.equal(undisturbed.stdout);

      const stop = new AbortController();
      const stopped = analyser.analyse({ ...request, signal: stop.signal });
      stop.abort(new ServiceError('cancelled', 'enough'));
      expect(await refusalOf(stopped)).to.include({ message: 'enough' });
    } finally {
      watcher.close();
    }
    expect(childrenOf(process.pid)).to.deep.equal(before);
  });

  it('lets its process read the named videos and no other file', async function whereSupported() {
    const { levels } = await detectIsolation({ environment: process.env });
    if (!levels.includes('files')) this.skip();
    const other = join(folder, 'other.mp4');
    await copyFile(video, other);
    const config = parseConfig({ ...environment, DATA_DIR: join(folder, 'none'), MAX_ATTEMPTS: '1' });
    const absent = join(folder, 'absent.mp4');
    await using analyser = await LocalAnalyser.open(config, createLog('silent'), [video, absent, '/dev/stdin']);
    const outcomes = [];
    for (const videoPath of [video, other]) {
      const target = analysisPaths(folder, `${basename(videoPath)}_alone`);
      const request = { videoPath, pipelineId: 'ocr_only', options: { frame_stride: 1 }, target };
      outcomes.push(await analyser.analyse({ ...request, signal: new AbortController().signal }));
    }
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal(['completed', 'failed']);
    expect(outcomes[1]).to.deep.include({ code: 'input_missing', isFinal: false });
    expect(outcomes[1]).to.have.property('message').that.contains('run the command as the owner');
  });
});

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
