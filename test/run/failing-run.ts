/** Mocha runs this file in a test. Its test fails. */
describe('a run with a failure', () => {
  it('fails', () => {
    throw new Error('a failure');
  });
});
