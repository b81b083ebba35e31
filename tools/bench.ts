/**
 * `npm run bench -- [--write] [part …]`: prints the machine and runs the parts one after another, each in its own
 * process. With `--write`, each part's figures replace those in docs/BENCHMARKS.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withFigures } from './bench/report.ts';

const PARTS = [
  'pipeline',
  'accuracy',
  'segments',
  'jobs',
  'http',
  'load',
  'engine',
  'store',
  'growth',
  'search',
] as const;
const GIB = 1024 ** 3;
const REPORT = fileURLToPath(new URL('docs/BENCHMARKS.md', import.meta.resolve('#package.json')));

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    folder: { type: 'string' },
    pipeline: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const isUnknown = wanted.some((name) => !PARTS.some((part) => part === name));
if (values.help || isUnknown) {
  console.log(`Usage: npm run bench -- [--write] [part ...]\n\nParts: ${PARTS.join(', ')}; all when none is named.`);
  console.log('--write puts the figures into docs/BENCHMARKS.md.');
  console.log('--folder DIR (accuracy) takes pictures and videos of your own, described by DIR/truth.json.');
  console.log('--pipeline ID (accuracy) reads with another pipeline than ocr_only.');
  process.exitCode = isUnknown ? 2 : 0;
} else {
  const machine = machineOf();
  console.log(machine);
  for (const part of PARTS.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    console.log(`\n${part}`);
    const { code, output } = await run(part);
    if (code !== 0) process.exitCode = 1;
    else if (values.write)
      writeFileSync(REPORT, withFigures(readFileSync(REPORT, 'utf8'), part, `${machine}\n${output}`));
  }
}

function machineOf(): string {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  const memory = (totalmem() / GIB).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  return `${model.trim()}, ${cpus().length} cores, ${memory} GiB, Node.js ${process.version}, ${date}`;
}

/** Runs a part and prints its output as it arrives. */
async function run(part: string): Promise<{ readonly code: unknown; readonly output: string }> {
  const module = fileURLToPath(new URL(`bench/${part}.js`, import.meta.url));
  const child = spawn(process.execPath, [module, ...(part === 'accuracy' ? accuracyOptions() : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

function accuracyOptions(): string[] {
  const { folder, pipeline } = values;
  return [
    ...(folder === undefined ? [] : ['--folder', folder]),
    ...(pipeline === undefined ? [] : ['--pipeline', pipeline]),
  ];
}
