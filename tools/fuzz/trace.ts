import { join } from 'node:path';
import { childrenOf } from '../child-processes.ts';
import { startService } from '../service-process.ts';
import { attempt } from './attempt.ts';
import { placeCanaries } from './canary.ts';
import { FileTrace, type CheckedTrace } from './file-trace.ts';
import { makeMutant, type Mutant } from './mutant.ts';
import { MUTATIONS } from './mutations.ts';
import { Random } from './random.ts';
import { makeSeedVideos, type SeedVideo } from './seed-videos.ts';

export interface TraceOptions {
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Traces the child process during a valid video, one whose samples are declared in another file, and a disguised
 * playlist. Undefined if tracing is not possible: no strace, or no permission.
 */
export async function traceChild({ folder, signal }: TraceOptions): Promise<CheckedTrace | undefined> {
  const dataDir = join(folder, 'data');
  const videos = await makeSeedVideos(folder);
  await using service = closing(
    await startService({ dataDir, signal, settings: { LOG_LEVEL: 'error', PIPELINE_THREADS: '1', MAX_ATTEMPTS: '1' } }),
  );
  const storageDir = join(dataDir, 'video_jobs');
  const { videoPath } = await placeCanaries(storageDir);
  const [child] = childrenOf(service.pid);
  if (child === undefined) throw new Error('the service has no child');
  const trace = await FileTrace.start([child], join(folder, 'trace.txt'));
  if (trace === undefined) return undefined;
  try {
    for (const mutant of suspects(videos, videoPath)) {
      await attempt(service.url, mutant, signal);
    }
  } finally {
    await trace.stop();
  }
  return trace.check(join(storageDir, 'links'));
}

function suspects(videos: readonly SeedVideo[], canaryPath: string): readonly Mutant[] {
  const [video, other] = videos;
  if (video === undefined || other === undefined) throw new Error('no videos');
  const elsewhere = Array.from({ length: 8 }, (_, place) =>
    MUTATIONS['samples in another file']({
      bytes: video.bytes,
      other: other.bytes,
      canaryPath,
      random: Random.of(`place ${place}`),
    }),
  );
  const fileType = video.bytes.subarray(0, video.bytes.readUInt32BE(0));
  const playlist = Buffer.from('\n#EXTM3U\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n');
  return [
    sent('whole', video.bytes),
    ...elsewhere.map((bytes) => sent('samples in another file', bytes)),
    sent('a playlist in disguise', Buffer.concat([fileType, playlist])),
    makeMutant({ videos, canaryPath, seed: 1, index: 0 }),
  ];
}

function sent(story: string, bytes: Buffer): Mutant {
  return { bytes, story, fileName: 'secret.ts', frameStride: 5 };
}

function closing<T extends { stop(): Promise<number | string> }>(service: T): T & AsyncDisposable {
  return Object.assign(service, {
    [Symbol.asyncDispose]: async () => {
      await service.stop();
    },
  });
}
