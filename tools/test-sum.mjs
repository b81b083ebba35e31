// Prints which tests were skipped and why, and last the sum of all runs of the tests, alone on its line.
// Exit code 1 when a test failed, was skipped for no known reason, or a run did not happen.
// Usage: node tools/test-sum.mjs REPORT... Plain JavaScript, since it also runs when the build has failed.
import { readFileSync } from 'node:fs';

/** Suites that may be skipped in continuous integration, by the beginning of their titles, each with the reason. */
const KNOWN_SKIPS = [
  ['a corpus of real, broken and false videos', 'the corpus is not part of the project'],
  ['photographs of people, cars, dogs and signs', 'the corpus is not part of the project'],
  ['a full disk', 'mounting a small file system takes root'],
  ['DuckDBJobStore on a full disk', 'mounting a small file system takes root'],
  ['the service on a full disk', 'mounting a small file system takes root'],
  ...['main.js', 'reelstate serve', 'npm start'].map((name) => [
    `a signal during the start reaches ${name} also as process 1`,
    'a process namespace takes root',
  ]),
  ['a Slurm job array over many videos', 'its daemons take root: they run in a job of their own'],
  ['GNU parallel over many videos spreads the videos', 'sshd takes root: it runs in a job of its own'],
  ['the fuzzer sees the analysing process', 'strace is not installed, or may not attach to a process'],
];
const reasonOf = (title) => KNOWN_SKIPS.find(([suite]) => title.startsWith(suite))?.[1];

const reports = process.argv.slice(2).map(readReport);
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const skipped = reports.flatMap((report) => report.skipped);
for (const title of new Set(skipped)) {
  const why = reasonOf(title);
  console.log(why ? `skipped: ${title}: ${why}` : `skipped WITHOUT A KNOWN REASON: ${title}`);
}
const passed = sum(reports.map((report) => report.passed));
const failed = sum(reports.map((report) => report.failed));
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
const isMissing = reports.length === 0 || reports.some((report) => report.passed === 0);
if (failed > 0 || isMissing || skipped.some((title) => reasonOf(title) === undefined)) process.exitCode = 1;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    console.log(`the tests did not run: ${file} is missing`);
    return { passed: 0, failed: 0, skipped: [] };
  }
}
