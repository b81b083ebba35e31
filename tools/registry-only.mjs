// Runs a command whose network reaches only the package registry, through a proxy that npm is configured to use.
// Usage: node tools/registry-only.mjs COMMAND [ARGUMENT]...   (Linux, as root: it makes a network namespace)
// The exit code is that of the command. Rejected requests are printed to stderr.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSIDE = 'REGISTRY_ONLY_SOCKET';
const command = process.argv.slice(2);
const socketPath = process.env[INSIDE];
process.exitCode = await (socketPath === undefined ? outside() : inside(socketPath));

/** Has the network: passes TLS connections to the registry. A socket in a folder can be reached from any namespace. */
async function outside() {
  const registry = new URL(execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' })).hostname;
  const folder = mkdtempSync(join(tmpdir(), 'registry-only-'));
  const path = join(folder, 'socket');
  const proxy = createProxy((request, response) => {
    console.error(`refused: ${request.url}`);
    response.writeHead(403).end();
  });
  proxy.on('connect', ({ url }, client) => {
    const { hostname, port } = new URL(`tls://${url}`);
    if (hostname === registry) {
      tunnel(client, connect(Number(port), hostname), 'HTTP/1.1 200 OK\r\n\r\n');
    } else {
      console.error(`refused: ${url}`);
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    }
  });
  await once(proxy.listen(path), 'listening');
  try {
    const self = [process.execPath, fileURLToPath(import.meta.url)];
    return await run(['unshare', '--net', ...self, ...command], { [INSIDE]: path });
  } finally {
    proxy.close();
    rmSync(folder, { recursive: true });
  }
}

/** Has only a loopback device: relays a port of it to the socket. */
async function inside(path) {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const relay = createServer((client) => tunnel(client, connect(path)));
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  const proxy = `http://127.0.0.1:${relay.address().port}`;
  try {
    return await run(command, { npm_config_proxy: proxy, npm_config_https_proxy: proxy });
  } finally {
    relay.close();
  }
}

function tunnel(client, server, greeting = '') {
  client.on('error', () => server.destroy());
  server.on('error', () => client.destroy());
  server.once('connect', () => client.write(greeting));
  client.pipe(server).pipe(client);
}

async function run([program, ...args], environment) {
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
