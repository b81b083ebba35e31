import { gridSize, isOnly, yoloInput, type DetectorFormat } from './detector-format.ts';
import { BOX_CHANNELS, objectnessBoxes } from './objectness-boxes.ts';

const ANCHORS = 3;

/**
 * YOLOv5 (3 and 7 too) in its ONNX export: 1 x points x (centre x, centre y, width, height, objectness, class scores) in
 * pixels of the input and after the sigmoid, with three points in each cell.
 */
export const yolov5: DetectorFormat = {
  ...yoloInput,
  isUnique: false,

  mismatch(outputs, input, labels) {
    const points = ANCHORS * gridSize(input);
    return isOnly(outputs, [1, points, BOX_CHANNELS + labels]) ? undefined : `1 x ${points} x (5 + ${labels})`;
  },

  decode([output], _input, labels, minConfidence) {
    return output ? objectnessBoxes(output.data, labels, minConfidence) : [];
  },
};
