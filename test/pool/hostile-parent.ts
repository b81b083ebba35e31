/**
 * A service with a compromised child: creates a data folder, runs one job in a hostile child, and prints the outcome.
 * Arguments: the folder, a PATH for the isolation programs, and the layers.
 */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createLog } from '../../src/log.ts';
import { detectIsolation, withoutSandbox, type Isolation } from '../../src/pool/isolation.ts';
import { PoolFixture } from './pool-fixture.ts';

const [folder = '', programs = '', layers = 'all'] = process.argv.slice(2);
const modelsFolder = join(folder, 'models');
const videosFolder = join(folder, 'video_jobs');
await mkdir(modelsFolder, { recursive: true });
await mkdir(videosFolder);
for (const name of ['jobs.duckdb', 'keys.txt', 'video_jobs/own.mp4', 'video_jobs/other.mp4', 'video_jobs/last.mp4']) {
  await writeFile(join(folder, name), 'a secret', { mode: 0o600 });
}
const byTcp = createServer().listen(0, '127.0.0.1');
const byPath = createServer().listen(join(modelsFolder, 'service.sock'));
await Promise.all([once(byTcp, 'listening'), once(byPath, 'listening')]);
const address = byTcp.address();
await writeFile(join(modelsFolder, 'port.txt'), String(typeof address === 'object' ? address?.port : 0));

const detected = await detectIsolation({ environment: { ...process.env, PATH: programs } });
await using fixture = await PoolFixture.open();
const pool = await fixture.pool({
  isolation: chosen(detected),
  warmUp: [],
  modelsFolder,
  linksFolder: join(videosFolder, 'links'),
  childModule: new URL('children/hostile-child.js', import.meta.url),
  log: createLog('warn'),
});
const outcomes: Record<string, unknown> = {};
for await (const { result } of pool.run(fixture.request(join(videosFolder, 'own.mp4')))) {
  outcomes[String(result['name'])] = result['outcome'];
}
process.stdout.write(JSON.stringify({ levels: detected.levels, outcomes }));
byTcp.close();
byPath.close();

function chosen(isolation: Isolation): Isolation {
  if (layers === 'none') return { ...withoutSandbox(isolation), command: [process.execPath] };
  if (layers === 'all') return isolation;
  return { ...isolation, sandbox: { files: layers === 'files', systemCalls: layers === 'system-calls' } };
}
