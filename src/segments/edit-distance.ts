/** One row of the table, reused, because two strings are compared thousands of times per second. */
let row = new Uint16Array(256);

/**
 * Returns the least number of insertions, deletions and replacements between two strings (Levenshtein); `limit + 1` if
 * it exceeds the limit.
 */
export function editDistance(a: string, b: string, limit: number): number {
  const tooFar = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return tooFar;
  let start = 0;
  while (start < a.length && start < b.length && a.charCodeAt(start) === b.charCodeAt(start)) start += 1;
  let [aEnd, bEnd] = [a.length, b.length];
  while (aEnd > start && bEnd > start && a.charCodeAt(aEnd - 1) === b.charCodeAt(bEnd - 1)) {
    aEnd -= 1;
    bEnd -= 1;
  }
  const width = bEnd - start;
  if (aEnd === start || width === 0) return Math.min(tooFar, Math.max(aEnd - start, width));
  if (row.length <= width) row = new Uint16Array(2 * width);
  for (let j = 0; j <= width; j += 1) row[j] = Math.min(j, tooFar);
  for (let i = 1; i <= aEnd - start; i += 1) {
    const code = a.charCodeAt(start + i - 1);
    const from = Math.max(1, i - limit);
    const to = Math.min(width, i + limit);
    let diagonal = row[from - 1] ?? tooFar;
    let left = from === 1 ? Math.min(i, tooFar) : tooFar;
    row[from - 1] = left;
    let least = left;
    for (let j = from; j <= to; j += 1) {
      const above = j === i + limit ? tooFar : (row[j] ?? tooFar);
      const replaced = diagonal + (code === b.charCodeAt(start + j - 1) ? 0 : 1);
      diagonal = above;
      left = Math.min(above + 1, left + 1, replaced, tooFar);
      row[j] = left;
      if (left < least) least = left;
    }
    if (least > limit) return tooFar;
  }
  return row[width] ?? tooFar;
}
