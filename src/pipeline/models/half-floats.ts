/**
 * Numbers of 16 bits (IEEE 754 binary16), as models with half precision take and give them. Node.js 20 has no
 * Float16Array.
 */
const MANTISSA_BITS = 10;
const BIAS = 15;
/** From here on, numbers round to infinity. */
const TOO_LARGE = 65520;

/** Returns the bits of the numbers rounded to 16 bits; those from 65520 on become infinite. */
export function toHalf(data: Float32Array): Uint16Array {
  return Uint16Array.from(data, halfBits);
}

/** Returns the numbers of these bits. */
export function fromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, halfValue);
}

function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= TOO_LARGE) return sign | 0x7c00;
  const exponent = Math.max(1 - BIAS, Math.floor(Math.log2(size)));
  // Below 2^-14 the steps no longer shrink.
  const steps = roundedToEven(size / 2 ** (exponent - MANTISSA_BITS));
  // A mantissa that was rounded up carries into the exponent.
  const base = (exponent + BIAS - 1) << MANTISSA_BITS;
  return sign | (base + steps);
}

function roundedToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> MANTISSA_BITS) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - BIAS - MANTISSA_BITS);
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - BIAS);
}
