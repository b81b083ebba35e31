/** Big-endian 32-bit numbers. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, place) => bytes.writeUInt32BE(value, place * 4));
  return bytes;
}

/** Returns a box of an MP4 file. */
export function box(type: string, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([words(size), Buffer.from(type, 'latin1'), ...content]);
}

function handler(type: string): Buffer {
  return box('hdlr', words(0, 0), Buffer.from(type), Buffer.alloc(13));
}

function trackHeader(id: number): Buffer {
  return box('tkhd', words(7, 0, 0, id, 0, 0), Buffer.alloc(60));
}

/** Returns a track with the given boxes in its sample table. */
export function track(id: number, type: string, table: readonly Buffer[], media: readonly Buffer[] = []): Buffer {
  return box(
    'trak',
    trackHeader(id),
    box('mdia', box('mdhd', words(0, 0, 0, 1000, 0, 0)), handler(type), box('minf', ...media, box('stbl', ...table))),
  );
}

export const FILE_TYPE = box('ftyp', Buffer.from('isom\0\0\0\0isom'));

export function movie(...content: readonly Buffer[]): Buffer {
  return box('moov', box('mvhd', words(0, 0, 0, 1000, 0), Buffer.alloc(80)), ...content);
}
