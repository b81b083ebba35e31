import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** A group of clients that runs until the signal is aborted. */
export interface ClientsOptions {
  readonly url: string;
  readonly signal: AbortSignal;
}

/** Results of the clients since the last call. */
export class Experience {
  #latenciesMs: number[] = [];
  #errors: string[] = [];

  note(latencyMs: number): void {
    this.#latenciesMs.push(latencyMs);
  }

  noteError(error: string): void {
    this.#errors.push(error);
  }

  take(): { readonly latenciesMs: readonly number[]; readonly errors: readonly string[] } {
    const taken = { latenciesMs: this.#latenciesMs, errors: this.#errors };
    this.#latenciesMs = [];
    this.#errors = [];
    return taken;
  }
}

/**
 * One client per path with its own connection: sends a request, waits for the response, and repeats at its interval.
 */
export async function pollers(
  paths: readonly string[],
  options: ClientsOptions & { readonly everyMs: number; readonly experience: Experience },
): Promise<void> {
  const { url, signal, everyMs, experience } = options;
  const beganMs = performance.now();
  const poller = async (path: string, offsetMs: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (let turn = 0; !signal.aborted; turn += 1) {
        const dueMs = beganMs + offsetMs + turn * everyMs;
        await wait(Math.max(0, dueMs - performance.now()), undefined, { signal });
        const askedMs = performance.now();
        const fault = await fetchOver(agent, url + path, signal);
        if (signal.aborted) break;
        if (fault === undefined) experience.note(performance.now() - askedMs);
        else experience.noteError(fault);
      }
    } finally {
      agent.destroy();
    }
  };
  await Promise.allSettled(paths.map((path, index) => poller(path, (index * everyMs) / paths.length)));
}

/** Undefined if the response was complete and 200. */
function fetchOver(agent: Agent, url: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(url, { agent, signal }, (response) => {
      response.on('end', () => resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
      response.on('error', (error) => resolve(error.message));
      response.resume();
    });
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });
}

/** Uploads a file repeatedly at a steady rate. */
export async function uploader(
  videoPath: string,
  options: ClientsOptions & { readonly bytesPerS: number; readonly experience: Experience },
): Promise<void> {
  const { url, signal, bytesPerS, experience } = options;
  const head = Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n');
  const tail = Buffer.from('\r\n--b--\r\n');
  const length = head.length + (await stat(videoPath)).size + tail.length;
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      const sent = request(`${url}/video/submit?pipeline_id=ocr_only`, {
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=b', 'Content-Length': length },
        signal,
      });
      const answered = new Promise<number | undefined>((resolve, reject) => {
        sent.once('response', (response) => resolve(response.resume().statusCode));
        sent.once('error', reject);
      });
      sent.write(head);
      await Promise.all([
        answered.then((status) => status !== 202 && experience.noteError(`an upload was answered ${status}`)),
        pipeline(createReadStream(videoPath, { highWaterMark: 64 * 1024 }), atRate(bytesPerS), sent, {
          end: false,
        }).then(() => sent.end(tail)),
      ]);
      experience.note(performance.now() - startedMs);
    } catch (error) {
      if (!signal.aborted) experience.noteError(String(error));
    }
  }
}

function atRate(bytesPerS: number): Transform {
  const beganMs = performance.now();
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      setTimeout(() => done(null, chunk), (bytes / bytesPerS) * 1000 - (performance.now() - beganMs));
    },
  });
}

/** Connections without requests. */
export async function idleConnections(count: number, { url, signal }: ClientsOptions): Promise<readonly Socket[]> {
  return Promise.all(Array.from({ length: count }, () => connected(url, signal)));
}

/** Connections that send one byte per second: half of them within request headers, half within a video. */
export async function slowConnections(count: number, { url, signal }: ClientsOptions): Promise<readonly Socket[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => connected(url, signal)));
  for (const [index, socket] of sockets.entries()) {
    const { host } = new URL(url);
    socket.write(
      index % 2 === 0
        ? `GET /health HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `
        : `POST /video/submit?pipeline_id=ocr_only HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000000\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n`,
    );
    const timer = setInterval(() => socket.write('x'), 1000);
    socket.once('close', () => clearInterval(timer));
  }
  return sockets;
}

function connected(url: string, signal: AbortSignal): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.on('error', reject);
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
  });
}
