import type { ObjectSegment, Scene } from '../../client/responses.ts';

const MAX_LABELS = 4;

/** Returns the findings of a video in one line: `24 scenes · Dijkstra's algorithm`, `person, dog, car`. */
export function summaryLine(scenes: readonly Scene[], objects: readonly ObjectSegment[]): string {
  const read = scenes.filter(({ text }) => text !== '');
  const durations = new Map<string, number>();
  for (const { label, start_ms: start, end_ms: end } of objects) {
    durations.set(label, (durations.get(label) ?? 0) + end - start);
  }
  const labels = [...durations].toSorted(([, a], [, b]) => b - a).map(([label]) => label);
  const parts = [
    ...(labels.length === 0
      ? []
      : [
          labels.slice(0, MAX_LABELS).join(', ') +
            (labels.length > MAX_LABELS ? ` and ${labels.length - MAX_LABELS} more` : ''),
        ]),
    ...(read.length === 0 ? [] : [firstLine(read)]),
  ];
  return parts.length === 0 ? 'Nothing found' : parts.join(' · ');
}

function firstLine(scenes: readonly Scene[]): string {
  const title = scenes[0]?.text.split('\n')[0] ?? '';
  return scenes.length === 1 ? title : `${scenes.length} scenes: ${title}`;
}
