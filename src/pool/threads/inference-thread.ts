/** An inference thread of a child process: runs a pipeline on one frame at a time. Models stay loaded between jobs. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { openAnalyser, type FrameAnalyser } from '../../pipeline/analyser.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { analyseParts, type FrameParts } from '../../pipeline/frame-parts.ts';
import { ModelSessions } from '../../pipeline/models/model-sessions.ts';
import { serviceErrorOf } from '../child-errors.ts';
import { failureOf, type Failure } from '../protocol.ts';

export type InferenceCommand =
  /** Opens a pipeline for the frames that follow. */
  | { readonly kind: 'open'; readonly definition: PipelineDefinition }
  /** Sent after the result of the previous frame. */
  | { readonly kind: 'frame'; readonly frame: FrameParts };

export type InferenceEvent =
  | { readonly kind: 'opened' }
  | { readonly kind: 'result'; readonly result: Record<string, unknown> }
  | { readonly kind: 'failure'; readonly failure: Failure };

const { modelsFolder } = z.object({ modelsFolder: z.string().optional() }).parse(workerData);
const sessions = new ModelSessions({ ...(modelsFolder !== undefined && { modelsFolder }) });
let analyser: FrameAnalyser | undefined;

parentPort?.on('message', (command: InferenceCommand) => {
  void handle(command).then(post, (error: unknown) =>
    post({ kind: 'failure', failure: failureOf(serviceErrorOf(error)) }),
  );
});

async function handle(command: InferenceCommand): Promise<InferenceEvent> {
  if (command.kind === 'frame') {
    if (analyser === undefined) throw new Error('a frame came before its pipeline was opened');
    return { kind: 'result', result: { ...(await analyseParts(analyser, command.frame)) } };
  }
  analyser = await openAnalyser(command.definition, sessions);
  return { kind: 'opened' };
}

function post(event: InferenceEvent): void {
  parentPort?.postMessage(event, []);
}
