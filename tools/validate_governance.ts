import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/errors.ts';
import { scanProject, type Scan } from './governance/scan.ts';

const HELP = `Usage: npm run governance -- [--root DIR] [--json] [--help]

Holds functional code (src/, machines/) and the runtime dependencies against tools/forbidden_vocabulary.yaml.

  --root DIR  the project to check; default: this one
  --json      print {files_read, findings} as JSON

Exit code: 0 nothing found, 1 something found (path:line:column term reason), 2 the check could not be made: no file
was read, or the rules or package.json are wrong.`;

const FOUND = 1;
const NOT_CHECKED = 2;

function main(): void {
  const { values } = parseArgs({
    options: {
      root: { type: 'string', default: fileURLToPath(new URL('.', import.meta.resolve('#package.json'))) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const scan = scanProject(path.resolve(values.root));
  const filesRead = Object.values(scan.filesRead).reduce((sum, count) => sum + count, 0);
  if (values.json) console.log(JSON.stringify({ files_read: filesRead, findings: scan.findings }, null, 2));
  else printFindings(scan, filesRead);
  if (filesRead === 0) {
    console.error(`governance: no file was read under ${Object.keys(scan.filesRead).join(', ')} of ${values.root}`);
    process.exitCode = NOT_CHECKED;
  } else if (scan.findings.length > 0) process.exitCode = FOUND;
}

function printFindings({ filesRead, findings }: Scan, total: number): void {
  for (const found of findings) {
    console.log(`${found.path}:${found.line}:${found.column} ${found.term} ${found.reason}`);
  }
  const folders = Object.entries(filesRead).map(([folder, count]) => `${folder} ${count}`);
  console.log(`governance: ${findings.length} found in ${total} files read (${folders.join(', ')}) and package.json`);
}

try {
  main();
} catch (error) {
  console.error(`governance: ${messageOf(error)}`);
  process.exitCode = NOT_CHECKED;
}
