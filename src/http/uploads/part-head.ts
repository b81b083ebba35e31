import { ServiceError } from '../../errors.ts';

/** The parsed headers of a part. */
export interface PartHead {
  /** Undefined if the part has no field name. */
  readonly name: string | undefined;
  /** Decoded file name of the client; undefined if the part has none, empty if no file was chosen. */
  readonly fileName: string | undefined;
  readonly hasType: boolean;
  /** Lower case; empty if the part has none. */
  readonly transferEncoding: string;
}

/** @throws ServiceError `invalid_request` if a line is not a header */
export function parsePartHead(text: string): PartHead {
  // A line that begins with white space continues the previous one.
  const lines = text.replaceAll(/\r\n[ \t]/g, ' ').split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon === -1) throw new ServiceError('invalid_request', 'A header of a part has no colon');
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const parameters = parametersOf(headers.get('content-disposition') ?? '');
  const extended = parameters.get('filename*');
  const plain = parameters.get('filename');
  return {
    name: parameters.get('name'),
    fileName: (extended === undefined ? undefined : decodeExtended(extended)) ?? unescaped(plain ?? extended),
    hasType: headers.has('content-type'),
    transferEncoding: (headers.get('content-transfer-encoding') ?? '').toLowerCase(),
  };
}

/**
 * Parses `form-data; name="file"; filename="a.mp4"` from left to right, so that text in a quoted value cannot become a
 * parameter. The first value of a name counts.
 */
function parametersOf(disposition: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  let at = disposition.indexOf(';');
  while (at !== -1) {
    const equals = disposition.indexOf('=', at);
    if (equals === -1) break;
    const name = disposition
      .slice(at + 1, equals)
      .trim()
      .toLowerCase();
    let start = equals + 1;
    while (disposition[start] === ' ' || disposition[start] === '\t') start += 1;
    const isQuoted = disposition[start] === '"';
    const end = isQuoted ? endOfQuoted(disposition, start + 1) : endOfToken(disposition, start);
    const raw = disposition.slice(isQuoted ? start + 1 : start, end);
    if (!parameters.has(name)) parameters.set(name, isQuoted ? raw.replaceAll('\\"', '"') : raw.trim());
    at = disposition.indexOf(';', end);
  }
  return parameters;
}

function endOfToken(text: string, start: number): number {
  const end = text.indexOf(';', start);
  return end === -1 ? text.length : end;
}

/** A quote after a backslash belongs to the value, unless no other quote ends it: some clients send paths unescaped. */
function endOfQuoted(text: string, start: number): number {
  for (let at = text.indexOf('"', start); at !== -1; at = text.indexOf('"', at + 1)) {
    if (text[at - 1] !== '\\') return at;
  }
  const last = text.lastIndexOf('"');
  return last < start ? text.length : last;
}

/** Browsers percent-encode three characters of a file name, and no others. */
function unescaped(fileName: string | undefined): string | undefined {
  return fileName?.replaceAll('%22', '"').replaceAll(/%0D/gi, '\r').replaceAll(/%0A/gi, '\n');
}

/** RFC 8187: `UTF-8''percent-encoded`. */
function decodeExtended(value: string): string | undefined {
  const [, encoded] = /^utf-8'[^']*'(.*)$/i.exec(value) ?? [];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
