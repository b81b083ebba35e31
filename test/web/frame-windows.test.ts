import { expect } from 'chai';
import type { FrameResult } from '../../src/client/responses.ts';
import { FrameWindows } from '../../src/web/video/frame-windows.ts';

const STEP_MS = 100;
const FRAMES = 200_000;

describe('the frames around a place in a video', () => {
  const opened = () => {
    const asked: (readonly [number, number])[] = [];
    const load = async (fromMs: number, toMs: number): Promise<readonly FrameResult[]> => {
      asked.push([fromMs, toMs]);
      const [first, last] = [Math.ceil(fromMs / STEP_MS), Math.min(FRAMES, Math.ceil(toMs / STEP_MS))];
      return Array.from({ length: Math.max(0, last - first) }, (_, index) => ({
        frame_index: first + index,
        result: { timestamp_ms: (first + index) * STEP_MS },
      }));
    };
    const endMs = FRAMES * STEP_MS;
    return { asked, windows: new FrameWindows({ load, stepMs: STEP_MS, endMs, foundMs: 0 }) };
  };

  it('are not known before they are read, and then the one that is shown at each time', async () => {
    const { windows } = opened();
    expect(windows.frameAt(5_000)).to.equal(undefined);
    await windows.around(5_000);
    expect(windows.frameAt(5_050)?.frameIndex).to.equal(50);
    expect(windows.frameAt(0)?.frameIndex).to.equal(0);
  });

  it('are read in a few requests, however many there are, and once while they are near', async () => {
    const { asked, windows } = opened();
    for (const ms of [9_000_000, 9_000_100, 9_000_200]) await windows.around(ms);
    expect(asked).to.have.lengthOf(3);
    expect(windows.frameAt(9_000_200)?.frameIndex).to.equal(90_002);
  });

  it('are forgotten where the place is no more', async () => {
    const { windows } = opened();
    await windows.around(0);
    for (let ms = 1_000_000; ms < 6_000_000; ms += 1_000_000) await windows.around(ms);
    expect(windows.frameAt(0)).to.equal(undefined);
  });

  it('have neighbours, but not before the first and after the last', async () => {
    const { windows } = opened();
    expect((await windows.neighbour(windows.windowMs, -1))?.timestampMs).to.equal(windows.windowMs - STEP_MS);
    expect((await windows.neighbour(0, 1))?.frameIndex).to.equal(1);
    expect(await windows.neighbour(0, -1)).to.equal(null);
    expect(await windows.neighbour((FRAMES - 1) * STEP_MS, 1)).to.equal(null);
    await windows.around(FRAMES * STEP_MS);
    expect(windows.frameAt(FRAMES * STEP_MS)).to.equal(null);
  });
});
