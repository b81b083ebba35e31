import { basename, dirname, extname, join } from 'node:path';
import { isOfSegments, type ResultChoice } from './results-text.ts';
import { isFolder } from './save-text.ts';

const PLACEHOLDER = /\{(?:name|job_id)\}/;
/** What no file system, shell or terminal may take for something else: separators, controls, wildcards, a drive. */
const UNSAFE = /[\p{Cc}\p{Cf}/\\:*?"<>|]/gu;
/** Bytes of a name that leave room for an ending. */
const MAX_NAME_BYTES = 200;

export interface SavedJob extends ResultChoice {
  readonly jobId: string;
  /** The name of the video; undefined if unknown. */
  readonly fileName?: string | undefined;
}

/**
 * Where results of jobs are saved: in a folder as `{job_id}_results.json`, by a pattern with `{name}` or `{job_id}`, or in
 * the file itself. Two jobs with the same pattern and name get different files: the second ends with ` (2)`.
 */
export class ResultPaths {
  readonly #output: string;
  /** In lower case, because some file systems ignore it. */
  readonly #used = new Set<string>();

  constructor(output: string) {
    this.#output = output;
  }

  /** True if each job gets a file of its own. */
  async isForMany(): Promise<boolean> {
    return PLACEHOLDER.test(this.#output) || isFolder(this.#output);
  }

  get usesName(): boolean {
    return this.#output.includes('{name}');
  }

  async pathFor({ jobId, fileName, ...choice }: SavedJob): Promise<string> {
    if (!PLACEHOLDER.test(this.#output)) {
      const kind = isOfSegments(choice) ? 'segments' : 'results';
      const isInFolder = await isFolder(this.#output);
      return isInFolder ? join(this.#output, `${jobId}_${kind}.${choice.format}`) : this.#output;
    }
    const values = { name: safeName(fileName) ?? jobId, job_id: jobId };
    const path = this.#output.replaceAll(/\{(name|job_id)\}/g, (_, key: 'name' | 'job_id') => values[key]);
    return this.#unused(path);
  }

  #unused(path: string): string {
    const ending = extname(path);
    const stem = join(dirname(path), basename(path, ending));
    let unused = path;
    for (let count = 2; this.#used.has(unused.toLowerCase()); count += 1) unused = `${stem} (${count})${ending}`;
    this.#used.add(unused.toLowerCase());
    return unused;
  }
}

/** The name of a video without its ending, as part of a path; undefined if nothing is left. */
function safeName(fileName = ''): string | undefined {
  const name = basename(fileName.replaceAll('\\', '/'));
  const stem = name.slice(0, name.length - extname(name).length).replaceAll(UNSAFE, '_');
  let kept = '';
  for (const character of stem) {
    if (Buffer.byteLength(kept + character) > MAX_NAME_BYTES) break;
    kept += character;
  }
  // A name of dots alone is a folder, one that begins with a dot is hidden, and Windows drops dots and spaces at the end.
  const plain = kept.replace(/^[.\s]+/, '').replace(/[.\s]+$/, '');
  return plain === '' ? undefined : plain;
}
