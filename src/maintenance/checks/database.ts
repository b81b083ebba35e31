import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ServiceError } from '../../errors.ts';
import { ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'database';
const REPAIR =
  'Keep a copy of the folder and restart the service: it sets aside what is damaged, whole, and restores the jobs from what can be read and from their sidecars (docs/RELIABILITY.md)';

/** Checks the database without changing it. @param isServing true if a service responds at the configured address */
export async function checkDatabase(dataDir: string, isServing: boolean): Promise<CheckResult> {
  const path = join(dataDir, 'jobs.duckdb');
  try {
    await access(path);
  } catch {
    return ok(CHECK, `${path} will be made by the first start`);
  }
  try {
    // Imported here, because a package that cannot be loaded is another finding.
    const { Database } = await import('../../store/database.ts');
    const { migrationStatus } = await import('../../store/migrate.ts');
    const { readRepairMark } = await import('../../store/repair-mark.ts');
    const { checkRows } = await import('../../store/repair.ts');
    const mark = await readRepairMark(path);
    if (mark !== undefined) return failed(CHECK, `${path} was found damaged: ${mark}`, REPAIR);
    const database = await Database.open(path, { readOnly: true });
    try {
      const migrations = await migrationStatus(await database.connect());
      await checkRows(database, path, { thorough: true });
      const waiting = migrations.filter(({ appliedAt }) => appliedAt === null).length;
      const schema = `its schema has ${migrations.length - waiting} of ${migrations.length} migrations`;
      return ok(
        CHECK,
        `${path} can be opened and every row of it be read; ${schema}${waiting === 0 ? '' : ', and the next start applies the rest'}`,
      );
    } finally {
      database.close();
    }
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    if (reason.includes('Could not set lock')) {
      const owner = /\(PID \d+[^)]*\)/.exec(reason)?.[0] ?? '';
      if (isServing) return ok(CHECK, `in the hands of the service that answers ${owner}`.trimEnd());
      const fix = 'Stop that process: a second service, or a DuckDB client';
      return failed(CHECK, `${path} is held by another process ${owner}`.trimEnd(), fix);
    }
    return failed(CHECK, reason, remedyOf(error));
  }
}

function remedyOf(error: unknown): string {
  if (error instanceof ServiceError && error.code === 'schema_too_new') {
    return 'Start the newer release; docs/ROLLBACK_PLAN.md message how to go back';
  }
  return `${REPAIR}. An edited migration must be restored`;
}
