import { boxesOf, replaced, type BoxNode } from './box-tree.ts';
import type { Random } from './random.ts';

export interface MutationInput {
  readonly bytes: Buffer;
  readonly random: Random;
  /** Another valid video. */
  readonly other: Buffer;
  /** Absolute path of a video that must never be opened. */
  readonly canaryPath: string;
}

export type Mutation = (input: MutationInput) => Buffer;

const EXTREMES = [
  0, 1, 2, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

/** Boxes with the configuration of a decoder. */
const DECODER_SETUP = new Set(['avcC', 'hvcC', 'av1C', 'vpcC', 'esds', 'colr', 'pasp', 'fiel', 'glbl']);

const OTHER_TYPES = [
  'moov',
  'trak',
  'stbl',
  'stsd',
  'dref',
  'free',
  'udta',
  'meta',
  'cmov',
  'moof',
  'sidx',
  'uuid',
  'clap',
].concat(
  'stz2',
  'co64',
  'elst',
  'senc',
  'saiz',
  'sgpd',
  'ctts',
  'hdlr',
  'rmra',
  'tref',
  'data',
  'keys',
  'wide',
  'mdat',
);

/** Allowed codecs, and some of the old ones that no job may reach. */
const SAMPLE_ENTRIES = ['avc1', 'hvc1', 'hev1', 'av01', 'vp08', 'vp09', 'vvc1', 'mp4v', 'm1v ', 'm2v1', 's263', 'jpeg']
  .concat(['apch', 'ap4h', 'AVdn', 'AVdh', 'encv'])
  .concat(['cvid', 'SVQ1', 'SVQ3', 'rle ', 'smc ', 'rpza', 'qdrw', 'png ', 'tiff', 'mjp2', 'Hap1', 'FFV1', 'IV50']);

function boxed({ bytes, random }: MutationInput, wanted: (box: BoxNode) => boolean = () => true): BoxNode | undefined {
  const fitting = boxesOf(bytes).filter(wanted);
  return fitting.length === 0 ? undefined : random.pick(fitting);
}

function flipBits(input: MutationInput, from: number, to: number): Buffer {
  const { bytes, random } = input;
  const result = Buffer.from(bytes);
  if (to <= from) return result;
  for (let left = 1 << random.below(6); left > 0; left -= 1) {
    const at = from + random.below(to - from);
    result.writeUInt8(result.readUInt8(at) ^ (1 << random.below(8)), at);
  }
  return result;
}

const isInIndex = (box: BoxNode): boolean => box.children.length === 0 && box.parent !== undefined;

/** Mutations by name. */
export const MUTATIONS = {
  'bits flipped': (input) => flipBits(input, 0, input.bytes.length),

  'bits flipped in the index': (input) => {
    const box = boxed(input, isInIndex);
    return flipBits(input, box?.content ?? 0, box?.end ?? 0);
  },

  'bits flipped in the decoder setup': (input) => {
    const box = boxed(input, ({ type }) => DECODER_SETUP.has(type));
    return flipBits(input, box?.content ?? 0, box?.end ?? 0);
  },

  'bits flipped in the media': (input) => {
    const box = boxed(input, ({ type }) => type === 'mdat');
    return flipBits(input, box?.content ?? 0, box?.end ?? 0);
  },

  'bytes overwritten': ({ bytes, random }) => {
    const result = Buffer.from(bytes);
    const from = random.below(bytes.length);
    const length = Math.min(bytes.length - from, 1 << random.below(12));
    if (random.chance(0.5)) result.fill(random.pick([0, 0xff, 0x41]), from, from + length);
    else random.bytes(length).copy(result, from);
    return result;
  },

  truncated: ({ bytes, random }) => bytes.subarray(0, 1 + random.below(bytes.length)),

  'truncated at a box': (input) => {
    const box = boxed(input);
    return input.bytes.subarray(0, box === undefined ? undefined : box.start + input.random.below(17));
  },

  'box size changed': (input) => {
    const { bytes, random } = input;
    const box = boxed(input);
    if (box === undefined) return bytes;
    const size = box.end - box.start;
    const result = Buffer.from(bytes);
    const near = random.pick([size - 1, size + 1, size - 8, size + 8, size * 2, size >>> 1]);
    result.writeUInt32BE((random.chance(0.5) ? near : random.pick(EXTREMES)) >>> 0, box.start);
    return result;
  },

  'box size of 64 bits': (input) => {
    const { bytes, random } = input;
    const box = boxed(input, ({ content, start }) => content - start === 8);
    if (box === undefined) return bytes;
    const header = Buffer.alloc(16, bytes.subarray(box.start, box.content));
    header.writeUInt32BE(1, 0);
    const size = BigInt(box.end - box.start + 8);
    header.writeBigUInt64BE(
      random.pick([size, 0n, 15n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 32n + size]),
      8,
    );
    return replaced(bytes, { from: box.start, to: box.content, within: box.parent }, header);
  },

  'flood of metadata': (input) => {
    const { bytes, random } = input;
    const index = boxed(input, ({ type }) => type === 'moov');
    if (index === undefined) return bytes;
    const count = 1 << random.below(16);
    const kind = random.pick(['pssh', 'udta', 'free', 'trak']);
    const box = Buffer.alloc(kind === 'pssh' ? 32 : 8);
    box.writeUInt32BE(box.length);
    box.write(kind, 4, 'latin1');
    const flood = Buffer.concat(Array.from({ length: count }, () => box));
    return replaced(bytes, { from: index.end, to: index.end, within: index }, flood);
  },

  'box type changed': (input) => {
    const { bytes, random } = input;
    const box = boxed(input);
    const result = Buffer.from(bytes);
    if (box !== undefined) result.write(random.pick(OTHER_TYPES), box.start + 4, 'latin1');
    return result;
  },

  'boxes swapped': (input) => {
    const { bytes } = input;
    const first = boxed(input);
    const second = boxed(input, ({ start, end }) => first !== undefined && (start >= first.end || end <= first.start));
    if (first === undefined || second === undefined) return bytes;
    const [low, high] = first.start < second.start ? [first, second] : [second, first];
    return Buffer.concat([
      bytes.subarray(0, low.start),
      bytes.subarray(high.start, high.end),
      bytes.subarray(low.end, high.start),
      bytes.subarray(low.start, low.end),
      bytes.subarray(high.end),
    ]);
  },

  'box nested in another': (input) => {
    const { bytes, random } = input;
    const moved = boxed(input, ({ type }) => type !== 'mdat');
    const target = boxed(input, ({ children }) => children.length > 0);
    if (moved === undefined || target === undefined) return bytes;
    const at = random.chance(0.5) ? target.end : (target.children[0]?.start ?? target.end);
    const within = random.chance(0.75) ? target : undefined;
    return replaced(bytes, { from: at, to: at, within }, bytes.subarray(moved.start, moved.end));
  },

  'box in boxes without end': (input) => {
    const { bytes, random } = input;
    const box = boxed(input, ({ children, parent }) => children.length > 0 && parent !== undefined);
    if (box === undefined) return bytes;
    const { type } = box;
    let nested = Buffer.from(bytes.subarray(box.start, box.end));
    for (let depth = 2 << random.below(6); depth > 0; depth -= 1) {
      const header = Buffer.alloc(8);
      header.writeUInt32BE(nested.length + 8);
      header.write(type, 4, 'latin1');
      nested = Buffer.concat([header, nested]);
    }
    return replaced(bytes, { from: box.start, to: box.end, within: box.parent }, nested);
  },

  'box repeated': (input) => {
    const { bytes, random } = input;
    const box = boxed(input, ({ type }) => type !== 'mdat');
    if (box === undefined) return bytes;
    const copies = Array.from({ length: 1 << random.below(8) }, () => bytes.subarray(box.start, box.end));
    return replaced(bytes, { from: box.end, to: box.end, within: box.parent }, Buffer.concat(copies));
  },

  'box left out': (input) => {
    const box = boxed(input);
    if (box === undefined) return input.bytes;
    const within = input.random.chance(0.75) ? box.parent : undefined;
    return replaced(input.bytes, { from: box.start, to: box.end, within }, Buffer.alloc(0));
  },

  'extreme integers in the index': (input) => {
    const { bytes, random } = input;
    const result = Buffer.from(bytes);
    for (let left = 1 + random.below(4); left > 0; left -= 1) {
      const box = boxed(input, (found) => isInIndex(found) && found.end - found.content >= 4);
      if (box === undefined) break;
      const at = box.content + 4 * random.below((box.end - box.content) >>> 2);
      if (random.chance(0.25)) result.writeUInt16BE(random.pick(EXTREMES) & 0xffff, at + 2 * random.below(2));
      else result.writeUInt32BE(random.pick(EXTREMES), at);
    }
    return result;
  },

  'other codec': ({ bytes, random }) => {
    const result = Buffer.from(bytes);
    const entries = boxesOf(bytes).filter(({ parent }) => parent?.type === 'stsd');
    for (const { start } of entries) result.write(random.pick(SAMPLE_ENTRIES), start + 4, 'latin1');
    return result;
  },

  'extreme size of the picture': (input) => {
    const { bytes, random } = input;
    const result = Buffer.from(bytes);
    for (const box of boxesOf(bytes)) {
      if (box.parent?.type !== 'stsd' || box.end - box.content < 28) continue;
      for (const at of [24, 26])
        result.writeUInt16BE(random.pick([0, 1, 15, 64, 4320, 7680, 0x7fff, 0xffff]), box.content + at);
    }
    return result;
  },

  'spliced with another video': ({ bytes, random, other }) =>
    Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))]),

  'box of another video': (input) => {
    const { bytes, random, other } = input;
    const theirs = boxed({ ...input, bytes: other });
    if (theirs === undefined) return bytes;
    const ours = boxed(input, ({ type }) => type === theirs.type) ?? boxed(input);
    if (ours === undefined) return bytes;
    const within = random.chance(0.75) ? ours.parent : undefined;
    return replaced(bytes, { from: ours.start, to: ours.end, within }, other.subarray(theirs.start, theirs.end));
  },

  'samples in another file': (input) => {
    const { bytes, random, canaryPath } = input;
    const reference = boxed(input, ({ parent }) => parent?.type === 'dref');
    if (reference === undefined) return bytes;
    const name = canaryPath.slice(canaryPath.lastIndexOf('/') + 1);
    const place = random.pick([canaryPath, name, `./${name}`, `file:${canaryPath}`, `file://${canaryPath}`]);
    const type = random.pick(['url ', 'url ', 'urn ', 'alis']);
    const content = type === 'alis' ? aliasOf(canaryPath) : Buffer.from(`${place}\0`);
    const header = Buffer.alloc(12);
    header.writeUInt32BE(12 + content.length);
    header.write(type, 4, 'latin1');
    header.writeUInt32BE(random.below(2), 8);
    const range = { from: reference.start, to: reference.end, within: reference.parent };
    return replaced(bytes, range, Buffer.concat([header, content]));
  },
} as const satisfies Readonly<Record<string, Mutation>>;

/** A QuickTime alias record (version 2): a fixed part of 150 bytes, then tagged strings, of which 2 and 18 are paths. */
function aliasOf(path: string): Buffer {
  const fixed = Buffer.alloc(150);
  fixed.writeUInt16BE(2, 6);
  const name = path.slice(path.lastIndexOf('/') + 1);
  fixed.writeUInt8(name.length, 50);
  fixed.write(name, 51, 'latin1');
  // Number of folders up from the alias, and down to the target.
  fixed.writeInt16BE(1, 130);
  fixed.writeInt16BE(1, 132);
  const tagged = [2, 18].flatMap((tag) => {
    const head = Buffer.alloc(4);
    head.writeInt16BE(tag, 0);
    head.writeUInt16BE(path.length, 2);
    return [head, Buffer.from(path), Buffer.alloc(path.length % 2)];
  });
  return Buffer.concat([fixed, ...tagged, Buffer.from([0xff, 0xff, 0, 0])]);
}
