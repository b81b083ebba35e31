import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, ServiceError } from '../../errors.ts';
import { well, wrong, type Finding } from '../finding.ts';

const CHECK = 'database';

/** Looks without changing anything. @param isServing true when a service answers at the address of the settings */
export async function checkDatabase(dataDir: string, isServing: boolean): Promise<Finding> {
  const path = join(dataDir, 'jobs.duckdb');
  try {
    await access(path);
  } catch {
    return well(CHECK, `${path} will be made by the first start`);
  }
  try {
    // Not before: a package that cannot be loaded is another finding.
    const { Database } = await import('../../store/database.ts');
    const { migrationStatus } = await import('../../store/migrate.ts');
    const database = await Database.open(path, { readOnly: true });
    try {
      const migrations = await migrationStatus(await database.connect());
      const waiting = migrations.filter(({ appliedAt }) => appliedAt === null).length;
      const schema = `its schema has ${migrations.length - waiting} of ${migrations.length} migrations`;
      return well(
        CHECK,
        `${path} can be opened; ${schema}${waiting === 0 ? '' : ', and the next start applies the rest'}`,
      );
    } finally {
      database.close();
    }
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    if (/lock/i.test(reason)) {
      const owner = /\(PID \d+[^)]*\)/.exec(reason)?.[0] ?? '';
      if (isServing) return well(CHECK, `in the hands of the service that answers ${owner}`.trimEnd());
      const remedy = 'Stop that process: a second service, or a DuckDB client';
      return wrong(CHECK, `${path} is held by another process ${owner}`.trimEnd(), remedy);
    }
    return wrong(CHECK, reason, remedyOf(error));
  }
}

function remedyOf(error: unknown): string {
  if (error instanceof ServiceError && error.code === 'schema_too_new') {
    return 'Start the newer release; docs/ROLLBACK_PLAN.md says how to go back';
  }
  return 'Keep a copy of the folder. The next start sets aside what is damaged, whole, and brings the jobs back from their sidecars (docs/RELIABILITY.md); an edited migration must be restored';
}
