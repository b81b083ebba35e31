/** The middle one; NaN of none. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** The value that so many per cent do not exceed; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN;
}

/** One figure a line. */
export function print(what: string, figure: string): void {
  console.log(`${what.padEnd(44)} ${figure}`);
}
