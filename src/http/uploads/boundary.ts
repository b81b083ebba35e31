/** RFC 2046, 5.1.1. */
const MAX_BOUNDARY_LENGTH = 70;

/** One parameter of a header value: `; name=token` or `; name="quoted"`, with optional white space. */
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*(?:"([^"]*)"|([^;"]*))/g;

/** Returns the boundary of a Content-Type; undefined if there is none or it is too long. */
export function boundaryOf(contentType: string): string | undefined {
  for (const [, name = '', quoted, token = ''] of contentType.matchAll(PARAMETER)) {
    if (name.toLowerCase() !== 'boundary') continue;
    const boundary = quoted ?? token.trim();
    return boundary === '' || boundary.length > MAX_BOUNDARY_LENGTH ? undefined : boundary;
  }
  return undefined;
}
