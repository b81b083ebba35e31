// Compiles into .build/<hash of the sources>/ and points the link `dist` at it: nothing to do when nothing changed,
// no stale file, no moment without a `dist`, and two that start at once make the same folder (the second's is dropped).
// Plain JavaScript, since it runs before anything is compiled.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROJECTS = ['tsconfig.json', 'src/web/tsconfig.json']; // what runs in Node, and what runs in the browser
const KEPT_BUILDS = 4; // a service that runs from an older build still finds its child's files
const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const hash = createHash('sha256');
for (const file of ['package-lock.json', ...PROJECTS, ...['src', 'machines', 'tools', 'test'].flatMap(sourcesOf)]) {
  hash.update(file).update('\0').update(readFileSync(file)).update('\0');
}
const build = `.build/${hash.digest('hex').slice(0, 16)}`;

if (!existsSync(build)) {
  const draft = `.build/draft-${process.pid}`;
  mkdirSync('.build', { recursive: true });
  for (const project of PROJECTS) {
    const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project, '--outDir', draft], {
      stdio: 'inherit',
    });
    if (tsc.status !== 0) {
      rmSync(draft, { recursive: true, force: true });
      process.exit(tsc.status ?? 1);
    }
  }
  try {
    renameSync(draft, build);
  } catch (error) {
    if (!existsSync(build)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  const old = readdirSync('.build')
    .filter((name) => !name.startsWith('draft-') && !name.startsWith('link-'))
    .map((name) => ({ path: `.build/${name}`, builtMs: statSync(`.build/${name}`).mtimeMs }))
    .toSorted((a, b) => b.builtMs - a.builtMs)
    .slice(KEPT_BUILDS);
  for (const { path } of old) rmSync(path, { recursive: true, force: true });
}
const link = `.build/link-${process.pid}`;
symlinkSync(build, link);
renameSync(link, 'dist');

function sourcesOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .toSorted();
}
