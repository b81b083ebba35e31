// Writes the generated sections of the documents. `--check` writes nothing and exits with 1 if one is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { documentFiles } from './documents/document-files.ts';
import { fillSections } from './documents/generated-sections.ts';

const { values } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    root: { type: 'string', default: fileURLToPath(new URL('.', import.meta.resolve('#package.json'))) },
  },
});

for (const file of documentFiles(values.root)) {
  const whole = path.join(values.root, file);
  const text = readFileSync(whole, 'utf8');
  const fresh = fillSections(text);
  if (fresh === text) continue;
  console.log(`${file}: ${values.check ? 'stale' : 'written'}`);
  if (values.check) process.exitCode = 1;
  else writeFileSync(whole, fresh);
}
