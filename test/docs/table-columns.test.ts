import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../tools/sample-project.ts';

const document = readFileSync(path.join(projectRoot, 'docs/ARCHITECTURE.md'), 'utf8');

describe('the tables of columns', () => {
  it('have every column of the migrated database with its type', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const folder = path.join(projectRoot, 'migrations');
    for (const file of readdirSync(folder).toSorted())
      if (file.endsWith('.up.sql')) await connection.run(readFileSync(path.join(folder, file), 'utf8'));
    const columns = await connection.runAndReadAll(
      `SELECT column_name, data_type, is_nullable FROM duckdb_columns()
       WHERE table_name IN ('jobs', 'job_transitions') ORDER BY table_name DESC, column_index`,
    );
    connection.closeSync();
    instance.closeSync();
    const rows = [...document.matchAll(/^\| `(\w+)` \| ([A-Z]+) \| (yes|no) \|/gm)];
    const told = rows.map(([, name, type, nullable]) => [name, type, nullable === 'yes']);
    expect(told).to.have.deep.members(columns.getRows());
  });
});
