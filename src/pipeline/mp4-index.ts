import { messageOf, ServiceError } from '../errors.ts';
import { BoxReader } from './box-reader.ts';
import type { Box } from './box-reader.ts';
import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';
import { moreSamplesThanBytes, TrackFacts } from './track-facts.ts';

/** Boxes in which FFmpeg searches for boxes with tables. */
const CONTAINERS = new Set(
  ['moov', 'trak', 'mdia', 'minf', 'stbl', 'dinf', 'edts', 'udta', 'mvex', 'tapt', 'gmhd', 'wave'].concat(
    'moof',
    'traf',
    'ilst',
  ),
);

/** Boxes whose children are entries of metadata. */
const METADATA_LISTS: ReadonlySet<string> = new Set(['udta', 'ilst']);

/** Boxes outside an index in which FFmpeg also searches for metadata. */
const METADATA_ROOTS: ReadonlySet<string> = new Set(['udta', 'meta', 'ilst']);

/** Of a file without its index, which most recorders write last. */
const CUT_OFF =
  'The recording or its copy was cut off before its end. Copy it from the device again; if it is as short there, a repair tool ' +
  'such as untrunc can rebuild the index from an intact video of the same camera. Recording in fragments avoids this';

/** FFmpeg rejects files with boxes nested deeper than 10. */
const MAX_DEPTH = 16;

/**
 * Each edit may show a whole track again, and FFmpeg then indexes it again. Edits times samples is a rare worst case,
 * so it may be this many times the limit: 20 million entries are half a gigabyte.
 */
const WORST_CASE_OF_EDITS = 4;

/** The declared facts about the tracks of an MP4 file, by track id. */
export interface Mp4Index {
  readonly fileBytes: number;
  readonly encryptedTrackIds: ReadonlySet<number>;
  /** Tracks with samples in another file, which is never opened. */
  readonly externalTrackIds: ReadonlySet<number>;
}

/**
 * Reads the boxes of an MP4 file before FFmpeg opens it, in constant memory, and rejects what would make FFmpeg
 * allocate memory for missing samples: 1.5 KB that declare 50 million of them cost it 1.2 GB. Strict about numbers,
 * lenient about order, unknown boxes, a missing end and other bytes.
 * Throws `input_missing`, `invalid_video` (empty, no index, an index that contradicts the size of the file) or
 * `too_large`.
 */
export function readMp4Index(path: string, limits: VideoLimits): Mp4Index {
  using reader = openFile(path);
  if (reader.fileBytes === 0) throw new ServiceError('invalid_video', 'The file is empty');
  return new IndexWalk(reader, limits).run();
}

function openFile(path: string): BoxReader {
  try {
    return BoxReader.open(path);
  } catch (cause) {
    throw new ServiceError('input_missing', `The video cannot be opened: ${messageOf(cause)}`, { cause });
  }
}

class IndexWalk {
  readonly #reader: BoxReader;
  readonly #limits: VideoLimits;
  readonly #tracks: TrackFacts[] = [];
  /** Tables outside of a track. */
  #track: TrackFacts;
  #boxes = 0;
  #fragmentSamples = 0;
  #metadataEntries = 0;
  #protectionHeaders = 0;

  constructor(reader: BoxReader, limits: VideoLimits) {
    this.#reader = reader;
    this.#limits = limits;
    this.#track = new TrackFacts(reader);
    this.#tracks.push(this.#track);
  }

