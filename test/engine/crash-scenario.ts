import { appendFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { isFinal } from '../../src/engine/job-change.ts';
import type { JobEngine } from '../../src/engine/job-engine.ts';
import { sidecarOf, sidecarPathOf } from '../../src/engine/sidecar.ts';
import { ServiceError } from '../../src/errors.ts';
import { jobIdSchema, type FrameResult, type JobId } from '../../src/job.ts';
import type { Step } from '../../src/engine/step.ts';
import { EngineHarness, twoFrames, untilAborted } from './engine-harness.ts';
import { jobIn } from '../job-in.ts';

/**
 * Takes jobs through every possible course and reports each step. What a client would know is appended to `ledger` in
 * the folder.
 */
export async function runScenario(folder: string, onStep: (step: Step) => void): Promise<void> {
  const harness = await EngineHarness.open({ folder, maxAttempts: 2, onStep });
  const { engine, pipelines } = harness;
  const note = (line: object): void => appendFileSync(join(folder, 'ledger'), `${JSON.stringify(line)}\n`);
  engine.onTransition(({ jobId, status }) => {
    if (isFinal(status)) note({ ended: jobId, status });
  });
  const accept = async (): Promise<JobId> => {
    const { jobId } = await harness.submit();
    note({ accepted: jobId });
    return jobId;
  };

  await leaveEvidence(harness);
  await harness.recover();
  await harness.keepHouse();
  await harness.worker().runOnce();
  await harness.worker().runOnce();

  const completed = await accept();
  await harness.worker().runOnce();
  await engine.deleteFiles(completed);

  await accept();
  pipelines.script = failing(new ServiceError('invalid_video', 'no video track'));
  await harness.worker().runOnce();

  await accept();
  pipelines.script = failing(new ServiceError('stalled', 'no frame', { retryable: true }));
  await harness.worker().runOnce();
  await harness.worker().runOnce();

  await accept();
  pipelines.script = untilAborted;
  const halted = harness.worker();
  const started = heard(engine, 'START');
  const ended = halted.runForever();
  await started;
  halted.halt();
  await ended;

  await engine.cancel(await accept());

  // Cancelled after its results were stored, before COMPLETE.
  pipelines.script = twoFrames;
  const dispatch = engine.dispatch.bind(engine);
  engine.dispatch = async (jobId, event) => {
    if (event.type === 'COMPLETE') await dispatch(jobId, { type: 'CANCEL' });
    return dispatch(jobId, event);
  };
  await harness.worker().runOnce();
  engine.dispatch = dispatch;

  await accept();
  await accept();
  await harness.store.close();
}

/** Leaves a video and sidecar of a job missing in the database, and a video of no job. */
async function leaveEvidence(harness: EngineHarness): Promise<void> {
  const { storage, folder } = harness;
  const given = await jobIn(harness.store, (await harness.submit()).jobId);
  const jobId = jobIdSchema.parse(uuidv7());
  const sidecar = { ...sidecarOf(given), job_id: jobId, input_path: `${jobId}.mp4` };
  async function* text() {
    yield JSON.stringify(sidecar);
  }
  await storage.saveFile(text(), sidecarPathOf(jobId));
  const baseDir = join(folder, 'video_jobs');
  await writeFile(join(baseDir, `${jobId}.mp4`), 'a video');
  await writeFile(join(baseDir, `${uuidv7()}.mp4`), 'a video of no job');
}

/** Resolves when the engine reports this event. */
const heard = (engine: JobEngine, wanted: string): Promise<JobId> =>
  new Promise((resolve) => {
    const stop = engine.onTransition(({ jobId }, { event }) => {
      if (event !== wanted) return;
      stop();
      resolve(jobId);
    });
  });

function failing(error: ServiceError) {
  return async function* (): AsyncGenerator<FrameResult> {
    yield { frame_index: 0, result: { timestamp_ms: 0 } };
    throw error;
  };
}
