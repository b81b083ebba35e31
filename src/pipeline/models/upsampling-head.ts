import type { GraphEditor } from './graph-editor.ts';
import { floatOf, intsOf, onnxNode, type OnnxNode } from './onnx-model.ts';

const PHASES = [0, 1, 2, 3] as const;

/** A transposed convolution of 2 x 2 with stride 2, and the following shift of each of its channels. */
interface Doubling {
  readonly node: OnnxNode;
  /** Inputs x outputs x 2 x 2. */
  readonly weights: Float32Array;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: Float32Array;
  readonly add: OnnxNode;
}

/**
 * Computes the head of a text detector at the resolution of its input. PP-OCR doubles the size of its map twice with
 * transposed convolutions, for which the library leaves its blocked layout. Without overlap, each equals a convolution
 * of 1 x 1 with four times the channels; the pixels are rearranged at the end.
 */
export function shuffleHead(graph: GraphEditor): void {
  for (const node of graph.nodes()) {
    if (node.operator === 'ConvTranspose') shuffleFrom(graph, node);
  }
}

function shuffleFrom(graph: GraphEditor, node: OnnxNode): void {
  const first = doublingOf(graph, node);
  const norm = first && graph.onlyConsumer(first.add.outputs[0] ?? '', 'BatchNormalization');
  const relu = norm && graph.onlyConsumer(norm.outputs[0] ?? '', 'Relu');
  const next = relu && graph.onlyConsumer(relu.outputs[0] ?? '', 'ConvTranspose');
  const second = next && doublingOf(graph, next);
  const sigmoid = second && graph.onlyConsumer(second.add.outputs[0] ?? '', 'Sigmoid');
  if (!first || !norm || !relu || !second || !sigmoid || second.outputs !== 1) return;
  const scales = normalisation(graph, norm);
  if (!scales) return;
  const { inputs, outputs: middle } = first;
  const widened = new Float32Array(4 * middle * inputs);
  const widenedBias = new Float32Array(4 * middle);
  const last = new Float32Array(16 * 4 * middle);
  for (let channel = 0; channel < middle; channel++) {
    const scale = scales.scale[channel] ?? 0;
    for (const phase of PHASES) {
      const row = channel * 4 + phase;
      widenedBias[row] = (first.bias[channel] ?? 0) * scale + (scales.shift[channel] ?? 0);
      for (let input = 0; input < inputs; input++) {
        widened[row * inputs + input] = (first.weights[(input * middle + channel) * 4 + phase] ?? 0) * scale;
      }
      for (const within of PHASES) {
        last[placeOf(phase, within) * 4 * middle + row] = second.weights[channel * 4 + within] ?? 0;
      }
    }
  }
  const [wide, active, coarse, likely] = [graph.name(), graph.name(), graph.name(), graph.name()];
  const weights = graph.constant([4 * middle, inputs, 1, 1], widened);
  const lastWeights = graph.constant([16, 4 * middle, 1, 1], last);
  const lastBias = graph.constant([16], new Float32Array(16).fill(second.bias[0] ?? 0));
  const window = { kernel_shape: [1, 1] };
  graph.replace(
    [first.node, first.add, norm, relu, second.node, second.add, sigmoid],
    [
      onnxNode('Conv', [node.inputs[0] ?? '', weights, graph.constant([4 * middle], widenedBias)], [wide], window),
      onnxNode('Relu', [wide], [active]),
      onnxNode('Conv', [active, lastWeights, lastBias], [coarse], window),
      onnxNode('Sigmoid', [coarse], [likely]),
      onnxNode('DepthToSpace', [likely], sigmoid.outputs, { blocksize: 4 }),
    ],
  );
}

/** Channel of a pixel in a block of 4 x 4: `phase` is its quarter, `within` its position in the quarter. */
function placeOf(phase: number, within: number): number {
  const row = 2 * (phase >> 1) + (within >> 1);
  const column = 2 * (phase & 1) + (within & 1);
  return row * 4 + column;
}

function doublingOf(graph: GraphEditor, node: OnnxNode): Doubling | undefined {
  const kernel = graph.floats(node.inputs[1]);
  const [inputs = 0, outputs = 0, height, width] = kernel?.dims ?? [];
  const isPlain =
    height === 2 &&
    width === 2 &&
    intsOf(node, 'strides', []).join() === '2,2' &&
    intsOf(node, 'pads', [0]).every((pad) => pad === 0) &&
    intsOf(node, 'output_padding', [0]).every((pad) => pad === 0) &&
    intsOf(node, 'group', [1]).join() === '1' &&
    node.inputs.length === 2;
  const add = graph.onlyConsumer(node.outputs[0] ?? '', 'Add');
  const bias = add && graph.floats(add.inputs.find((input) => input !== node.outputs[0]))?.data;
  if (!kernel || !isPlain || !add || bias?.length !== outputs) return undefined;
  return { node, weights: kernel.data, inputs, outputs, bias, add };
}

/** Returns the effect of a batch normalisation on each channel. */
function normalisation(graph: GraphEditor, node: OnnxNode) {
  const [gamma, beta, mean, variance] = node.inputs.slice(1).map((input) => graph.floats(input)?.data);
  if (!gamma || !beta || !mean || !variance) return undefined;
  const epsilon = floatOf(node, 'epsilon') ?? 1e-5;
  const scale = gamma.map((value, channel) => value / Math.sqrt((variance[channel] ?? 0) + epsilon));
  const shift = beta.map((value, channel) => value - (mean[channel] ?? 0) * (scale[channel] ?? 0));
  return { scale, shift };
}
