import { OnnxWriter } from '../../tools/onnx-writer.ts';

export interface TinyModelOptions {
  readonly side: number;
  readonly outputDims: readonly number[];
  /** Values of the output by flat index; the rest is 0. */
  readonly values: ReadonlyMap<number, number>;
}

/**
 * An ONNX model that takes 1 x 3 x side x side and always answers the same: constant + 0 * (mean of its input), so that
 * it is run for real and its answer is known.
 */
export function tinyModel({ side, outputDims, values }: TinyModelOptions): Uint8Array {
  const answer = new Float32Array(outputDims.reduce((product, size) => product * size, 1));
  for (const [index, value] of values) answer[index] = value;
  const onnx = new OnnxWriter();
  onnx.input('images', [1, 3, side, side]);
  onnx.constant('answer', outputDims, answer);
  onnx.constant('zero', [1], Float32Array.of(0));
  onnx.node('ReduceMean', ['images'], ['mean'], { keepdims: 0 });
  onnx.node('Mul', ['mean', 'zero'], ['nothing']);
  onnx.node('Add', ['answer', 'nothing'], ['output']);
  onnx.output('output', outputDims);
  return onnx.bytes('test');
}
