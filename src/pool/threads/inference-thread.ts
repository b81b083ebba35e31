/** A thread of a child process that runs a pipeline on one frame at a time; its models stay loaded between jobs. */
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { openAnalyser, type FrameAnalyser } from '../../pipeline/analyser.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { analyseParts, type FrameParts } from '../../pipeline/frame-parts.ts';
import { ModelSessions } from '../../pipeline/models/model-sessions.ts';
import { serviceErrorOf } from '../child-errors.ts';
import { failureOf, type Failure } from '../protocol.ts';

export type InferenceOrder =
  /** Makes ready for a pipeline; the frames that follow are for it. */
  | { readonly kind: 'open'; readonly definition: PipelineDefinition }
  /** One at a time: the next one after the result of the last. */
  | { readonly kind: 'frame'; readonly frame: FrameParts };

export type InferenceNews =
  | { readonly kind: 'opened' }
  | { readonly kind: 'result'; readonly result: Record<string, unknown> }
  | { readonly kind: 'failure'; readonly failure: Failure };

const { modelsFolder } = z.object({ modelsFolder: z.string().optional() }).parse(workerData);
const sessions = new ModelSessions({ ...(modelsFolder !== undefined && { modelsFolder }) });
let analyser: FrameAnalyser | undefined;

parentPort?.on('message', (order: InferenceOrder) => {
  void obey(order).then(tell, (error: unknown) => tell({ kind: 'failure', failure: failureOf(serviceErrorOf(error)) }));
});

async function obey(order: InferenceOrder): Promise<InferenceNews> {
  if (order.kind === 'frame') {
    if (analyser === undefined) throw new Error('a frame came before its pipeline was opened');
    return { kind: 'result', result: { ...(await analyseParts(analyser, order.frame)) } };
  }
  analyser = await openAnalyser(order.definition, sessions);
  return { kind: 'opened' };
}

function tell(news: InferenceNews): void {
  parentPort?.postMessage(news, []);
}
