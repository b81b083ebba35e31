/** Longest kept name in bytes of UTF-8, the limit of most file systems. */
const MAX_BYTES = 255;
/** Control characters and marks that change the direction of text (Unicode TR 9). */
const REMOVED = /[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Returns the displayed name of an uploaded file: without path, control and direction characters, at most 255 bytes.
 * Null if nothing is left.
 */
export function cleanFileName(given: string | undefined): string | null {
  const name =
    (given ?? '').toWellFormed().replaceAll(REMOVED, '').split(/[/\\]/).at(-1)?.trim().normalize('NFC') ?? '';
  const cut = truncated(name);
  return cut === '' || cut === '.' || cut === '..' ? null : cut;
}

/** Shortens a name before its extension, between characters. */
function truncated(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const [extension = ''] = /\.[A-Za-z0-9]{1,8}$/.exec(name) ?? [];
  const characters = Array.from(name.slice(0, name.length - extension.length));
  let bytes = Buffer.byteLength(extension);
  const kept = characters.findIndex((character) => (bytes += Buffer.byteLength(character)) > MAX_BYTES);
  return characters.slice(0, kept).join('') + extension;
}
