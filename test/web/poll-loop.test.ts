import { expect } from 'chai';
import { setImmediate } from 'node:timers/promises';
import { PollLoop } from '../../src/web/shared/poll-loop.ts';

describe('the poll loop', () => {
  /** A loop whose requests end on demand. */
  const open = () => {
    const inFlight: (() => void)[] = [];
    const seen = { requests: 0, most: 0, hidden: false };
    const loop = new PollLoop({
      ask: async () => {
        seen.requests += 1;
        const ended = new Promise<void>((resolve) => inFlight.push(resolve));
        seen.most = Math.max(seen.most, inFlight.length);
        await ended;
      },
      everyMs: 0,
      isHidden: () => seen.hidden,
    });
    const respond = async (): Promise<void> => {
      inFlight.shift()?.();
      await setImmediate();
    };
    const requested = async (count: number): Promise<void> => {
      while (seen.requests < count) await setImmediate();
    };
    const flip = (): void => {
      for (const hidden of [true, false]) {
        seen.hidden = hidden;
        loop.wake();
      }
    };
    return { loop, seen, respond, requested, flip };
  };

  it('sends one request at a time, however often the page is hidden and shown', async () => {
    const { loop, seen, respond, requested, flip } = open();
    loop.wake();
    for (let round = 1; round <= 20; round += 1) {
      await requested(round);
      flip();
      flip();
      await respond();
    }
    expect(seen.most).to.equal(1);
    await requested(21);
    loop.end();
    expect(seen.requests).to.equal(21);
  });

  it('sends none while the page is hidden, and one as soon as it is shown', async () => {
    const { loop, seen, respond, requested } = open();
    loop.wake();
    seen.hidden = true;
    loop.wake();
    await respond();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve));
    expect(seen.requests).to.equal(1);
    seen.hidden = false;
    loop.wake();
    expect(seen.requests).to.equal(2);
    await respond();
    await requested(3);
    loop.end();
  });

  it('sends none after its end, also when a request is in flight', async () => {
    const { loop, seen, respond } = open();
    loop.wake();
    loop.end();
    await respond();
    loop.wake();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve));
    expect(seen.requests).to.equal(1);
  });
});
