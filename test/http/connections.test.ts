import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { AddressList, clientNetwork } from '../../src/http/addresses.ts';
import { Rejections } from '../../src/http/rejections.ts';
import { keptLog } from '../kept-log.ts';
import { openService, type ServiceSettings, type ServiceUnderTest } from './service-under-test.ts';

const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n';

describe('connections', () => {
  let service: ServiceUnderTest;
  const sockets: Socket[] = [];
  const opened = async (settings: ServiceSettings): Promise<void> => {
    service = await openService(settings);
  };
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await service.close();
  });

  const open = (localAddress = '127.0.0.1'): Socket => {
    const socket = connect({ port: service.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    sockets.push(socket);
    return socket;
  };
  /** Resolves with true if a request on this connection gets a response, with false if the connection is closed. */
  const isServed = async (socket: Socket): Promise<boolean> => {
    socket.write(`${REQUEST}\r\n`);
    const [chunk] = await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => []);
    return Buffer.isBuffer(chunk) && chunk.toString().startsWith('HTTP/1.1 200 ');
  };
  const rejected = async (reason: string): Promise<number> => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return Number(new RegExp(`^reelstate_rejections_total\\{reason="${reason}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  };

  it('of one address are limited, and another address is served meanwhile', async () => {
    await opened({ maxConnectionsPerAddress: 3 });
    const held = [open('127.0.0.2'), open('127.0.0.2'), open('127.0.0.2')];
    for (const socket of held) expect(await isServed(socket)).to.equal(true);
    expect(await isServed(open('127.0.0.2'))).to.equal(false);
    expect(await isServed(open('127.0.0.3'))).to.equal(true);
    expect(await rejected('connections_of_address')).to.equal(1);
    held[0]?.destroy();
    while (!(await isServed(open('127.0.0.2')))) await setTimeout();
  });

  it('of a trusted proxy are only limited in total', async () => {
    await opened({ maxConnectionsPerAddress: 1, trustedProxies: ['127.0.0.2'] });
    for (const socket of [open('127.0.0.2'), open('127.0.0.2'), open('127.0.0.2')]) {
      expect(await isServed(socket)).to.equal(true);
    }
  });

  it('beyond the total are closed and counted', async () => {
    await opened({ maxConnections: 2 });
    const held = [open('127.0.0.2'), open('127.0.0.3')];
    for (const socket of held) expect(await isServed(socket)).to.equal(true);
    expect(await isServed(open('127.0.0.4'))).to.equal(false);
    for (const socket of held) socket.destroy();
    while ((await rejected('connections').catch(() => 0)) === 0) await setTimeout();
  });

  it('must send their headers within seconds', async () => {
    await opened({});
    expect(service.server.headersTimeout).to.be.within(10_000, 20_000);
  });

  it('are closed when a body continues after its response', async () => {
    await opened({ lingerMs: 100 });
    for (const [head, status] of [
      ['GET /health', 200],
      ['GET /video/jobs', 200],
      ['POST /session', 200],
      ['GET /web/styles/base.css', 200],
    ] as const) {
      for (const framing of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
        const socket = open();
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.write(`${head} HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n`);
        const trickle = setInterval(() => socket.write('1\r\na\r\n'), 10);
        const [chunk] = await once(socket, 'data');
        expect(String(chunk)).to.match(new RegExp(`^HTTP/1.1 ${status} `));
        socket.resume();
        await closed;
        clearInterval(trickle);
      }
    }
    expect(await rejected('slow_body')).to.be.within(8, 10);
  });

  it('stay open when the body ends in time', async () => {
    await opened({ lingerMs: 100 });
    const socket = open();
    socket.write(`${REQUEST}Content-Length: 2\r\n\r\na`);
    await once(socket, 'data');
    socket.write('b');
    await setTimeout(200);
    expect(await isServed(socket)).to.equal(true);
  });
});

it('rejections are logged at once, and then at most once in a period with their numbers', async () => {
  const { log, lines } = keptLog();
  const counted: string[] = [];
  const rejections = new Rejections({ log, count: (reason) => counted.push(reason), logEveryMs: 20 });
  rejections.add('connections');
  for (let n = 0; n < 1_000; n += 1) rejections.add(n % 4 === 0 ? 'connections' : 'slow_body');
  while (lines.length < 2) await setTimeout();
  const [first, second] = lines;
  expect(first).to.include({ msg: 'connections rejected', connections: 1 });
  expect(second).to.include({ connections: 250, slow_body: 750 });
  expect(counted).to.have.length(1_001);
});

it('a client is an IPv4 address or an IPv6 network', () => {
  for (const [address, network] of [
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:0:1:a:b:c:d', '2001:db8:0:1::/64'],
    ['2001:0db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ] as const) {
    expect(clientNetwork(address), address).to.equal(network);
  }
  const list = new AddressList(['10.0.0.0/8', '::1', 'fd00::/8']);
  for (const address of ['10.200.0.1', '::ffff:10.0.0.1', '::1', 'fd12::3']) {
    expect(list.has(address), address).to.equal(true);
  }
  for (const address of ['11.0.0.1', '::2', 'fe80::1', '', 'localhost']) {
    expect(list.has(address), address).to.equal(false);
  }
});
