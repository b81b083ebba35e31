/** Direction in which states follow one another. */
export type Direction = 'right' | 'down';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Area extends Point {
  readonly width: number;
  readonly height: number;
}

/** A box by its centre. */
interface End extends Area {
  readonly id: string;
}

export interface RoutedEdge {
  readonly source: End;
  readonly target: End;
  /** The points of the layout, both ends included. */
  readonly bends: readonly Point[];
  /** The centre of the labels; the line runs straight behind them. */
  readonly label: Area;
}

interface Port {
  readonly edge: number;
  readonly box: End;
  /** The side in the chart's direction, or the opposite one. */
  readonly side: 'front' | 'back';
  /** The next point of the line; lines of one side keep this order, so that they do not cross. */
  readonly towards: number;
}

/**
 * Returns SVG path data for each edge. Lines leave and enter boxes at right angles, those of one side at equal
 * distances, and run smoothly through the layout's bends. Computed for a chart from left to right; x and y are swapped
 * for one from top to bottom.
 */
export function pathsOf(edges: readonly RoutedEdge[], direction: Direction): readonly string[] {
  const rightward = direction === 'right' ? edges : edges.map((edge) => turnedEdge(edge));
  const ports = portsOf(rightward);
  return rightward.map((edge, index) => {
    if (edge.source.id === edge.target.id) return polyline(edge.bends, direction);
    const inner = straightened(edge);
    const points = [ports.get(`${index}/source`), ...inner, ports.get(`${index}/target`)];
    return smooth(
      points.filter((point) => point !== undefined),
      direction,
    );
  });
}

/** Returns the bends between the ends, in order; those behind the labels are replaced by its entry and exit points. */
function straightened({ source, target, bends, label }: RoutedEdge): readonly Point[] {
  const inner = bends.slice(1, -1);
  if (label.width === 0) return inner;
  const [from, to] = [label.x - label.width / 2, label.x + label.width / 2];
  const points = [
    ...inner.filter(({ x }) => x < from || x > to),
    { x: from, y: label.y },
    { x: to, y: label.y },
  ].toSorted((a, b) => a.x - b.x);
  return source.x <= target.x ? points : points.toReversed();
}

/** Formats coordinates for SVG. */
export function at({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`;
}

function portsOf(edges: readonly RoutedEdge[]): ReadonlyMap<string, Point> {
  const sides = new Map<string, (Port & { readonly end: 'source' | 'target' })[]>();
  for (const [edge, { source, target, bends }] of edges.entries()) {
    const isForward = source.x <= target.x;
    for (const end of ['source', 'target'] as const) {
      const [box, next] = end === 'source' ? [source, bends[1] ?? target] : [target, bends.at(-2) ?? source];
      const side = isForward === (end === 'source') ? 'front' : 'back';
      const key = `${box.id}/${side}`;
      sides.set(key, [...(sides.get(key) ?? []), { edge, end, box, side, towards: next.y }]);
    }
  }
  const places = new Map<string, Point>();
  for (const ports of sides.values()) {
    for (const [index, { edge, end, box, side }] of ports.toSorted((a, b) => a.towards - b.towards).entries()) {
      places.set(`${edge}/${end}`, {
        x: box.x + (side === 'front' ? box.width / 2 : -box.width / 2),
        y: box.y - box.height / 2 + (box.height * (index + 1)) / (ports.length + 1),
      });
    }
  }
  return places;
}

function smooth(points: readonly Point[], direction: Direction): string {
  const write = (point: Point): string => at(direction === 'right' ? point : turned(point));
  const parts = points.map((point, index) => {
    const before = points[index - 1];
    if (before === undefined) return `M${write(point)}`;
    const middle = (before.x + point.x) / 2;
    return `C${write({ x: middle, y: before.y })} ${write({ x: middle, y: point.y })} ${write(point)}`;
  });
  return parts.join(' ');
}

function polyline(points: readonly Point[], direction: Direction): string {
  return points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${at(direction === 'right' ? point : turned(point))}`)
    .join(' ');
}

function turnedEdge({ source, target, bends, label }: RoutedEdge): RoutedEdge {
  return {
    source: turnedArea(source),
    target: turnedArea(target),
    bends: bends.map((bend) => turned(bend)),
    label: turnedArea(label),
  };
}

function turnedArea<T extends Area>(area: T): T {
  return { ...area, ...turned(area), width: area.height, height: area.width };
}

function turned({ x, y }: Point): Point {
  return { x: y, y: x };
}
