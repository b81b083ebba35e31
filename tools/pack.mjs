// Makes an installable package: `npm run pack` prints the path of `reelstate-<version>.tgz`.
// The package is staged in .build/package, because `dist` is a link, which npm does not follow, and because
// onnxruntime-node is bundled without its install script: that script downloads GPU libraries that Reelstate does not
// use, and fails the installation where it cannot.
// Plain JavaScript, like build.mjs, so that it needs nothing but the build.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const BUNDLED = ['onnxruntime-node', 'onnxruntime-common'];
/** Used by the install script of onnxruntime-node alone. */
const INSTALLER_PACKAGES = new Set(['adm-zip', 'global-agent']);
/**
 * The shader compiler of the WebGPU backend, which Reelstate does not use (43 MB), and a second copy of the library for
 * macOS: the binding loads `@rpath/libonnxruntime.1.dylib` (45 MB).
 */
const UNUSED_FILE = /^(dxcompiler\.dll|dxil\.dll|libonnxruntime\.\d+\.\d+\.\d+\.dylib)$/;
const NOT_PUBLISHED = new Set(['.map', '.tsx', '.tsbuildinfo']);

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const staged = '.build/package';
rmSync(staged, { recursive: true, force: true });
mkdirSync(staged, { recursive: true });

/** Everything of a folder but sources, whose compiled form is in dist. */
const assets = (source) =>
  !source.endsWith('.ts') && !NOT_PUBLISHED.has(extname(source)) && !source.endsWith('tsconfig.json');
const compiled = (source) => extname(source) !== '.map';
for (const folder of ['src', 'machines'])
  cpSync(`dist/${folder}`, `${staged}/dist/${folder}`, { recursive: true, filter: compiled });
// The contract suites, for other implementations of the ports.
for (const contract of Object.values(JSON.parse(readFileSync('package.json', 'utf8')).exports)) {
  if (!contract.startsWith('./dist/test/')) continue;
  for (const path of [contract, contract.replace(/\.js$/, '.d.ts')]) cpSync(path, `${staged}/${path}`);
}
cpSync('src', `${staged}/src`, { recursive: true, filter: assets });
for (const kept of ['migrations', 'README.md', 'LICENSE', 'NOTICE', 'docs']) {
  cpSync(kept, `${staged}/${kept}`, { recursive: true });
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const bundled = Object.fromEntries(
  BUNDLED.map((name) => [name, JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'))]),
);
for (const name of BUNDLED) {
  cpSync(`node_modules/${name}`, `${staged}/node_modules/${name}`, {
    recursive: true,
    filter: (path) => !UNUSED_FILE.test(basename(path)),
  });
  const { scripts: _, devDependencies: __, ...own } = bundled[name];
  const dependencies = Object.fromEntries(
    Object.entries(own.dependencies ?? {}).filter(([dependency]) => !INSTALLER_PACKAGES.has(dependency)),
  );
  writeFileSync(`${staged}/node_modules/${name}/package.json`, JSON.stringify({ ...own, dependencies }, null, 2));
}
const { name, version, description, license, type, engines, imports, exports, bin, dependencies } = manifest;
writeFileSync(
  `${staged}/package.json`,
  `${JSON.stringify(
    {
      name,
      version,
      description,
      license,
      type,
      engines,
      imports,
      exports,
      bin,
      dependencies: {
        ...dependencies,
        ...Object.fromEntries(BUNDLED.map((each) => [each, bundled[each].version])),
      },
      // For the contract suites alone.
      peerDependencies: { chai: '>=5', mocha: '>=10' },
      peerDependenciesMeta: { chai: { optional: true }, mocha: { optional: true } },
      bundleDependencies: BUNDLED,
    },
    null,
    2,
  )}\n`,
);

const destination = process.argv[2] ?? '.';
mkdirSync(destination, { recursive: true });
const packed = spawnSync('npm', ['pack', `./${staged}`, '--pack-destination', destination, '--silent'], {
  encoding: 'utf8',
});
process.stderr.write(packed.stderr);
if (packed.status !== 0) process.exit(packed.status ?? 1);
console.log(`${destination}/${packed.stdout.trim()}`);