  run(): Mp4Index {
    const found = new Set<string>();
    for (const box of this.#reader.boxes(0, this.#reader.fileBytes)) {
      this.#count();
      // FFmpeg reads the first of several indexes.
      if ((box.type === 'moov' && !found.has('moov')) || box.type === 'moof') this.#readIndex(box);
      if (METADATA_ROOTS.has(box.type)) {
        checkLimit(this.#limits, 'maxIndexBytes', box.end - box.start);
        this.#visit(box, 0);
      }
      if (box.type === 'pssh') this.#countProtectionHeader();
      found.add(box.type);
    }
    if (!found.has('moov')) throw noIndex(found);
    this.#weigh();
    return {
      fileBytes: this.#reader.fileBytes,
      encryptedTrackIds: idsOf(this.#tracks.filter((track) => track.isEncrypted)),
      externalTrackIds: idsOf(this.#tracks.filter((track) => track.isExternal)),
    };
  }

  #readIndex(box: Box): void {
    checkLimit(this.#limits, 'maxIndexBytes', box.end - box.start);
    if (box.type === 'moov' && !box.isWhole) {
      throw new ServiceError('invalid_video', `The file is incomplete: it ends inside its index (moov). ${CUT_OFF}`);
    }
    this.#descend(box, 1);
  }

  #descend(parent: Box, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new ServiceError('invalid_video', `The file's boxes are nested deeper than ${MAX_DEPTH}`);
    }
    for (const box of this.#reader.boxes(parent.start, parent.end)) {
      this.#count();
      if (box.type === 'trak') this.#startTrack();
      if (box.type === 'trun') this.#readRun(box);
      if (box.type === 'cmov') {
        throw new ServiceError('invalid_video', 'The index of the file is compressed (cmov), which is not supported');
      }
      this.#track.read(box);
      this.#countMetadata(parent, box);
      this.#visit(box, depth);
    }
  }

  /** Descends into a box that may contain others. */
  #visit(box: Box, depth: number): void {
    if (CONTAINERS.has(box.type)) this.#descend(box, depth + 1);
    if (box.type !== 'meta') return;
    // It has a version in MP4 and none in QuickTime; FFmpeg reads it from its handler on.
    const handler = this.#reader.find('hdlr', box.start, box.end);
    if (handler !== undefined) this.#descend({ ...box, start: handler - 4 }, depth + 1);
  }

  #countMetadata(parent: Box, box: Box): void {
    if (METADATA_LISTS.has(parent.type)) this.#metadataEntries += 1;
    if (box.type === 'keys') this.#metadataEntries += this.#reader.uint32(box.start + 4);
    checkLimit(this.#limits, 'maxMetadataEntries', this.#metadataEntries);
    if (box.type === 'pssh') this.#countProtectionHeader();
  }

  #countProtectionHeader(): void {
    this.#protectionHeaders += 1;
    checkLimit(this.#limits, 'maxProtectionHeaders', this.#protectionHeaders);
  }

  #startTrack(): void {
    this.#track = new TrackFacts(this.#reader);
    this.#tracks.push(this.#track);
    checkLimit(this.#limits, 'maxTracks', this.#tracks.length - 1);
  }

  /** A run of samples in a fragment. Each sample has a field for each of four flags, possibly none. */
  #readRun(box: Box): void {
    const flags = this.#reader.uint32(box.start);
    const count = this.#reader.uint32(box.start + 4);
    const fields = [0x100, 0x200, 0x400, 0x800].filter((flag) => (flags & flag) !== 0).length;
    if (box.start + 8 + count * fields * 4 > box.end) {
      throw new ServiceError('invalid_video', `The file's index is broken: a trun declares ${count} samples`);
    }
    this.#fragmentSamples += count;
  }

  #count(): void {
    this.#boxes += 1;
    checkLimit(this.#limits, 'maxBoxes', this.#boxes);
  }

  #weigh(): void {
    const { fileBytes } = this.#reader;
    if (this.#fragmentSamples > fileBytes) throw moreSamplesThanBytes(this.#fragmentSamples, fileBytes);
    let samples = this.#fragmentSamples;
    for (const track of this.#tracks) {
      const entries = track.indexEntries();
      samples += entries;
      checkLimit(this.#limits, 'maxIndexSamples', Math.ceil((entries * track.edits) / WORST_CASE_OF_EDITS));
    }
    checkLimit(this.#limits, 'maxIndexSamples', samples);
  }
}

function idsOf(tracks: readonly TrackFacts[]): ReadonlySet<number> {
  return new Set(tracks.map(({ id }) => id));
}

function noIndex(found: ReadonlySet<string>): ServiceError {
  if (found.has('moof')) {
    const message =
      'The file is a fragment without its header (moov). Put its initialisation segment before it: cat init.mp4 segment.m4s > new.mp4';
    return new ServiceError('invalid_video', message);
  }
  if (found.has('mdat'))
    return new ServiceError('invalid_video', `The file is incomplete: its index (moov) is missing. ${CUT_OFF}`);
  return new ServiceError('invalid_video', 'The file has no index (moov): it is incomplete or not a video');
}
