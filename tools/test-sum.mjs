// Prints what was skipped and why, and last the sum of one run of the tests, alone on its line.
// Exit code 1 when a test failed, was skipped without leave, or none ran. Usage: node tools/test-sum.mjs REPORT
// Plain JavaScript, since it speaks when the build has failed too.
import { readFileSync } from 'node:fs';

/** Suites that may be skipped where continuous integration runs, by the beginning of their titles, each with the reason. */
const KNOWN_SKIPS = [
  ['a corpus of real, broken and false videos', 'the corpus is not part of the project'],
  ['photographs of people, cars, dogs and signs', 'the corpus is not part of the project'],
  ['a full disk', 'mounting a small file system takes root'],
  ['DuckDBJobStore on a full disk', 'mounting a small file system takes root'],
  ['the fuzzer sees the analysing process', 'strace is not installed, or may not attach to a process'],
];
const reasonOf = (title) => KNOWN_SKIPS.find(([suite]) => title.startsWith(suite))?.[1];

const { passed, failed, skipped } = readReport(process.argv[2]);
for (const title of skipped) {
  const why = reasonOf(title);
  console.log(why ? `skipped: ${title}: ${why}` : `skipped WITHOUT LEAVE: ${title}`);
}
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
if (failed > 0 || passed === 0 || skipped.some((title) => reasonOf(title) === undefined)) process.exitCode = 1;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.log('the tests did not run');
    return { passed: 0, failed: 0, skipped: [] };
  }
}
