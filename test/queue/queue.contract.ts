import { expect } from 'chai';
import { v7 as uuidv7 } from 'uuid';
import { jobIdSchema, type JobId } from '../../src/job.ts';
import type { QueueService } from '../../src/queue/queue-service.ts';

const ids = (count: number): JobId[] => Array.from({ length: count }, () => jobIdSchema.parse(uuidv7()));

function drain(queue: QueueService): JobId[] {
  const taken: JobId[] = [];
  for (let id = queue.dequeue(); id !== undefined; id = queue.dequeue()) taken.push(id);
  return taken;
}

function threeIds(): [JobId, JobId, JobId] {
  const [first, second, third] = ids(3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three ids were made');
  return [first, second, third];
}

/** Resolves when an id can be taken. */
function ready(queue: QueueService): Promise<void> {
  return new Promise((resolve) => queue.onWork(resolve));
}

/** The contract of `QueueService`, for any implementation. */
export function obeysTheQueueContract(make: () => QueueService): void {
  it('returns undefined at once when empty', () => {
    const queue = make();
    expect(queue.dequeue()).to.equal(undefined);
    expect(queue.size()).to.equal(0);
  });

  it('is first in, first out over many thousands, also when filled and emptied in turns', () => {
    const queue = make();
    const all = ids(10_000);
    const taken: JobId[] = [];
    for (const [n, id] of all.entries()) {
      queue.enqueue(id);
      const first = n % 3 === 2 ? queue.dequeue() : undefined;
      if (first !== undefined) taken.push(first);
    }
    expect(queue.size()).to.equal(all.length - taken.length);
    expect([...taken, ...drain(queue)]).to.deep.equal(all);
    expect(queue.size()).to.equal(0);
  });

  it('puts interrupted jobs before all others, the oldest first', () => {
    const queue = make();
    const [first, second, ...later] = ids(5);
    if (first === undefined || second === undefined) throw new Error('five ids were made');
    for (const id of later) queue.enqueue(id);
    queue.requeue(second);
    queue.requeue(first);
    expect(queue.size()).to.equal(5);
    expect(drain(queue)).to.deep.equal([first, second, ...later]);
  });

  it('puts several interrupted jobs in order, whichever comes back first', () => {
    const all = ids(4);
    for (const order of [all, all.toReversed(), [...all.slice(2), ...all.slice(0, 2)]]) {
      const queue = make();
      for (const id of order) queue.requeue(id);
      expect(drain(queue)).to.deep.equal(all);
    }
  });

  it('counts waiting ids, also after some were taken', () => {
    const queue = make();
    const all = ids(5);
    for (const id of all.slice(0, 3)) queue.enqueue(id);
    expect(queue.dequeue()).to.equal(all[0]);
    for (const id of all.slice(3)) queue.enqueue(id);
    expect(queue.size()).to.equal(4);
    expect(drain(queue)).to.deep.equal(all.slice(1));
  });

  it('wakes a waiter once when an id arrives', () => {
    const queue = make();
    let wakes = 0;
    queue.onWork(() => (wakes += 1));
    expect(wakes).to.equal(0);
    for (const id of ids(2)) queue.enqueue(id);
    expect(wakes).to.equal(1);
  });

  it('wakes at once if an id is waiting, also an interrupted one', () => {
    for (const way of ['enqueue', 'requeue'] as const) {
      const queue = make();
      for (const id of ids(1)) queue[way](id);
      let wakes = 0;
      queue.onWork(() => (wakes += 1));
      expect(wakes, way).to.equal(1);
    }
  });

  it('wakes as many as there are ids, the one that waited longest first', () => {
    for (const way of ['enqueue', 'requeue'] as const) {
      const queue = make();
      const taken: [string, JobId | undefined][] = [];
      for (const name of ['first', 'second', 'third']) queue.onWork(() => taken.push([name, queue.dequeue()]));
      const [one, two] = ids(2);
      if (one === undefined || two === undefined) throw new Error('two ids were made');
      queue[way](one);
      queue[way](two);
      expect(taken, way).to.deep.equal([
        ['first', one],
        ['second', two],
      ]);
    }
  });

  it('wakes the next waiter if the woken one takes nothing', () => {
    const queue = make();
    const woken: string[] = [];
    queue.onWork(() => woken.push('idle'));
    queue.onWork(() => woken.push('busy'));
    for (const id of ids(1)) queue.enqueue(id);
    expect(woken).to.deep.equal(['idle', 'busy']);
  });

  it('does not wake a worker that no longer waits', () => {
    const queue = make();
    const woken: string[] = [];
    const end = queue.onWork(() => woken.push('gone'));
    queue.onWork(() => woken.push('there'));
    end();
    for (const id of ids(1)) queue.enqueue(id);
    expect(woken).to.deep.equal(['there']);
  });

  it('returns nothing before the delay of its first id has passed, then that id first', async () => {
    const queue = make();
    const [first, second, later] = threeIds();
    queue.enqueue(later);
    queue.requeue(second);
    queue.requeue(first, 1);
    expect(queue.dequeue()).to.equal(undefined);
    expect(queue.size()).to.equal(3);
    await ready(queue);
    expect(drain(queue)).to.deep.equal([first, second, later]);
  });

  it('wakes no worker before the delay of its first id has passed', async () => {
    const queue = make();
    const [first, later] = threeIds();
    queue.requeue(first, 1);
    let wakes = 0;
    const woken = new Promise<void>((resolve) => {
      queue.onWork(() => {
        wakes += 1;
        resolve();
      });
    });
    queue.enqueue(later);
    expect(wakes).to.equal(0);
    await woken;
    expect(queue.dequeue()).to.equal(first);
  });

  it('returns other ids while one is postponed, and then that one first', async () => {
    const queue = make();
    const [postponed, other, later] = threeIds();
    queue.enqueue(other);
    queue.postpone(postponed, 1);
    expect(queue.size()).to.equal(2);
    expect(drain(queue)).to.deep.equal([other]);
    await ready(queue);
    queue.enqueue(later);
    expect(drain(queue)).to.deep.equal([postponed, later]);
  });

  it('drops a delayed id that is removed, and wakes a waiter for another', () => {
    for (const way of ['requeue', 'postpone'] as const) {
      const queue = make();
      const [first, later] = threeIds();
      queue[way](first, 1e6);
      queue.removeDelayed(first);
      expect(queue.size(), way).to.equal(0);
      queue[way](first, 1e6);
      const taken: (JobId | undefined)[] = [];
      if (way === 'requeue') queue.enqueue(later);
      queue.onWork(() => taken.push(queue.dequeue()));
      queue.removeDelayed(first);
      if (way === 'postpone') queue.enqueue(later);
      expect(taken, way).to.deep.equal([later]);
    }
  });

  it('does not remove an id that is not delayed', () => {
    const queue = make();
    const [first, second] = threeIds();
    queue.enqueue(first);
    queue.requeue(second);
    for (const id of [first, second]) queue.removeDelayed(id);
    expect(drain(queue)).to.deep.equal([second, first]);
  });
}
