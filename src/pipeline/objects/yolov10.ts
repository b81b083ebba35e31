import { yoloInput, type DetectorFormat } from './detector-format.ts';

const CHANNELS = 6;

/** YOLOv10 in its ONNX export: 1 x boxes x (left, top, right, bottom, confidence, label) in pixels of the input. */
export const yolov10: DetectorFormat = {
  ...yoloInput,
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
