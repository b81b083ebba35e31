/**
 * Entry point of the child process that decodes and analyses videos. Its main thread only communicates and schedules,
 * so it always responds; one thread decodes and some infer. Pixels leave the process only as JPEG or PNG files.
 */
import { messageOf } from '../errors.ts';
import { ffmpegVersion } from '../pipeline/ffmpeg-version.ts';
import { answerService } from './child-door.ts';
import type { LookReply, LookRequest, OpenRequest, Reply, StartReply, StartRequest, WarmRequest } from './protocol.ts';
import { Analysis, openPipeline, type DecodeThread, type InferenceThread } from './threads/analysis.ts';
import { PictureRun } from './threads/picture-run.ts';
import { Thread } from './threads/thread.ts';

/** JavaScript heaps in MiB, without pixels and models. The frame results of a video are small. */
const THREAD_HEAP = { maxOldGenerationSizeMb: 128 };

let decode: DecodeThread | undefined;
const inference: InferenceThread[] = [];
let analysis: Analysis | undefined;
let pictures: PictureRun | undefined;

// A thread that hangs in native code cannot be stopped, and process.exit would wait for it.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

answerService({ start, warm, open, next, look, nextPictures });

async function start(request: StartRequest): Promise<StartReply> {
  decode = new Thread({ module: 'decode-thread.js', resourceLimits: THREAD_HEAP, onDeath: die });
  const workerData = { modelsFolder: request.modelsFolder };
  for (let i = 0; i < request.threads; i++) {
    inference.push(
      new Thread({ module: 'inference-thread.js', workerData, resourceLimits: THREAD_HEAP, onDeath: die }),
    );
  }
  await Promise.all([decode, ...inference].map(async (thread) => thread.running));
  return { ffmpeg: ffmpegVersion() };
}

async function warm(request: WarmRequest): Promise<void> {
  for (const definition of request.warmUp) await openPipeline(inference, definition);
}

async function open(request: OpenRequest): Promise<void> {
  if (decode === undefined) throw new Error('opened before the start');
  analysis = await Analysis.open(decode, inference, request);
}

async function next(): Promise<Reply> {
  if (analysis === undefined) throw new Error('asked for results before a job was opened');
  return analysis.next();
}

async function look(request: LookRequest): Promise<void> {
  if (decode === undefined) throw new Error('asked for pictures before the start');
  pictures = new PictureRun(decode, request);
}

async function nextPictures(): Promise<LookReply> {
  if (pictures === undefined) throw new Error('asked for pictures before a video was opened');
  return pictures.next();
}

/** If a thread ends, the process ends too; the service reads its last output and replaces it. */
function die(error: Error): void {
  process.stderr.write(`${messageOf(error)}\n${error.stack ?? ''}\n`);
  process.kill(process.pid, 'SIGABRT');
}
