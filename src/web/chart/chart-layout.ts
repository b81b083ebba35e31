import { Graph, layout } from '@dagrejs/dagre';
import { at, pathsOf, type Area, type Direction, type Point } from './edge-paths.ts';
import type { ChartState, ChartTransition, MachineChart } from './machine-chart.ts';

/** Sizes in the chart's own pixels. */
const NAME_WIDTH = 8.6; // of one character of a state's name
const NAME_MARGINS = 52; // the light before it, and what is free on both sides
const LABEL_WIDTH = 6.7; // of one character of a label, in the fixed-width font
const GUARD_WIDTH = 6.1; // of one character of a guard, which is smaller
const LABEL_MARGINS = 20;
export const LABEL_HEIGHT = 22;
export const GUARD_HEIGHT = 13; // of one line
const GUARD_LENGTH = 20; // characters of a line, after which it is broken
const LABEL_GAP = 4;
const STATE_HEIGHT = 58;
const PORT_HEIGHT = 11; // between two lines that end at the same side of a state
const MARGIN = 16;
const TITLE_HEIGHT = 30;
const DOT = 12;

export interface LayoutOptions {
  readonly direction: Direction;
  /** Space in each state for a number. */
  readonly countWidth: number;
}

/** A state with the top left corner of its rectangle. */
export interface PlacedState extends Area {
  readonly state: ChartState;
}

/** A transition's label with the top left corner of its rectangle. */
export interface PlacedLabel extends Area {
  readonly transition: ChartTransition;
  /** The guard in lines, below the event. */
  readonly guard: readonly string[];
}

/** The line of all transitions from one state to another. */
export interface PlacedEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  /** SVG path data. */
  readonly path: string;
  readonly labels: readonly PlacedLabel[];
}

/** The start of a machine: a dot, and a line to its first state. */
export interface PlacedStart extends Point {
  readonly target: string;
  readonly path: string;
}

export interface ChartLayout {
  readonly width: number;
  readonly height: number;
  /** Parents before their children. */
  readonly states: readonly PlacedState[];
  readonly edges: readonly PlacedEdge[];
  readonly starts: readonly PlacedStart[];
}

/**
 * Lays out a chart. Each composite state is laid out separately (dagre: ranks, few crossings) and is then one box in
 * its parent; regions of a parallel state are below each other.
 */
export function layoutChart(chart: MachineChart, options: LayoutOptions): ChartLayout {
  return inside(chart.root, chart, options);
}

function inside(state: ChartState, chart: MachineChart, options: LayoutOptions): ChartLayout {
  const children = state.children.map((child) => ({ state: child, inner: boxOf(child, chart, options) }));
  return state.kind === 'parallel' ? stacked(children) : ranked(state, children, chart, options.direction);
}

interface Child {
  readonly state: ChartState;
  /** The content of the box, relative to its top left corner. */
  readonly inner: ChartLayout;
}

function boxOf(state: ChartState, chart: MachineChart, options: LayoutOptions): ChartLayout {
  if (state.children.length === 0) {
    const width = Math.ceil(state.name.length * NAME_WIDTH) + NAME_MARGINS + options.countWidth;
    return { width, height: STATE_HEIGHT, states: [], edges: [], starts: [] };
  }
  const inner = inside(state, chart, options);
  return { ...shifted(inner, { x: 0, y: TITLE_HEIGHT }), width: inner.width, height: inner.height + TITLE_HEIGHT };
}

function stacked(children: readonly Child[]): ChartLayout {
  const width = Math.max(...children.map(({ inner }) => inner.width)) + 2 * MARGIN;
  let y = MARGIN;
  const states: PlacedState[] = [];
  const parts: ChartLayout[] = [];
  for (const { state, inner } of children) {
    const corner = { x: MARGIN, y };
    states.push({ state, ...corner, width: width - 2 * MARGIN, height: inner.height });
    parts.push(shifted(inner, { x: MARGIN + (width - 2 * MARGIN - inner.width) / 2, y }));
    y += inner.height + MARGIN;
  }
  return merged({ width, height: y, states, edges: [], starts: [] }, parts);
}

