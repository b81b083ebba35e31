import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { submitResponseSchema } from '../../src/http/schemas.ts';
import {
  FILE_HEAD,
  MULTIPART,
  multipart,
  openService,
  send,
  VIDEO,
  type Answer,
  type ServiceUnderTest,
} from './service-under-test.ts';

const CROWD = '127.0.0.2';
const OTHER = '127.0.0.3';
const SILENT = 4_000;
const UPLOADS = 100;
const BODIES = 100;
const SUBMIT = '/video/submit?pipeline_id=ocr_only';
const KEYS = ['the-key-of-the-crowd', 'the-key-of-the-other-client'] as const;

describe('an address with 4,000 silent connections, 100 trickling uploads and 100 trickling bodies', () => {
  let service: ServiceUnderTest;
  const sockets: Socket[] = [];
  const timers: NodeJS.Timeout[] = [];

  afterEach(async () => {
    for (const timer of timers.splice(0)) clearInterval(timer);
    for (const socket of sockets.splice(0)) socket.destroy();
    await service.close();
  });

  const opened = async (keys: readonly string[]): Promise<void> => {
    const hashed = keys.map((key) => ({
      sha256: createHash('sha256').update(key).digest('hex'),
      scopes: ['submit', 'read'] as const,
    }));
    // The limits are those of the default settings.
    service = await openService({
      ...(hashed.length > 0 && { keys: hashed }),
      maxConnections: 4_000,
      maxConnectionsPerAddress: 200,
      maxUploads: 100,
      clientSharePercent: 50,
    });
  };

  const open = async (): Promise<Socket> => {
    const socket = connect({ port: service.port, host: '127.0.0.1', localAddress: CROWD });
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.resume();
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
    return socket;
  };
  /** A request whose body never ends. */
  const trickle = async (line: string, headers: string): Promise<void> => {
    const socket = await open();
    socket.write(`${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n${headers}\r\n`);
    timers.push(setInterval(() => socket.write('a'), 1_000));
  };
  const crowd = async (key: string): Promise<void> => {
    const head = `X-API-Key: ${key}\r\nContent-Type: ${MULTIPART['content-type']}\r\n`;
    for (let n = 0; n < UPLOADS; n += 1) await trickle(`POST ${SUBMIT}`, head);
    // Its share is in use.
    while ((await submit(CROWD, key)) !== 429) await setTimeout();
    for (let n = 0; n < BODIES; n += 1) await trickle('GET /health', '');
    for (let n = 0; n < SILENT; n += 100) await Promise.all(Array.from({ length: 100 }, open));
  };
  const request = async (localAddress: string, key: string, path: string): Promise<Answer> =>
    send(service.port, { path, method: 'GET', headers: { 'x-api-key': key }, localAddress });
  const post = async (localAddress: string, key: string): Promise<Answer> =>
    send(service.port, { path: SUBMIT, headers: { ...MULTIPART, 'x-api-key': key }, localAddress }, [
      multipart([{ head: FILE_HEAD, body: VIDEO }]),
    ]);
  const submit = async (localAddress: string, key: string): Promise<number> => (await post(localAddress, key)).status;

  for (const [access, keys] of [
    ['with two keys', KEYS],
    ['with one key', [KEYS[0], KEYS[0]]],
    ['without keys', ['', '']],
  ] as const) {
    it(`does not hinder another address ${access}`, async () => {
      const [first, second] = keys;
      await opened([...new Set(keys)].filter((key) => key !== ''));
      await crowd(first);
      for (let n = 0; n < 20; n += 1) {
        const submitted = await post(OTHER, second);
        expect(submitted.status).to.equal(202);
        const { job_id: jobId } = submitResponseSchema.parse(JSON.parse(submitted.text));
        for (const path of [`/video/status/${jobId}`, '/video/jobs', '/health']) {
          expect((await request(OTHER, second, path)).status, path).to.equal(200);
        }
      }
    });
  }
});
