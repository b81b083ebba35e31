/** `node dist/tools/bench/uploads.js`: the cost of bodies that are expensive to parse, and responses meanwhile. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startService, type ServiceProcess } from '../service-process.ts';
import { cpuSeconds, median, percentile, print } from './figures.ts';

const BYTES = 16 * 1024 * 1024;
const ROUNDS = 20;
const LOOP_DELAY = new URL('loop-delay.js', import.meta.url).href;
/** Without a size of chunks, the length of the body is declared. */
const KINDS: readonly (readonly [name: string, pattern: string, chunkBytes?: number])[] = [
  ['zeros', '\0'],
  ['CR', '\r'],
  ['LF', '\n'],
  ['CR LF', '\r\n'],
  ['CR LF - -', '\r\n--'],
  ['chunks of one byte', '\0', 1],
  ['chunks of 256 bytes', '\0', 256],
];
const HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n';
const FILE_TYPE = Buffer.from('00000018667479706d703432000000006d70343269736f6d', 'hex');
const TAIL = '\r\n--b--\r\n';

const folder = await mkdtemp(join(tmpdir(), 'reelstate-bench-'));
const { signal } = new AbortController();
const settings = { LOG_LEVEL: 'error', PIPELINE_THREADS: '1', NODE_OPTIONS: `--import=${LOOP_DELAY}` };
const service = await startService({ dataDir: join(folder, 'data'), signal, settings });
try {
  print('', 'CPU of the service, GET /health, event loop');
  // The first body also pays for code that is compiled.
  await send(service.url, bodyOf('\0'));
  let zeros = Number.NaN;
  for (const [name, pattern, chunkBytes] of KINDS) {
    const body = bodyOf(pattern, chunkBytes);
    await loopDelay(service);
    const before = await cpuSeconds(service.pid);
    const responses = new AbortController();
    const health = healthTimes(service.url, responses.signal);
    const statuses = new Set<string>();
    for (let round = 0; round < ROUNDS; round += 1) statuses.add(await send(service.url, body));
    responses.abort();
    const ms = await health;
    const cpu = ((await cpuSeconds(service.pid)) - before) / ROUNDS;
    if (name === 'zeros') zeros = cpu;
    print(
      `16 MiB of ${name} (${[...statuses].join(', ')})`,
      `${cpu.toFixed(3)} s, ${(cpu / zeros).toFixed(1)} times zeros; ` +
        `p50 ${median(ms).toFixed(1)} ms, p99 ${percentile(ms, 99).toFixed(1)} ms; ${await loopDelay(service)}`,
    );
  }
} finally {
  await service.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Returns a whole request. */
function bodyOf(pattern: string, chunkBytes?: number): Buffer {
  const start = Buffer.concat([Buffer.from(HEAD), FILE_TYPE]);
  const piece = chunk(Buffer.alloc(chunkBytes ?? BYTES, pattern));
  const flood =
    chunkBytes === undefined ? Buffer.alloc(BYTES, pattern) : Buffer.alloc((BYTES / chunkBytes) * piece.length, piece);
  const framing =
    chunkBytes !== undefined
      ? 'Transfer-Encoding: chunked'
      : `Content-Length: ${start.length + flood.length + TAIL.length}`;
  const head =
    'POST /video/submit?pipeline_id=ocr_only HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
    `Content-Type: multipart/form-data; boundary=b\r\n${framing}\r\n\r\n`;
  const parts =
    chunkBytes !== undefined
      ? [chunk(start), flood, chunk(Buffer.from(TAIL)), Buffer.from('0\r\n\r\n')]
      : [start, flood, Buffer.from(TAIL)];
  return Buffer.concat([Buffer.from(head), ...parts]);
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** Resolves with the status of the response, when the connection is closed. */
async function send(url: string, body: Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('latin1').on('data', (piece) => (text += piece));
  // A body that is cut off resets the connection after the response.
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  socket.write(body);
  await closed;
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'closed';
}

/** Resolves with the milliseconds of each response, at least one. */
async function healthTimes(url: string, end: AbortSignal): Promise<readonly number[]> {
  const ms: number[] = [];
  do {
    const startedMs = performance.now();
    await (await fetch(`${url}/health`)).arrayBuffer();
    ms.push(performance.now() - startedMs);
    await wait(5);
  } while (!end.aborted);
  return ms;
}

/** Returns how late the event loop of the service was since the last call. */
async function loopDelay({ pid, lines }: ServiceProcess): Promise<string> {
  const last = lines.at(-1);
  process.kill(pid, 'SIGUSR2');
  while (lines.at(-1) === last) await wait(5);
  return lines.at(-1) ?? '';
}
