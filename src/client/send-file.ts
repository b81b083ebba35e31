/** A video on its way to `POST /video/submit`. */
export interface Sending {
  /** With the parameters in its query. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly file: Blob;
  readonly fileName: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((sentBytes: number, allBytes: number) => void) | undefined;
}

export type Ask = (address: string, init: RequestInit) => Promise<Response>;

/**
 * Sends the form as its file is read, for programs: memory stays constant and what has been sent can be told. Browsers
 * take such a body over HTTP/2 alone. The length is announced, so that what is too large is refused at once.
 */
export async function sendFile(sending: Sending, ask: Ask): Promise<Response> {
  const { address, headers, file, fileName, signal, onProgress } = sending;
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
        // The next one is asked for when this one has been taken.
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
  return ask(address, init);
}

/** As browsers escape a file's name in a form. */
function escaped(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
