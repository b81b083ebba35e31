import { access, constants, mkdtemp, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { warning, ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'data folder';
/** Write permission of group and others. */
const OTHERS_WRITE = 0o022;
/** Any permission of group and others. */
const OTHERS = 0o077;

/** Checks that this user can write to the data folder and other users cannot. Leaves nothing behind. */
export async function checkDataFolder(dataDir: string): Promise<CheckResult> {
  let path = dataDir;
  try {
    const folder = await nearestFolder(dataDir);
    path = folder;
    // Permissions do not show a read-only mount.
    await rmdir(await mkdtemp(join(folder, '.doctor-')));
    if (folder !== dataDir) return ok(CHECK, `${dataDir} will be made by the first start`);
    let open: string | undefined;
    for (const name of [
      '',
      'jobs.duckdb',
      'jobs.duckdb.wal',
      'search.duckdb',
      'video_jobs',
      'video_jobs/incoming',
      'models',
    ]) {
      path = join(dataDir, name);
      const found = await statIfThere(path);
      if (found === undefined) continue;
      await access(path, constants.R_OK | constants.W_OK);
      if ((found.mode & OTHERS_WRITE) !== 0) {
        const message = `${path} can be changed by other users of this machine`;
        return failed(CHECK, message, `chmod go-w ${path}`);
      }
      if ((found.mode & OTHERS) !== 0) open ??= path;
    }
    if (open !== undefined) {
      const message = `${open} can be entered or read by other users of this machine; videos and results cannot`;
      return warning(CHECK, message, `chmod go= ${open}`);
    }
    return ok(CHECK, `${dataDir} can be written to`);
  } catch (error) {
    const fix = `Give ${path} to the user that runs the service (chown), or set DATA_DIR to a folder that it may write to`;
    return failed(CHECK, `${path} cannot be used: ${messageOf(error)}`, fix);
  }
}

/** Returns the folder, or its nearest existing parent. */
export async function nearestFolder(path: string): Promise<string> {
  const found = await statIfThere(path);
  return found === undefined && dirname(path) !== path ? nearestFolder(dirname(path)) : path;
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
