import type { TextVerdict } from '../client/expected-text.ts';
import { formatTimecode } from '../web/duration.ts';

/** Returns a JUnit XML report with one test case per expected text. */
export function junitReport(video: string, verdicts: readonly TextVerdict[]): string {
  const failures = verdicts.filter(({ isMet }) => !isMet).length;
  const cases = verdicts.map((verdict) => {
    const name = escaped(`${verdict.isAbsence ? 'absent' : 'text'}: ${verdict.text}`);
    const failure = verdict.isMet ? '' : `<failure message="${escaped(verdictText(verdict))}"/>`;
    return `    <testcase classname="${escaped(video)}" name="${name}">${failure}</testcase>\n`;
  });
  const head = `name="${escaped(video)}" tests="${verdicts.length}" failures="${failures}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite ${head}>\n${cases.join('')}  </testsuite>\n</testsuites>\n`;
}

/** The message about one expected text. */
export function verdictText({ text, isAbsence, isMet, seen, nearest }: TextVerdict): string {
  const where = (found: NonNullable<typeof seen>) =>
    `"${found.text}" at ${formatTimecode(found.start_ms)}–${formatTimecode(found.end_ms)}`;
  if (seen !== undefined) return `${isMet ? 'met' : 'not met'}: "${text}" is seen: ${where(seen)}`;
  if (isAbsence) return `met: "${text}" is not seen`;
  return `not met: "${text}" is not seen; nearest: ${nearest === undefined ? 'no text was read' : where(nearest)}`;
}

function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\t\n\r]/g, ' ');
}
