import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';

/** `NNNN_name.up.sql` and `NNNN_name.down.sql`, numbered from 0001 without gaps. */
export const MIGRATIONS_FOLDER = new URL('migrations/', import.meta.resolve('#package.json'));

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Hex SHA-256 of the up file, which must not change after it was applied. */
  readonly sha256: string;
  /** ISO 8601 UTC; null if pending. */
  readonly appliedAt: string | null;
}

interface MigrationFile extends Omit<Migration, 'appliedAt'> {
  readonly up: string;
  readonly down: string;
}

const fileNameSchema = z.templateLiteral([z.string().regex(/^\d{4}$/), '_', z.string().regex(/^[a-z_]+$/), '.up.sql']);

const appliedSchema = z.object({
  version: z.int(),
  name: z.string(),
  sha256: z.string(),
  applied_at: z.date().transform((date) => date.toISOString()),
});

/**
 * Applies pending migrations, each in one transaction with its row in `schema_migrations`. Rejects with
 * `schema_too_new` if the database has an unknown migration, and with `store_unavailable` if an applied file was
 * edited.
 */
export async function migrateUp(
  connection: DuckDBConnection,
  folder = MIGRATIONS_FOLDER,
): Promise<readonly Migration[]> {
  await connection.run(
    'CREATE TABLE IF NOT EXISTS schema_migrations ' +
      '(version INTEGER PRIMARY KEY, name VARCHAR NOT NULL, sha256 VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL)',
  );
  const { files, applied } = await compare(connection, folder);
  for (const file of files.slice(applied.length)) {
    await inTransaction(connection, async () => {
      await connection.run(file.up);
      await connection.run('INSERT INTO schema_migrations VALUES ($1, $2, $3, now() AT TIME ZONE $4)', [
        file.version,
        file.name,
        file.sha256,
        'UTC',
      ]);
    });
  }
  return migrationStatus(connection, folder);
}

/** Reverts the last applied migration in one transaction with its row. Resolves with undefined if there is none. */
export async function migrateDown(
  connection: DuckDBConnection,
  folder = MIGRATIONS_FOLDER,
): Promise<Migration | undefined> {
  const { files, applied } = await compare(connection, folder);
  const last = applied.at(-1);
  const file = files[applied.length - 1];
  if (last === undefined || file === undefined) return undefined;
  await inTransaction(connection, async () => {
    await connection.run(file.down);
    await connection.run('DELETE FROM schema_migrations WHERE version = $1', [file.version]);
  });
  return last;
}

/** Returns every known migration, in order. Throws like `migrateUp`. */
export async function migrationStatus(
  connection: DuckDBConnection,
  folder = MIGRATIONS_FOLDER,
): Promise<readonly Migration[]> {
  const { files, applied } = await compare(connection, folder);
  return files.map(({ version, name, sha256 }, index) => ({
    version,
    name,
    sha256,
    appliedAt: applied[index]?.appliedAt ?? null,
  }));
}

async function compare(connection: DuckDBConnection, folder: URL) {
  const files = await readMigrations(folder);
  const applied = await appliedMigrations(connection);
  for (const [index, { version, name, sha256 }] of applied.entries()) {
    const file = files[index];
    if (file === undefined) {
      throw new ServiceError(
        'schema_too_new',
        `the database has migration ${version} (${name}), and this code knows ${files.length}: start the newer release, or revert it there`,
      );
    }
    if (file.version !== version || file.sha256 !== sha256) {
      throw new ServiceError(
        'store_unavailable',
        `migration ${file.version} (${file.name}) is not the one that was applied to this database as ${version} (${name}): ` +
          'restore its file and put the change into a new migration',
      );
    }
  }
  return { files, applied };
}

/** Returns nothing for a new database. Changes nothing, so that a database can be inspected. */
async function appliedMigrations(connection: DuckDBConnection): Promise<readonly Migration[]> {
  const table = await connection.runAndReadAll(
    "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'schema_migrations'",
  );
  if (table.currentRowCount === 0) return [];
  const stored = await connection.runAndReadAll('SELECT * FROM schema_migrations ORDER BY version');
  return stored.getRowObjectsJS().map((row) => {
    const { applied_at: appliedAt, ...migration } = appliedSchema.parse(row);
    return { ...migration, appliedAt };
  });
}

async function readMigrations(folder: URL): Promise<readonly MigrationFile[]> {
  const ups = (await readdir(folder)).filter((file) => file.endsWith('.up.sql')).toSorted();
  return Promise.all(
    ups.map(async (file, index) => {
      const version = Number(file.slice(0, 4));
      if (!fileNameSchema.safeParse(file).success || version !== index + 1) {
        throw new ServiceError('store_unavailable', `${file} is not the name of migration ${index + 1}`);
      }
      const up = await readFile(new URL(file, folder), 'utf8');
      const down = await readFile(new URL(file.replace('.up.sql', '.down.sql'), folder), 'utf8');
      const name = file.slice('0000_'.length, -'.up.sql'.length);
      return { version, name, sha256: createHash('sha256').update(up).digest('hex'), up, down };
    }),
  );
}

async function inTransaction(connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
  await connection.run('BEGIN');
  try {
    await work();
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
