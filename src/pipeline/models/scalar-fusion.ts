import { GraphEditor } from './graph-editor.ts';
import { floatOf, intsOf, onnxNode, readOnnx, writeOnnx, type OnnxNode } from './onnx-model.ts';
import { shuffleHead } from './upsampling-head.ts';

/** y = scale * x + shift, in separate nodes. */
interface Affine {
  readonly scale: number;
  readonly shift: number;
  readonly nodes: readonly OnnxNode[];
  readonly output: string;
}

interface HardSwish {
  readonly nodes: readonly OnnxNode[];
  readonly output: string;
}

/**
 * Rewrites a model so that the inference library computes the same faster. PP-OCR's exports use four nodes for hard
 * swish, and a scalar multiplication and addition after each convolution and activation. The library fuses none of them
 * and leaves its blocked memory layout for each. Results differ only by rounding. A model without these patterns is not
 * changed.
 */
export function withFusedScalars(file: Uint8Array): Uint8Array {
  const model = readOnnx(file);
  const graph = new GraphEditor(model);
  for (const node of model.nodes) if (node.operator === 'Conv') foldAfter(graph, node);
  for (const node of graph.nodes()) if (node.operator === 'Conv') fuseHardSwish(graph, node);
  for (const node of graph.nodes()) if (node.operator === 'HardSigmoid') widenGate(graph, node);
  shuffleHead(graph);
  return graph.isChanged ? writeOnnx(graph.model()) : file;
}

/** Merges the scalars after a convolution into its weights. */
function foldAfter(graph: GraphEditor, convolution: OnnxNode): void {
  const [input = '', weights, bias] = convolution.inputs;
  const affine = affineAfter(graph, convolution.outputs[0] ?? '');
  const kernel = graph.floats(weights);
  if (affine.nodes.length === 0 || !kernel) return;
  const channels = kernel.dims[0] ?? 0;
  const before = bias === undefined ? new Float32Array(channels) : graph.floats(bias)?.data;
  if (!before) return;
  const scaled = graph.constant(kernel.dims, scaledBy(kernel.data, affine.scale));
  const shifted = graph.constant(
    [channels],
    before.map((value) => value * affine.scale + affine.shift),
  );
  const folded = { ...convolution, inputs: [input, scaled, shifted], outputs: [affine.output] };
  graph.replace([convolution, ...affine.nodes], [folded]);
}

/**
 * Replaces the hard swish after a convolution by x * HardSigmoid(x). HardSigmoid is fused only into a convolution, so
 * it follows an identity convolution. The scalars after it are merged into the following convolutions if those have 1 x
 * 1 windows without padding (a border would not get the shift), and otherwise become a depthwise convolution.
 */
