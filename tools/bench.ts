/** `npm run bench -- [part …]`: prints the machine and runs the parts, one after the other, each in a process of its own. */
import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const PARTS = ['pipeline', 'jobs', 'http', 'load', 'engine', 'store', 'growth'] as const;
const GIB = 1024 ** 3;

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !PARTS.some((part) => part === name));
if (unknown.length > 0) {
  console.log(`Usage: npm run bench -- [part ...]\n\nParts: ${PARTS.join(', ')}; all when none is named.`);
  process.exitCode = unknown.every((name) => name === '--help') ? 0 : 2;
} else {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  console.log(
    `${model.trim()}, ${cpus().length} cores, ${(totalmem() / GIB).toFixed(0)} GiB, Node.js ${process.version}`,
  );
  for (const part of PARTS.filter((name) => wanted.length === 0 || wanted.includes(name))) {
    console.log(`\n${part}`);
    const module = fileURLToPath(new URL(`bench/${part}.js`, import.meta.url));
    const { status } = spawnSync(process.execPath, [module], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
