/** Text of videos, file names and messages must not steer the terminal that shows it: one line, and no control characters. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => (/\s/.test(character) ? ' ' : '\u{FFFD}'));
}
