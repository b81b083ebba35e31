import { errorOf, ReelstateError } from './reelstate-error.ts';
import { sendFile, type Fetch, type Upload } from './send-file.ts';
import { sendFromPage } from './send-from-page.ts';

/** Connection to one service. */
export interface TransportOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Replaces the global `fetch`. */
  readonly fetch: Fetch | undefined;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** In addition to those of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Returns true if a response has the expected shape. */
type Guard<T> = (value: unknown) => value is T;

/** Sends requests and reads responses. Every method rejects with a `ReelstateError`, or with the signal's reason. */
export class Transport {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: Fetch;
  readonly #isPage: boolean;

  constructor({ url, headers, fetch: send }: TransportOptions) {
    this.#url = url.replace(/\/+$/, '');
    this.#headers = headers;
    this.#fetch = send ?? ((address, init) => fetch(address, init));
    this.#isPage = send === undefined && 'XMLHttpRequest' in globalThis;
  }

  async get<T>(path: string, guard: Guard<T>, options: RequestOptions): Promise<T> {
    return this.read(await this.open(path, options), guard, options.signal);
  }

  /** Resolves with a response of success, whose body is not read yet. */
  open(path: string, { method = 'GET', headers, signal }: RequestOptions): Promise<Response> {
    const init = { method, headers: { ...this.#headers, ...headers }, ...(signal === undefined ? {} : { signal }) };
    return this.#send(signal, () => this.#request(this.#url + path, init));
  }

  /** Sends a file as a form. Resolves with a response of success. */
  upload({ path, headers, ...rest }: Omit<Upload, 'address'> & { readonly path: string }): Promise<Response> {
    const upload = { ...rest, address: this.#url + path, headers: { ...this.#headers, ...headers } };
    return this.#send(rest.signal, () =>
      this.#isPage ? sendFromPage(upload) : sendFile(upload, (address, init) => this.#request(address, init)),
    );
  }

  async read<T>(response: Response, guard: Guard<T>, signal: AbortSignal | undefined): Promise<T> {
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw this.#networkError(cause, signal, 'the connection broke during the response');
    }
    return checked(text, guard, response.status);
  }

  async picture(path: string, options: RequestOptions): Promise<Blob> {
    const response = await this.open(path, options);
    return response.blob().catch((cause: unknown) => {
      throw this.#networkError(cause, options.signal, 'the connection broke during the picture');
    });
  }

  /** Yields a body as text, in pieces. */
  async *pieces(path: string, options: RequestOptions): AsyncGenerator<string, void, undefined> {
    const { body, status } = await this.open(path, options);
    if (body === null) throw unexpectedResponse(status);
    const reader = body.getReader();
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.#networkError(cause, options.signal, 'the connection broke during the results');
        });
        if (done) break;
        yield decoder.decode(value, { stream: true });
      }
    } finally {
      // A reader that stops early closes the connection.
      await reader.cancel().catch(() => undefined);
    }
  }

  /**
   * Rejects redirects: the service sends none, and a key must not be sent elsewhere. Node.js 20 would also keep the
   * whole request body in memory to repeat it.
   */
  #request(address: string, init: RequestInit): Promise<Response> {
    return this.#fetch(address, { ...init, redirect: 'error' });
  }

  async #send(signal: AbortSignal | undefined, request: () => Promise<Response>): Promise<Response> {
    let response: Response;
    try {
      response = await request();
    } catch (cause) {
      throw this.#networkError(cause, signal, `no response from ${this.#url === '' ? 'this address' : this.#url}`);
    }
    if (response.ok) return response;
    const error = await errorOf(response);
    signal?.throwIfAborted();
    throw error;
  }

  /** Returns the error for a request without a response. */
  #networkError(cause: unknown, signal: AbortSignal | undefined, detail: string): unknown {
    if (signal?.aborted === true) return signal.reason;
    return cause instanceof ReelstateError ? cause : new ReelstateError('unreachable', detail, { cause });
  }
}

/** Parses JSON of the expected shape. @throws ReelstateError `unexpected_response` */
export function checked<T>(text: string, guard: Guard<T>, status: number): T {
  const value = parsed(text);
  if (!guard(value)) throw unexpectedResponse(status);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unexpectedResponse(status: number): ReelstateError {
  return new ReelstateError('unexpected_response', 'The response is not from Reelstate, or from another version', {
    status,
  });
}
