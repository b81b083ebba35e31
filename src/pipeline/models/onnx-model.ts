import { ServiceError } from '../../errors.ts';
import { fieldsOf, MessageWriter, type Field } from './protobuf.ts';

// Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
const MODEL = { graph: 7 } as const;
const GRAPH = { node: 1, initialiser: 5, input: 11 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, ints: 8, type: 20 } as const;
const ATTRIBUTE_TYPES = { float: 1, int: 2, text: 3, ints: 7 } as const;
const TENSOR = { dims: 1, type: 2, floats: 4, name: 8, raw: 9 } as const;
const VALUE_NAME = 1;
const FLOAT = 1;
const LENGTH_DELIMITED = 2;

/** A number is an integer; a float is written `{ float }`. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** By name, each encoded as in the file. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  /** Its name and domain. */
  readonly others: readonly Field[];
}

/** A constant tensor: its fields as in the file, without its name. */
export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly fields: readonly Field[];
}

/** An ONNX file as a list of nodes and a table of constants; everything else is kept unchanged. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  /** Initialisers and the values of Constant nodes. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The fields around the graph, and those of the graph other than nodes and initialisers. */
  readonly around: readonly Field[];
  readonly others: readonly Field[];
}

/** Reads a model; the constants are views of `file`. Throws `invalid_model` if it is not an ONNX file. */
export function readOnnx(file: Uint8Array): OnnxModel {
  const around = fieldsOf(file);
  const graph = around.find(({ number }) => number === MODEL.graph);
  if (!graph) throw new ServiceError('invalid_model', 'The file is not an ONNX model');
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const others: Field[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];
  for (const field of fieldsOf(graph.bytes)) {
    if (field.number === GRAPH.node) {
      const node = readNode(field.bytes);
      const value = node.operator === 'Constant' ? node.attributes.get('value') : undefined;
      const tensor = value && fieldsOf(value).find(({ number }) => number === ATTRIBUTE.tensor);
      if (tensor) constants.set(node.outputs[0] ?? '', readTensor(tensor.bytes).tensor);
      else nodes.push(node);
    } else if (field.number === GRAPH.initialiser) {
      const { name, tensor } = readTensor(field.bytes);
      constants.set(name, tensor);
    } else {
      others.push(field);
      const name = field.number === 11 || field.number === 12 ? textOf(fieldsOf(field.bytes), VALUE_NAME) : '';
      if (field.number === 11) inputs.push(name);
      if (field.number === 12) outputs.push(name);
    }
  }
  const withoutGraph = around.filter(({ number }) => number !== MODEL.graph);
  return { nodes, constants, inputs, outputs, around: withoutGraph, others };
}

/** Writes a model as a file. */
export function writeOnnx(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const { operator, inputs, outputs, attributes, others } of model.nodes) {
    const node = new MessageWriter();
    for (const input of inputs) node.text(NODE.input, input);
    for (const output of outputs) node.text(NODE.output, output);
    node.text(NODE.operator, operator);
    for (const attribute of attributes.values()) node.bytes(NODE.attribute, attribute);
    for (const field of others) node.field(field);
    graph.message(GRAPH.node, node);
  }
  for (const [name, { fields }] of model.constants) {
    const tensor = new MessageWriter();
    for (const field of fields) tensor.field(field);
    graph.message(GRAPH.initialiser, tensor.text(TENSOR.name, name));
  }
  for (const field of model.others) {
    // Old files list constants among the inputs too.
    const isConstant = field.number === GRAPH.input && model.constants.has(textOf(fieldsOf(field.bytes), VALUE_NAME));
    if (!isConstant) graph.field(field);
  }
  const file = new MessageWriter();
  for (const field of model.around) file.field(field);
  return file.message(MODEL.graph, graph).encoded();
}

export function onnxNode(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): OnnxNode {
  const encoded = Object.entries(attributes).map(([name, value]) => [name, encodedAttribute(name, value)] as const);
  return { operator, inputs, outputs, attributes: new Map(encoded), others: [] };
}

