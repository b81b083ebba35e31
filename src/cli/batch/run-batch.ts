import { createHash } from 'node:crypto';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errnoOf, messageOf } from '../../errors.ts';
import { hashFile } from '../../local/analysis-record.ts';
import { saveFile, type FileFacts } from '../../local/save-file.ts';
import type { AnalysisFormat } from '../analysis-text.ts';
import type { Analyst, Ending, Subject } from './analyst.ts';
import type { Ledger } from './ledger.ts';

export interface BatchTask {
  readonly path: string;
  /** Undefined: nothing is written. */
  readonly output: string | undefined;
  readonly format: AnalysisFormat;
}

/** The outcome of one video. `done`: this run did something for it; `skipped`: an earlier run did everything. */
export type TaskReport = { readonly path: string; readonly jobId?: string } & (
  | { readonly status: 'done' | 'skipped'; readonly output?: string }
  | { readonly status: 'failed'; readonly code: string; readonly message: string }
);

export interface BatchOptions {
  readonly analyst: Analyst;
  readonly ledger: Ledger;
  /** See `BatchState`. */
  readonly draftTag: string;
  /** Concurrent videos. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly onReport: (report: TaskReport) => Promise<void>;
}

/**
 * Analyses every video and writes its output. Equal contents are analysed once. A failure of one video is reported, and
 * the others continue; rejects if the machine or the service refuses.
 */
export async function runBatch(tasks: readonly BatchTask[], options: BatchOptions): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const inHand = new Map<string, Promise<Ending>>();
  const waiting = tasks.values();
  const work = async (): Promise<void> => {
    for (const task of waiting) {
      signal.throwIfAborted();
      await options.onReport(await runTask(task, { ...options, signal }, inHand));
    }
  };
  const workers = Array.from({ length: options.jobs }, async () => {
    try {
      await work();
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
  // Waits for all, so that nothing is running when this rejects.
  await Promise.allSettled(workers);
  signal.throwIfAborted();
}

async function runTask(
  { path, output, format }: BatchTask,
  { analyst, ledger, draftTag, signal }: BatchOptions,
  inHand: Map<string, Promise<Ending>>,
): Promise<TaskReport> {
  const video = await readable(path, () => factsOf(path, ledger, signal));
  if ('reason' in video) return { path, status: 'failed', code: 'input_missing', message: video.reason };
  const key = sha256Of(JSON.stringify([video.sha256, analyst.parameters]));
  const target = output === undefined ? undefined : resolve(output);
  if (target !== undefined && ledger.output(target)?.key === keyOfOutput(key, format) && (await isThere(target))) {
    return { path, status: 'skipped', output: target };
  }
  const subject: Subject = { path, video, key };
  const earlier = inHand.get(key);
  const ending = earlier ?? analyst.analyse(subject, signal);
  inHand.set(key, ending);
  const ended = await ending;
  const job = ended.jobId === undefined ? {} : { jobId: ended.jobId };
  if (ended.status === 'failed') return { path, ...job, status: 'failed', code: ended.code, message: ended.message };
  if (target === undefined) {
    return { path, ...job, status: ended.isNew && earlier === undefined ? 'done' : 'skipped' };
  }
  await analyst.save(subject, format, signal, async (text) => {
    await mkdir(dirname(target), { recursive: true });
    await saveFile(target, text, { signal, draftTag });
  });
  await ledger.append({ type: 'output', path: target, key: keyOfOutput(key, format) });
  return { path, ...job, status: 'done', output: target };
}

/** Returns the hash of a video; that of an earlier run if size and times of the file are unchanged. */
async function factsOf(path: string, ledger: Ledger, signal: AbortSignal): Promise<FileFacts> {
  const absolute = resolve(path);
  const { size: bytes, mtimeMs: mtime_ms, ctimeMs: ctime_ms } = await stat(path);
  const known = ledger.video(absolute);
  if (known?.bytes === bytes && known.mtime_ms === mtime_ms && known.ctime_ms === ctime_ms) {
    return { sha256: known.sha256, bytes };
  }
  const facts = await hashFile(path, signal);
  if (facts.bytes === bytes) {
    await ledger.append({ type: 'video', path: absolute, bytes, mtime_ms, ctime_ms, sha256: facts.sha256 });
  }
  return facts;
}

/** The metadata of a video file, or why it cannot be read. */
async function readable<T extends object>(
  path: string,
  look: () => Promise<T>,
): Promise<T | { readonly reason: string }> {
  try {
    if (!(await stat(path)).isFile()) return { reason: 'not a file' };
    return await look();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return { reason: messageOf(error) };
  }
}

function keyOfOutput(key: string, format: AnalysisFormat): string {
  return `${key} ${format}`;
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
