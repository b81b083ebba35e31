import { Random } from './random.ts';

/** A request body that is not as it should be, and how it is sent. */
export interface MultipartBody {
  readonly contentType: string;
  readonly chunks: readonly Buffer[];
  readonly story: string;
}

const BOUNDARY = 'fuzz';
const LINE_ENDS = ['\r\n', '\n', '\r', ''] as const;
/** What a parser could take for the beginning of a boundary. */
const FLOODS = ['\r', '\n', '\r\n', '\r\n-', '\r\n--', `\r\n--${BOUNDARY.slice(0, 2)}`, '--', '\0'] as const;
const FLOOD_BYTES = 4096;
const HEADERS = [
  'Content-Disposition: form-data; name="file"; filename="a.mp4"',
  'Content-Disposition: form-data; name="pipeline_id"',
  'Content-Disposition: form-data; name="__proto__"',
  'Content-Disposition: form-data; name="file"; filename="../../x.mp4"',
  'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'%00%2e%2e%2f',
  'Content-Disposition: form-data',
  'Content-Transfer-Encoding: base64',
  'Content-Type: multipart/mixed; boundary=inner',
  ':',
  'x'.repeat(5000),
] as const;
const CONTENT_TYPES = [
  `multipart/form-data; boundary=${BOUNDARY}`,
  `multipart/form-data; boundary="${BOUNDARY}"`,
  `multipart/form-data; boundary=${BOUNDARY}; boundary=other`,
  'multipart/form-data; boundary=',
  'multipart/form-data',
  'multipart/form-data; boundary=other',
] as const;
/** A file type box, so that some bodies hold a file that is accepted and then refused by its job. */
const FILE_TYPE = Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex');

/** Body number `index` of a seed: the same on every machine. */
export function makeMultipartBody(seed: number, index: number): MultipartBody {
  const random = Random.of(`multipart ${seed} ${index}`);
  const parts = Array.from({ length: 1 + random.below(4) }, () => part(random));
  const last = random.chance(0.7) ? Buffer.from(`\r\n--${BOUNDARY}--\r\n`) : Buffer.alloc(0);
  let body: Buffer = Buffer.concat([...parts, last, random.chance(0.1) ? random.bytes(50) : Buffer.alloc(0)]);
  const story: string[] = [];
  if (random.chance(0.3)) {
    story.push('changed bytes');
    for (let times = 1 + random.below(8); times > 0; times -= 1) body[random.below(body.length)] = random.below(256);
  }
  if (random.chance(0.2)) {
    story.push('cut');
    body = body.subarray(0, 1 + random.below(body.length));
  }
  const contentType = random.chance(0.7) ? CONTENT_TYPES[0] : random.pick(CONTENT_TYPES);
  return { contentType, chunks: chunksOf(body, random), story: [contentType, ...story].join(', ') };
}

function part(random: Random): Buffer {
  const end = random.chance(0.8) ? LINE_ENDS[0] : random.pick(LINE_ENDS);
  const headers = Array.from({ length: random.chance(0.6) ? 0 : random.below(4) }, () => random.pick(HEADERS));
  if (random.chance(0.8)) headers.unshift(HEADERS[0]);
  const head = Buffer.from([`--${BOUNDARY}`, ...headers, '', ''].join(end), 'latin1');
  const content: Buffer[] = [FILE_TYPE.subarray(0, random.chance(0.5) ? undefined : random.below(FILE_TYPE.length))];
  if (random.chance(0.5)) content.push(Buffer.alloc(random.below(FLOOD_BYTES), random.pick(FLOODS)));
  if (random.chance(0.5)) content.push(random.bytes(random.below(200)));
  return Buffer.concat([head, ...content, Buffer.from(end)]);
}

/** Whole, in pieces of one byte, or cut anywhere. */
function chunksOf(body: Buffer, random: Random): readonly Buffer[] {
  const most = random.pick([body.length, body.length, 1, 7, 500]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length && chunks.length < 300;) {
    const length = chunks.length === 299 ? body.length - at : 1 + random.below(most);
    chunks.push(body.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
