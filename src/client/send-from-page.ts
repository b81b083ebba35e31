import type { Upload } from './send-file.ts';

/** The used part of XMLHttpRequest, which Node.js types do not have. */
interface PageRequest {
  readonly status: number;
  readonly responseText: string;
  readonly upload: {
    addEventListener(name: 'progress', listener: (event: { readonly loaded: number }) => void): void;
  };
  addEventListener(name: 'load' | 'loadend' | 'error' | 'abort', listener: () => void): void;
  getAllResponseHeaders(): string;
  open(method: string, address: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: FormData): void;
  abort(): void;
}
declare const XMLHttpRequest: new () => PageRequest;

/** Sends the form from a page. Uses XMLHttpRequest, because `fetch` in browsers has no upload progress. */
export function sendFromPage({ address, headers, file, fileName, signal, onProgress }: Upload): Promise<Response> {
  const form = new FormData();
  form.set('file', file, fileName);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const cancel = (): void => request.abort();
    signal?.addEventListener('abort', cancel);
    // `loaded` counts the whole form.
    request.upload.addEventListener('progress', ({ loaded }) => onProgress?.(Math.min(loaded, file.size), file.size));
    request.addEventListener('loadend', () => signal?.removeEventListener('abort', cancel));
    request.addEventListener('load', () => {
      const lines = request.getAllResponseHeaders().trim().split('\r\n');
      const pairs = lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      });
      resolve(new Response(request.responseText, { status: request.status, headers: pairs }));
    });
    request.addEventListener('error', () => reject(new TypeError('the connection broke')));
    request.addEventListener('abort', () => reject(signal?.reason));
    request.open('POST', address);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(form);
  });
}
