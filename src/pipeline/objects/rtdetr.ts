import type { OutputTensor } from '../models/model-sessions.ts';
import { edges, type DetectorFormat } from './detector-format.ts';

const BOX_CHANNELS = 4;

/**
 * RT-DETR and D-FINE in the ONNX export of Hugging Face: `logits`, 1 x queries x class logits, and `pred_boxes`, 1 x
 * queries x (centre x, centre y, width, height) as shares of the input. A query may be of several classes; its
 * confidence is the sigmoid of the logit. The input is RGB from 0 to 1, stretched.
 */
export const rtdetr: DetectorFormat = {
  order: 'rgb',
  mean: [0, 0, 0],
  deviation: [255, 255, 255],
  placement: 'stretched',
  padding: 0,
  open: { side: 640, border: 0 },
  isUnique: true,

  mismatch(outputs, _input, labels) {
    const pair = logitsAndBoxes(outputs);
    const queries = pair?.logits.dims[1] ?? 0;
    const fits =
      pair?.logits.dims.join() === [1, queries, labels].join() &&
      pair.boxes.dims.join() === [1, queries, BOX_CHANNELS].join();
    return fits ? undefined : `logits of 1 x queries x ${labels} and pred_boxes of 1 x queries x 4`;
  },

  decode(outputs, input, labels, minConfidence) {
    const pair = logitsAndBoxes(outputs);
    if (!pair) return [];
    const found = [];
    // Fewer sigmoids: the comparison is with the logit.
    const least = Math.log(minConfidence / (1 - minConfidence));
    for (const [at, logit] of pair.logits.data.entries()) {
      if (logit < least) continue;
      const start = Math.floor(at / labels) * BOX_CHANNELS;
      const [x = 0, y = 0, width = 0, height = 0] = pair.boxes.data.subarray(start, start + BOX_CHANNELS);
      const box = edges(x * input.width, y * input.height, width * input.width, height * input.height);
      found.push({ label: at % labels, confidence: 1 / (1 + Math.exp(-logit)), ...box });
    }
    return found;
  },
};

/** Returns the two outputs by their names; undefined unless there are these two. */
function logitsAndBoxes(outputs: readonly OutputTensor[]) {
  const logits = outputs.find(({ name }) => name.includes('logits'));
  const boxes = outputs.find(({ name }) => name.includes('boxes'));
  return logits && boxes && outputs.length === 2 ? { logits, boxes } : undefined;
}
