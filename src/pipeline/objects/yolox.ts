import { bestClass, edges, gridPoints, gridSize, isOnly, type DetectorFormat } from './detector-format.ts';
import { BOX_CHANNELS, objectnessBoxes } from './objectness-boxes.ts';

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
  isUnique: false,

  mismatch(outputs, input, labels) {
    const fits = isOnly(outputs, [1, gridSize(input), BOX_CHANNELS + labels]);
    return fits ? undefined : `1 x ${gridSize(input)} x (5 + ${labels})`;
  },

  decode([output], input, labels, minConfidence) {
    const data = output?.data ?? new Float32Array(0);
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
          const width = Math.exp(data[start + 2] ?? 0) * stride;
          const height = Math.exp(data[start + 3] ?? 0) * stride;
          found.push({ label, confidence, ...edges(x, y, width, height) });
        }
      }
      start += BOX_CHANNELS + labels;
    }
    return found;
  },
};

/** YOLOX exported with `--decode_in_inference`: the first four values are in pixels of the input. */
export const yoloxDecoded: DetectorFormat = {
  ...yolox,

  decode([output], _input, labels, minConfidence) {
    return output ? objectnessBoxes(output.data, labels, minConfidence) : [];
  },
};
