/** `npm run bench -- [part …]`: prints the machine and runs the parts one after another, each in its own process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PARTS = [
  'pipeline',
  'accuracy',
  'segments',
  'jobs',
  'http',
  'uploads',
  'load',
  'engine',
  'store',
  'growth',
  'search',
  'pages',
] as const;
const GIB = 1024 ** 3;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string' },
    pipeline: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const isUnknown = wanted.some((name) => !PARTS.some((part) => part === name));
if (values.help || isUnknown) {
  console.log(`Usage: npm run bench -- [part ...]\n\nParts: ${PARTS.join(', ')}; all when none is named.`);
  console.log('--folder DIR (accuracy) takes pictures and videos of your own, described by DIR/truth.json.');
  console.log('--pipeline ID (accuracy) reads with another pipeline than ocr_only.');
  process.exitCode = isUnknown ? 2 : 0;
} else {
  console.log(machineOf());
  for (const part of PARTS.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    console.log(`\n${part}`);
    if ((await run(part)) !== 0) process.exitCode = 1;
  }
}

function machineOf(): string {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  const memory = (totalmem() / GIB).toFixed(0);
  const date = new Date().toISOString().slice(0, 10);
  return `${model.trim()}, ${cpus().length} cores, ${memory} GiB, Node.js ${process.version}, ${date}`;
}

/** Resolves with the exit code of a part. */
async function run(part: string): Promise<unknown> {
  const module = fileURLToPath(new URL(`bench/${part}.js`, import.meta.url));
  const options = part === 'accuracy' ? accuracyOptions() : [];
  const child = spawn(process.execPath, [module, ...options], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  return code;
}

function accuracyOptions(): string[] {
  const { folder, pipeline } = values;
  return [
    ...(folder === undefined ? [] : ['--folder', folder]),
    ...(pipeline === undefined ? [] : ['--pipeline', pipeline]),
  ];
}
