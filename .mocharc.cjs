// CommonJS, because that is how mocha reads its settings.
const { availableParallelism, totalmem } = require('node:os');

/** A worker and the processes of its tests have up to this many bytes. */
const BYTES_PER_JOB = 2 * 1024 ** 3;

module.exports = {
  reporter: 'tools/test-report.cjs',
  require: ['./dist/test/run/test-run.js'],
  'forbid-only': true,
  timeout: 600_000,
  // With --parallel. More than two cores, because the tests of processes often wait.
  jobs: Math.max(3, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_JOB))),
};
