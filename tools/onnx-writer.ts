/**
 * Writes ONNX files: just what the converter and the tests need of the protocol-buffer form of
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (IR version 8, operator set 15).
 */
import { MessageWriter } from '../src/pipeline/models/protobuf.ts';

const IR_VERSION = 8;
const OPERATOR_SET = 15;
// TensorProto.DataType
const FLOAT = 1;
const INT64 = 7;
const FLOAT16 = 10;
// AttributeProto.AttributeType
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;

/** Half-precision numbers are given as their 16 bits. */
export type TensorData = Float32Array | BigInt64Array | Uint16Array;

/** A number is an integer; a float is written `{ float }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** Collects a graph node by node; names are the caller's. */
export class OnnxWriter {
  readonly #graph = new MessageWriter();

  input(name: string, dims: readonly number[]): void {
    this.#graph.message(11, valueInfo(name, dims));
  }

  output(name: string, dims: readonly number[]): void {
    this.#graph.message(12, valueInfo(name, dims));
  }

  constant(name: string, dims: readonly number[], data: TensorData): void {
    const tensor = new MessageWriter();
    for (const size of dims) tensor.int(1, size);
    tensor.int(2, data instanceof Float32Array ? FLOAT : data instanceof Uint16Array ? FLOAT16 : INT64);
    tensor.text(8, name).bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#graph.message(5, tensor);
  }

  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    const node = new MessageWriter();
    for (const name of inputs) node.text(1, name);
    for (const name of outputs) node.text(2, name);
    node.text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#graph.message(1, node);
  }

  /** The whole file; `producer` is written into it. */
  bytes(producer: string): Uint8Array {
    const operatorSet = new MessageWriter().text(1, '').int(2, OPERATOR_SET);
    this.#graph.text(2, producer);
    const model = new MessageWriter()
      .int(1, IR_VERSION)
      .text(2, producer)
      .message(7, this.#graph)
      .message(8, operatorSet);
    return model.encoded();
  }
}

function attribute(name: string, value: Attribute): MessageWriter {
  const message = new MessageWriter().text(1, name);
  if (typeof value === 'string') return message.text(4, value).int(20, ATTRIBUTE_STRING);
  if (typeof value === 'number') return message.int(3, value).int(20, ATTRIBUTE_INT);
  if ('float' in value) return message.float(2, value.float).int(20, ATTRIBUTE_FLOAT);
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE_INTS);
}

function valueInfo(name: string, dims: readonly number[]): MessageWriter {
  const shape = new MessageWriter();
  for (const size of dims) shape.message(1, new MessageWriter().int(1, size));
  const tensorType = new MessageWriter().int(1, FLOAT).message(2, shape);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensorType));
}
