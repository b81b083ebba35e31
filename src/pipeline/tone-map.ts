import { AVCOL_PRI_BT2020, AVCOL_TRC_ARIB_STD_B67, AVCOL_TRC_SMPTE2084 } from 'node-av/constants';

/** Luminance of white paper in an HDR picture, in cd/m² (ITU-R BT.2408). It counts as 1 below. */
const WHITE_NITS = 203;

/** Above this the curve bends, so that white stays below 255 and highlights remain distinct. */
const KNEE = 0.6;

/**
 * Size of the table from linear light to 8 bits, spaced by the square root, because the eye resolves dark tones better.
 */
const CELLS = 8192;

const BRIGHTEST = 10_000 / WHITE_NITS;

/** Linear BT.2020 to linear BT.709, row by row (ITU-R BT.2087). */
const BT2020_TO_BT709 = [1.6605, -0.5876, -0.0728, -0.1246, 1.1329, -0.0083, -0.0182, -0.1006, 1.1187] as const;
const SAME_GAMUT = [1, 0, 0, 0, 1, 0, 0, 0, 1] as const;

/** Converts an HDR picture to the brightness and colours of a standard display, in place. */
export type ToneMap = (rgb: Uint8Array) => void;

/**
 * Returns the map for PQ or HLG pictures, undefined for others. One curve for every picture, independent of the peak in
 * its metadata, so that a frame depends only on itself: linear light up to 60 % of white, above it an exponential
 * shoulder; then the gamma of BT.1886. FFmpeg's own map is finer, but takes 3 seconds for its table.
 */
export function toneMapFor(transfer: number, primaries: number): ToneMap | undefined {
  const toLight =
    transfer === AVCOL_TRC_SMPTE2084 ? pqToLight : transfer === AVCOL_TRC_ARIB_STD_B67 ? hlgToLight : null;
  if (toLight === null) return undefined;
  const light = Float32Array.from({ length: 256 }, (_, code) => toLight(code / 255));
  const shown = Uint8Array.from({ length: CELLS }, (_, cell) => lightToCode((cell / (CELLS - 1)) ** 2 * BRIGHTEST));
  const scale = (CELLS - 1) / Math.sqrt(BRIGHTEST);
  const [rr, rg, rb, gr, gg, gb, br, bg, bb] = primaries === AVCOL_PRI_BT2020 ? BT2020_TO_BT709 : SAME_GAMUT;
  const lightOf = (code: number | undefined): number => light[code ?? 0] ?? 0;
  const codeOf = (value: number): number => shown[Math.min(CELLS - 1, Math.sqrt(Math.max(0, value)) * scale) | 0] ?? 0;
  return (rgb) => {
    for (let place = 0; place < rgb.length; place += 3) {
      const r = lightOf(rgb[place]);
      const g = lightOf(rgb[place + 1]);
      const b = lightOf(rgb[place + 2]);
      rgb[place] = codeOf(rr * r + rg * g + rb * b);
      rgb[place + 1] = codeOf(gr * r + gg * g + gb * b);
      rgb[place + 2] = codeOf(br * r + bg * g + bb * b);
    }
  };
}

/** The curve of SMPTE ST 2084 from code values to light. */
function pqToLight(code: number): number {
  const power = code ** (32 / 2523);
  const ratio = Math.max(0, power - 3424 / 4096) / (2413 / 128 - (2392 / 128) * power);
  return (10_000 * ratio ** (8192 / 1305)) / WHITE_NITS;
}

/** ITU-R BT.2100's HLG curve, and its gamma of 1.2 for a display of 1,000 cd/m², applied to each channel. */
function hlgToLight(code: number): number {
  const scene = code <= 0.5 ? code ** 2 / 3 : (Math.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12;
  return (1000 * scene ** 1.2) / WHITE_NITS;
}

function lightToCode(light: number): number {
  const mapped = light <= KNEE ? light : KNEE + (1 - KNEE) * (1 - Math.exp((KNEE - light) / (1 - KNEE)));
  return Math.round(255 * mapped ** (1 / 2.4));
}