/** Returns the numbers of a float tensor; undefined for other types and external data. */
export function floatsOf(tensor: OnnxTensor | undefined): Float32Array | undefined {
  if (tensor?.fields.find(({ number }) => number === TENSOR.type)?.int !== FLOAT) return undefined;
  const floats = new Float32Array(tensor.dims.reduce((product, size) => product * size, 1));
  const bytes = new Uint8Array(floats.buffer);
  let at = 0;
  for (const field of tensor.fields) {
    if (field.number !== TENSOR.raw && field.number !== TENSOR.floats) continue;
    if (at + field.bytes.length > bytes.length) return undefined;
    bytes.set(field.bytes, at);
    at += field.bytes.length;
  }
  return at === bytes.length ? floats : undefined;
}

export function floatTensor(dims: readonly number[], data: Float32Array): OnnxTensor {
  const header = new MessageWriter();
  for (const size of dims) header.int(TENSOR.dims, size);
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const fields = fieldsOf(header.int(TENSOR.type, FLOAT).encoded());
  return { dims, fields: [...fields, { number: TENSOR.raw, wire: LENGTH_DELIMITED, int: 0, bytes: raw }] };
}

/** Returns the integers of an attribute, or `standard` if the node does not have it. */
export function intsOf(node: OnnxNode, name: string, standard: readonly number[]): readonly number[] {
  const encoded = node.attributes.get(name);
  if (!encoded) return standard;
  return fieldsOf(encoded).flatMap((field) =>
    field.number !== ATTRIBUTE.ints && field.number !== ATTRIBUTE.int
      ? []
      : field.wire === 2
        ? packedInts(field.bytes)
        : [field.int],
  );
}

/** Returns the number of a float attribute, or undefined if the node does not have it. */
export function floatOf(node: OnnxNode, name: string): number | undefined {
  const field = fieldsOf(node.attributes.get(name) ?? new Uint8Array(0)).find(
    ({ number }) => number === ATTRIBUTE.float,
  );
  return field && new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true);
}

function packedInts(bytes: Uint8Array): number[] {
  const ints: number[] = [];
  let start = 0;
  for (const [at, byte] of bytes.entries()) {
    if (byte >= 128) continue;
    // With a key before it, the number is a message of one field.
    const [field] = fieldsOf(Buffer.concat([Uint8Array.of(8), bytes.subarray(start, at + 1)]));
    ints.push(field?.int ?? 0);
    start = at + 1;
  }
  return ints;
}

function encodedAttribute(name: string, value: AttributeValue): Uint8Array {
  const message = new MessageWriter().text(ATTRIBUTE.name, name);
  if (typeof value === 'string') {
    message.text(ATTRIBUTE.text, value).int(ATTRIBUTE.type, ATTRIBUTE_TYPES.text);
  } else if (typeof value === 'number') {
    message.int(ATTRIBUTE.int, value).int(ATTRIBUTE.type, ATTRIBUTE_TYPES.int);
  } else if ('float' in value) {
    message.float(ATTRIBUTE.float, value.float).int(ATTRIBUTE.type, ATTRIBUTE_TYPES.float);
  } else {
    for (const item of value) message.int(ATTRIBUTE.ints, item);
    message.int(ATTRIBUTE.type, ATTRIBUTE_TYPES.ints);
  }
  return message.encoded();
}

function readNode(bytes: Uint8Array): OnnxNode {
  const fields = fieldsOf(bytes);
  const attributes = fields
    .filter(({ number }) => number === NODE.attribute)
    .map((field) => [textOf(fieldsOf(field.bytes), ATTRIBUTE.name), field.bytes] as const);
  const names = (number: number) =>
    fields.filter((field) => field.number === number).map(({ bytes: name }) => text(name));
  return {
    operator: textOf(fields, NODE.operator),
    inputs: names(NODE.input),
    outputs: names(NODE.output),
    attributes: new Map(attributes),
    others: fields.filter(({ number }) => number === NODE.name || number > NODE.attribute),
  };
}

function readTensor(bytes: Uint8Array): { readonly name: string; readonly tensor: OnnxTensor } {
  const fields = fieldsOf(bytes);
  const dims = fields.flatMap(({ number, wire, int, bytes: packed }) =>
    number !== TENSOR.dims ? [] : wire === 2 ? packedInts(packed) : [int],
  );
  const unnamed = fields.filter(({ number }) => number !== TENSOR.name);
  return { name: textOf(fields, TENSOR.name), tensor: { dims, fields: unnamed } };
}

function textOf(fields: readonly Field[], number: number): string {
  return text(fields.find((field) => field.number === number)?.bytes ?? new Uint8Array(0));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
