import { expect } from 'chai';
import type { Frame } from '../../src/pipeline/frame.ts';
import { analyseParts, partsOf } from '../../src/pipeline/frame-parts.ts';
import type { Findings } from '../../src/pipeline/tools/tool.ts';
import { quadrants } from './known-pictures.ts';

describe('the parts of a frame', () => {
  const picture = { width: 40, height: 20, rgb: quadrants(40, 20) };

  it('are the whole frame when no region is named, without a copy', () => {
    const [part, ...others] = partsOf(picture, []);
    expect(others).to.deep.equal([]);
    expect(part).to.include({ x: 0, y: 0, width: 40, height: 20, rgb: picture.rgb });
  });

  it('have every pixel that a region touches, and at least one', () => {
    const rectangle = (...region: readonly [number, number, number, number]) => {
      const [part] = partsOf(picture, [[...region]]);
      expect(part?.rgb.length).to.equal((part?.width ?? 0) * (part?.height ?? 0) * 3);
      return [part?.x, part?.y, part?.width, part?.height];
    };
    expect(rectangle(0.5, 0.5, 0.5, 0.5)).to.deep.equal([20, 10, 20, 10]);
    expect(rectangle(0.51, 0.52, 0.1, 0.1)).to.deep.equal([20, 10, 5, 3]);
    expect(rectangle(0.7, 0.1, 0.3, 0.9)).to.deep.equal([28, 2, 12, 18]);
    expect(rectangle(0, 0, 1, 1)).to.deep.equal([0, 0, 40, 20]);
    expect(rectangle(1, 1, 1e-9, 1e-9)).to.deep.equal([39, 19, 1, 1]);
  });

  it('move the corners of a line together with its box', async () => {
    const bbox: [number, number, number, number] = [1, 2, 3, 4];
    const corners = (x: number, y: number): [number, number][] => [
      [x, y + 1],
      [x + 2, y],
      [x + 3, y + 3],
      [x + 1, y + 4],
    ];
    const line = { text: 'turned', confidence: 0.9, bbox, polygon: corners(1, 2) };
    const analyse = async (): Promise<Findings> => Promise.resolve({ lines: [line] });
    const parts = partsOf(picture, [[0.5, 0.5, 0.5, 0.5]]);
    const { lines } = await analyseParts({ analyse }, { index: 0, timestampMs: 0, parts });
    expect(lines).to.deep.equal([
      {
        ...line,
        bbox: [21, 12, 3, 4],
        polygon: corners(21, 12),
      },
    ]);
  });

  it('are analysed one by one, and what is found is told in pixels of the frame', async () => {
    const seen: Frame[] = [];
    const analyse = async (frame: Frame): Promise<Findings> => {
      seen.push(frame);
      const bbox: [number, number, number, number] = [1, 2, 3, 4];
      const text = `part ${seen.length}`;
      const detections = [{ label: 'cup', confidence: seen.length / 10, bbox }];
      return Promise.resolve({ detections, text, lines: [{ text, confidence: 0.9, bbox }] });
    };
    const parts = partsOf(picture, [
      [0, 0, 0.5, 0.5],
      [0.5, 0.5, 0.5, 0.5],
    ]);
    const found = await analyseParts({ analyse }, { index: 7, timestampMs: 280, parts });
    expect(seen.map(({ index, width, height }) => [index, width, height])).to.deep.equal([
      [7, 20, 10],
      [7, 20, 10],
    ]);
    expect(seen[1]?.rgb.subarray(0, 3)).to.deep.equal(Uint8Array.from([128, 128, 128]));
    expect(found).to.deep.equal({
      detections: [
        { label: 'cup', confidence: 0.2, bbox: [21, 12, 3, 4] },
        { label: 'cup', confidence: 0.1, bbox: [1, 2, 3, 4] },
      ],
      text: 'part 1\npart 2',
      lines: [
        { text: 'part 1', confidence: 0.9, bbox: [1, 2, 3, 4] },
        { text: 'part 2', confidence: 0.9, bbox: [21, 12, 3, 4] },
      ],
    });
    expect(Object.keys(found)).to.deep.equal(['detections', 'text', 'lines']);
  });
});
