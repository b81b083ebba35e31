import { ServiceError } from '../errors.ts';
import type { Box, BoxReader } from './box-reader.ts';

/** Samples per index entry when FFmpeg reads uncompressed audio by chunks (`mov_build_index`). */
const SAMPLES_PER_CHUNK_ENTRY = 1024;

/** Audio never has more samples per byte than this. */
const SOUND_SAMPLES_PER_BYTE = 64;

/** Boxes with a table: offset of the count in the content, and bytes per entry. */
const TABLES: Readonly<Record<string, { readonly count: number; readonly entryBytes: number }>> = {
  stts: { count: 4, entryBytes: 8 },
  ctts: { count: 4, entryBytes: 8 },
  stsc: { count: 4, entryBytes: 12 },
  stco: { count: 4, entryBytes: 4 },
  co64: { count: 4, entryBytes: 8 },
  stss: { count: 4, entryBytes: 4 },
  stps: { count: 4, entryBytes: 4 },
};

/** The declarations of one track's boxes. Boxes may come in any order, so they are evaluated after all are read. */
export class TrackFacts {
  id = 0;
  isEncrypted = false;
  isExternal = false;
  readonly #reader: BoxReader;
  #handlers = new Set<string>();
  #samples = 0;
  #timeRuns = 0;
  #firstDuration = 0;
  #chunks = 0;
  #edits = 0;
  #chunkRuns: { readonly offset: number; readonly count: number } | undefined;

  constructor(reader: BoxReader) {
    this.#reader = reader;
  }

  /** Records a box. Throws `invalid_video` if its table claims more entries than it has bytes for. */
  read(box: Box): void {
    const reader = this.#reader;
    const table = TABLES[box.type];
    const count = table === undefined ? 0 : reader.uint32(box.start + table.count);
    if (table !== undefined) checkEntries(box, count, 8 + count * table.entryBytes);
    switch (box.type) {
      case 'tkhd':
        this.id = reader.uint32(box.start + (this.#version(box) === 1 ? 20 : 12));
        break;
      case 'hdlr':
        this.#handlers.add(reader.fourCharacters(box.start + 8));
        break;
      case 'stsd':
        this.#readDescriptions(box);
        break;
      case 'dref':
        this.#readReferences(box);
        break;
      case 'stsz':
      case 'stz2':
        this.#readSizes(box);
        break;
      case 'stts':
        this.#timeRuns += count;
        this.#firstDuration = reader.uint32(box.start + 12);
        break;
      case 'stsc':
        this.#chunkRuns = { offset: box.start + 8, count };
        break;
      case 'stco':
      case 'co64':
        this.#chunks = Math.max(this.#chunks, count);
        break;
      case 'elst':
        this.#edits = reader.uint32(box.start + 4);
        checkEntries(box, this.#edits, 8 + this.#edits * (this.#version(box) === 1 ? 20 : 12));
        break;
      default:
    }
  }

  /**
   * Returns the maximum number of entries in FFmpeg's index of the track, edits not counted. Throws `invalid_video` if
   * the track declares more samples than the file can hold.
   */
  indexEntries(): number {
    const { fileBytes } = this.#reader;
    // The condition is FFmpeg's own; a track may also have a handler of its data references.
    const isSound = this.#handlers.has('soun') && !this.#handlers.has('vide');
    const isSoundByChunks = isSound && this.#timeRuns === 1 && this.#firstDuration === 1;
    if (!isSoundByChunks) {
      if (this.#samples > fileBytes) throw moreSamplesThanBytes(this.#samples, fileBytes);
      return this.#samples;
    }
    const { samples, entries } = this.#chunkTotals();
    if (samples > fileBytes * SOUND_SAMPLES_PER_BYTE) throw moreSamplesThanBytes(samples, fileBytes);
    return entries;
  }

  /** Each edit may repeat the whole track. */
  get edits(): number {
    return this.#edits;
  }

  #version(box: Box): number {
    return this.#reader.uint32(box.start) >>> 24;
  }

  #readSizes(box: Box): void {
    const count = this.#reader.uint32(box.start + 8);
    const sizes = this.#reader.uint32(box.start + 4);
    if (box.type === 'stz2') checkEntries(box, count, 12 + (count * (sizes & 0xff)) / 8);
    else if (sizes === 0) checkEntries(box, count, 12 + count * 4);
    this.#samples = Math.max(this.#samples, count);
  }

  #readDescriptions(box: Box): void {
    const types = Array.from(this.#reader.boxes(box.start + 8, box.end), ({ type }) => type);
    // `encv` is common encryption, `drmi` the iTunes Store's.
    this.isEncrypted = types.length > 0 && types.every((type) => type === 'encv' || type === 'drmi');
  }

  /** External: without the flag "in this file", but with a location of the samples. */
  #readReferences(box: Box): void {
    const references = [...this.#reader.boxes(box.start + 8, box.end)];
    const isElsewhere = ({ start, end }: Box): boolean => (this.#reader.uint32(start) & 1) === 0 && end - start > 5;
    this.isExternal = references.length > 0 && references.every(isElsewhere);
  }

  #chunkTotals(): { readonly samples: number; readonly entries: number } {
    let samples = 0;
    let entries = 0;
    const { offset, count } = this.#chunkRuns ?? { offset: 0, count: 0 };
    for (let run = 0; run < count; run += 1) {
      const place = offset + run * 12;
      const next = run + 1 < count ? this.#reader.uint32(place + 12) : this.#chunks + 1;
      const chunks = Math.max(0, next - this.#reader.uint32(place));
      const perChunk = this.#reader.uint32(place + 4);
      samples += chunks * perChunk;
      entries += chunks * Math.ceil(perChunk / SAMPLES_PER_CHUNK_ENTRY);
    }
    return { samples, entries };
  }
}

function checkEntries(box: Box, count: number, neededBytes: number): void {
  if (box.start + neededBytes <= box.end) return;
  throw new ServiceError(
    'invalid_video',
    `The file's index is broken: its ${box.type} table declares ${count} entries in ${box.end - box.start} bytes`,
  );
}

export function moreSamplesThanBytes(samples: number, fileBytes: number): ServiceError {
  return new ServiceError(
    'invalid_video',
    `The file's index is broken: it declares ${samples} samples in a file of ${fileBytes} bytes`,
  );
}
