import { access, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { damagedPartIn, type Damage } from './damage.ts';
import { Database, isInvalidated } from './database.ts';
import { markForRepair, readRepairMark, syncFolder } from './repair-mark.ts';
import { readAllRows } from './row-ranges.ts';
import { salvage } from './salvage.ts';

/** The position of the entry's data, which follows its size and checksum of 8 bytes each. */
const DAMAGED_ENTRY = /entry at byte position (\d+)/;
const ENTRY_HEADER_BYTES = 16;
/** Size of the file header before the first block. */
const FILE_HEADER_BYTES = 3 * 4096;

export interface OpenedDatabase {
  readonly database: Database;
  /** Every start finds the mark until the jobs are restored and it is removed. */
  readonly damage: Damage | undefined;
}

/**
 * Opens a database for its only owner, like `Database.open`. Damaged files are renamed to `….damaged-<time>`, never
 * changed or deleted. Then it opens what remains: the database with its log up to the first damaged entry, without its
 * log, with the readable rows, or a new database.
 * @param options.thorough reads every row even without a sign of damage
 */
export async function openRepaired(path: string, { thorough = false } = {}): Promise<OpenedDatabase> {
  const suffix = `.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  await finishSwap(path, suffix);
  const mark = await readRepairMark(path);
  const { database, damage } = await openSetAside(path, suffix);
  const found = damage ?? (mark === undefined ? undefined : { setAside: [], lost: 'rows' as const });
  if (found?.lost === 'database') return { database, damage: found };
  try {
    await checkRows(database, path, { thorough: thorough || found !== undefined });
    return { database, damage: found };
  } catch (error) {
    database.close();
    if (damagedPartIn(error) !== 'database') throw error;
    await markForRepair(path, messageOf(error));
    const swapped = await swap(path, suffix);
    const setAside = [...(found?.setAside ?? []), ...swapped.setAside];
    return { database: await Database.open(path), damage: { setAside, lost: swapped.lost } };
  }
}

/**
 * Rejects with DuckDB's error about a damaged file. Without `thorough` it reads what every start reads, and the length
 * of the file.
 */
export async function checkRows(
  database: Database,
  path: string,
  { thorough }: { readonly thorough: boolean },
): Promise<void> {
  const connection = await database.connect();
  const size = await connection.runAndReadAll(
    "SELECT total_blocks * block_size FROM pragma_database_size() WHERE database_name = 'store'",
  );
  const { size: present } = await stat(path);
  const expected = FILE_HEADER_BYTES + Number(size.getRows()[0]?.[0]);
  if (present < expected) {
    throw new Error(`Could not read enough bytes from file: it has ${present} of ${expected} bytes`);
  }
  const tables = await connection.runAndReadAll("SELECT table_name FROM duckdb_tables() WHERE database_name = 'store'");
  const names = new Set(tables.getRows().map(([name]) => name));
  if (names.has('schema_migrations')) await connection.run('SELECT bit_xor(hash(t)) FROM schema_migrations t');
  if (thorough) await readAllRows(connection);
  else if (names.has('jobs'))
    await connection.run('SELECT bit_xor(hash(status)), bit_xor(hash(accepted_seq)) FROM jobs');
}

/** Sets aside the files that DuckDB rejects. */
async function openSetAside(path: string, suffix: string): Promise<OpenedDatabase> {
  const wal = `${path}.wal`;
  const setAside: string[] = [];
  let damage: Damage | undefined;
  for (;;) {
    try {
      return { database: await Database.open(path), damage };
    } catch (error) {
      const part = damagedPartIn(error);
      if (part === undefined || damage?.lost === 'database' || (part === 'log' && damage?.lost === 'log')) throw error;
      const reason = messageOf(error);
      if (damage === undefined) {
        await markForRepair(path, reason);
        await moveIfThere(wal, `${wal}${suffix}`, setAside);
      } else {
        await rm(wal, { force: true }); // what was kept of the log
      }
      const soundBytes = Number(DAMAGED_ENTRY.exec(reason)?.[1] ?? 0) - ENTRY_HEADER_BYTES;
      if (part === 'log' && damage === undefined && soundBytes > 0) {
        const whole = await readFile(`${wal}${suffix}`);
        await writeFile(wal, whole.subarray(0, soundBytes), { flush: true });
        damage = { setAside, lost: 'end_of_log' };
      } else if (part === 'log') {
        damage = { setAside, lost: 'log' };
      } else {
        await moveIfThere(path, `${path}${suffix}`, setAside);
        damage = { setAside, lost: 'database' };
      }
    }
  }
}

/** Replaces the damaged database by a new one with its readable rows. */
async function swap(path: string, suffix: string): Promise<Damage> {
  const draft = `${path}.salvage`;
  try {
    await salvage(path, draft);
  } catch (error) {
    if (damagedPartIn(error) === undefined && !isInvalidated(error)) throw error;
    const setAside: string[] = [];
    await moveIfThere(`${path}.wal`, `${path}.wal${suffix}`, setAside);
    await moveIfThere(path, `${path}${suffix}`, setAside);
    return { setAside, lost: 'database' };
  }
  await rename(draft, salvagedOf(path));
  await syncFolder(path);
  return { setAside: await finishSwap(path, suffix), lost: 'rows' };
}

/** A start that was killed meanwhile also left this file; under this name its rows are complete. */
async function finishSwap(path: string, suffix: string): Promise<readonly string[]> {
  const setAside: string[] = [];
  const isSalvaged = await access(salvagedOf(path)).then(
    () => true,
    () => false,
  );
  if (!isSalvaged) return setAside;
  await moveIfThere(`${path}.wal`, `${path}.wal${suffix}`, setAside);
  await moveIfThere(path, `${path}${suffix}`, setAside);
  await rename(salvagedOf(path), path);
  await syncFolder(path);
  return setAside;
}

function salvagedOf(path: string): string {
  return `${path}.salvaged`;
}

async function moveIfThere(from: string, to: string, moved: string[]): Promise<void> {
  try {
    await rename(from, to);
    moved.push(to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
