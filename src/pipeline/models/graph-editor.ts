import { floatsOf, floatTensor, type OnnxModel, type OnnxNode, type OnnxTensor } from './onnx-model.ts';

/** Changes the graph of a model step by step. */
export class GraphEditor {
  readonly #model: OnnxModel;
  readonly #constants: Map<string, OnnxTensor>;
  readonly #nodes: OnnxNode[];
  /** The nodes that use each value. */
  readonly #consumers = new Map<string, OnnxNode[]>();
  /** Names of the added constants. */
  readonly #added: string[] = [];
  #names = 0;

  constructor(model: OnnxModel) {
    this.#model = model;
    this.#constants = new Map(model.constants);
    this.#nodes = [...model.nodes];
    for (const node of model.nodes) this.#use(node);
  }

  get isChanged(): boolean {
    return this.#names > 0;
  }

  /** Returns the current nodes; the list does not follow later changes. */
  nodes(): readonly OnnxNode[] {
    return [...this.#nodes];
  }

  /** Returns the changed model without constants that only replaced nodes used. */
  model(): OnnxModel {
    const dropped = new Set([...this.#model.nodes.flatMap(({ inputs }) => inputs), ...this.#added]);
    for (const { inputs } of this.#nodes) for (const input of inputs) dropped.delete(input);
    for (const output of this.#model.outputs) dropped.delete(output);
    const constants = new Map([...this.#constants].filter(([name]) => !dropped.has(name)));
    return { ...this.#model, nodes: [...this.#nodes], constants };
  }

  /** Returns the float constant of that name. */
  floats(name: string | undefined): { readonly dims: readonly number[]; readonly data: Float32Array } | undefined {
    const tensor = this.#constants.get(name ?? '');
    const data = floatsOf(tensor);
    return tensor && data && { dims: tensor.dims, data };
  }

  /** Returns the value of a float constant of one element. */
  scalar(name: string | undefined): number | undefined {
    const tensor = this.#constants.get(name ?? '');
    if (!tensor || tensor.dims.some((size) => size !== 1)) return undefined;
    return floatsOf(tensor)?.[0];
  }

  /** Returns the nodes that use a value. */
  consumers(name: string): readonly OnnxNode[] {
    return this.#consumers.get(name) ?? [];
  }

  isOutput(name: string): boolean {
    return this.#model.outputs.includes(name);
  }

  /** Returns the only node that uses a value, if it has this operator and the value is not an output of the model. */
  onlyConsumer(name: string, operator: string): OnnxNode | undefined {
    const [node, another] = this.consumers(name);
    return another || this.isOutput(name) || node?.operator !== operator ? undefined : node;
  }

  /** Returns the scalar that a node with two inputs combines with `name`. */
  scalarBeside(node: OnnxNode, name: string): number | undefined {
    const [first, second] = node.inputs;
    if (first === name) return this.scalar(second);
    return second === name ? this.scalar(first) : undefined;
  }

  /** Adds a float constant and returns its name. */
  constant(dims: readonly number[], data: Float32Array): string {
    const name = this.name();
    this.#constants.set(name, floatTensor(dims, data));
    this.#added.push(name);
    return name;
  }

  /** Returns an unused name. */
  name(): string {
    this.#names++;
    return `fused_${this.#names}`;
  }

  /** Inserts `added` at the position of the first of `removed`. */
  replace(removed: readonly OnnxNode[], added: readonly OnnxNode[]): void {
    const places = removed.map((node) => this.#nodes.indexOf(node)).toSorted((a, b) => b - a);
    for (const place of places) this.#nodes.splice(place, 1);
    this.#nodes.splice(places.at(-1) ?? 0, 0, ...added);
    for (const node of removed) {
      for (const input of node.inputs) {
        const others = this.consumers(input).filter((other) => other !== node);
        this.#consumers.set(input, others);
      }
    }
    for (const node of added) this.#use(node);
  }

  #use(node: OnnxNode): void {
    for (const input of new Set(node.inputs)) {
      const users = this.#consumers.get(input);
      if (users) users.push(node);
      else this.#consumers.set(input, [node]);
    }
  }
}
