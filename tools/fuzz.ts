import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { runCampaign, type CampaignReport } from './fuzz/campaign.ts';
import { runDirectCampaign, type DirectReport } from './fuzz/direct-campaign.ts';
import { runMultipartCampaign, type MultipartOptions } from './fuzz/multipart-campaign.ts';
import { traceChild } from './fuzz/trace.ts';

const HELP = `Usage: npm run fuzz -- [--count N] [--seed S] [--only INDEX] [--keep]
       npm run fuzz -- --multipart [--count N] [--seed S] [--only INDEX]
       npm run fuzz -- --direct [--count N] [--seed S] [--only INDEX] [--keep] [--trace]
       npm run fuzz -- --trace

Breaks small videos of its own making in N ways (default 200), sends each to a service of its own, and checks that the
service lives, every job ends with a verdict on its video, the memory of the analysing processes stays below 1 GiB, no
file is left over, and a file beside the inputs shows in no result.

The mutants depend on the seed (default 1) and their index alone. What finds something is kept as a file and named with
its index, and --only runs that one again. --keep keeps the service's data too. Exit code 1 when something was found.

--multipart sends N bodies of uploads that are broken, in pieces of any size, and checks that each has a response, that
no response is 500, and that no file is left over.

--direct sends the mutants to one restricted process instead, which is what the service does without the service, with
a smaller picture for the model: ten times as many in the same time. With --trace every file that it opens is checked.

--trace alone shows which files the analysing process opens, by strace, and checks that they are its own and its video.`;

/** Milliseconds per mutant on average, and for start and end. */
const EACH_WITHIN_MS = 3_000;
const REST_WITHIN_MS = 180_000;
const MIB = 1024 * 1024;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      count: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      multipart: { type: 'boolean', default: false },
      direct: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const only = values.only === undefined ? undefined : wholeNumber('only', values.only);
  const count = wholeNumber('count', values.count);
  const indices = only === undefined ? Array.from({ length: count }, (_, index) => index) : [only];
  const seed = wholeNumber('seed', values.seed);

  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort(new Error(name)));
  const patience = AbortSignal.timeout(REST_WITHIN_MS + indices.length * EACH_WITHIN_MS);
  const signal = AbortSignal.any([patience, interrupted.signal]);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'reelstate-fuzz-'));
  const startedMs = performance.now();
  let isWanted = values.keep;
  try {
    if (values.direct) {
      const options = {
        folder,
        seed,
        indices,
        signal,
        isTraced: values.trace,
        say: (line: string) => console.log(line),
      };
      const report = await runDirectCampaign(options);
      printDirect(report, indices.length, performance.now() - startedMs);
      if (report.findings.length > 0) isWanted = true;
      return;
    }
    if (values.trace) return await trace(folder, signal);
    if (values.multipart) return await multipart({ folder, seed, indices, signal, say: (line) => console.log(line) });
    const report = await runCampaign({ folder, seed, indices, signal, say: (line) => console.log(line) });
    print(report, indices.length, performance.now() - startedMs);
    if (report.findings.length > 0) isWanted = true;
  } finally {
    if (isWanted) console.log(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

async function multipart(options: MultipartOptions): Promise<void> {
  const startedMs = performance.now();
  const { outcomes, findings, serviceBytes } = await runMultipartCampaign(options);
  console.log(`${options.indices.length} bodies in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  printCounts(outcomes);
  console.log(`service: ${mib(serviceBytes.begin)} resident at the start, ${mib(serviceBytes.end)} at the end`);
  printFindings(findings);
}

async function trace(folder: string, signal: AbortSignal): Promise<void> {
  const report = await traceChild({ folder, signal });
  if (report === undefined) return console.log('skipped: strace is not installed, or may not trace here');
  for (const [call, count] of report.calls) console.log(`${String(count).padStart(4)}  ${call}`);
  if (report.findings.length > 0) process.exitCode = 1;
  console.log(report.findings.length === 0 ? 'nothing found' : `FOUND\n${report.findings.join('\n')}`);
}

function print(report: CampaignReport, count: number, ms: number): void {
  const { outcomes, findings, slowest, childPeakBytes, children, serviceBytes } = report;
  console.log(`\n${count} mutants in ${(ms / 1000).toFixed(0)} s`);
  printCounts(outcomes);
  console.log(`slowest job, waiting included: ${slowest.ms.toFixed(0)} ms (index ${slowest.index})`);
  console.log(`analysing processes: ${children}, at most ${mib(childPeakBytes)} resident`);
  console.log(`service: ${mib(serviceBytes.begin)} resident at the start, ${mib(serviceBytes.end)} at the end`);
  printFindings(findings);
}

function printDirect(report: DirectReport, count: number, ms: number): void {
  const { outcomes, findings, slowest, childPeakBytes, childCpuSeconds, tracedCalls } = report;
  console.log(`\n${count} mutants in ${(ms / 1000).toFixed(0)} s`);
  printCounts(outcomes);
  console.log(`slowest: ${slowest.ms.toFixed(0)} ms (index ${slowest.index})`);
  console.log(`child: ${childCpuSeconds.toFixed(0)} s of CPU time, at most ${mib(childPeakBytes)} resident`);
  if (tracedCalls !== undefined) console.log(`${tracedCalls} system calls traced`);
  printFindings(findings);
}

function printCounts(counts: ReadonlyMap<string | number, number>): void {
  for (const [name, times] of [...counts].toSorted((a, b) => b[1] - a[1])) {
    console.log(`${String(times).padStart(8)}  ${name}`);
  }
}

function printFindings(findings: readonly string[]): void {
  console.log(findings.length === 0 ? 'nothing found' : `${findings.length} found:\n${findings.join('\n')}`);
  if (findings.length > 0) process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number`);
  return Number(text);
}

try {
  await main();
} catch (error) {
  console.error(`fuzz failed: ${messageOf(error)}`);
  process.exitCode = 1;
}
