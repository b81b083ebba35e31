import { expect } from 'chai';
import { fromHalf, toHalf } from '../../src/pipeline/models/half-floats.ts';

// From the table of IEEE 754 binary16.
const BITS: readonly (readonly [value: number, bits: number])[] = [
  [0, 0x0000],
  [-0, 0x8000],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [2 ** -14, 0x0400],
  [2 ** -24, 0x0001],
  [2 ** -14 - 2 ** -24, 0x03ff],
  [Infinity, 0x7c00],
  [-Infinity, 0xfc00],
];

describe('numbers of 16 bits', function () {
  it('have the bits of IEEE 754 and back', () => {
    for (const [value, bits] of BITS) {
      expect(toHalf(Float32Array.of(value))[0], String(value)).to.equal(bits);
      expect(fromHalf(Uint16Array.of(bits))[0]).to.equal(value);
    }
    expect([...fromHalf(toHalf(Float32Array.of(NaN)))]).to.deep.equal([NaN]);
  });

  it('survive being written and read, all of them', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter((bits) => (bits & 0x7fff) <= 0x7c00);
    expect(Buffer.from(toHalf(fromHalf(all)).buffer).equals(Buffer.from(all.buffer))).to.equal(true);
  });

  it('are rounded to the nearest, ties to the even one, and too large ones to infinity', () => {
    const rounded = toHalf(
      Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 - 2 ** -12, 65519, 65520, 2 ** -25, 1e-30),
    );
    expect([...rounded]).to.deep.equal([0x3c00, 0x3c02, 0x4000, 0x7bff, 0x7c00, 0, 0]);
  });
});
