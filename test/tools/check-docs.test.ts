import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { documentFaults } from '../../tools/documents/document-faults.ts';
import { documentFiles, missingDocuments } from '../../tools/documents/document-files.ts';
import { fillSections } from '../../tools/documents/generated-sections.ts';
import { projectRoot, sampleProject } from './sample-project.ts';

/** The project's own phase; no later one may be named, not even here. */
const PHASE = 16;

/** Returns the faults of a README with this text, beside a docs/GUIDE.md. */
function faultsOf(text: string): readonly string[] {
  const guide = '# Guide\n\n## Run it, twice\n\n## Run it, twice\n\n```sh\n# No heading\n```\n\n<a id="by-hand"></a>\n';
  using project = sampleProject({ 'README.md': text, 'docs/GUIDE.md': guide });
  return documentFaults(project.root, 'README.md').map(({ line, message }) => `${line} ${message}`);
}

const run = (tool: string, ...options: readonly string[]) =>
  spawnSync(process.execPath, [fileURLToPath(new URL(`../../tools/${tool}.js`, import.meta.url)), ...options], {
    encoding: 'utf8',
  });

describe('documents', () => {
  it('a link to an existing file, folder, heading or id is alive', () => {
    for (const link of [
      'docs/GUIDE.md',
      'docs/',
      './docs/GUIDE.md#run-it-twice',
      'docs/GUIDE.md#run-it-twice-1',
      'docs/GUIDE.md#by-hand',
      '#top',
      'https://example.org/#x',
    ]) {
      expect(faultsOf(`# Top\n[a](${link})\n`), link).to.deep.equal([]);
      expect(faultsOf(`# Top\n[a]\n\n[a]: ${link}\n`), link).to.deep.equal([]);
    }
  });

  it('a link to a missing target is dead', () => {
    for (const link of [
      'docs/GUIDES.md',
      'docs/missing/',
      '../README.md',
      'docs/GUIDE.md#run',
      'docs/GUIDE.md#no-heading',
      '#bottom',
    ]) {
      expect(faultsOf(`# Top\n[a](${link})\n`), link).to.have.lengthOf(1);
      expect(faultsOf(`# Top\n![a](${link} "title")\n`), link).to.have.lengthOf(1);
      expect(faultsOf(`# Top\n[a]\n[a]: ${link}\n`)[0], link).to.match(/^3 /);
    }
  });

  it('links in code are not followed', () => {
    expect(faultsOf('# Top\n`[a](b.md)`\n\n```md\n[a](b.md)\n```\n')).to.deep.equal([]);
  });

  it('words that promise missing content, and later phases, are faults', () => {
    for (const word of [
      'TODO',
      'todo:',
      'FIXME',
      'a placeholder',
      'Placeholders',
      'coming soon',
      'to be written',
      `Phase ${PHASE + 1}`,
      `phase-${PHASE + 2}`,
    ]) {
      expect(faultsOf(`# Top\n${word}\n`), word).to.have.lengthOf(1);
    }
    expect(faultsOf('# Top\nPhase 16 came after Phase 15. Mastodon, method.\n')).to.deep.equal([]);
  });

  it('a generated section that differs from the code is stale', () => {
    const fresh = fillSections('# Top\n\n<!-- machine:job -->\n<!-- /machine:job -->\n');
    expect(faultsOf(fresh)).to.deep.equal([]);
    expect(faultsOf(fresh.replace('START', 'BEGIN'))[0]).to.match(/^\d+ stale generated section/);
  });

  it('a marker without a partner or without a generator is a fault', () => {
    expect(faultsOf('<!-- machine:job -->\n')[0]).to.contain('no partner');
    expect(faultsOf('<!-- machine:jobs -->\n<!-- /machine:jobs -->\n')[0]).to.contain('nothing writes');
  });

  it('the settings have their defaults', () => {
    const text = fillSections('<!-- settings -->\n<!-- /settings -->\n');
    expect(text).to.match(/^\| `PORT` \| `8000` \| .+ \|$/m);
    expect(text).to.match(/^\| `PIPELINE_THREADS` \|  \|/m);
  });

  it('of this project have no stale generated section', () => {
    const files = documentFiles(projectRoot);
    expect(files).to.include('docs/DECISIONS.md');
    for (const file of files) {
      const text = readFileSync(path.join(projectRoot, file), 'utf8');
      expect(fillSections(text), `${file}: run npm run docs`).to.equal(text);
    }
  });

  it('the seven documents of a release must exist', () => {
    using project = sampleProject({ 'README.md': '# Top\n' });
    expect(missingDocuments(project.root)).to.have.lengthOf(7).and.to.include('docs/ROLLBACK_PLAN.md');
    expect(missingDocuments(projectRoot)).to.deep.equal([]);
  });

  it('the commands write, check, print path:line and end with the right exit code', () => {
    using empty = sampleProject({});
    const required = missingDocuments(empty.root);
    const stale = '# Top\n\n<!-- machine:job -->\n<!-- /machine:job -->\n';
    using project = sampleProject({
      'README.md': stale,
      '.github/SECURITY.md': '# Security\n',
      ...Object.fromEntries(required.filter((file) => file !== 'docs/OVERVIEW.md').map((file) => [file, '# It\n'])),
    });
    const root = ['--root', project.root];
    const missing = run('check-docs', ...root);
    expect(missing.stdout).to.match(
      /^docs\/OVERVIEW\.md:1 missing document\nREADME.*\ndocuments: 2 faults in 8 files\n$/,
    );
    expect(missing.status).to.equal(1);
    project.write('docs/OVERVIEW.md', '# Overview\n');
    const checked = run('check-docs', ...root);
    expect(checked.stdout).to.match(/^README\.md:4 stale generated section.*\ndocuments: 1 faults in 9 files\n$/);
    expect(checked.status).to.equal(1);
    expect(run('draw-machines', '--check', ...root).status).to.equal(1);
    expect(readFileSync(path.join(project.root, 'README.md'), 'utf8')).to.equal(stale);
    expect(run('draw-machines', ...root)).to.include({ status: 0, stdout: 'README.md: written\n' });
    expect(run('draw-machines', '--check', ...root)).to.include({ status: 0, stdout: '' });
    expect(run('check-docs', ...root).status).to.equal(0);
  });
});
