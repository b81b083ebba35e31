import { expect } from 'chai';
import { KeyedMutex } from '../../src/engine/keyed-mutex.ts';

describe('mutex', () => {
  it('serialises tasks with one key in order, also after a failure', async () => {
    const mutex = new KeyedMutex();
    const seen: string[] = [];
    const take = (key: string, name: string, fails = false): Promise<string> =>
      mutex.runExclusive(key, async () => {
        seen.push(`${name} begins`);
        await new Promise(setImmediate);
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const settled = await Promise.allSettled([take('a', 'first', true), take('a', 'second'), take('b', 'other')]);
    expect(settled.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).to.deep.equal([
      'Error: first',
      'second',
      'other',
    ]);
    const ofA = seen.filter((line) => !line.startsWith('other'));
    expect(ofA).to.deep.equal(['first begins', 'first ends', 'second begins', 'second ends']);
    // Another key does not wait.
    expect(seen.indexOf('other begins')).to.be.below(seen.indexOf('second begins'));
    expect(await take('a', 'third')).to.equal('third');
  });
});
