import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** One transition of a machine. */
export interface MachineTransition {
  /** Dotted path of the source state and of the target state; the same for an internal transition. */
  readonly from: string;
  readonly to: string;
  /** Name of the event, or `done(actor)`, `error(actor)`, `after delay`, `always`. */
  readonly event: string;
  /** Name of the guard; without a name, the description of the transition; empty without a guard. */
  readonly guard: string;
  readonly description: string;
}

/** Returns every transition of a machine in the order of declaration. */
export function transitionsOf(machine: AnyStateMachine): readonly MachineTransition[] {
  return nodesUnder(machine.root).flatMap((node) =>
    [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map((transition) => ({
      from: pathOf(node),
      to: pathOf(transition.target?.[0] ?? node),
      event: eventName(transition.eventType, node),
      guard: guardName(transition.guard, transition.description),
      description: transition.description ?? '',
    })),
  );
}

/** Returns the machine as a Mermaid `stateDiagram-v2`: states with nesting and regions, and every transition. */
export function toMermaid(machine: AnyStateMachine): string {
  return ['stateDiagram-v2', ...drawn(machine.root, transitionsOf(machine), '  ')].join('\n');
}

/** The content of a state: its start, its substates, the transitions between them, and its final states. */
function drawn(node: AnyStateNode, transitions: readonly MachineTransition[], indent: string): readonly string[] {
  const children = Object.values(node.states);
  if (node.type === 'parallel') {
    // Mermaid draws regions side by side only inside a named state.
    const regions = children.map((child) => declared(child, transitions, `${indent}  `));
    return [
      `${indent}state ${node.key} {`,
      ...regions.flatMap((lines, at) => (at === 0 ? lines : [`${indent}  --`, ...lines])),
      `${indent}}`,
    ];
  }
  const first = node.initial.target[0];
  // A transition is written in the innermost state with both ends, because Mermaid would otherwise draw the states
  // where it first reads their names.
  const arrows = transitions.filter(({ from, to }) => commonState(from, to) === node.path.join('.'));
  return [
    ...(first === undefined ? [] : [`${indent}[*] --> ${idOf(pathOf(first))}`]),
    ...children.flatMap((child) => declared(child, transitions, indent)),
    ...arrows.map((arrow) => `${indent}${idOf(arrow.from)} --> ${idOf(arrow.to)} : ${labelOf(arrow)}`),
    ...children.filter(({ type }) => type === 'final').map((child) => `${indent}${idOf(pathOf(child))} --> [*]`),
  ];
}

function declared(node: AnyStateNode, transitions: readonly MachineTransition[], indent: string): readonly string[] {
  const id = idOf(pathOf(node));
  const name = id === node.key ? id : `"${node.key}" as ${id}`;
  if (Object.keys(node.states).length === 0) return [`${indent}state ${name}`];
  return [`${indent}state ${name} {`, ...drawn(node, transitions, `${indent}  `), `${indent}}`];
}

function labelOf({ event, guard }: MachineTransition): string {
  // Mermaid ends a label at these.
  return (guard === '' ? event : `${event} [${guard}]`).replaceAll(/[;:#]/g, ',');
}

/** Returns the dotted path of the innermost state that contains both; empty for the machine itself. */
function commonState(from: string, to: string): string {
  const target = to.split('.').slice(0, -1);
  const source = from.split('.').slice(0, -1);
  const length = source.findIndex((key, at) => key !== target[at]);
  return (length === -1 ? source : source.slice(0, length)).join('.');
}

function nodesUnder(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(nodesUnder)];
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.') || node.key;
}

function idOf(path: string): string {
  return path.replaceAll('.', '_');
}

/** XState names its own events `xstate.done.actor.<invocation>`, `xstate.after.<delay>.<state>` and so on. */
function eventName(type: string, node: AnyStateNode): string {
  if (type === '') return 'always';
  const delay = node.after.find(({ eventType }) => eventType === type)?.delay;
  if (delay !== undefined) return `after ${String(delay)}`;
  const [, kind, id] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type) ?? [];
  const actor = node.invoke.find((invocation) => invocation.id === id)?.src;
  return kind === undefined ? type : `${kind}(${typeof actor === 'string' ? actor : (id ?? '')})`;
}

function guardName(guard: unknown, description: string | undefined): string {
  if (guard === undefined) return '';
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return description?.replace(/\.$/, '') ?? 'guarded';
}
