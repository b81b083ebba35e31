import { access, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { areSegmentsWhole } from '../../analysis/stored-segments.ts';
import { areThumbnailsWhole } from '../../analysis/thumbnails-document.ts';
import { ownerOf, resultsPathOf, segmentsPathOf, thumbnailsPathOf } from '../../engine/sidecar.ts';
import { ok, warning, type CheckResult } from '../check-result.ts';

const CHECK = 'segments and thumbnails';
/** Maximum number of files in a message. */
const MAX_NAMED = 5;

/** Checks the files that are derived from results, without changing them. */
export async function checkDerivedFiles(dataDir: string): Promise<CheckResult> {
  const folder = join(dataDir, 'video_jobs');
  if (!(await isThere(folder))) return ok(CHECK, `${folder} will be made by the first start`);
  const faulty: string[] = [];
  let count = 0;
  for await (const { name } of await opendir(folder)) {
    const jobId = ownerOf(name);
    if (jobId === undefined) continue;
    const isWhole = { [segmentsPathOf(jobId)]: areSegmentsWhole, [thumbnailsPathOf(jobId)]: areThumbnailsWhole }[name];
    if (isWhole === undefined) continue;
    count += 1;
    const path = join(folder, name);
    const hasResults = await isThere(join(folder, resultsPathOf(jobId)));
    const isRight = hasResults && (await isWhole(path).catch(() => false));
    // A running service may have deleted the job meanwhile.
    if (!isRight && (await isThere(path))) faulty.push(name);
  }
  if (faulty.length === 0) return ok(CHECK, `all ${count} files are whole and belong to results`);
  const named = faulty.slice(0, MAX_NAMED).join(', ') + (faulty.length > MAX_NAMED ? ', …' : '');
  const message = `${faulty.length} of ${count} files are damaged, of another version or without results: ${named}`;
  return warning(CHECK, message, `Delete them from ${folder}: they are created again when they are requested`);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
