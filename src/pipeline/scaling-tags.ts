import {
  AVCOL_PRI_BT2020,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_SPC_BT2020_CL,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  AVCOL_TRC_UNSPECIFIED,
} from 'node-av/constants';
import type { AVColorPrimaries, AVColorSpace, AVColorTransferCharacteristic } from 'node-av/constants';
import type { Frame as NativeFrame } from 'node-av/lib';

/** Number of lines from which a video without a colour matrix counts as HD with BT.709, as in players. */
const HD_LINES = 720;

/** The matrices that FFmpeg's scaler implements. */
const KNOWN_MATRICES: ReadonlySet<number> = new Set([
  AVCOL_SPC_BT709,
  AVCOL_SPC_FCC,
  AVCOL_SPC_BT470BG,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_SMPTE240M,
  AVCOL_SPC_BT2020_NCL,
]);

/** The original colour tags of a frame that concern light. */
export interface ColorTags {
  readonly transfer: AVColorTransferCharacteristic;
  readonly primaries: AVColorPrimaries;
}

/**
 * Replaces the colour tags of a frame by ones that FFmpeg's scaler accepts, and returns the original ones for the tone
 * map. The scaler rejects a frame with a transfer, primaries or matrix that it does not implement, although scaling
 * uses only the matrix.
 */
export function takeColorTags(frame: NativeFrame): ColorTags {
  const tags = { transfer: frame.colorTrc, primaries: frame.colorPrimaries };
  frame.colorSpace = matrixFor(frame.colorSpace, tags.primaries, frame.height);
  frame.colorTrc = AVCOL_TRC_UNSPECIFIED;
  frame.colorPrimaries = AVCOL_PRI_UNSPECIFIED;
  return tags;
}

/**
 * Returns the matrix for the conversion to RGB: the named one if the scaler implements it, else BT.2020 for BT.2020
 * primaries or constant luminance, else BT.709 from 720 lines, else BT.601.
 */
function matrixFor(named: AVColorSpace, primaries: AVColorPrimaries, lines: number): AVColorSpace {
  if (KNOWN_MATRICES.has(named)) return named;
  if (named === AVCOL_SPC_BT2020_CL || primaries === AVCOL_PRI_BT2020) return AVCOL_SPC_BT2020_NCL;
  return lines >= HD_LINES ? AVCOL_SPC_BT709 : AVCOL_SPC_BT470BG;
}
