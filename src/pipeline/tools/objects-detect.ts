import { z } from 'zod';
import { ServiceError } from '../../errors.ts';
import { modelNameSchema } from '../models/model-catalogue.ts';
import { ObjectDetector } from '../objects/object-detector.ts';
import { defineTool } from './tool.ts';

/** Detects objects: `detections`, the surest first. */
export const objectsDetect = defineTool({
  name: 'objects.detect',
  description: 'Detects the objects of a frame',
  gives: ['detections'],
  params: ({ detector }) =>
    z.strictObject({
      /** Name of a model; the default is the one that `npm run models -- default` chose. */
      model: modelNameSchema.default(detector),
      /** Objects less sure are dropped. */
      min_confidence: z.number().min(0.01).max(1).default(0.4),
      /** Of two boxes of a label that share more than this part of their union, the surer one stays. */
      iou: z.number().min(0).max(1).default(0.5),
      /** Labels to keep; absent: all. */
      labels: z.array(z.string().min(1)).min(1).optional(),
      max_detections: z.int().min(1).max(1000).default(100),
    }),
  async check({ model, labels = [] }, catalogue) {
    await catalogue.verify(model);
    const known = (await catalogue.get(model)).labels;
    const strange = labels.find((label) => !known.includes(label));
    if (strange !== undefined) {
      throw new ServiceError('invalid_pipeline', `model ${model} has no label ${strange}`);
    }
  },
  async open(params, sessions) {
    const { entry, model } = await sessions.detector(params.model);
    const detector = new ObjectDetector(entry, model);
    const options = {
      minConfidence: params.min_confidence,
      iou: params.iou,
      maxDetections: params.max_detections,
      ...(params.labels && { labels: params.labels }),
    };
    return async ({ frame }) => ({ detections: await detector.detect(frame, options) });
  },
});
