/** Replaces control characters, so that text from videos, file names and messages cannot control the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => (/\s/.test(character) ? ' ' : '\u{FFFD}'));
}
