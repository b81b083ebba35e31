import { readdir, readFile, mkdtemp, rm } from 'node:fs/promises';
import { openAsBlob } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { followJob, resultsOf } from '../../tools/job-requests.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';

/**
 * Real files of others through the real service. CORPUS_DIR names a folder with `SOURCES.tsv` (columns path, category,
 * nb_frames_decoded) and the files; CORPUS_MAX_FRAMES limits the frames of each (default all).
 */
const { CORPUS_DIR: folder, CORPUS_MAX_FRAMES: bound } = process.env;
const maxFrames = bound === undefined ? Number.POSITIVE_INFINITY : Number(bound);

/** Valid files with a correct count that differs from ffmpeg 5.1, and why. */
const DIFFERENT: Readonly<Record<string, number>> = {
  // Encrypted: ffmpeg counts frames of noise decoded without the key; the service rejects an encrypted track.
  'valid/Eyevinn+mp4ff__mp4__testdata__cbcs.mp4': 0,
  'valid/Eyevinn+mp4ff__mp4__testdata__prog_8s_enc_dashinit.mp4': 0,
  // No ftyp box: rejected at upload with advice to remux it.
  'valid/sindresorhus+file-type__fixture__fixture-mjpeg.mov': 0,
};

interface CorpusFile {
  readonly path: string;
  readonly category: string;
  readonly decoded: number;
}

type Answer =
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'completed'; readonly jobId: JobId; readonly indices: readonly number[] };

describe('a corpus of real, broken and false videos', function () {
  // All frames of all files take an hour on two cores.
  this.timeout(bound === undefined ? 10_800_000 : 1_200_000);
  let files: readonly CorpusFile[] = [];
  let service: ServiceProcess;
  let dataDir: string;
  const { signal } = new AbortController();

  before(async function () {
    if (folder === undefined) {
      console.log('    skipped: CORPUS_DIR names no folder with a corpus');
      this.skip();
    }
    files = parseSources(await readFile(join(folder, 'SOURCES.tsv'), 'utf8'));
    dataDir = await mkdtemp(join(tmpdir(), 'reelstate-corpus-'));
    service = await startService({ dataDir, signal, settings: { LOG_LEVEL: 'warn' } });
  });
  after(async () => {
    if (folder === undefined) return;
    expect(await service.stop()).to.equal(0);
    await rm(dataDir, { recursive: true, force: true });
  });

  for (const pipelineId of ['ocr_only', 'yolo_ocr']) {
    it(`every valid file has one result per decoded frame under ${pipelineId}, or a reason`, async () => {
      const wrong: string[] = [];
      let completed = 0;
      let results = 0;
      for (const file of files.filter(({ category }) => category === 'valid')) {
        const answer = await analyse(file.path, pipelineId);
        const frames = Math.min(DIFFERENT[file.path] ?? file.decoded, maxFrames);
        const expected = frames === 0 ? 'a reason' : `${frames} frames`;
        if (answer.kind === 'completed') {
          completed += 1;
          results += answer.indices.length;
        }
        const got = answer.kind === 'completed' ? `${answer.indices.length} frames` : 'a reason';
        if (got !== expected) wrong.push(`${file.path}: ${expected} expected, ${JSON.stringify(answer)}`);
        else if (answer.kind === 'completed' && answer.indices.some((index, at) => index !== at))
          wrong.push(`${file.path}: order`);
        else if (answer.kind !== 'completed') expectReason(answer);
      }
      console.log(`      ${completed} files completed, with ${results} results`);
      expect(wrong.join('\n')).to.equal('');
    });
  }

  for (const category of ['malformed', 'impostor']) {
    it(`every ${category} file is rejected, or its job ends with a reason or with frames`, async () => {
      const { uptime_s: before } = await health();
      for (const { path } of files.filter((file) => file.category === category)) {
        const answer = await analyse(path, 'ocr_only');
        if (category === 'impostor') expect(answer.kind, path).to.not.equal('completed');
        if (answer.kind !== 'completed') expectReason(answer);
      }
      expect((await health()).uptime_s, 'the service was never restarted').to.be.at.least(before);
      const left = await readdir(join(dataDir, 'video_jobs', 'incoming'));
      expect(left).to.deep.equal([]);
    });
  }

  async function analyse(path: string, pipelineId: string): Promise<Answer> {
    const form = new FormData();
    form.set('file', await openAsBlob(join(folder ?? '', path)), 'video.mp4');
    const limit = Number.isFinite(maxFrames) ? `&max_frames=${maxFrames}` : '';
    const url = `${service.url}/video/submit?pipeline_id=${pipelineId}${limit}`;
    const response = await fetch(url, { method: 'POST', body: form, signal });
    const body: unknown = await response.json();
    if (response.status !== 202) {
      expect(body, path).to.have.property('detail');
      return { kind: 'refused', status: response.status, detail: JSON.stringify(body) };
    }
    expect(body).to.have.property('job_id');
    const jobId = jobIdSchema.parse(Object.values(body ?? {})[0]);
    const query = { url: service.url, signal };
    const ended = await followJob(jobId, query, () => {});
    if (ended.status !== 'completed') {
      return { kind: 'failed', code: ended.error_code ?? '', message: ended.error_message ?? '' };
    }
    return {
      kind: 'completed',
      jobId,
      indices: (await resultsOf(jobId, query)).map(({ frame_index: index }) => index),
    };
  }

  async function health(): Promise<{ uptime_s: number }> {
    const body: unknown = await (await fetch(`${service.url}/health`, { signal })).json();
    expect(body).to.have.property('status', 'ok');
    return { uptime_s: Number(Object(body).uptime_s) };
  }
});

/** The message must name a cause, not a crash or a defect of the service. */
function expectReason(answer: Answer): void {
  if (answer.kind === 'refused') {
    expect(answer.status).to.be.within(400, 499);
    expect(answer.detail).to.match(/\w{4}/);
  }
  if (answer.kind === 'failed') {
    expect(answer.code, answer.message).to.be.oneOf(['invalid_video', 'too_large', 'memory_limit']);
    expect(answer.message).to.match(/\w{4}/);
  }
}

function parseSources(text: string): readonly CorpusFile[] {
  const [head = '', ...rows] = text.trimEnd().split('\n');
  const names = head.split('\t');
  return rows.map((row) => {
    const cells = row.split('\t');
    const cell = (name: string): string => cells[names.indexOf(name)] ?? '';
    return { path: cell('path'), category: cell('category'), decoded: Number(cell('nb_frames_decoded')) };
  });
}
