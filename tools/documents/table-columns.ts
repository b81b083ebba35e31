import { readdirSync, readFileSync } from 'node:fs';
import { markdownTable } from './markdown-table.ts';

const MIGRATIONS = new URL('migrations/', import.meta.resolve('#package.json'));

const STATEMENT = /CREATE TABLE (\w+) \(\n([\s\S]*?)\n\);|ALTER TABLE (\w+) ADD COLUMN (.+)/g;
const COLUMN = /^ *(\w+) +(\w+)( +NOT NULL)?[ ,;]*(?:-- (.+))?$/;

/** A column of the database, as the migrations leave it. */
export interface TableColumn {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly meaning: string;
}

/** The columns of all tables, in order. @throws when a migration changes one in a way that is not understood here */
export function tableColumns(): readonly TableColumn[] {
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.up.sql'));
  return files.toSorted().flatMap((file) => {
    const sql = readFileSync(new URL(file, MIGRATIONS), 'utf8');
    if (/\b(?:ALTER|CREATE|DROP) /.test(sql.replaceAll(STATEMENT, '').replaceAll(/--.*/g, '')))
      throw new Error(`${file} has a statement whose columns are not known: teach tools/documents/table-columns.ts`);
    return [...sql.matchAll(STATEMENT)].flatMap(([, created, body = '', altered = '', added = '']) =>
      (created === undefined ? [added] : body.split('\n')).map((line) => columnOf(created ?? altered, line, file)),
    );
  });
}

function columnOf(table: string, line: string, file: string): TableColumn {
  const [, name, type, required, meaning = ''] = COLUMN.exec(line) ?? [];
  if (name === undefined || type === undefined) throw new Error(`${file}: no column in ${JSON.stringify(line)}`);
  return { table, name, type, nullable: required === undefined, meaning };
}

/** The columns of one table. */
export function columnTable(table: string): string {
  return markdownTable(
    ['Column', 'Type', 'Null', 'Meaning'],
    tableColumns()
      .filter((column) => column.table === table)
      .map(({ name, type, nullable, meaning }) => [`\`${name}\``, type, nullable ? 'yes' : 'no', meaning]),
  );
}
