import { ocrRead } from './ocr-read.ts';
import type { Tool } from './tool.ts';

/** Every tool that a pipeline may name. */
export const TOOLS: ReadonlyMap<string, Tool> = new Map([ocrRead].map((tool) => [tool.name, tool]));
