/** RFC 2046, 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

/** One parameter of a header value: `; name=token` or `; name="quoted"`, with optional white space around each. */
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"([^"]*)"|([^;"]*))/g;

/** Returns the boundary that a Content-Type names; undefined when there is none or when it is longer than allowed. */
export function boundaryOf(contentType: string): string | undefined {
  for (const [, name = '', quoted, token = ''] of contentType.matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'boundary') continue;
    const boundary = quoted ?? token.trim();
    return boundary === '' || boundary.length > MAX_BOUNDARY_LENGTH ? undefined : boundary;
  }
  return undefined;
}
