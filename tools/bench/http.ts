/** `node dist/tools/bench/http.js`: response times during an analysis, and the rate of an upload. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, truncate } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { followJob, statusOf, submitVideo } from '../job-requests.ts';
import { makeVideo } from '../make-video.ts';
import { startService } from '../service-process.ts';
import { median, percentile, print } from './figures.ts';

const MIB = 1024 * 1024;
const UPLOAD_BYTES = 512 * MIB;
const ROUNDS = 3;

const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
const { signal } = new AbortController();
const service = await startService({ dataDir: join(folder, 'data'), signal, settings: { LOG_LEVEL: 'warn' } });
try {
  const query = { url: service.url, signal };
  const video = join(folder, 'video.mp4');
  makeVideo({ path: video, width: 1280, height: 720, frames: 150, picture: 'mandelbrot=start_scale=0.9' });
  await benchAnswers('idle', async () => undefined);
  await benchAnswers('while a job runs', () => submitVideo({ ...query, videoPath: video, pipelineId: 'yolo_ocr' }));

  const large = join(folder, 'large.mp4');
  await (await open(large, 'w')).close();
  makeVideo({ path: large, width: 64, height: 64, frames: 1 });
  await truncate(large, UPLOAD_BYTES);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await barePipe(large));
    const startedMs = performance.now();
    const jobId = await submitVideo({ ...query, videoPath: large, pipelineId: 'ocr_only' });
    ours.push(perSecond(startedMs));
    await followJob(jobId, query, () => {});
  }
  print('upload of 512 MiB, a bare pipe to a file', `${median(bare).toFixed(0)} MiB/s`);
  print(
    'upload of 512 MiB, submitted',
    `${median(ours).toFixed(0)} MiB/s, ${((100 * median(ours)) / median(bare)).toFixed(0)} %`,
  );

  async function benchAnswers(
    when: string,
    begin: () => Promise<Parameters<typeof statusOf>[0] | undefined>,
  ): Promise<void> {
    const jobId = await begin();
    for (const path of ['/health', ...(jobId === undefined ? [] : [`/video/status/${jobId}`])]) {
      const ms: number[] = [];
      for (let count = 0; count < 500; count += 1) {
        const startedMs = performance.now();
        await (await fetch(service.url + path, { signal })).arrayBuffer();
        ms.push(performance.now() - startedMs);
        await wait(5);
      }
      const name = path.startsWith('/video') ? '/video/status' : path;
      print(`GET ${name}, ${when}`, `p50 ${median(ms).toFixed(1)} ms, p99 ${percentile(ms, 99).toFixed(1)} ms`);
    }
    if (jobId === undefined) return;
    const { status } = await statusOf(jobId, query);
    if (status !== 'running') print('the job', `was ${status} before the measurement ended: use a longer video`);
    await followJob(jobId, query, () => {});
  }
} finally {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A Node.js server that only writes a body to a file. */
async function barePipe(path: string): Promise<number> {
  const server = createServer((incoming, response) => {
    void pipeline(incoming, createWriteStream(join(folder, 'bare'))).then(() => response.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const startedMs = performance.now();
  const upload = request({ host: '127.0.0.1', port: address.port, method: 'POST' });
  const answered = once(upload, 'response');
  await pipeline(createReadStream(path), upload);
  const [response] = await answered;
  response.resume();
  const rate = perSecond(startedMs);
  server.close();
  server.closeAllConnections();
  return rate;
}

function perSecond(startedMs: number): number {
  return UPLOAD_BYTES / MIB / ((performance.now() - startedMs) / 1000);
}
