import { z } from 'zod';
import { ServiceError } from '../../errors.ts';
import { modelNameSchema } from '../models/model-catalogue.ts';
import { ObjectDetector } from '../objects/object-detector.ts';
import { defineTool } from './tool.ts';

/** Detects objects: `detections`, highest confidence first. */
export const objectsDetect = defineTool({
  name: 'objects.detect',
  description: 'Detects the objects of a frame',
  gives: ['detections'],
  params: ({ detector }) =>
    z.strictObject({
      model: modelNameSchema
        .default(detector)
        .describe('Name of a detector from `reelstate models list`; default: the one marked there'),
      min_confidence: z.number().min(0.01).max(1).default(0.4).describe('Minimum confidence of an object'),
      iou: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('Above this intersection over union, only the more confident of two boxes of one label is kept'),
      labels: z.array(z.string().min(1)).min(1).optional().describe('Labels to keep; default all'),
      max_detections: z.int().min(1).max(1000).default(100).describe('Maximum number of objects, by confidence'),
    }),
  async check({ model, labels = [] }, catalogue) {
    await catalogue.verify(model, 'objects');
    const known = (await catalogue.get(model)).labels;
    const strange = labels.find((label) => !known.includes(label));
    if (strange !== undefined) {
      throw new ServiceError('invalid_pipeline', `model ${model} has no label ${strange}`);
    }
  },
  async open(params, sessions) {
    const { entry, model } = await sessions.named(params.model);
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