function ranked(
  parent: ChartState,
  children: readonly Child[],
  chart: MachineChart,
  direction: Direction,
): ChartLayout {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({
    rankdir: direction === 'right' ? 'LR' : 'TB',
    nodesep: 30,
    edgesep: 18,
    ranksep: direction === 'right' ? 44 : 28,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  const joined = edgesBetween(children, chart.transitions);
  for (const { state, inner } of children) {
    // A state with many incoming lines is tall enough for them.
    const lines = joined.filter(({ source, target }) => source === state.id || target === state.id).length;
    const height = state.children.length === 0 && direction === 'right' ? lines * PORT_HEIGHT : 0;
    graph.setNode(state.id, { width: inner.width, height: Math.max(inner.height, height) });
  }
  for (const { source, target, transitions } of joined)
    graph.setEdge(source, target, { ...labelSize(transitions), labelpos: 'c' });
  const start = children.some(({ state }) => state.id === parent.initial) ? parent.initial : null;
  if (start !== null) {
    graph.setNode('start', { width: DOT, height: DOT });
    graph.setEdge('start', start, { width: 0, height: 0, weight: 4 });
  }
  layout(graph);

  const places = children.map(({ state, inner }) => ({ inner, place: { state, ...cornerOf(graph.node(state.id)) } }));
  const ends = start === null ? joined : [...joined, { source: 'start', target: start, transitions: [] }];
  const paths = pathsOf(
    ends.map(({ source, target }) => {
      const edge = graph.edge(source, target);
      return {
        source: { id: source, ...centreOf(graph.node(source)) },
        target: { id: target, ...centreOf(graph.node(target)) },
        bends: edge.points ?? [],
        label: centreOf(edge),
      };
    }),
    direction,
  );
  const edges = joined.map(({ source, target, transitions }, index): PlacedEdge => {
    const { x = 0, y = 0 } = graph.edge(source, target);
    const path = paths[index] ?? '';
    return { id: `${source}>${target}`, source, target, path, labels: placeLabels(transitions, { x, y }) };
  });
  const starts =
    start === null ? [] : [{ ...centreOf(graph.node('start')), target: start, path: paths[joined.length] ?? '' }];
  const { width = 0, height = 0 } = graph.graph();
  return merged(
    { width, height, states: places.map(({ place }) => place), edges, starts },
    places.map(({ inner, place }) => shifted(inner, place)),
  );
}

interface JoinedEdge {
  readonly source: string;
  readonly target: string;
  readonly transitions: ChartTransition[];
}

/** Transitions between the boxes of two children; those with the same ends share a line. */
function edgesBetween(children: readonly Child[], transitions: readonly ChartTransition[]): readonly JoinedEdge[] {
  const boxOfState = new Map<string, string>();
  const name = (state: ChartState, box: string): void => {
    boxOfState.set(state.id, box);
    for (const child of state.children) name(child, box);
  };
  for (const { state } of children) name(state, state.id);
  const joined = new Map<string, JoinedEdge>();
  for (const transition of transitions) {
    const source = boxOfState.get(transition.source);
    const target = boxOfState.get(transition.target);
    if (source === undefined || target === undefined) continue;
    // Lines within one box are drawn there, unless they belong to the box itself.
    if (source === target && transition.source !== source) continue;
    const key = `${source}>${target}`;
    const edge = joined.get(key) ?? { source, target, transitions: [] };
    edge.transitions.push(transition);
    joined.set(key, edge);
  }
  return [...joined.values()];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf({ event, guard }: ChartTransition): Size {
  const lines = guardLines(guard);
  const guardWidth = Math.max(0, ...lines.map(({ length }) => length)) * GUARD_WIDTH;
  return {
    width: Math.ceil(Math.max(event.length * LABEL_WIDTH, guardWidth)) + LABEL_MARGINS,
    height: LABEL_HEIGHT + lines.length * GUARD_HEIGHT,
  };
}

function guardLines(guard: string): readonly string[] {
  const lines: string[] = [];
  for (const word of guard === '' ? [] : `[${guard}]`.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= GUARD_LENGTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Height of stacked labels. */
function labelSize(transitions: readonly ChartTransition[]): Size {
  const sizes = transitions.map((transition) => sizeOf(transition));
  return {
    width: Math.max(...sizes.map(({ width }) => width)),
    height: sizes.reduce((sum, { height }) => sum + height + LABEL_GAP, -LABEL_GAP),
  };
}

function placeLabels(transitions: readonly ChartTransition[], centre: Point): readonly PlacedLabel[] {
  let y = centre.y - labelSize(transitions).height / 2;
  return transitions.map((transition) => {
    const size = sizeOf(transition);
    const label = { transition, guard: guardLines(transition.guard), x: centre.x - size.width / 2, y, ...size };
    y += size.height + LABEL_GAP;
    return label;
  });
}

function centreOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Area>): Area {
  return { x, y, width, height };
}

function cornerOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Area>): Area {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function merged(own: ChartLayout, parts: readonly ChartLayout[]): ChartLayout {
  return {
    ...own,
    states: [...own.states, ...parts.flatMap(({ states }) => states)],
    edges: [...own.edges, ...parts.flatMap(({ edges }) => edges)],
    starts: [...own.starts, ...parts.flatMap(({ starts }) => starts)],
  };
}

function shifted(part: ChartLayout, { x, y }: Point): ChartLayout {
  const move = <T extends Point>(item: T): T => ({ ...item, x: item.x + x, y: item.y + y });
  const movePath = (path: string): string =>
    path.replaceAll(/(-?[\d.]+),(-?[\d.]+)/g, (_, a: string, b: string) => at({ x: Number(a) + x, y: Number(b) + y }));
  return {
    ...part,
    states: part.states.map((state) => move(state)),
    edges: part.edges.map((edge) => ({
      ...edge,
      path: movePath(edge.path),
      labels: edge.labels.map((label) => move(label)),
    })),
    starts: part.starts.map((start) => ({ ...move(start), path: movePath(start.path) })),
  };
}
