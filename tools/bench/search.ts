/**
 * `node dist/tools/bench/search.js [videos …]`: search in the real service over videos of 100 segments. Default: 1000
 * 10000.
 */
import { setMaxListeners } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { memoryOf } from '../child-processes.ts';
import { startService, type ServiceProcess } from '../service-process.ts';
import { cpuSeconds, median, percentile, print } from './figures.ts';
import { fillStore } from './filled-store.ts';
import { vocabulary, writeCorpus } from './search-corpus.ts';

const MIB = 1024 * 1024;
const SEGMENTS = 100;
const SEARCHES = 200;
const CALLERS = 20;
const SETTINGS = { LOG_LEVEL: 'warn', PIPELINE_THREADS: '1', REQUESTS_PER_S: '1000000' };

const answerSchema = z.object({ complete: z.boolean(), hits: z.array(z.unknown()) });

const { signal } = new AbortController();
setMaxListeners(0, signal);
const words = vocabulary();
const wordAt = (rank: number): string => words[rank] ?? '';
/** One letter of the word is wrong. */
const misspelt = (rank: number): string => `${wordAt(rank).slice(0, -1)}#`.replace('#', 'q');
const longFrom = (rank: number): number => words.findIndex((word, at) => at >= rank && word.length >= 7);

/** Kinds of queries; the number varies the query. */
const QUERIES: Readonly<Record<string, (n: number) => Record<string, string>>> = {
  'a rare word': (n) => ({ q: wordAt(50_000 + 37 * n) }),
  'a frequent word': (n) => ({ q: wordAt(n % 20) }),
  'two words': (n) => ({ q: `${wordAt(100 + n)} ${wordAt(300 + n)}` }),
  'two of the most frequent words': (n) => ({ q: `${wordAt(n % 5)} ${wordAt(5 + (n % 7))}` }),
  'a phrase': (n) => ({ q: `"${wordAt(n % 30)} ${wordAt(30 + n)}"` }),
  'a misspelt word': (n) => ({ q: misspelt(longFrom(1_000 + 100 * n)) }),
  'a label and a word': (n) => ({ label: 'car', q: wordAt(200 + n) }),
  'words that are nowhere': (n) => ({ q: `zzzzz${n}q qqqqqqzz` }),
};

const folder = await mkdtemp(join(process.env['BENCH_DIR'] ?? tmpdir(), 'reelstate-bench-'));
try {
  const sizes = process.argv.slice(2).map(Number);
  for (const videos of sizes.length > 0 ? sizes : [1_000, 10_000]) await benchSize(videos);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function benchSize(videos: number): Promise<void> {
  const dataDir = join(folder, `data-${videos}`);
  const files = join(dataDir, 'video_jobs');
  await mkdir(files, { recursive: true });
  const { newest } = await fillStore(join(dataDir, 'jobs.duckdb'), { completed: videos, pending: 0, sample: videos });
  await writeCorpus(files, newest);
  const told = (what: string, figure: string): void => print(`${videos * SEGMENTS} segments: ${what}`, figure);
  const service = await startService({ dataDir, signal, settings: SETTINGS });
  try {
    const begunMs = performance.now();
    const cpuBefore = await cpuSeconds(service.pid);
    while (!(await search(service, { q: 'a' })).complete) await setTimeout(50);
    told(
      'from ready to a complete new index',
      `${((performance.now() - begunMs) / 1_000).toFixed(1)} s; ${((await cpuSeconds(service.pid)) - cpuBefore).toFixed(1)} CPU s`,
    );
    told('index file', `${((await stat(join(dataDir, 'search.duckdb'))).size / MIB).toFixed(0)} MiB`);
    told('memory', memory(service));
    const all: number[] = [];
    for (const [what, query] of Object.entries(QUERIES)) {
      const ms = await timed(service, query);
      all.push(...ms.times);
      told(what, ms.text);
    }
    told('all searches, 1 caller', figures(all));
    told(`status beside ${CALLERS} callers`, await statusBeside(service, newest));
    told('memory afterwards', memory(service));
  } finally {
    await service.stop();
  }
  await rm(dataDir, { recursive: true });
}

async function timed(service: ServiceProcess, query: (n: number) => Record<string, string>) {
  const times: number[] = [];
  let hits = 0;
  const cpuBefore = await cpuSeconds(service.pid);
  const count = SEARCHES / 4;
  for (let n = 0; n < count; n += 1) {
    const askedMs = performance.now();
    hits += (await search(service, query(n))).hits.length;
    times.push(performance.now() - askedMs);
  }
  const cpuMs = (((await cpuSeconds(service.pid)) - cpuBefore) * 1_000) / count;
  return { times, text: `${figures(times)}; ${cpuMs.toFixed(0)} CPU ms; ${(hits / count).toFixed(1)} hits on a page` };
}

/** Times of sequential status requests while others search continuously. */
async function statusBeside(service: ServiceProcess, jobs: readonly string[]): Promise<string> {
  const stop = new AbortController();
  const kinds = Object.values(QUERIES);
  let searches = 0;
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    for (let n = caller; !stop.signal.aborted; n += 1) {
      await search(service, kinds[n % kinds.length]?.(n) ?? {});
      searches += 1;
    }
  });
  const times: number[] = [];
  const begunMs = performance.now();
  for (let n = 0; n < 5 * SEARCHES; n += 1) {
    const askedMs = performance.now();
    const answer = await fetch(`${service.url}/video/status/${jobs[(n * 7919) % jobs.length]}`, { signal });
    await answer.arrayBuffer();
    times.push(performance.now() - askedMs);
  }
  const perSecond = (searches * 1_000) / (performance.now() - begunMs);
  stop.abort();
  await Promise.all(callers);
  return `${figures(times)}; ${perSecond.toFixed(0)} searches a second`;
}

async function search({ url }: ServiceProcess, query: Record<string, string>): Promise<z.infer<typeof answerSchema>> {
  const answer = await fetch(`${url}/video/search?${new URLSearchParams(query).toString()}`, { signal });
  return answerSchema.parse(await answer.json());
}

function figures(times: readonly number[]): string {
  const [p50, p95, p99] = [median(times), percentile(times, 95), percentile(times, 99)].map((ms) => ms.toFixed(0));
  return `p50 ${p50}, p95 ${p95}, p99 ${p99} ms`;
}

function memory({ pid }: ServiceProcess): string {
  const { now, peak } = memoryOf(pid) ?? { now: Number.NaN, peak: Number.NaN };
  return `${(now / MIB).toFixed(0)} MiB, ${(peak / MIB).toFixed(0)} MiB at most`;
}
