import { bestClass, gridPoints, gridSize, type DetectorFormat } from './detector-format.ts';

/** Centre, size and objectness precede the class scores. */
const BOX_CHANNELS = 5;

/**
 * YOLOX in its authors' ONNX export (without `--decode_in_inference`): 1 × points × (centre x, centre y, log width, log
 * height, objectness, class scores), the first four in strides and relative to the cell. The input is raw BGR,
 * letterboxed to the top left.
 */
export const yolox: DetectorFormat = {
  order: 'bgr',
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  placement: 'topLeft',
  padding: 114,
  open: { side: 640, border: 0 },

  mismatch(dims, input, labels) {
    const [batch, points, channels] = dims;
    const fits = dims.length === 3 && batch === 1 && points === gridSize(input) && channels === BOX_CHANNELS + labels;
    return fits ? undefined : `1 x ${gridSize(input)} x (5 + ${labels})`;
  },

  decode({ data }, input, labels, minConfidence) {
    const found = [];
    let start = 0;
    for (const { column, row, stride } of gridPoints(input)) {
      const objectness = data[start + 4] ?? 0;
      if (objectness >= minConfidence) {
        const { label, score } = bestClass(data, start + BOX_CHANNELS, labels);
        const confidence = score * objectness;
        if (confidence >= minConfidence) {
          const x = ((data[start] ?? 0) + column) * stride;
          const y = ((data[start + 1] ?? 0) + row) * stride;
          const halfWidth = (Math.exp(data[start + 2] ?? 0) * stride) / 2;
          const halfHeight = (Math.exp(data[start + 3] ?? 0) * stride) / 2;
          const [left, top, right, bottom] = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
          found.push({ label, confidence, left, top, right, bottom });
        }
      }
      start += BOX_CHANNELS + labels;
    }
    return found;
  },
};
