/** `npm run mutate -- [folder…]`: makes small changes to the compiled code and counts those that a test detects. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The mutated code and the tests that must detect it; only tests in the same process can. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines', 'engine'],
  'src/engine': ['engine', 'http'],
  'src/store': ['store'],
  'src/storage': ['storage'],
  'src/queue': ['queue'],
};
/** These kill processes, compile programs or wait for slow clients: slow, and not useful here. */
const LEFT_OUT = [
  'dist/test/engine/crash-points.test.js',
  'dist/test/http/limits.test.js',
  'dist/test/http/openapi.test.js',
];
/** A list of names, for the excluded tests. */
const NAMES_ALONE = ['dist/src/engine/step.js'];
const BREAK_BELOW = 80;
/** Model runs per mutant, limited because of their cost. */
const MODEL_RUNS = '5';

const root = fileURLToPath(new URL('.', import.meta.resolve('#package.json')));
const given = process.argv.slice(2);
const chosen = given.length === 0 ? Object.keys(FOLDERS) : given;
let worst = 0;
for (const folder of chosen) {
  const tests = FOLDERS[folder];
  if (tests === undefined) {
    process.stderr.write(`no such folder: ${folder}; there is: ${Object.keys(FOLDERS).join(', ')}\n`);
    process.exit(1);
  }
  worst = Math.max(worst, mutate(folder, tests));
}
process.exitCode = worst;

/** @returns the exit code: not 0 if the score is below the minimum */
function mutate(folder: string, tests: readonly string[]): number {
  // A separate, compiled project, so that nothing is compiled again for each change.
  const project = mkdtempSync(join(tmpdir(), 'reelstate-mutate-'));
  try {
    cpSync(realpathSync(join(root, 'dist')), join(project, 'dist'), { recursive: true });
    for (const kept of ['package.json', 'migrations', 'src', 'machines', 'docs']) {
      cpSync(join(root, kept), join(project, kept), { recursive: true });
    }
    symlinkSync(realpathSync(join(root, 'node_modules')), join(project, 'node_modules'));
    const config = {
      testRunner: 'mocha',
      plugins: ['@stryker-mutator/mocha-runner'],
      // A missing file keeps the program from using an unknown compiler.
      tsconfigFile: 'none.json',
      mutate: [`dist/${folder}/**/*.js`, ...NAMES_ALONE.map((file) => `!${file}`)],
      mochaOptions: {
        spec: tests.map((name) => `dist/test/${name}/**/*.test.js`),
        ignore: LEFT_OUT,
        'no-config': true,
      },
      coverageAnalysis: 'perTest',
      ignoreStatic: true,
      concurrency: 2,
      timeoutMS: 10_000,
      disableTypeChecks: false,
      checkers: [],
      reporters: ['progress-append-only', 'clear-text'],
      clearTextReporter: { allowColor: false, logTests: false, reportScoreTable: true },
      thresholds: { high: 90, low: BREAK_BELOW, break: BREAK_BELOW },
      allowEmpty: false,
      cleanTempDir: 'always',
    };
    writeFileSync(join(project, 'stryker.config.json'), JSON.stringify(config));
    const stryker = join(project, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    process.stdout.write(`\nmutants of ${folder}\n`);
    return (
      spawnSync(process.execPath, [stryker, 'run'], {
        cwd: project,
        stdio: 'inherit',
        env: { MODEL_RUNS, ...process.env },
      }).status ?? 1
    );
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
