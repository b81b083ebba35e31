// mocha's own reporter, which also writes the sums and the skipped tests to the file that TEST_REPORT names.
// CommonJS, since that is how mocha finds a reporter's class.
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TestReport extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TEST_REPORT;
    if (!file) return;
    const skipped = [];
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.once('end', () => {
      const { passes: passed, failures: failed } = runner.stats;
      writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
    });
  }
};
