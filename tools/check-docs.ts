// Checks the documents for missing files, dead links, words that promise missing content, and stale generated sections.
// Prints path:line message. Exit code 1 on a fault, 2 if no document was read.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { documentFaults } from './documents/document-faults.ts';
import { documentFiles, missingDocuments } from './documents/document-files.ts';

const { values } = parseArgs({
  options: { root: { type: 'string', default: fileURLToPath(new URL('.', import.meta.resolve('#package.json'))) } },
});
const root = path.resolve(values.root);
const files = documentFiles(root);
const faults = [
  ...missingDocuments(root).map((file) => `${file}:1 missing document`),
  ...files.flatMap((file) => documentFaults(root, file).map(({ line, message }) => `${file}:${line} ${message}`)),
];
for (const fault of faults) console.log(fault);
console.log(`documents: ${faults.length} faults in ${files.length} files`);
if (files.length === 0) process.exitCode = 2;
else if (faults.length > 0) process.exitCode = 1;
