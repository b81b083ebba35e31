import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { ok, warning, type CheckResult } from '../check-result.ts';

const CHECK = 'search index';

/** Looks without changing anything. @param isServing true when a service answers at the address of the settings */
export async function checkSearchIndex(dataDir: string, isServing: boolean): Promise<CheckResult> {
  const path = join(dataDir, 'search.duckdb');
  try {
    await access(path);
  } catch {
    return ok(CHECK, `${path} will be made by the first start`);
  }
  if (isServing) return ok(CHECK, 'in use by the running service; GET /health reports whether it is complete');
  try {
    // Not before: a package that cannot be loaded is another finding.
    const { countVideos } = await import('../../search/index-file.ts');
    return ok(CHECK, `${path} can be opened and has ${await countVideos(path)} videos`);
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    return warning(CHECK, `${path} cannot be read: ${reason}`, 'Start the service: it makes a damaged index anew');
  }
}
