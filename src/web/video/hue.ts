const HUES = 8;

/** Returns a hue for each label; the first eight differ. */
export function huesOf(labels: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...new Set(labels)].toSorted().map((label, index) => [label, index % HUES]));
}