function fuseHardSwish(graph: GraphEditor, convolution: OnnxNode): void {
  const x = convolution.outputs[0] ?? '';
  const swish = hardSwishOf(graph, x);
  const channels = graph.floats(convolution.inputs[1])?.dims[0];
  if (!swish || channels === undefined) return;
  const affine = affineAfter(graph, swish.output);
  const copy = graph.name();
  const gate = graph.name();
  const added = [
    depthwise(graph, x, copy, channels, 1, 0),
    onnxNode('HardSigmoid', [copy], [gate], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  ];
  const following = graph.consumers(affine.output);
  const absorb = affine.nodes.length > 0 && !graph.isOutput(affine.output);
  const absorbed = absorb ? following.map((node) => afterAffine(graph, node, affine, channels)) : [];
  const replacing = absorbed.filter((node) => node !== undefined);
  if (affine.nodes.length === 0 || (replacing.length > 0 && replacing.length === following.length)) {
    graph.replace([...swish.nodes, ...affine.nodes], [...added, onnxNode('Mul', [x, gate], [affine.output])]);
    for (const [index, node] of replacing.entries()) graph.replace(following.slice(index, index + 1), [node]);
  } else {
    const product = graph.name();
    added.push(onnxNode('Mul', [x, gate], [product]));
    added.push(depthwise(graph, product, affine.output, channels, affine.scale, affine.shift));
    graph.replace([...swish.nodes, ...affine.nodes], added);
  }
}

/** Replaces x + x * gate by x * (gate + 1), because the gate has one value per channel and x has a picture. */
function widenGate(graph: GraphEditor, gate: OnnxNode): void {
  const value = gate.outputs[0] ?? '';
  const product = graph.onlyConsumer(value, 'Mul');
  const x = product?.inputs.find((input) => input !== value) ?? '';
  const sum = product && graph.onlyConsumer(product.outputs[0] ?? '', 'Add');
  if (!product || !sum?.inputs.includes(x)) return;
  const widened = graph.name();
  const one = graph.constant([1], Float32Array.of(1));
  const added = [onnxNode('Add', [value, one], [widened]), onnxNode('Mul', [x, widened], sum.outputs)];
  graph.replace([product, sum], added);
}

/**
 * Returns the multiplication by a scalar and then the addition of one that follow a value exclusively; either may be
 * absent.
 */
function affineAfter(graph: GraphEditor, value: string): Affine {
  const nodes: OnnxNode[] = [];
  let [scale, shift, output] = [1, 0, value];
  for (const operator of ['Mul', 'Add']) {
    const node = graph.onlyConsumer(output, operator);
    const scalar = node && graph.scalarBeside(node, output);
    if (!node || scalar === undefined) continue;
    if (operator === 'Mul') scale = scalar;
    else shift = scalar;
    nodes.push(node);
    output = node.outputs[0] ?? '';
  }
  return { scale, shift, nodes, output };
}

/** Returns x * clip(x + 3, 0, 6) / 6 if it follows `x`. */
function hardSwishOf(graph: GraphEditor, x: string): HardSwish | undefined {
  for (const add of graph.consumers(x)) {
    if (add.operator !== 'Add' || graph.scalarBeside(add, x) !== 3) continue;
    const clip = graph.onlyConsumer(add.outputs[0] ?? '', 'Clip');
    if (!clip || lowest(graph, clip) !== 0 || highest(graph, clip) !== 6) continue;
    const product = graph.onlyConsumer(clip.outputs[0] ?? '', 'Mul');
    if (!product?.inputs.includes(x)) continue;
    const quotient = graph.onlyConsumer(product.outputs[0] ?? '', 'Div');
    if (!quotient || quotient.inputs[0] !== product.outputs[0] || graph.scalar(quotient.inputs[1]) !== 6) continue;
    return { nodes: [add, clip, product, quotient], output: quotient.outputs[0] ?? '' };
  }
  return undefined;
}

function lowest(graph: GraphEditor, clip: OnnxNode): number | undefined {
  return graph.scalar(clip.inputs[1]) ?? floatOf(clip, 'min');
}

function highest(graph: GraphEditor, clip: OnnxNode): number | undefined {
  return graph.scalar(clip.inputs[2]) ?? floatOf(clip, 'max');
}

/** Returns a convolution equal to the scalars; undefined if there is none. */
function afterAffine(graph: GraphEditor, node: OnnxNode, affine: Affine, channels: number): OnnxNode | undefined {
  const [input = '', weights, bias] = node.inputs;
  const kernel = graph.floats(weights);
  const fits = node.operator === 'Conv' && input === affine.output && kernel?.dims[1] === channels;
  const window = [...(kernel?.dims.slice(2) ?? [0]), ...intsOf(node, 'pads', []).map((pad) => pad + 1)];
  if (!kernel || !fits || window.some((side) => side !== 1)) return undefined;
  const outputs = kernel.dims[0] ?? 0;
  const before = bias === undefined ? new Float32Array(outputs) : graph.floats(bias)?.data;
  if (!before) return undefined;
  const shifted = before.map((value, output) => {
    let sum = 0;
    for (let at = output * channels; at < (output + 1) * channels; at++) sum += kernel.data[at] ?? 0;
    return value + sum * affine.shift;
  });
  const scaled = scaledBy(kernel.data, affine.scale);
  return { ...node, inputs: [input, graph.constant(kernel.dims, scaled), graph.constant([outputs], shifted)] };
}

function scaledBy(weights: Float32Array, scale: number): Float32Array {
  const scaled = new Float32Array(weights.length);
  for (let i = 0; i < weights.length; i++) scaled[i] = (weights[i] ?? 0) * scale;
  return scaled;
}

/** Returns scale * x + shift as a convolution. */
function depthwise(graph: GraphEditor, x: string, y: string, channels: number, scale: number, shift: number): OnnxNode {
  const weights = graph.constant([channels, 1, 1, 1], new Float32Array(channels).fill(scale));
  const bias = graph.constant([channels], new Float32Array(channels).fill(shift));
  return onnxNode('Conv', [x, weights, bias], [y], { kernel_shape: [1, 1], group: channels });
}
