/** A process that writes jobs until it is killed, and prints the id and revision of each acknowledged write. */
import { pino } from 'pino';
import { DuckDBJobStore } from '../../src/store/duckdb.ts';
import { newJob, nextOf } from './job-store.contract.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: writer-child PATH');
const store = await DuckDBJobStore.open({ path, log: pino({ level: 'silent' }) });

async function write(): Promise<never> {
  for (;;) {
    const { job, transition } = newJob();
    let stored = await store.insert(job, transition);
    process.stdout.write(`${stored.jobId} 1\n`);
    for (const status of ['running', 'completed'] as const) {
      const next = nextOf(stored, status);
      if (!(await store.save(next.job, next.transition))) throw new Error('a save was refused');
      stored = next.job;
      process.stdout.write(`${stored.jobId} ${stored.revision}\n`);
    }
  }
}
await Promise.all(Array.from({ length: 10 }, write));
