/** Returns the document with the first text block under the part's heading replaced. Adds a missing part. */
export function withFigures(document: string, part: string, figures: string): string {
  const block = `\`\`\`text\n${figures.trimEnd()}\n\`\`\``;
  const heading = `## ${part}\n`;
  const start = document.indexOf(heading);
  if (start === -1) return `${document.trimEnd()}\n\n${heading}\n${block}\n`;
  const from = start + heading.length;
  const next = document.indexOf('\n## ', from);
  const end = next === -1 ? document.length : next;
  const section = document.slice(from, end);
  const made = /```text\n[\s\S]*?```/.test(section)
    ? section.replace(/```text\n[\s\S]*?```/, () => block)
    : `${section.trimEnd()}\n\n${block}\n`;
  return document.slice(0, from) + made + document.slice(end);
}
