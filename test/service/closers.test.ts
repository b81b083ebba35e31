import { expect } from 'chai';
import { Closers } from '../../src/closers.ts';

describe('Closers', () => {
  it('calls all in reverse, also after one has failed, and rejects with the first failure', async () => {
    const called: string[] = [];
    const closers = new Closers();
    closers.push(() => void called.push('database'));
    closers.push(() => Promise.reject(new Error('second failure')));
    closers.push(() => {
      called.push('server');
      throw new Error('first failure');
    });
    const failure = await closers.close().catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.property('message', 'first failure');
    expect(called).to.deep.equal(['server', 'database']);
    await closers.close();
    expect(called).to.deep.equal(['server', 'database']);
  });
});
