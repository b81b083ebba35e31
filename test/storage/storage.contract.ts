import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../src/errors.ts';
import type { StorageService } from '../../src/storage/storage-service.ts';

/** A storage under test with access beyond the port. */
export interface StorageUnderTest {
  readonly storage: StorageService;
  /** Absolute path of the folder from which files are adopted. */
  readonly incomingDir: string;
  /** Absolute paths of all files of the storage, wanted or left over. */
  files(): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/** The contract of every storage service. */
export function storageContract(open: () => Promise<StorageUnderTest>): void {
  let made: StorageUnderTest;
  beforeEach(async () => {
    made = await open();
  });
  afterEach(() => made.dispose());

  const incoming = async (text: string): Promise<string> => {
    const path = join(made.incomingDir, 'upload');
    await writeFile(path, text);
    return path;
  };
  const read = async (path: string): Promise<string> => readFile(await made.storage.loadFile(path), 'utf8');

  it('returns saved bytes and text in order', async () => {
    const stored = await made.storage.saveFile(chunks('{"a"', Buffer.from(':"ä'), '€"', '}'), 'x_results.json');
    expect(await read(stored)).to.equal('{"a":"ä€"}');
  });

  it('saves an empty source as an empty file', async () => {
    expect(await read(await made.storage.saveFile(chunks(), 'empty'))).to.equal('');
  });

  it('creates parent folders', async () => {
    expect(await read(await made.storage.saveFile(chunks('deep'), 'a/b/c.txt'))).to.equal('deep');
  });

  it('replaces a file as a whole when its path is saved again', async () => {
    await made.storage.saveFile(chunks('a long first version'), 'x');
    await made.storage.saveFile(chunks('second'), 'x');
    expect(await read('x')).to.equal('second');
    expect(await made.files()).to.have.length(1);
  });

  it('shows the old file until the new one is complete', async () => {
    await made.storage.saveFile(chunks('old'), 'x');
    let seenHalfway = '';
    await made.storage.saveFile(
      (async function* () {
        yield 'new and ';
        seenHalfway = await read('x');
        yield 'whole';
      })(),
      'x',
    );
    expect(seenHalfway).to.equal('old');
    expect(await read('x')).to.equal('new and whole');
  });

  it('leaves nothing when the source fails, and rejects with its error', async () => {
    const trouble = new Error('the source broke');
    const source = (async function* () {
      yield 'half';
      throw trouble;
    })();
    expect(await rejection(made.storage.saveFile(source, 'x'))).to.equal(trouble);
    expect(await made.files()).to.deep.equal([]);
  });

  it('leaves nothing when aborted while the source is silent, and rejects with the reason', async () => {
    const controller = new AbortController();
    const reason = new Error('given up');
    const source = (async function* () {
      yield 'half';
      setImmediate(() => controller.abort(reason));
      await new Promise(() => undefined);
    })();
    expect(await rejection(made.storage.saveFile(source, 'x', { signal: controller.signal }))).to.equal(reason);
    expect(await made.files()).to.deep.equal([]);
  });

  it('ends the source when aborted between two chunks', async () => {
    const controller = new AbortController();
    let ended = false;
    const source = (async function* () {
      try {
        yield 'first';
        controller.abort();
        yield 'second';
      } finally {
        ended = true;
      }
    })();
    await rejection(made.storage.saveFile(source, 'x', { signal: controller.signal }));
    expect(ended).to.equal(true);
  });

  it('leaves no listener on a long-lived signal', async () => {
    const { signal } = new AbortController();
    const trouble = new Error('the source broke');
    const source = (async function* () {
      yield 'half';
      throw trouble;
    })();
    await made.storage.saveFile(chunks('a', 'b', 'c'), 'x', { signal });
    expect(await rejection(made.storage.saveFile(source, 'x', { signal }))).to.equal(trouble);
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
  });

  it('saves nothing when aborted before the start', async () => {
    const reason = new Error('too late');
    const upload = await incoming('kept');
    const signal = AbortSignal.abort(reason);
    expect(await rejection(made.storage.saveFile({ adopt: upload }, 'x', { signal }))).to.equal(reason);
    expect(await rejection(made.storage.saveFile(chunks('x'), 'x', { signal }))).to.equal(reason);
    expect(await made.files()).to.deep.equal([upload]);
  });

  it('reads a source no faster than it writes', async () => {
    let ahead = 0;
    let mostAhead = 0;
    const source = (async function* () {
      for (let n = 0; n < 50; n += 1) {
        ahead += 1;
        mostAhead = Math.max(mostAhead, ahead);
        yield Buffer.alloc(1024);
        ahead -= 1;
      }
    })();
    await made.storage.saveFile(source, 'x');
    expect(mostAhead).to.equal(1);
  });

  it('adopts a file from the incoming folder by moving it', async () => {
    const upload = await incoming('a video');
    expect(await read(await made.storage.saveFile({ adopt: upload }, 'job.mp4'))).to.equal('a video');
    expect(await made.files()).to.have.length(1);
  });

  it('rejects the adoption of a file from elsewhere', async () => {
    const path = await made.storage.loadFile(await made.storage.saveFile(chunks('stored'), 'x'));
    expect(codeOf(await rejection(made.storage.saveFile({ adopt: path }, 'y')))).to.equal('path_refused');
    expect(await read('x')).to.equal('stored');
  });

  it('stores a file under another path as well, each of which may be deleted', async () => {
    await made.storage.saveFile(chunks('a video'), 'one.mp4');
    expect(await made.storage.saveFile({ copyOf: 'one.mp4' }, 'two.mp4')).to.equal('two.mp4');
    expect(await made.files()).to.have.length(2);
    await made.storage.deleteFile('one.mp4');
    expect(await read('two.mp4')).to.equal('a video');
    await made.storage.saveFile({ copyOf: 'two.mp4' }, 'three.mp4');
    await made.storage.saveFile(chunks('another'), 'two.mp4');
    expect(await read('three.mp4')).to.equal('a video');
    expect(codeOf(await rejection(made.storage.saveFile({ copyOf: 'one.mp4' }, 'four')))).to.equal('file_missing');
    expect(codeOf(await rejection(made.storage.saveFile({ copyOf: '../x' }, 'four')))).to.equal('path_refused');
    expect(await made.files()).to.have.length(2);
  });

  it('names a missing upload', async () => {
    const error = await rejection(made.storage.saveFile({ adopt: join(made.incomingDir, 'gone') }, 'y'));
    expect(codeOf(error)).to.equal('file_missing');
    expect(String(error)).to.contain('gone');
  });

  it('names a missing file', async () => {
    const error = await rejection(made.storage.loadFile('never/saved.mp4'));
    expect(codeOf(error)).to.equal('file_missing');
    expect(String(error)).to.contain('never/saved.mp4');
  });

  it('finds nothing below a file', async () => {
    await made.storage.saveFile(chunks('x'), 'x');
    expect(codeOf(await rejection(made.storage.loadFile('x/y')))).to.equal('file_missing');
    await made.storage.deleteFile('x/y');
    expect(await read('x')).to.equal('x');
  });

  it('rejects a folder', async () => {
    await made.storage.saveFile(chunks('x'), 'folder/file');
    expect(codeOf(await rejection(made.storage.loadFile('folder')))).to.equal('file_missing');
  });

  it('deletes a file, and accepts a missing one', async () => {
    await made.storage.saveFile(chunks('x'), 'x');
    await made.storage.deleteFile('x');
    await made.storage.deleteFile('x');
    await made.storage.deleteFile('no/such/folder/x');
    expect(await made.files()).to.deep.equal([]);
  });

  it('lists files outside folders, without incomplete ones', async () => {
    await incoming('arriving');
    for (const path of ['a.mp4', 'a.json', 'folder/deep']) await made.storage.saveFile(chunks('x'), path);
    const listed: string[] = [];
    for await (const path of made.storage.list()) listed.push(path);
    expect(listed).to.have.members(['a.mp4', 'a.json']);
  });

  it('moves a file unchanged, creates folders, and leaves nothing behind', async () => {
    await made.storage.saveFile(chunks('evidence'), 'x');
    expect(await made.storage.moveFile('x', 'quarantine/today/x')).to.equal('quarantine/today/x');
    expect(await read('quarantine/today/x')).to.equal('evidence');
    expect(await made.files()).to.have.length(1);
  });

  it('names a missing file that should be moved', async () => {
    const error = await rejection(made.storage.moveFile('gone.mp4', 'y'));
    expect(codeOf(error)).to.equal('file_missing');
    expect(String(error)).to.contain('gone.mp4');
  });

  it('saves many files at once, each whole', async () => {
    const names = Array.from({ length: 100 }, (_, n) => `many/${n}`);
    await Promise.all(names.map((name) => made.storage.saveFile(chunks(name), name)));
    for (const name of names) expect(await read(name)).to.equal(name);
  });

  for (const path of ['../x', 'a/../../x', 'a/..', '/etc/passwd', '', '.', './x', 'a//x', 'x\0.mp4', 'incoming/x']) {
    it(`refuses the path ${JSON.stringify(path)} for every method`, async () => {
      const upload = await incoming('kept');
      const attempts = [
        () => made.storage.saveFile(chunks('x'), path),
        () => made.storage.saveFile({ adopt: upload }, path),
        () => made.storage.loadFile(path),
        () => made.storage.deleteFile(path),
        () => made.storage.moveFile(path, 'y'),
      ];
      for (const attempt of attempts) expect(codeOf(await rejection(attempt()))).to.equal('path_refused');
      expect(await made.files()).to.deep.equal([upload]);
    });
  }

  it('keeps stored files private', async () => {
    const upload = await incoming('video');
    for (const source of [{ adopt: upload }, chunks('results')]) {
      const { mode } = await stat(await made.storage.loadFile(await made.storage.saveFile(source, 'x')));
      expect(mode & 0o777).to.equal(0o600);
    }
  });
}

export async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => error,
  );
}

export function codeOf(error: unknown): unknown {
  return error instanceof ServiceError ? error.code : error;
}
