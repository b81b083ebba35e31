import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Middleware } from 'koa';
import { clientNetwork, type AddressList } from '../addresses.ts';
import type { RequestState } from './request-log.ts';

/** Where a request comes from. */
export interface Client {
  readonly address: string;
  /** What it is counted by in limits. */
  readonly network: string;
  /** True when the client speaks TLS, with the service or with a proxy. */
  readonly isSecure: boolean;
}

/** Finds out where a request comes from. Of trusted proxies the forwarded address and protocol are believed. */
export function identifyClient(trustedProxies: AddressList): Middleware<RequestState> {
  return async (ctx, next) => {
    const { socket } = ctx.req;
    const peer = socket.remoteAddress ?? '';
    const isProxied = trustedProxies.has(peer);
    const address = isProxied ? forwardedAddress(ctx.req, peer, trustedProxies) : peer;
    const protocol = isProxied ? lastOf(ctx.get('X-Forwarded-Proto')) : undefined;
    ctx.state.client = {
      address,
      network: clientNetwork(address),
      isSecure: ctx.secure || protocol?.toLowerCase() === 'https',
    };
    // Cookies are marked as secure by what the client speaks, not by what the proxy does.
    ctx.cookies.secure = ctx.state.client.isSecure;
    await next();
  };
}

/** Each proxy appends the address that it was asked from, so the list is believed from its end, as far as it is trusted. */
function forwardedAddress({ headers }: IncomingMessage, peer: string, trustedProxies: AddressList): string {
  const forwarded = [headers['x-forwarded-for'] ?? ''].flat().join(',').split(',').toReversed();
  let address = peer;
  for (const entry of forwarded) {
    const named = withoutPort(entry.trim());
    if (isIP(named) === 0) break;
    address = named;
    if (!trustedProxies.has(named)) break;
  }
  return address;
}

/** `10.0.0.1:80` and `[::1]:80` are written too. */
function withoutPort(entry: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? entry;
}

function lastOf(list: string): string | undefined {
  return list.split(',').at(-1)?.trim();
}
