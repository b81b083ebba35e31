import { objectsDetect } from './objects-detect.ts';
import { ocrRead } from './ocr-read.ts';
import type { Tool } from './tool.ts';

/** All tools by name. */
export const TOOLS: ReadonlyMap<string, Tool> = new Map([objectsDetect, ocrRead].map((tool) => [tool.name, tool]));
