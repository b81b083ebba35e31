import type { DetectorFormat } from './detector-format.ts';

const CHANNELS = 6;

/**
 * YOLOv10 in its ONNX export: 1 x boxes x (left, top, right, bottom, confidence, label) in pixels of the input. The input
 * is RGB from 0 to 1, letterboxed into the centre.
 */
export const yolov10: DetectorFormat = {
  order: 'rgb',
  mean: [0, 0, 0],
  deviation: [255, 255, 255],
  placement: 'centred',
  padding: 114,
  open: { side: 640, border: 0 },
  isUnique: true,

  mismatch([output, another]) {
    const [batch, , channels] = output?.dims ?? [];
    const fits = !another && output?.dims.length === 3 && batch === 1 && channels === CHANNELS;
    return fits ? undefined : `1 x boxes x ${CHANNELS}`;
  },

  decode([output], _input, labels, minConfidence) {
    const found = [];
    const data = output?.data ?? new Float32Array(0);
    for (let start = 0; start < data.length; start += CHANNELS) {
      const [left = 0, top = 0, right = 0, bottom = 0, confidence = 0, label = 0] = data.subarray(
        start,
        start + CHANNELS,
      );
      if (confidence >= minConfidence && label < labels) found.push({ label, confidence, left, top, right, bottom });
    }
    return found;
  },
};
