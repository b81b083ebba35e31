import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Middleware } from 'koa';
import { clientNetwork, type AddressList } from '../addresses.ts';
import type { RequestState } from './request-state.ts';

/** Determines the client. The forwarded address and protocol of trusted proxies are used. */
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
    // Whether cookies are secure depends on the protocol of the client, not of the proxy.
    ctx.cookies.secure = ctx.state.client.isSecure;
    await next();
  };
}

/**
 * Each proxy appends the address of its peer, so the list is read from its end as long as the addresses are trusted.
 */
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

/** `10.0.0.1:80` and `[::1]:80` occur too. */
function withoutPort(entry: string): string {
  return /^\[(.*)\](?::\d+)?$/.exec(entry)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? entry;
}

function lastOf(list: string): string | undefined {
  return list.split(',').at(-1)?.trim();
}
