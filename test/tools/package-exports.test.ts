import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { projectRoot } from './sample-project.ts';

const manifestSchema = z.object({ exports: z.record(z.string(), z.string()) });

describe('the exports of the package', () => {
  const { exports } = manifestSchema.parse(JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')));
  const single = Object.entries(exports).filter(([name]) => !name.includes('*'));

  it('are modules with types', () => {
    for (const [name, target] of single) {
      expect(existsSync(path.join(projectRoot, target)), name).to.equal(true);
      expect(existsSync(path.join(projectRoot, target.replace(/\.js$/, '.d.ts'))), name).to.equal(true);
    }
  });

  it('can be imported by their names', async () => {
    const names = async (module: string): Promise<readonly string[]> =>
      Object.keys(await import(`reelstate/${module}`));
    expect(await names('service')).to.include('createService');
    expect(await names('config')).to.include('parseConfig');
    expect(await names('client')).to.include('ReelstateClient');
    expect(await names('errors')).to.include('ServiceError');
    expect(await names('contracts/queue')).to.include('obeysTheQueueContract');
    expect(await names('contracts/storage')).to.include('storageContract');
    expect(await names('contracts/store')).not.to.have.lengthOf(0);
  });
});
