import { getEventListeners } from 'node:events';
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

/** The laws of `QueueService`, for any maker of one. */
export function obeysTheQueueContract(make: () => QueueService): void {
  it('gives back nothing when empty, without waiting', () => {
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

  it('counts what waits, also when part of it was taken', () => {
    const queue = make();
    const all = ids(5);
    for (const id of all.slice(0, 3)) queue.enqueue(id);
    expect(queue.dequeue()).to.equal(all[0]);
    for (const id of all.slice(3)) queue.enqueue(id);
    expect(queue.size()).to.equal(4);
    expect(drain(queue)).to.deep.equal(all.slice(1));
  });

  it('leaves nothing on the signal of one who was woken', async () => {
    const queue = make();
    const { signal } = new AbortController();
    const waiting = queue.ready(signal);
    expect(getEventListeners(signal, 'abort')).to.have.lengthOf(1);
    for (const id of ids(1)) queue.enqueue(id);
    await waiting;
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    await queue.ready(signal);
    expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
  });

  it('lets nobody wait whose signal is aborted already', async () => {
    const waiting = make().ready(AbortSignal.abort('before'));
    expect(await waiting.catch((reason: unknown) => reason)).to.equal('before');
  });

  it('wakes everyone who waits when an id comes', async () => {
    const queue = make();
    const { signal } = new AbortController();
    const waiting = Promise.all([queue.ready(signal), queue.ready(signal)]);
    const [id] = ids(1);
    if (id !== undefined) queue.enqueue(id);
    await waiting;
    await queue.ready(signal);
    expect(queue.dequeue()).to.equal(id);
  });

  it('lets a waiter go when its signal aborts', async () => {
    const queue = make();
    const controller = new AbortController();
    const waiting = queue.ready(controller.signal).then(
      () => 'woken',
      (reason: unknown) => reason,
    );
    controller.abort('enough');
    expect(await waiting).to.equal('enough');
  });
}
