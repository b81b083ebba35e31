import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { columnTable, tableColumns } from '../../tools/documents/table-columns.ts';
import { projectRoot } from '../tools/sample-project.ts';

describe('the documents of the tables', () => {
  it('tell of every column that the migrations make, as DuckDB has it', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const folder = path.join(projectRoot, 'migrations');
    for (const file of readdirSync(folder).toSorted())
      if (file.endsWith('.up.sql')) await connection.run(readFileSync(path.join(folder, file), 'utf8'));
    const real = await connection.runAndReadAll(
      'SELECT table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE NOT internal',
    );
    connection.closeSync();
    instance.closeSync();
    const told = tableColumns().map(({ table, name, type, nullable }) => [table, name, type, nullable]);
    expect(told).to.have.deep.members(real.getRows());
    expect(columnTable('jobs')).to.contain('\n| `output_path` | VARCHAR | yes | null until completed |\n');
  });
});
