/** `npm run mutate -- [folder…]`: changes the compiled code in small ways and counts the changes that a test notices. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is changed, and the tests that must notice; only tests in their own process can. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  machines: ['machines', 'engine'],
  'src/engine': ['engine', 'http'],
  'src/store': ['store'],
  'src/storage': ['storage'],
  'src/queue': ['queue'],
};
/** They kill processes, compile programs or wait for slow clients: it takes long and shows nothing here. */
const LEFT_OUT = [
  'dist/test/engine/crash-points.test.js',
  'dist/test/http/limits.test.js',
  'dist/test/http/openapi.test.js',
];
/** A list of names, for the tests that were left out. */
const NAMES_ALONE = ['dist/src/engine/step.js'];
const BREAK_BELOW = 80;
/** Courses of the model for each change: what a few do not notice, hundreds of changes later, costs too much to look for. */
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

/** @returns the exit code: not 0 when the score is below the floor */
function mutate(folder: string, tests: readonly string[]): number {
  // A project of its own, compiled: nothing has to be compiled again for each change.
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
      // One that does not exist keeps the program away from a compiler that it does not know.
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
