/** A box of an MP4 file in a buffer; all offsets count from the start of the buffer. */
export interface BoxNode {
  readonly type: string;
  /** Offset of its header. */
  readonly start: number;
  /** Offset of its content, after a header of 8 or 16 bytes. */
  readonly content: number;
  readonly end: number;
  readonly children: readonly BoxNode[];
  readonly parent: BoxNode | undefined;
}

/** Bytes between the start of the content and the first box in it. */
const CONTAINERS: ReadonlyMap<string, number> = new Map([
  ...['moov', 'trak', 'mdia', 'minf', 'dinf', 'stbl', 'edts', 'udta', 'mvex', 'moof', 'traf', 'mfra', 'tapt'].map(
    (type) => [type, 0] as const,
  ),
  ['stsd', 8],
  ['dref', 8],
  // The fields of a visual sample entry (ISO/IEC 14496-12, 12.1.3) precede its boxes.
  ...['avc1', 'hev1', 'hvc1', 'av01', 'vp08', 'vp09', 'mp4v', 'm2v1', 'm1v ', 's263', 'h263', 'AVdh', 'jpeg']
    .concat(['apcn', 'apch'])
    .map((type) => [type, 78] as const),
]);

/** Returns all boxes of a file, each before its children. Other bytes are skipped. */
export function boxesOf(bytes: Buffer): readonly BoxNode[] {
  const found: BoxNode[] = [];
  readBoxes(bytes, { from: 0, to: bytes.length, parent: undefined }, found);
  return found;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly parent: BoxNode | undefined;
}

function readBoxes(bytes: Buffer, { from, to, parent }: Range, found: BoxNode[]): BoxNode[] {
  const siblings: BoxNode[] = [];
  for (let start = from; start + 8 <= to;) {
    const shortSize = bytes.readUInt32BE(start);
    const isLarge = shortSize === 1 && start + 16 <= to;
    const size = isLarge ? Number(bytes.readBigUInt64BE(start + 8)) : shortSize === 0 ? to - start : shortSize;
    if (size < (isLarge ? 16 : 8) || start + size > to) break;
    const type = bytes.toString('latin1', start + 4, start + 8);
    const children: BoxNode[] = [];
    const box = { type, start, content: start + (isLarge ? 16 : 8), end: start + size, children, parent };
    found.push(box);
    siblings.push(box);
    const skipped = CONTAINERS.get(type);
    if (skipped !== undefined) {
      children.push(...readBoxes(bytes, { from: box.content + skipped, to: box.end, parent: box }, found));
    }
    start += size;
  }
  return siblings;
}

/** Returns the file with some bytes replaced, and with the surrounding boxes resized on request. */
export function replaced(
  bytes: Buffer,
  range: { readonly from: number; readonly to: number; readonly within: BoxNode | undefined },
  by: Buffer,
): Buffer {
  const result = Buffer.concat([bytes.subarray(0, range.from), by, bytes.subarray(range.to)]);
  const grown = by.length - (range.to - range.from);
  for (let box = range.within; box !== undefined; box = box.parent) {
    if (box.content - box.start === 8) result.writeUInt32BE((box.end - box.start + grown) >>> 0, box.start);
  }
  return result;
}
