/** A box of an MP4 file that lies in a buffer; all offsets count from the buffer's start. */
export interface BoxNode {
  readonly type: string;
  /** Where its header begins. */
  readonly start: number;
  /** Where its content begins, behind a header of 8 or 16 bytes. */
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
  // The fields of a visual sample entry (ISO/IEC 14496-12, 12.1.3) come before its boxes.
  ...['avc1', 'hev1', 'hvc1', 'av01', 'vp09', 'mp4v', 'jpeg', 'apcn', 'apch'].map((type) => [type, 78] as const),
]);

/** All boxes of a file, each before the boxes in it. What is not boxes any more is passed over. */
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

/** The file with some bytes exchanged for others, and with the boxes around them grown or shrunk if that is asked for. */
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
