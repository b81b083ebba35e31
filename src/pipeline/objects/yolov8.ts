import { bestClass, gridSize, type DetectorFormat } from './detector-format.ts';

const BOX_CHANNELS = 4;

/**
 * YOLOv8 in the published form of its ONNX export: 1 × (centre x, centre y, width, height, class scores) × points, in
 * pixels of the input and after the sigmoid. The input is RGB from 0 to 1, letterboxed into the centre.
 */
export const yolov8: DetectorFormat = {
  order: 'rgb',
  mean: [0, 0, 0],
  deviation: [255, 255, 255],
  placement: 'centred',
  padding: 114,
  open: { side: 640, border: 0 },

  mismatch(dims, input, labels) {
    const [batch, channels, points] = dims;
    const fits = dims.length === 3 && batch === 1 && channels === BOX_CHANNELS + labels && points === gridSize(input);
    return fits ? undefined : `1 x (4 + ${labels}) x ${gridSize(input)}`;
  },

  decode({ data, dims }, _input, labels, minConfidence) {
    const points = dims[2] ?? 0;
    const found = [];
    for (let point = 0; point < points; point++) {
      const { label, score } = bestClass(data, point + BOX_CHANNELS * points, labels, points);
      if (score < minConfidence) continue;
      const x = data[point] ?? 0;
      const y = data[point + points] ?? 0;
      const halfWidth = (data[point + 2 * points] ?? 0) / 2;
      const halfHeight = (data[point + 3 * points] ?? 0) / 2;
      const [left, top, right, bottom] = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
      found.push({ label, confidence: score, left, top, right, bottom });
    }
    return found;
  },
};
