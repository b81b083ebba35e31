import { toHalf } from '../../src/pipeline/models/half-floats.ts';
import { MessageWriter } from '../../src/pipeline/models/protobuf.ts';

export interface TinyOutput {
  /** Default: output. */
  readonly name?: string;
  readonly outputDims: readonly number[];
  /** Values of the output by flat index; others are 0. */
  readonly values: ReadonlyMap<number, number>;
}

export interface TinyModelOptions extends TinyOutput {
  /** Sizes of the input; a name stands for a variable one. Default: 1 x 3 x side x side. */
  readonly inputDims?: readonly (number | string)[];
  readonly side: number;
  /** Further outputs. */
  readonly others?: readonly TinyOutput[];
  /** Whether its numbers have 16 bits. */
  readonly isHalf?: boolean;
}

// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const IR_VERSION = 8;
const OPERATOR_SET = 15;
// TensorProto.DataType
const FLOAT = 1;
const FLOAT16 = 10;
const INT = 2; // AttributeProto.AttributeType

/**
 * Returns an ONNX model with input 1 x 3 x side x side and constant outputs: constant + 0 * (mean of its input), so that
 * it really runs and its output is known.
 */
export function tinyModel({ side, inputDims, others = [], isHalf = false, ...first }: TinyModelOptions): Uint8Array {
  const type = isHalf ? FLOAT16 : FLOAT;
  const keepdims = new MessageWriter().text(1, 'keepdims').int(3, 0).int(20, INT);
  const graph = new MessageWriter()
    .message(1, node('ReduceMean', ['images'], 'mean').message(5, keepdims))
    .message(1, node('Mul', ['mean', 'zero'], 'nothing'))
    .text(2, 'test')
    .message(5, constant('zero', [1], Float32Array.of(0), type))
    .message(11, valueInfo('images', inputDims ?? [1, 3, side, side], type));
  for (const { name = 'output', outputDims, values } of [first, ...others]) {
    const answer = new Float32Array(outputDims.reduce((product, size) => product * size, 1));
    for (const [index, value] of values) answer[index] = value;
    graph
      .message(1, node('Add', [`${name}_answer`, 'nothing'], name))
      .message(5, constant(`${name}_answer`, outputDims, answer, type))
      .message(12, valueInfo(name, outputDims, type));
  }
  const operatorSet = new MessageWriter().text(1, '').int(2, OPERATOR_SET);
  return new MessageWriter().int(1, IR_VERSION).message(7, graph).message(8, operatorSet).encoded();
}

function node(operator: string, inputs: readonly string[], output: string): MessageWriter {
  const message = new MessageWriter();
  for (const name of inputs) message.text(1, name);
  return message.text(2, output).text(4, operator);
}

function constant(name: string, dims: readonly number[], data: Float32Array, type: number): MessageWriter {
  const message = new MessageWriter();
  for (const size of dims) message.int(1, size);
  const numbers = type === FLOAT16 ? toHalf(data) : data;
  return message.int(2, type).text(8, name).bytes(9, new Uint8Array(numbers.buffer));
}

function valueInfo(name: string, dims: readonly (number | string)[], type: number): MessageWriter {
  const shape = new MessageWriter();
  for (const size of dims) {
    const dimension = new MessageWriter();
    shape.message(1, typeof size === 'number' ? dimension.int(1, size) : dimension.text(2, size));
  }
  const tensorType = new MessageWriter().int(1, type).message(2, shape);
  return new MessageWriter().text(1, name).message(2, new MessageWriter().message(1, tensorType));
}
