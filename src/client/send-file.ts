/** One upload to `POST /video/submit`. */
export interface Upload {
  /** With the parameters in its query. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: Blob;
  readonly fileName: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((sentBytes: number, allBytes: number) => void) | undefined;
}

export type Fetch = (address: string, init: RequestInit) => Promise<Response>;

/**
 * Sends the form while the file is read, with constant memory and progress. For programs: browsers accept such a body
 * over HTTP/2 only. `Content-Length` is sent, so that the service rejects a file that is too large at once.
 */
export async function sendFile(upload: Upload, send: Fetch): Promise<Response> {
  const { address, headers, file, fileName, signal, onProgress } = upload;
  const boundary = crypto.randomUUID();
  const text = new TextEncoder();
  const head = text.encode(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${escaped(fileName)}"\r\n` +
      'Content-Type: video/mp4\r\n\r\n',
  );
  const tail = text.encode(`\r\n--${boundary}--\r\n`);
  async function* parts(): AsyncGenerator<Uint8Array> {
    yield head;
    const reader = file.stream().getReader();
    try {
      let sent = 0;
      for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
        if (value === undefined) continue;
        yield value;
        // The consumer asks for the next chunk only when this one has been sent.
        sent += value.length;
        onProgress?.(sent, file.size);
      }
    } finally {
      await reader.cancel();
    }
    yield tail;
  }
  const body = parts();
  const init = {
    method: 'POST',
    headers: {
      ...headers,
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': String(head.length + file.size + tail.length),
    },
    body: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await body.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await body.return(undefined);
        },
      },
      { highWaterMark: 0 },
    ),
    duplex: 'half',
    ...(signal === undefined ? {} : { signal }),
  } as const;
  return send(address, init);
}

/** Escapes a file name as browsers do in a form. */
function escaped(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
