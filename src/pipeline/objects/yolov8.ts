import { bestClass, edges, gridSize, isOnly, yoloInput, type DetectorFormat } from './detector-format.ts';

const BOX_CHANNELS = 4;

/**
 * YOLOv8 (9 and 11 too) in the published form of its ONNX export: 1 × (centre x, centre y, width, height, class scores)
 * × points, in pixels of the input and after the sigmoid.
 */
export const yolov8: DetectorFormat = {
  ...yoloInput,
  isUnique: false,

  mismatch(outputs, input, labels) {
    const fits = isOnly(outputs, [1, BOX_CHANNELS + labels, gridSize(input)]);
    return fits ? undefined : `1 x (4 + ${labels}) x ${gridSize(input)}`;
  },

  decode([output], input, labels, minConfidence) {
    const data = output?.data ?? new Float32Array(0);
    const points = gridSize(input);
    const found = [];
    for (let point = 0; point < points; point++) {
      const { label, score } = bestClass(data, point + BOX_CHANNELS * points, labels, points);
      if (score < minConfidence) continue;
      const [x = 0, y = 0, width = 0, height = 0] = [0, 1, 2, 3].map((channel) => data[point + channel * points]);
      found.push({ label, confidence: score, ...edges(x, y, width, height) });
    }
    return found;
  },
};
