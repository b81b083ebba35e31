import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { storeAnalysis } from '../../src/analysis/store-analysis.ts';
import { resultsPathOf, segmentsPathOf } from '../../src/engine/sidecar.ts';
import { segmentsResponseSchema } from '../../src/http/routes/segments.ts';
import type { FrameResult, JobId, MediaFacts } from '../../src/job.ts';
import { framesOf, place, times } from '../segments/frames.ts';
import { openService, problemOf, type ServiceUnderTest } from './service-under-test.ts';

const LOGO = { text: 'CHANNEL NINE', bbox: place(9, 40, 200) };
const SAMPLES: readonly FrameResult[] = framesOf(
  ...times(2, LOGO),
  ...times(5, LOGO, 'Where are you?'),
  ...times(3, LOGO),
  ...times(5, LOGO, '=1+1'),
  ...times(2, LOGO),
).map(({ frame_index, result }) => ({
  frame_index,
  result: { ...result, detections: [{ label: 'car', confidence: 0.8, bbox: [0, 0, 50, 40] }] },
}));
const MEDIA: MediaFacts = {
  width: 1280,
  height: 720,
  duration_ms: 3300,
  frame_rate: 25,
  codec: 'h264',
  frames_decoded: 85,
  frames_analysed: 17,
};

async function* analysed(): AsyncGenerator<FrameResult, MediaFacts> {
  yield* SAMPLES;
  return MEDIA;
}

describe('GET /video/segments/{job_id}', () => {
  let service: ServiceUnderTest;
  let jobId: JobId;
  before(async () => {
    service = await openService();
    jobId = await completed();
  });
  after(() => service.close());

  const get = (path: string) => fetch(service.url + path);
  const completed = async (): Promise<JobId> => {
    const id = await service.submit();
    await service.engine.dispatch(id, { type: 'START' });
    const { outputPath } = await storeAnalysis(analysed(), {
      storage: service.storage,
      resultsPath: resultsPathOf(id),
      segmentsPath: segmentsPathOf(id),
      maxResultsBytes: 1_000_000,
      signal: new AbortController().signal,
    });
    await service.engine.dispatch(id, { type: 'COMPLETE', attempt: 1, outputPath });
    return id;
  };
  const segmentsOf = async (id: JobId, query = '') => {
    const response = await get(`/video/segments/${id}${query}`);
    expect(response.status).to.equal(200);
    return segmentsResponseSchema.parse(await response.json()).segments;
  };
  const stored = (id: JobId) => join(service.folder, 'video_jobs', segmentsPathOf(id));

  it('lists texts by start, then from top to bottom, within the video', async () => {
    const found = await segmentsOf(jobId);
    expect(
      found.map((each) => (each.kind === 'text' ? [each.text, each.start_ms, each.end_ms, each.frames] : [])),
    ).to.deep.equal([
      ['CHANNEL NINE', 0, 3300, 17],
      ['Where are you?', 400, 1400, 5],
      ['=1+1', 2000, 3000, 5],
    ]);
  });

  it('lists scenes, and objects with the instances that were followed', async () => {
    const scenes = await segmentsOf(jobId, '?kind=scenes');
    expect(scenes.map((each) => (each.kind === 'scene' ? [each.text, each.frame_index] : []))).to.deep.equal([
      ['Where are you?', 10],
      ['=1+1', 50],
    ]);
    const objects = await segmentsOf(jobId, '?kind=objects');
    expect(objects.map((each) => (each.kind === 'object' ? [each.label, each.track_id] : []))).to.deep.equal([
      ['car', undefined],
      ['car', 1],
    ]);
  });

  it('writes subtitles, text and tables', async () => {
    const read = async (format: string) => {
      const response = await get(`/video/segments/${jobId}?format=${format}`);
      // Named after the video, `video.mp4`.
      const ending = format === 'srt' || format === 'vtt' ? `.${format}` : `_text.${format}`;
      expect(response.headers.get('content-disposition')).to.equal(`attachment; filename="video${ending}"`);
      return [response.headers.get('content-type'), Buffer.from(await response.arrayBuffer()).toString()];
    };
    expect(await read('srt')).to.deep.equal([
      'application/x-subrip',
      '1\n00:00:00,400 --> 00:00:01,400\nWhere are you?\n\n2\n00:00:02,000 --> 00:00:03,000\n=1+1\n\n',
    ]);
    expect((await read('vtt'))[0]).to.equal('text/vtt; charset=utf-8');
    expect(await read('txt')).to.deep.equal([
      'text/plain; charset=utf-8',
      '0:00.0–0:03.3  CHANNEL NINE\n0:00.4–0:01.4  Where are you?\n0:02.0–0:03.0  =1+1\n',
    ]);
    expect((await read('csv'))[1]).to.include("text,2000,3000,'=1+1,0.95,");
  });

  it('depends on the parameters', async () => {
    const texts = async (query: string) =>
      (await segmentsOf(jobId, query)).map((each) => (each.kind === 'text' ? each.text : each.kind));
    expect(await texts('?region=0,0.5,1,0.5')).to.deep.equal(['Where are you?', '=1+1']);
    expect(await texts('?region=0,0,1,0.25')).to.deep.equal(['CHANNEL NINE']);
    expect(await texts('?min_duration_ms=1001')).to.deep.equal(['CHANNEL NINE']);
    expect(await texts('?min_confidence=0.96')).to.deep.equal([]);
    expect(await texts('?max_gap_ms=0')).to.have.lengthOf(3);
  });

  it('computes and stores them for a job without them, or with another version', async () => {
    const id = await completed();
    const expected = await segmentsOf(id);
    for (const spoil of ['', '{"version":0,"media":null,"segments":[\n]}\n']) {
      await writeFile(stored(id), spoil);
      const made = await Promise.all([segmentsOf(id), segmentsOf(id)]);
      for (const found of made) expect(found.slice(1)).to.deep.equal(expected.slice(1));
      expect(JSON.parse(await readFile(stored(id), 'utf8'))).to.deep.include({ version: 2, media: null });
    }
  });

  it('deletes them with the files of the job', async () => {
    const id = await completed();
    expect((await fetch(`${service.url}/video/jobs/${id}`, { method: 'DELETE' })).status).to.equal(200);
    expect(await problemOf(await get(`/video/segments/${id}`))).to.include({ status: 410, code: 'results_expired' });
    const left = (await readdir(join(service.folder, 'video_jobs'))).filter((name) => name.startsWith(id));
    expect(left).to.deep.equal([`${id}.json`]);
  });

  it('rejects unknown parameters', async () => {
    expect(await problemOf(await get(`/video/segments/${await service.submit()}`))).to.include({
      status: 404,
      code: 'job_not_completed',
    });
    const unknown = await problemOf(await get('/video/segments/019ddddd-0000-7000-8000-000000000000'));
    expect(unknown).to.include({ status: 404, code: 'job_not_found' });
    for (const query of ['kind=x', 'format=x', 'region=0,0,2,1', 'min_confidence=2', 'max_gap_ms=-1']) {
      expect((await problemOf(await get(`/video/segments/${jobId}?${query}`))).status, query).to.equal(422);
    }
    const cues = await problemOf(await get(`/video/segments/${jobId}?format=srt&kind=objects`));
    expect(cues.detail).to.include('format srt is made from scenes');
  });
});
