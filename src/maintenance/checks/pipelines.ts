import { resolve } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';
import { ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'models';

/** Reads every pipeline and its models, and compares the hashes of the models, as a start does. */
export async function checkPipelines(
  modelsFolder: string,
  directory: string | undefined,
): Promise<{ readonly finding: CheckResult; readonly definitions: readonly PipelineDefinition[] }> {
  try {
    const { PipelineRegistry } = await import('../../pipeline/registry.ts');
    const registry = await PipelineRegistry.open({
      modelsFolder,
      ...(directory === undefined ? {} : { directory: resolve(directory) }),
    });
    const definitions = registry.list();
    const ids = definitions.map(({ id }) => id);
    return { finding: ok(CHECK, `those of ${ids.join(', ')} are there, with the right sums`), definitions };
  } catch (error) {
    const fix = 'reelstate models list shows the models: remove and add the one named here; npm install restores ours';
    return { finding: failed(CHECK, messageOf(error), fix), definitions: [] };
  }
}
