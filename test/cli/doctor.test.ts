import { once } from 'node:events';
import { appendFile, chmod, mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { z } from 'zod';
import { thumbnailsDocument } from '../../src/analysis/thumbnails-document.ts';
import type { CheckResult } from '../../src/maintenance/check-result.ts';
import { checkNodeVersion } from '../../src/maintenance/checks/node-version.ts';
import { examine } from '../../src/maintenance/examine.ts';
import { segmentsDocument } from '../../src/segments/segments-document.ts';
import { Database } from '../../src/store/database.ts';
import { migrateUp } from '../../src/store/migrate.ts';
import { openService } from '../http/service-under-test.ts';
import { reelstate, spawnReelstate } from './command-line.ts';

/** Ids of jobs. */
const [WHOLE, CUT, ALONE] = [1, 2, 3].map((n) => `01900000-0000-7000-8000-00000000000${n}`);

const addressSchema = z.object({ port: z.number() });
const checkResultSchema = z.strictObject({
  check: z.string(),
  status: z.enum(['ok', 'warning', 'error']),
  message: z.string(),
  fix: z.string().nullable(),
});

type Settings = Readonly<Record<string, string>>;

describe('reelstate doctor', function () {
  let folder: string;
  let dataDir: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'doctor-'));
    dataDir = join(folder, 'data');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const settingsOf = (differing: Settings = {}): Settings => ({
    DATA_DIR: dataDir,
    PORT: '0',
    MAX_UPLOAD_BYTES: '1',
    DISK_RESERVE_BYTES: '0',
    PIPELINE_THREADS: '1',
    ...differing,
  });
  /** Runs the command with all checks; the last one starts a process with models. */
  const examined = async (settings: Settings = {}, run = reelstate) => {
    const { code, stdout, stderr } = await run(['doctor', '--json'], { environment: settingsOf(settings) });
    expect(stderr).to.equal('');
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => checkResultSchema.parse(JSON.parse(line)));
    const wrong = findings.filter(({ status }) => status === 'error');
    for (const { status, fix } of findings) expect(fix === null).to.equal(status === 'ok');
    expect(code).to.equal(wrong.length === 0 ? 0 : 1);
    return { findings, wrong };
  };
  /** Runs the checks in their order to the named one, which has this fault; the ones before it have none. */
  const findingOf = async (check: string, settings: Settings = {}): Promise<CheckResult> => {
    for await (const finding of examine(settingsOf(settings))) {
      if (finding.check === check) return finding;
      expect(finding.status, finding.message).to.not.equal('error');
    }
    return expect.fail(`no check of ${check}`);
  };
  const expectFault = async (check: string, message: RegExp, fix: RegExp, settings: Settings = {}): Promise<void> => {
    const finding = await findingOf(check, settings);
    expect(finding.status).to.equal('error');
    expect(finding.message).to.match(message);
    expect(finding.fix).to.match(fix);
  };
  const makeDatabase = async (change = ''): Promise<string> => {
    await mkdir(dataDir, { recursive: true });
    const path = join(dataDir, 'jobs.duckdb');
    const database = await Database.open(path);
    const connection = await database.connect();
    await migrateUp(connection);
    if (change !== '') await connection.run(change);
    database.close();
    return path;
  };

  it('passes every check on a healthy machine, before and after the first start, and changes nothing', async () => {
    const { wrong, findings } = await examined();
    expect(wrong).to.deep.equal([]);
    expect(findings.map(({ check }) => check)).to.include.members(['Node.js', 'packages', 'database', 'models']);
    expect(await stat(dataDir).catch(() => 'missing')).to.equal('missing');
    const path = await makeDatabase();
    const before = await stat(path);
    expect((await examined()).wrong).to.deep.equal([]);
    expect((await stat(path)).mtimeMs).to.equal(before.mtimeMs);
  });

  it('prints one line per check with the fix below', async () => {
    const environment = settingsOf({ DISK_RESERVE_BYTES: '9000000000000000' });
    const { code, stdout } = await spawnReelstate(['doctor'], { environment });
    expect(code).to.equal(1);
    expect(stdout).to.match(/^ok +Node\.js +\d+\./);
    expect(stdout).to.match(/^ERROR +disk +.*every upload is refused\n +→ Make room/m);
  });

  it('finds an invalid setting, and examines nothing else', async () => {
    const { findings, wrong } = await examined({ PORT: 'eighty' });
    expect(findings.map(({ check }) => check)).to.deep.equal(['Node.js', 'settings']);
    expect(wrong[0]?.message).to.contain('PORT="eighty"');
    expect(wrong[0]?.fix).to.contain('CONFIGURATION');
  });

  it('finds a disk without the reserved space', () =>
    expectFault('disk', /every upload is refused/, /Make room/, { DISK_RESERVE_BYTES: '9000000000000000' }));

  it('finds a file where the data folder should be', async () => {
    await writeFile(dataDir, 'no folder');
    const { wrong } = await examined();
    // The models would be in it.
    expect(wrong.map(({ check }) => check)).to.deep.equal(['data folder', 'models']);
    expect(wrong[0]?.message).to.contain('ENOTDIR');
    expect(wrong[0]?.fix).to.contain('DATA_DIR');
  });

  it('finds a data folder that other users can change', async () => {
    await mkdir(dataDir);
    await chmod(dataDir, 0o777);
    await expectFault('data folder', /other users/, /chmod go-w/);
  });

  it('finds a database that another process holds', async () => {
    await makeDatabase();
    const held = await Database.open(join(dataDir, 'jobs.duckdb'));
    try {
      const { wrong } = await examined({}, spawnReelstate);
      expect(wrong.map(({ check }) => check)).to.deep.equal(['database']);
      expect(wrong[0]?.message).to.contain(`another process (PID ${process.pid}`);
      expect(wrong[0]?.fix).to.contain('Stop that process');
    } finally {
      held.close();
    }
  });

  it('finds a database of a newer release', async () => {
    await makeDatabase("INSERT INTO schema_migrations VALUES (999, 'later', '0', now() AT TIME ZONE 'UTC')");
    await expectFault('database', /has migration/, /newer release/);
  });

  it('finds a damaged search index', async () => {
    await makeDatabase();
    await writeFile(join(dataDir, 'search.duckdb'), Buffer.alloc(20_000, 'x'));
    expect(await findingOf('search index')).to.include({ status: 'warning' });
  });

  it('finds segments and thumbnails that are cut off or without results', async () => {
    await makeDatabase();
    const files = join(dataDir, 'video_jobs');
    await mkdir(files);
    const segments = [...segmentsDocument({ texts: [], objects: [], scenes: [] }, undefined)].join('');
    const thumbnails = await buffer(thumbnailsDocument([{ frameIndex: 0, jpeg: Buffer.alloc(500, 1) }]));
    for (const end of ['_segments.json', '_thumbnails.bin', '_results.json']) {
      const content = { '_segments.json': segments, '_thumbnails.bin': thumbnails }[end] ?? '{"results": []}';
      await writeFile(join(files, `${WHOLE}${end}`), content);
    }
    expect(await findingOf('segments and thumbnails')).to.include({ status: 'ok' });
    await writeFile(join(files, `${CUT}_results.json`), '{"results": []}');
    await writeFile(join(files, `${CUT}_segments.json`), segments.slice(0, -3));
    await writeFile(join(files, `${CUT}_thumbnails.bin`), thumbnails.subarray(0, -1));
    await writeFile(join(files, `${ALONE}_segments.json`), segments);
    const { status, message } = await findingOf('segments and thumbnails');
    expect(status).to.equal('warning');
    expect(message).to.match(/^3 of 5 files/);
    for (const name of [`${CUT}_segments.json`, `${CUT}_thumbnails.bin`, `${ALONE}_segments.json`]) {
      expect(message).to.include(name);
    }
  });

  it('finds a damaged database', async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, 'jobs.duckdb'), Buffer.alloc(20_000, 'x'));
    await expectFault('database', /cannot open .*jobs\.duckdb/, /sidecars/);
  });

  it('finds a block of the database that is damaged, and damage that a service noted', async () => {
    const path = await makeDatabase(
      "INSERT INTO idempotency_keys SELECT 'a', 'b', 'c', uuidv7(), now() FROM range(20000)",
    );
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    for (let at = 3 * 4096; at < size; at += 262_144) await file.write(Buffer.alloc(64, 'x'), 0, 64, at + 1000);
    await file.close();
    await expectFault('database', /Corrupt database file/, /restart the service/);
    await writeFile(`${path}.repair`, '2026-01-01T00:00:00.000Z a block is damaged\n');
    await expectFault('database', /was found damaged: 2026-\S+ a block is damaged/, /restart the service/);
  });

  it('warns about a folder that other users can enter', async () => {
    await mkdir(dataDir);
    await chmod(dataDir, 0o755);
    expect(await findingOf('data folder')).to.include({ status: 'warning', fix: `chmod go= ${dataDir}` });
  });

  it('finds a model file that was changed', async () => {
    const models = join(dataDir, 'models');
    await mkdir(models, { recursive: true });
    await writeFile(
      join(models, 'mine.json'),
      JSON.stringify({ format: 'yolox', sha256: '0'.repeat(64), labels: ['a'] }),
    );
    await writeFile(join(models, 'mine.onnx'), 'another');
    await appendFile(join(models, 'default.json'), JSON.stringify({ model: 'mine' }));
    await expectFault('models', /mine is not the one that was added/, /reelstate models/);
  });

  it('finds a port in use by another program', async () => {
    const server = createServer((socket) => socket.end('hello\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = addressSchema.parse(server.address());
    try {
      await expectFault('address', /taken by another program/, /another PORT/, { PORT: String(port) });
    } finally {
      server.close();
    }
  });

  it('finds an address that is not of this machine', () =>
    expectFault('address', /EADDRNOTAVAIL/, /HOST/, { HOST: '192.0.2.1', PORT: '8000', ALLOW_ANONYMOUS: 'true' }));

  it('finds a limit of open files that is too low', () =>
    expectFault('open files', /need \d+/, /ulimit/, { MAX_CONNECTIONS: '900000000000' }));

  it('finds a package that cannot be loaded', async () => {
    const hook = `export async function resolve(name, context, next) {
      if (name === 'onnxruntime-node') throw new Error('no part for this platform');
      return next(name, context);
    }`;
    const encoded = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
    const register = `import { register } from 'node:module'; register(${JSON.stringify(encoded(hook))});`;
    const { wrong } = await examined({ NODE_OPTIONS: `--import=${encoded(register)}` }, spawnReelstate);
    expect(wrong[0]).to.include({ check: 'packages' });
    expect(wrong[0]?.message).to.contain('onnxruntime-node cannot be loaded');
    expect(wrong[0]?.fix).to.contain('npm install');
  });

  it('finds a Node.js that is too old', () => {
    for (const old of ['18.20.0', '20.18.3']) expect(checkNodeVersion(old, '>=20.19').status).to.equal('error');
    for (const good of ['20.19.0', '22.0.0', '24.1.0']) expect(checkNodeVersion(good, '>=20.19').status).to.equal('ok');
  });

  it('distinguishes a running service from another program, and does not open its database', async () => {
    const service = await openService();
    try {
      const settings = { DATA_DIR: service.folder, PORT: String(service.port) };
      const { findings, wrong } = await examined(settings, spawnReelstate);
      expect(wrong).to.deep.equal([]);
      expect(findings.find(({ check }) => check === 'address')?.message).to.contain('the service answers at');
      expect(findings.find(({ check }) => check === 'database')?.message).to.contain('in the hands of the service');
    } finally {
      await service.close();
    }
  });
});
