const HUES = 8;

/** A hue for each label, in their order: no two of the first eight share one. */
export function huesOf(labels: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...new Set(labels)].toSorted().map((label, index) => [label, index % HUES]));
}
