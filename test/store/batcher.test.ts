import { expect } from 'chai';
import { Batcher } from '../../src/store/batcher.ts';

describe('Batcher', () => {
  it('uses all waiting items as the next batch, one batch at a time', async () => {
    const batches: number[] = [];
    let running = 0;
    const batcher = new Batcher<number, number>({
      maxBatch: 1000,
      run: async (items) => {
        expect(++running).to.equal(1);
        batches.push(items.length);
        await new Promise(setImmediate);
        running--;
        return items;
      },
    });
    const first = Array.from({ length: 50 }, (_, index) => batcher.submit(index));
    const second = first[0]?.then(() => Promise.all(Array.from({ length: 30 }, (_, index) => batcher.submit(index))));
    expect(await Promise.all(first)).to.deep.equal(Array.from({ length: 50 }, (_, index) => index));
    await second;
    expect(batches).to.deep.equal([50, 30]);
  });

  it('never makes a batch larger than its bound, and keeps the order', async () => {
    const seen: number[][] = [];
    const batcher = new Batcher<number, number>({
      maxBatch: 3,
      run: async (items) => {
        seen.push([...items]);
        return items;
      },
    });
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((item) => batcher.submit(item)));
    expect(seen).to.deep.equal([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('lets only items with the same key wait for each other', async () => {
    const seen: string[][] = [];
    const batcher = new Batcher<string, string>({
      maxBatch: 10,
      keyOf: (item) => item.charAt(0),
      run: async (items) => {
        seen.push([...items]);
        return items;
      },
    });
    await Promise.all(['a1', 'b1', 'a2', 'a3', 'c1', 'b2'].map((item) => batcher.submit(item)));
    expect(seen).to.deep.equal([['a1', 'b1', 'c1'], ['a2', 'b2'], ['a3']]);
  });

  it('fails a whole batch, and continues with the next', async () => {
    let broken = true;
    const batcher = new Batcher<number, number>({
      maxBatch: 10,
      run: async (items) => {
        if (broken) throw new Error('no disk');
        return items;
      },
    });
    const failed = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected', 'rejected']);
    broken = false;
    expect(await batcher.submit(4)).to.equal(4);
  });

  it('fails only the item that caused the failure', async () => {
    const batcher = new Batcher<number, number>({
      maxBatch: 10,
      isFaultOfItem: () => true,
      run: async (items) => {
        if (items.includes(13)) throw new Error('unlucky');
        return items;
      },
    });
    const settled = await Promise.allSettled([11, 12, 13, 14].map((item) => batcher.submit(item)));
    expect(settled.map(({ status }) => status)).to.deep.equal(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('never makes a batch larger than its bound where items have keys, and keeps the order', async () => {
    const seen: string[][] = [];
    const batcher = new Batcher<string, string>({
      maxBatch: 2,
      keyOf: (item) => item,
      run: async (items) => {
        seen.push([...items]);
        return items;
      },
    });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((item) => batcher.submit(item)));
    expect(seen).to.deep.equal([['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('fails the items without a result, and names them', async () => {
    const batcher = new Batcher<number, number>({ maxBatch: 10, run: async (items) => items.slice(0, 2) });
    const settled = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    const told = settled.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)));
    expect(told).to.deep.equal([1, 2, 'Error: no result for item 2 of 3']);
  });

  it('runs a batch once if no item caused the failure', async () => {
    let runs = 0;
    const failure = new Error('no disk');
    const asked: unknown[] = [];
    const batcher = new Batcher<number, number>({
      maxBatch: 10,
      isFaultOfItem: (error) => {
        asked.push(error);
        return false;
      },
      run: async () => {
        runs++;
        throw failure;
      },
    });
    const settled = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    expect(settled).to.deep.equal([1, 2, 3].map(() => ({ status: 'rejected', reason: failure })));
    expect([runs, asked]).to.deep.equal([1, [failure]]);
  });

  it('is idle when nothing waits and nothing runs', async () => {
    let done = 0;
    const batcher = new Batcher<number, number>({
      maxBatch: 2,
      run: async (items) => {
        await new Promise(setImmediate);
        done += items.length;
        return items;
      },
    });
    await batcher.idle();
    const items = [1, 2, 3, 4, 5].map((item) => batcher.submit(item));
    await batcher.idle();
    expect(done).to.equal(5);
    await Promise.all(items);
  });
});
