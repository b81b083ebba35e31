import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import { createLog, type Log } from '../../src/log.ts';
import type { IndexStepListener } from '../../src/search/index-step.ts';
import { SearchIndex } from '../../src/search/search-index.ts';
import type { SearchableVideo, SearchPage, SearchQuery, VideoSource } from '../../src/search/video-search.ts';
import type { Segment, TextSegment } from '../../src/segments/segment.ts';
import { segmentsDocument } from '../../src/segments/segments-document.ts';
import { quickTmpdir } from '../run/quick-tmpdir.ts';

export interface GivenVideo extends Partial<Omit<SearchableVideo, 'jobId' | 'segmentsPath'>> {
  readonly texts?: readonly (string | TextSegment)[];
  readonly labels?: readonly string[];
  readonly scenes?: readonly (readonly string[])[];
}

/** Returns the id of the n-th job. */
export function jobIdOf(n: number): JobId {
  return jobIdSchema.parse(`01900000-0000-7000-8000-${String(n).padStart(12, '0')}`);
}

/** Videos with their segments in a folder, and the facts for the index. */
export class GivenVideos implements VideoSource {
  readonly kept = new Map<JobId, SearchableVideo>();
  readonly folder: string;
  #count = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async give({ texts = [], labels = [], scenes = [], ...facts }: GivenVideo): Promise<JobId> {
    this.#count += 1;
    const jobId = jobIdOf(this.#count);
    const segmentsPath = join(this.folder, `${jobId}_segments.json`);
    const found = {
      texts: texts.map((text, at) => (typeof text === 'string' ? textSegment(text, at) : text)),
      objects: labels.map((label, at) => objectSegment(label, at)),
      scenes: scenes.map((lines, at) => scene(lines, at)),
    };
    await writeFile(segmentsPath, [...segmentsDocument(found, undefined)].join(''));
    this.kept.set(jobId, {
      jobId,
      pipelineId: 'ocr_only',
      fileName: null,
      tag: null,
      createdAt: new Date(Date.UTC(2026, 0, this.#count)).toISOString(),
      segmentsPath,
      ...facts,
    });
    return jobId;
  }

  async completed(afterSeq: number, limit: number) {
    const jobs = [...this.kept.keys()].map((jobId) => ({ jobId, acceptedSeq: Number(jobId.slice(-12)) }));
    return jobs.filter(({ acceptedSeq }) => acceptedSeq > afterSeq).slice(0, limit);
  }

  async open(jobId: JobId): Promise<SearchableVideo | undefined> {
    return this.kept.get(jobId);
  }

  async gone(jobIds: readonly JobId[]): Promise<readonly JobId[]> {
    return jobIds.filter((jobId) => !this.kept.has(jobId));
  }
}

/** An index over given videos, in a folder that is removed with it. */
export class SearchHarness implements AsyncDisposable {
  readonly videos: GivenVideos;
  readonly path: string;
  #index: SearchIndex;

  private constructor(videos: GivenVideos, index: SearchIndex, path: string) {
    this.videos = videos;
    this.#index = index;
    this.path = path;
  }

  static async open(given: readonly GivenVideo[] = [], options: { readonly log?: Log } = {}): Promise<SearchHarness> {
    const folder = await mkdtemp(join(quickTmpdir(), 'reelstate-search-'));
    const videos = new GivenVideos(folder);
    for (const video of given) await videos.give(video);
    const path = join(folder, 'search.duckdb');
    const harness = new SearchHarness(videos, indexOf(path, videos, options), path);
    harness.index.start();
    await harness.complete();
    return harness;
  }

  get index(): SearchIndex {
    return this.#index;
  }

  /** Closes the index and opens it again. @param meanwhile runs while it is closed */
  async reopen(meanwhile: () => unknown = () => {}, onStep?: IndexStepListener): Promise<void> {
    await this.#index.close();
    await meanwhile();
    this.#index = indexOf(this.path, this.videos, onStep === undefined ? {} : { onStep });
    this.#index.start();
    await this.complete();
  }

  /** Resolves when nothing waits. */
  complete(): Promise<void> {
    return until(() => this.#index.state().isComplete);
  }

  search(query: Partial<SearchQuery> | string): Promise<SearchPage> {
    const given = typeof query === 'string' ? { text: query } : query;
    return this.#index.search({ limit: 20, ...given });
  }

  /** Returns the found texts and labels by video in the order of hits; a scene's lines are joined by `/`. */
  async found(query: Partial<SearchQuery> | string): Promise<readonly (readonly string[])[]> {
    const { hits } = await this.search(query);
    return hits.map(({ segments }) => segments.map((segment) => told(segment)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#index.close();
    await rm(this.videos.folder, { recursive: true });
  }
}

export function indexOf(
  path: string,
  source: VideoSource,
  options: { readonly log?: Log; readonly onStep?: IndexStepListener },
): SearchIndex {
  return new SearchIndex({ path, source, log: createLog('silent'), ...options });
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(2);
}

function told(segment: Segment): string {
  return segment.kind === 'object' ? segment.label : segment.text.replaceAll('\n', ' / ');
}

const interval = (at: number) => ({ start_ms: at * 1_000, end_ms: at * 1_000 + 1_000 });
const bbox: TextSegment['bbox'] = [10, 20, 300, 40];

function textSegment(text: string, at: number): TextSegment {
  return { kind: 'text', ...interval(at), text, confidence: 0.9, bbox, frames: 5 };
}

function objectSegment(label: string, at: number) {
  return { kind: 'object' as const, label, ...interval(at), max_count: 1, confidence: 0.8, bbox, frames: 5 };
}

function scene(lines: readonly string[], at: number) {
  return {
    kind: 'scene' as const,
    ...interval(at),
    text: lines.join('\n'),
    lines: lines.map((text) => ({ text, confidence: 0.9, bbox })),
    frame_index: at * 25,
  };
}
