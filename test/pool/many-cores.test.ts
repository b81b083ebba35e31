import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { followJob, submitVideo } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService } from '../../tools/service-process.ts';

describe('the service with default settings on a machine with 128 cores', () => {
  let folder: string;
  const abort = new AbortController();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cores-'));
  });
  after(async () => {
    abort.abort();
    await rm(folder, { recursive: true, force: true });
  });

  it('starts, and completes a job at 1080p', async () => {
    const videoPath = join(folder, 'wide.mp4');
    makeVideo({ path: videoPath, width: 1920, height: 1080, frames: 4, captions: [{ text: 'LANE 7', size: 80 }] });
    const { signal } = abort;
    const fakeCores = new URL('fake-cores.js', import.meta.url).href;
    const service = await startService({
      dataDir: join(folder, 'data'),
      signal,
      settings: { LOG_LEVEL: 'warn', FAKED_CORES: '128', NODE_OPTIONS: `--import ${fakeCores}` },
    });
    const query = { url: service.url, signal };
    const jobId = await submitVideo({ ...query, videoPath, pipelineId: 'yolo_ocr' });
    expect(await followJob(jobId, query, () => {})).to.include({ status: 'completed' });
    expect(await service.stop()).to.equal(0);
  });
});
