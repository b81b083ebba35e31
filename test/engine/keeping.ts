import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { JOB_MACHINE_VERSION } from '../../machines/job.ts';
import { sidecarPathOf, inputPathOf, resultsPathOf, type Sidecar } from '../../src/engine/sidecar.ts';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import type { Log } from '../../src/log.ts';
import type { EngineHarness } from './engine-harness.ts';

/** The real parts of background work, with a log that the test reads. */
export function keeping({ store, storage, queue, engine, recovery }: EngineHarness, log: Log, signal: AbortSignal) {
  return { store, storage, queue, engine, recovery, log, signal };
}

export const newId = (): JobId => jobIdSchema.parse(uuidv7());

/** Of a pending job by default. */
export function aSidecar(jobId: JobId, differing: Partial<Sidecar> = {}): Sidecar {
  return {
    job_id: jobId,
    pipeline_id: 'ocr_only',
    options: { frame_stride: 1 },
    file_name: null,
    tag: null,
    input_path: inputPathOf(jobId),
    accepted_at: '2026-01-02T03:04:05.678Z',
    machine_version: JOB_MACHINE_VERSION,
    outcome: null,
    submission: null,
    expired_at: null,
    ...differing,
  };
}

/** The outcome of a completed job with stored results. */
export function completion(jobId: JobId): NonNullable<Sidecar['outcome']> {
  return {
    status: 'completed',
    output_path: resultsPathOf(jobId),
    error_code: null,
    error_message: null,
    attempt: 1,
    ended_at: '2026-01-02T03:05:05.678Z',
    media: null,
  };
}

export async function put({ folder }: EngineHarness, name: string, text = 'x'): Promise<void> {
  await writeFile(join(folder, 'video_jobs', name), text);
}

export async function putSidecar(harness: EngineHarness, sidecar: Sidecar): Promise<void> {
  await put(harness, sidecarPathOf(sidecar.job_id), JSON.stringify(sidecar));
}
