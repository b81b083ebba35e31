import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { KeyRing } from '../src/api-keys.ts';
import { keptLog } from './kept-log.ts';

const hash = (key: string) => createHash('sha256').update(key).digest('hex');
const ONE = 'the-first-key-of-these';
const TWO = 'the-second-key-of-these';

describe('the keys of a file', () => {
  let folder: string;
  let file: string;
  let ring: KeyRing | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keys-'));
    file = join(folder, 'keys');
  });
  afterEach(async () => {
    ring?.close();
    ring = undefined;
    await rm(folder, { recursive: true });
  });
  const open = async (onLine?: (line: Readonly<Record<string, unknown>>) => void) => {
    const { log, lines } = keptLog(onLine);
    ring = await KeyRing.open({
      keys: [{ sha256: hash('stays'), scopes: ['read'] }],
      file,
      log,
      lookEveryMs: 10,
    });
    return lines;
  };
  const hashes = (): readonly string[] => ring?.current()?.map(({ sha256 }) => sha256) ?? [];

  it('are one per line, with comments and empty lines, and are added to those of the environment', async () => {
    await writeFile(file, `# of the laptop\n${ONE}\n\n  sha256:${hash(TWO)}:read # of the monitor\n`);
    await open();
    expect(ring?.current()).to.deep.equal([
      { sha256: hash('stays'), scopes: ['read'] },
      { sha256: hash(ONE), scopes: ['submit', 'read', 'admin'] },
      { sha256: hash(TWO), scopes: ['read'] },
    ]);
  });

  it('change when the file is replaced, and stay valid when it becomes unreadable', async () => {
    await writeFile(file, ONE);
    const lines = await open();
    await writeFile(`${file}.new`, TWO);
    await rename(`${file}.new`, file);
    while (!hashes().includes(hash(TWO))) await setImmediate();
    expect(hashes()).to.deep.equal([hash('stays'), hash(TWO)]);
    await rm(file);
    while (lines.at(-1)?.['level'] !== 'error') await setImmediate();
    expect(hashes()).to.deep.equal([hash('stays'), hash(TWO)]);
    await writeFile(file, ONE);
    while (!hashes().includes(hash(ONE))) await setImmediate();
    expect(JSON.stringify(lines)).not.to.contain(ONE).and.not.to.contain(TWO);
  });

  it('prevent a start if the file has none, and the error contains no key', async () => {
    await writeFile(file, '# nothing\n');
    const errors: unknown[] = [];
    await open().catch((error: unknown) => errors.push(error));
    await writeFile(file, 'short-secret');
    await open().catch((error: unknown) => errors.push(error));
    await rm(file);
    await open().catch((error: unknown) => errors.push(error));
    expect(errors).to.have.length(3);
    for (const error of errors) {
      expect(error).to.include({ name: 'ServiceError', code: 'invalid_config' });
      expect(String(error)).to.contain(file).and.not.to.contain('short-secret');
    }
  });
});
