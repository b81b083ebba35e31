import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { projectRoot } from './sample-project.ts';

const lockSchema = z.object({ packages: z.record(z.string(), z.record(z.string(), z.unknown())) });

describe('package-lock.json', () => {
  const text = readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8');
  const packages = Object.entries(lockSchema.parse(JSON.parse(text)).packages).filter(([place]) => place !== '');

  it('is left unchanged by npm 10 and npm 11', () => {
    // npm 11 records the C library of a package; npm 10 removes it at every install.
    const withLibrary = packages.filter(([, entry]) => 'libc' in entry).map(([place]) => place);
    expect(withLibrary, 'fix it with: npx npm@10 install --package-lock-only').to.deep.equal([]);
  });

  it('has a hash for every package and no address, so that the installing machine chooses the registry', () => {
    expect(packages).to.not.have.lengthOf(0);
    for (const [place, entry] of packages) {
      expect(entry, place).to.have.property('integrity');
      expect(entry, place).to.not.have.property('resolved');
    }
  });
});
