import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { ServiceError } from '../../errors.ts';

export interface BatchVideo {
  readonly path: string;
  /** Folder of the video relative to the given folder; `.` for a list. */
  readonly subdir: string;
}

/**
 * Returns the videos of a folder, recursively and sorted by path, or those of a list with one path per line; `-` is a
 * list from stdin. Files of a folder must match one of the patterns, those of a list need not.
 */
export async function findVideos(source: string, patterns: readonly string[]): Promise<readonly BatchVideo[]> {
  if (source !== '-' && (await stat(source)).isDirectory()) return videosIn(source, patterns);
  const list = source === '-' ? await text(process.stdin) : await readFile(source, 'utf8');
  if (list.includes('\0')) {
    throw new ServiceError(
      'invalid_request',
      `${source} is not a list of paths; for single videos there are submit and analyse`,
    );
  }
  const paths = list.split(/\r?\n/).filter((line) => line.trim() !== '');
  return [...new Set(paths)].map((path) => ({ path, subdir: '.' }));
}

async function videosIn(folder: string, patterns: readonly string[]): Promise<readonly BatchVideo[]> {
  const expressions = patterns.map(expressionOf);
  const videos: BatchVideo[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const inFolder = relative(folder, path);
    if (!expressions.some((expression) => expression.test(inFolder))) continue;
    // A link to a file counts; one to a folder could be a cycle.
    const isFile = entry.isFile() || (entry.isSymbolicLink() && (await isLinkedFile(path)));
    if (isFile) videos.push({ path, subdir: dirname(inFolder) });
  }
  return videos.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function isLinkedFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/**
 * `*` and `?` match characters of one name, `**` matches any folders. A pattern without a slash matches names. Case is
 * ignored. A name may contain line breaks.
 */
function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*|\?)/).map((part) => {
    const wild = { '**/': '(?:.*/)?', '*': '[^/]*', '?': '[^/]' }[part];
    return wild ?? part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${pattern.includes('/') ? '' : '(?:.*/)?'}${parts.join('')}$`, 'is');
}
