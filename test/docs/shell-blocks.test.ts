import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { documentFiles } from '../../tools/documents/document-files.ts';
import { shellBlocksOf } from '../../tools/documents/shell-blocks.ts';
import { projectRoot } from '../tools/sample-project.ts';
import { DocumentShell } from './document-shell.ts';

/** Milliseconds for all blocks of one document, which run real services in a copy of the project and may build it. */
const WITHIN_MS = 1_200_000;

const documents = documentFiles(projectRoot).map((file) => {
  const blocks = shellBlocksOf(readFileSync(path.join(projectRoot, file), 'utf8'));
  return { file, blocks, isRun: blocks.some(({ direction }) => direction.kind !== 'skip') };
});

describe('shell commands in documents', function () {
  this.timeout(WITHIN_MS);
  let shell: DocumentShell;

  before(async () => {
    shell = await DocumentShell.open();
  });
  after(() => shell[Symbol.asyncDispose]());

  for (const { file, blocks } of documents.filter(({ isRun }) => isRun)) {
    it(`${file}: every command works as typed and prints what the document shows`, async () => {
      const signal = AbortSignal.timeout(WITHIN_MS);
      const first = blocks.find(({ direction }) => direction.kind !== 'skip');
      if (first !== undefined) await shell.beginDocument(first);
      for (const block of blocks) {
        await shell.run(block, signal).catch((error: unknown) => {
          throw new Error(`${file}:${block.line} ${String(error)}`, { cause: error });
        });
      }
    });
  }

  it('the README has commands that are run', () => {
    expect(documents.find(({ file }) => file === 'README.md')?.isRun).to.equal(true);
  });

  it('a command that fails or prints something else is reported with its line', async () => {
    const text =
      '# Top\n\n```sh\nx=3\n```\n\n```sh\necho "{$x}"\n```\n\n```text\n{…}\n```\n\n```sh\necho one two\n```\n\n```text\none three\n```\n\n```sh\nfalse\ntrue\n```\n';
    const [set, print, differ, fail] = shellBlocksOf(text);
    expect([set?.line, print?.line, differ?.line, fail?.line]).to.deep.equal([4, 8, 16, 24]);
    const verdict = async (block: typeof set): Promise<string> =>
      block === undefined
        ? 'no block'
        : shell.run(block, AbortSignal.timeout(WITHIN_MS)).then(
            () => 'well',
            (error: unknown) => String(error),
          );
    expect(await verdict(set)).to.equal('well');
    expect(await verdict(print)).to.equal('well');
    expect(await verdict(differ))
      .to.contain('one two')
      .and.to.contain('one three');
    expect(await verdict(fail)).to.contain('ended with 1');
  });

  it('a block that is not run must give a reason', () => {
    expect(() => shellBlocksOf('```bash\ntrue\n```\n')).to.throw('1 fences');
    expect(() => shellBlocksOf('<!-- shell: skip -->\n```sh\ntrue\n```\n')).to.throw('not understood');
    const [block] = shellBlocksOf('<!-- shell: skip, needs root -->\n```sh\ntrue\n```\n');
    expect(block?.direction).to.deep.equal({ kind: 'skip', reason: 'needs root' });
  });
});
