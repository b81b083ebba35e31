import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import type { JobId } from '../../src/job.ts';
import { followJob, statusOf } from '../../tools/job-requests.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';
import { FILE_HEAD, form, multipart, MULTIPART, problemOf } from '../http/service-under-test.ts';
import { mountSmallDisk, requireSmallDisks, unmount } from '../small-disk.ts';

const MIB = 1024 ** 2;

describe('the service on a full disk', function () {
  let folder: string;
  /** The small file system. */
  let small: string;
  let dataDir: string;
  let video: Buffer;
  let service: ServiceProcess | undefined;
  const { signal } = new AbortController();

  before(async function () {
    requireSmallDisks(this);
    folder = await mkdtemp(join(tmpdir(), 'reelstate-full-'));
    const path = join(folder, 'video.mp4');
    makeVideo({ path, width: 96, height: 64, frames: 2 });
    video = await readFile(path);
  });
  beforeEach(async () => {
    small = await mkdtemp(join(folder, 'small-'));
    dataDir = await mkdtemp(join(folder, 'data-'));
  });
  afterEach(async () => {
    await service?.kill();
    service = undefined;
    unmount(small);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const start = async (settings: Readonly<Record<string, string>>): Promise<ServiceProcess> => {
    service = await startService({ dataDir, signal, settings: { PIPELINE_THREADS: '1', ...settings } });
    return service;
  };
  const submit = ({ url }: ServiceProcess): Promise<Response> =>
    fetch(`${url}/video/submit`, { method: 'POST', body: form({ pipeline_id: 'ocr_only' }, video) });
  const accepted = async (answer: Response): Promise<JobId> => {
    expect(answer.status).to.equal(202);
    return submitResponseSchema.parse(await answer.json()).job_id;
  };
  const finish = ({ url }: ServiceProcess, jobId: JobId) => followJob(jobId, { url, signal }, () => {});
  const files = async (): Promise<readonly string[]> =>
    (await readdir(join(dataDir, 'video_jobs'), { recursive: true })).filter(
      (name) => !/^(incoming$|links)/.test(name),
    );
  const filler = () => join(small, 'filler');
  /** Uses up all free space. */
  const fill = async (): Promise<void> => {
    for (let bytes = 32 * MIB; bytes >= 512; bytes /= 2) {
      await writeFile(filler(), Buffer.alloc(bytes), { flag: 'a' }).catch(() => undefined);
    }
  };

  it('rejects uploads that do not fit with 507, before or during the transfer, and keeps nothing', async () => {
    dataDir = small;
    expect(mountSmallDisk(small, 48)).to.equal(undefined);
    const running = await start({ DISK_RESERVE_BYTES: String(8 * MIB) });
    const first = await accepted(await submit(running));
    await finish(running, first);
    const kept = await files();

    const declared = request(`${running.url}/video/submit?pipeline_id=ocr_only`, {
      method: 'POST',
      headers: { ...MULTIPART, expect: '100-continue', 'content-length': 44 * MIB },
    });
    declared.on('continue', () => expect.fail('was told to go on'));
    const answered = once(declared, 'response');
    declared.flushHeaders();
    const [early] = await answered;
    expect(early.statusCode).to.equal(507);
    declared.destroy();

    const [head, end] = [multipart([{ head: FILE_HEAD, body: '' }]).subarray(0, -9), Buffer.from('\r\n--b--\r\n')];
    const undeclared = async function* (): AsyncGenerator<Buffer> {
      yield head;
      yield video;
      for (let n = 0; n < 60; n += 1) yield Buffer.alloc(MIB);
      yield end;
    };
    const late = await fetch(`${running.url}/video/submit?pipeline_id=ocr_only`, {
      method: 'POST',
      headers: MULTIPART,
      body: Readable.toWeb(Readable.from(undeclared())),
      duplex: 'half',
    });
    expect(await problemOf(late)).to.include({ status: 507, code: 'storage_full' });

    // Uses up the reserve too, so that even a single page is refused.
    await fill();
    expect(await problemOf(await submit(running))).to.include({ status: 507, code: 'storage_full' });
    expect(await files()).to.have.members(kept);

    await rm(filler());
    expect(await finish(running, await accepted(await submit(running)))).to.include({ status: 'completed' });
  });

  it('responds with 503 if a job cannot be committed, still serves reads, and continues without a restart once there is space', async () => {
    expect(mountSmallDisk(small, 16)).to.equal(undefined);
    await mkdir(join(dataDir, 'video_jobs'));
    // Only the database is on the small disk.
    await symlink(join(small, 'jobs.duckdb'), join(dataDir, 'jobs.duckdb'));
    const running = await start({ DISK_RESERVE_BYTES: '0' });
    const first = await accepted(await submit(running));
    expect(await finish(running, first)).to.include({ status: 'completed' });
    const told = await statusOf(first, { url: running.url, signal });
    await fill();
    let refused = await submit(running);
    const kept = new Set<string>([first]);
    const waiting: JobId[] = [];
    // The last page of the log may have space for a few.
    while (refused.status === 202) {
      waiting.push(await accepted(refused));
      refused = await submit(running);
    }
    expect(refused.headers.get('retry-after')).to.equal('5');
    expect(await problemOf(refused)).to.include({ status: 503, code: 'store_unavailable' });
    for (const jobId of waiting) kept.add(jobId);
    const owners = (await files()).filter((name) => !name.startsWith('incoming')).map((name) => name.slice(0, 36));
    expect(owners.filter((owner) => !kept.has(owner))).to.deep.equal([]);
    expect(await statusOf(first, { url: running.url, signal })).to.deep.equal(told);

    await rm(filler());
    waiting.push(await accepted(await submit(running)));
    for (const jobId of waiting) expect(await finish(running, jobId)).to.include({ status: 'completed' });
    expect(await running.stop()).to.equal(0);
  });
});
