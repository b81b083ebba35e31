import { planPipeline, type PlannedNode } from './dag.ts';
import type { PipelineDefinition } from './definition.ts';
import type { Frame } from './frame.ts';
import { BUILT_IN_DETECTOR } from './models/model-catalogue.ts';
import type { ModelSessions } from './models/model-sessions.ts';
import type { Findings, RunTool, ToolInputs } from './tools/tool.ts';
import { TOOLS } from './tools/tools.ts';

/** Runs one pipeline on single frames. */
export interface FrameAnalyser {
  /**
   * Returns the findings of the pipeline's outputs in one frame, without its timestamp: keys in the order of the
   * outputs, plain JSON, deterministic. Blocks the thread while a model computes.
   */
  analyse(frame: Frame): Promise<Findings>;
}

/**
 * Opens a pipeline in this thread. `definition` comes from the registry. Models stay in `sessions`, so opening another
 * pipeline later is cheap. Throws `invalid_pipeline` or `invalid_model`.
 */
export async function openAnalyser(definition: PipelineDefinition, sessions: ModelSessions): Promise<FrameAnalyser> {
  // The registry has filled in all defaults, including the name of the detector.
  const plan = planPipeline(definition, {
    source: definition.id,
    tools: TOOLS,
    defaults: { detector: BUILT_IN_DETECTOR },
  });
  const steps: { readonly node: PlannedNode; readonly run: RunTool }[] = [];
  for (const node of plan.nodes) steps.push({ node, run: await node.tool.open(sessions) });
  return {
    async analyse(frame) {
      const found = new Map<string, Findings>();
      for (const { node, run } of steps) {
        let inputs: ToolInputs = { frame };
        for (const id of node.after) inputs = { ...inputs, ...found.get(id) };
        found.set(node.id, await run(inputs));
      }
      let result: Findings = {};
      for (const id of plan.outputs) result = { ...result, ...found.get(id) };
      return result;
    },
  };
}
