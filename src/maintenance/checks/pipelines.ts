import { resolve } from 'node:path';
import { messageOf } from '../../errors.ts';
import { well, wrong, type Finding } from '../finding.ts';

const CHECK = 'models';

/** Reads every pipeline and every model that one names, and compares the models' sums, as a start does. */
export async function checkPipelines(modelsFolder: string, directory: string | undefined): Promise<Finding> {
  try {
    const { PipelineRegistry } = await import('../../pipeline/registry.ts');
    const registry = await PipelineRegistry.open({
      modelsFolder,
      ...(directory === undefined ? {} : { directory: resolve(directory) }),
    });
    const ids = registry.list().map(({ id }) => id);
    return well(CHECK, `those of ${ids.join(', ')} are there, with the right sums`);
  } catch (error) {
    const remedy =
      'npm run models -- list shows the models: remove and add the one named here; npm install restores ours';
    return wrong(CHECK, messageOf(error), remedy);
  }
}
