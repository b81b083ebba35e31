import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../../src/errors.ts';
import { memoryOf } from '../child-processes.ts';
import { startService, type ServiceProcess } from '../service-process.ts';
import { attempt } from './attempt.ts';
import { placeCanaries } from './canary.ts';
import { ChildWatch } from './child-watch.ts';
import { makeMutant, type Mutant } from './mutant.ts';
import { makeSeedVideos } from './seed-videos.ts';

export interface CampaignOptions {
  /** Folder of the service's data, and of mutants to keep. */
  readonly folder: string;
  readonly seed: number;
  /** Indices of the mutants. */
  readonly indices: readonly number[];
  readonly signal: AbortSignal;
  /** Called for every line of the report. */
  readonly say: (line: string) => void;
}

export interface CampaignReport {
  readonly outcomes: ReadonlyMap<string, number>;
  readonly findings: readonly string[];
  readonly slowest: { readonly index: number; readonly ms: number };
  readonly childPeakBytes: number;
  readonly children: number;
  readonly serviceBytes: { readonly begin: number; readonly end: number };
}

/** Concurrent mutants: more than the service analyses at once, so that its queue is used. */
const IN_FLIGHT = 5;
/** Memory limit of a child for any input. */
const CHILD_PEAK_BYTES = 1024 * 1024 * 1024;
const SAY_EVERY = 250;

/** One attempt, so that a crash is reported and not repeated; and short timeouts. */
const SETTINGS = {
  LOG_LEVEL: 'error',
  WORKER_CONCURRENCY: '2',
  PIPELINE_THREADS: '1',
  MAX_ATTEMPTS: '1',
  JOB_TIMEOUT_MS: '60000',
  STALL_TIMEOUT_MS: '20000',
};

/** Sends mutants to its own service, several at a time, and checks for violations after each. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { folder, signal } = options;
  const dataDir = join(folder, 'data');
  await mkdir(join(folder, 'seeds'), { recursive: true });
  const videos = await makeSeedVideos(join(folder, 'seeds'));
  const service = await startService({ dataDir, signal, settings: SETTINGS });
  try {
    const storageDir = join(dataDir, 'video_jobs');
    const canaries = await placeCanaries(storageDir);
    using watch = ChildWatch.start(service.pid);
    const run = new Campaign(options, service, watch);
    const begin = memoryOf(service.pid)?.now ?? 0;
    const waiting = options.indices.values();
    const sender = async (): Promise<void> => {
      for (const index of waiting) {
        await run.one(index, makeMutant({ videos, canaryPath: canaries.videoPath, seed: options.seed, index }));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
    watch.look();
    const end = memoryOf(service.pid)?.now ?? 0;
    await run.checkFiles(storageDir, canaries.names);
    return run.report({ begin, end });
  } finally {
    const code = await service.stop();
    if (code !== 0) options.say(`the service stopped with ${code}:\n${service.lines.join('\n')}`);
  }
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #service: ServiceProcess;
  readonly #watch: ChildWatch;
  readonly #outcomes = new Map<string, number>();
  readonly #findings: string[] = [];
  /** Files that must be in the storage at the end. */
  readonly #files = new Set<string>();
  #slowest = { index: -1, ms: 0 };
  #done = 0;
  #isTooHungry = false;

  constructor(options: CampaignOptions, service: ServiceProcess, watch: ChildWatch) {
    this.#options = options;
    this.#service = service;
    this.#watch = watch;
  }

  async one(index: number, mutant: Mutant): Promise<void> {
    const { signal, say, indices } = this.#options;
    signal.throwIfAborted();
    const faults: string[] = [];
    try {
      const { outcome, jobId, ms, faults: found } = await attempt(this.#service.url, mutant, signal);
      faults.push(...found);
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
      if (jobId !== undefined) for (const kind of ['mp4', 'json']) this.#files.add(`${jobId}.${kind}`);
      if (outcome === 'completed') {
        this.#files.add(`${jobId}_results.json`);
        this.#files.add(`${jobId}_segments.json`);
      }
      if (ms > this.#slowest.ms) this.#slowest = { index, ms };
    } catch (error) {
      signal.throwIfAborted();
      faults.push(`no answer or no end: ${messageOf(error)}`);
    }
    if (memoryOf(this.#service.pid) === undefined)
      faults.push(`the service is gone: ${this.#service.lines.join('\n')}`);
    this.#watch.look();
    if (this.#watch.peakBytes > CHILD_PEAK_BYTES && !this.#isTooHungry) {
      this.#isTooHungry = true;
      faults.push(`a child had ${this.#watch.peakBytes} bytes, with this or one of the ${IN_FLIGHT} mutants beside it`);
    }
    for (const fault of faults) await this.#find(index, mutant, fault);
    this.#done += 1;
    if (this.#done % SAY_EVERY === 0) say(`${this.#done} of ${indices.length}`);
  }

  /** Checks that every accepted video, its sidecar and every completed job's results exist, and nothing else. */
  async checkFiles(storageDir: string, canaries: readonly string[]): Promise<void> {
    const incoming = join(storageDir, 'incoming');
    // Files written after the end of a job appear soon.
    const unfinished = async (): Promise<readonly string[]> => [
      ...(await readdir(incoming)).map((name) => `incoming/${name}`),
      // Of the analysing processes, which have a folder each.
      ...(await videosIn(join(storageDir, 'links'))),
    ];
    for (let looks = 100; looks > 0 && (await unfinished()).length > 0; looks -= 1) await wait(50);
    const expected = new Set([...this.#files, ...canaries, 'incoming']);
    // Pictures are made of scenes, which not every video has.
    const mayBe = (name: string): boolean => name === 'links' || expected.has(name.replace('_thumbnails.bin', '.mp4'));
    const names = await readdir(storageDir);
    const left = names.filter((name) => !mayBe(name));
    for (const name of names) expected.delete(name);
    left.push(...(await unfinished()));
    if (left.length > 0) this.#note(`left over: ${left.join(', ')}`);
    if (expected.size > 0) this.#note(`missing: ${[...expected].join(', ')}`);
  }

  report(serviceBytes: CampaignReport['serviceBytes']): CampaignReport {
    return {
      outcomes: this.#outcomes,
      findings: this.#findings,
      slowest: this.#slowest,
      childPeakBytes: this.#watch.peakBytes,
      children: this.#watch.children,
      serviceBytes,
    };
  }

  async #find(index: number, { bytes, story }: Mutant, fault: string): Promise<void> {
    const { seed, folder } = this.#options;
    const path = join(folder, `mutant-${seed}-${index}.mp4`);
    await writeFile(path, bytes);
    this.#note(`seed ${seed}, index ${index} (${story}): ${fault}\n  kept as ${path}`);
  }

  #note(finding: string): void {
    this.#findings.push(finding);
    this.#options.say(`FOUND  ${finding}`);
  }
}

async function videosIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.mp4'));
}
