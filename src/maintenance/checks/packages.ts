import { messageOf } from '../../errors.ts';
import { ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'packages';

/** Packages with platform-specific parts, through the modules that use them. */
const LOADS: Readonly<Record<string, () => Promise<unknown>>> = {
  '@duckdb/node-api': () => import('../../store/database.ts'),
  'node-av': () => import('../../pipeline/video-decoder.ts'),
  'onnxruntime-node': async () => (await import('../../pipeline/models/model-sessions.ts')).inferenceLibrary(),
};

export async function checkPackages(): Promise<CheckResult> {
  for (const [name, load] of Object.entries(LOADS)) {
    try {
      await load();
    } catch (error) {
      const [reason = ''] = messageOf(error).split('\n');
      return failed(
        CHECK,
        `${name} cannot be loaded: ${reason}`,
        'Run npm install on this machine: it brings the parts for this platform. Linux with glibc on x64 is tried',
      );
    }
  }
  return ok(CHECK, `${Object.keys(LOADS).join(', ')} can be loaded`);
}
