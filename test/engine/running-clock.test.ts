import { expect } from 'chai';
import { RunningClock } from '../../src/engine/running-clock.ts';

describe('a clock of running time', () => {
  /** Returns the milliseconds of this clock until a timer was due; each beat takes `beatMs`. */
  async function dueAfter(ms: number, beatMs: (beat: number) => number): Promise<number> {
    let at = 0;
    let looks = 0;
    // The time is read at the start and at the end of a beat.
    const now = (): number => {
      if (looks % 2 === 1) at += beatMs((looks - 1) / 2);
      looks += 1;
      return at;
    };
    const clock = new RunningClock({ now, beatMs: 1 });
    await new Promise<void>((resolve) => clock.setTimeout(resolve, ms));
    return at;
  }

  it('counts a punctual or slightly late beat in full', async () => {
    expect(await dueAfter(6, () => 1)).to.equal(6);
    expect(await dueAfter(6, () => 2)).to.equal(6);
  });

  it('counts at most two beats for a stop', async () => {
    expect(await dueAfter(6, (beat) => (beat === 1 ? 1_000_000 : 1))).to.equal(1_000_004);
  });

  it('has no maximum', async () => {
    const clock = new RunningClock();
    let isDue = false;
    const timer = clock.setTimeout(() => (isDue = true), 2 ** 40);
    await new Promise((resolve) => setTimeout(resolve, 5));
    clock.clearTimeout(timer);
    expect(isDue).to.equal(false);
  });
});
