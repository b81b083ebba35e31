import { messageOf, ServiceError } from '../errors.ts';
import { FRAME, type PipelineDefinition, type PipelineNode } from './definition.ts';
import type { ConfiguredTool, FindingKey, Tool, ToolDefaults } from './tools/tool.ts';

/** A node whose inputs are ordered before it. */
export interface PlannedNode {
  readonly id: string;
  readonly tool: ConfiguredTool;
  /** Ids of the nodes whose findings it takes, in the order of the edges. */
  readonly after: readonly string[];
  readonly gives: readonly FindingKey[];
}

export interface PipelinePlan {
  /** In topological order; independent nodes keep the order of the declaration. */
  readonly nodes: readonly PlannedNode[];
  readonly outputs: readonly string[];
}

export interface PlanOptions {
  /** Source of the definition for messages: the name of a file. */
  readonly source: string;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly defaults: ToolDefaults;
}

/**
 * Validates a definition as a graph and orders its nodes. Throws `invalid_pipeline` with source and node for: a node
 * declared twice, an unknown tool, invalid parameters, an edge or output with an unknown node, a cycle, an unreachable
 * or unused node, an edge whose target takes nothing from it, an input with no edge or two, and a result key of two
 * outputs.
 */
export function planPipeline(definition: PipelineDefinition, options: PlanOptions): PipelinePlan {
  const refuse = (node: string, why: string, cause?: unknown): never => {
    throw new ServiceError('invalid_pipeline', `${options.source}: node ${node}: ${why}`, { cause });
  };
  const nodes = new Map<string, PlannedNode>();
  for (const declared of definition.nodes) {
    if (nodes.has(declared.id)) refuse(declared.id, 'is declared twice');
    nodes.set(declared.id, planNode(declared, definition, options, refuse));
  }
  for (const { from, to } of definition.edges) {
    if (from !== FRAME && !nodes.has(from)) refuse(from, `is not declared, but an edge leads from it to ${to}`);
    if (!nodes.has(to)) refuse(to, `is not declared, but an edge leads to it from ${from}`);
  }
  for (const id of definition.outputs) if (!nodes.has(id)) refuse(id, 'is not declared, but is an output');

  const ordered = topologicalOrder([...nodes.values()], refuse);
  const reached = spread([FRAME], definition.edges, 'from', 'to');
  const needed = spread(definition.outputs, definition.edges, 'to', 'from');
  for (const node of ordered) {
    if (!reached.has(node.id)) refuse(node.id, 'is unreachable: no path leads to it from the frame');
    if (!needed.has(node.id)) refuse(node.id, 'is unreachable from the outputs: nothing uses what it finds');
    checkInputs(node, nodes, definition, refuse);
  }
  checkOutputs(definition.outputs, nodes, refuse);
  return { nodes: ordered, outputs: definition.outputs };
}

type Refuse = (node: string, why: string, cause?: unknown) => never;

function planNode(node: PipelineNode, definition: PipelineDefinition, options: PlanOptions, refuse: Refuse) {
  const tool = options.tools.get(node.tool);
  if (!tool) return refuse(node.id, `unknown tool ${node.tool}; there are ${[...options.tools.keys()].join(', ')}`);
  const after = definition.edges.filter(({ from, to }) => to === node.id && from !== FRAME).map(({ from }) => from);
  try {
    return { id: node.id, tool: tool.configure(node.params, options.defaults), after, gives: tool.gives };
  } catch (error) {
    return refuse(node.id, messageOf(error), error);
  }
}

function topologicalOrder(nodes: readonly PlannedNode[], refuse: Refuse): PlannedNode[] {
  const ordered: PlannedNode[] = [];
  const waiting = new Set(nodes);
  while (waiting.size > 0) {
    const next = [...waiting].find((node) => node.after.every((id) => ordered.some((done) => done.id === id)));
    if (!next) {
      const [first, ...others] = cycle([...waiting]);
      return refuse(first ?? '', `is part of a cycle: ${[first, ...others, first].join(' -> ')}`);
    }
    ordered.push(next);
    waiting.delete(next);
  }
  return ordered;
}

/** Returns the ids along one cycle among nodes that wait for each other. */
function cycle(nodes: readonly PlannedNode[]): string[] {
  const path: string[] = [];
  let id = nodes[0]?.id ?? '';
  while (!path.includes(id)) {
    path.push(id);
    const before = nodes.find((node) => node.id === id)?.after ?? [];
    id = before.find((other) => nodes.some((node) => node.id === other)) ?? id;
  }
  return path.slice(path.indexOf(id)).toReversed();
}

type Edge = PipelineDefinition['edges'][number];

/** Returns all ids that can be reached from `starts` along the edges in one direction. */
function spread(starts: readonly string[], edges: readonly Edge[], near: keyof Edge, far: keyof Edge): Set<string> {
  const found = new Set(starts);
  for (const id of found) for (const edge of edges) if (edge[near] === id) found.add(edge[far]);
  return found;
}

function checkInputs(
  node: PlannedNode,
  nodes: ReadonlyMap<string, PlannedNode>,
  definition: PipelineDefinition,
  refuse: Refuse,
): void {
  const given = new Map<string, string>();
  for (const { from } of definition.edges.filter((edge) => edge.to === node.id)) {
    const offered: readonly string[] = from === FRAME ? [FRAME] : (nodes.get(from)?.gives ?? []);
    const taken = node.tool.takes.filter((key) => offered.includes(key));
    if (taken.length === 0) {
      const gives = offered.join(', ');
      refuse(node.id, `type mismatch: ${from} gives ${gives}, but it takes ${node.tool.takes.join(', ')}`);
    }
    for (const key of taken) {
      const other = given.get(key);
      if (other !== undefined) refuse(node.id, `takes ${key} once, but it comes from ${other} and from ${from}`);
      given.set(key, from);
    }
  }
  for (const key of node.tool.takes) if (!given.has(key)) refuse(node.id, `takes ${key}, but no edge brings it`);
}

function checkOutputs(outputs: readonly string[], nodes: ReadonlyMap<string, PlannedNode>, refuse: Refuse): void {
  const givenBy = new Map<string, string>();
  for (const id of outputs) {
    for (const key of nodes.get(id)?.gives ?? []) {
      const other = givenBy.get(key);
      if (other !== undefined) refuse(id, `gives the result's ${key}, and so does output ${other}`);
      givenBy.set(key, id);
    }
  }
}
