import { bestClass, gridPoints, gridSize, isOnly, type DetectorFormat } from './detector-format.ts';

const SIDES = 4;

/**
 * NanoDet with three levels (nanodet-m, nanodet-g) in its authors' ONNX export: 1 × points × (class scores after the
 * sigmoid, then for left, top, right, bottom the logits of a distance distribution in strides). A distance is the mean
 * of that distribution (Li et al., "Generalized Focal Loss") from the centre of the cell. NanoDet-Plus has a fourth
 * level and measures from corners; it does not match this format.
 */
export const nanodet: DetectorFormat = {
  order: 'bgr',
  mean: [103.53, 116.28, 123.675],
  deviation: [57.375, 57.12, 58.395],
  placement: 'centred',
  padding: 0,
  // Measured on 158 pictures of COCO: 27.5 mAP, 26.2 without the border, 24.0 with 416 x 416.
  open: { side: 512, border: 16 },
  isUnique: false,

  mismatch(outputs, input, labels) {
    const channels = outputs[0]?.dims[2] ?? 0;
    const bins = (channels - labels) / SIDES;
    const fits = isOnly(outputs, [1, gridSize(input), channels]) && Number.isInteger(bins) && bins >= 2;
    return fits ? undefined : `1 x ${gridSize(input)} x (${labels} + 4 x bins)`;
  },

  decode([output], input, labels, minConfidence) {
    if (!output) return [];
    const channels = output.dims[2] ?? 0;
    const bins = (channels - labels) / SIDES;
    const found = [];
    let start = 0;
    for (const { column, row, stride } of gridPoints(input)) {
      const { label, score } = bestClass(output.data, start, labels);
      if (score >= minConfidence) {
        const distance = (side: number) => meanOf(output.data, start + labels + side * bins, bins) * stride;
        const x = (column + 0.5) * stride;
        const y = (row + 0.5) * stride;
        const [left, top, right, bottom] = [x - distance(0), y - distance(1), x + distance(2), y + distance(3)];
        found.push({ label, confidence: score, left, top, right, bottom });
      }
      start += channels;
    }
    return found;
  },
};

/** Returns the mean of a distribution over 0, 1, …, given as logits. */
function meanOf(data: Float32Array, start: number, bins: number): number {
  const logits = data.subarray(start, start + bins);
  const largest = Math.max(...logits);
  let sum = 0;
  let weighted = 0;
  for (let bin = 0; bin < bins; bin++) {
    const weight = Math.exp((logits[bin] ?? 0) - largest);
    sum += weight;
    weighted += weight * bin;
  }
  return weighted / sum;
}
