import type { Middleware } from 'koa';
import { isIP } from 'node:net';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-state.ts';

/** Accepted values of the header Host. */
export interface HostPolicy {
  /** `loopback`: names and addresses of this machine. `address`: any address. `any`: everything. */
  readonly accepts: 'loopback' | 'address' | 'any';
  /** Additional names in lower case. */
  readonly names: readonly string[];
}

/**
 * Rejects requests that a page of another origin makes a browser send. Browsers say so in `Sec-Fetch-Site` and
 * `Origin`, which scripts cannot change; other clients send neither and are accepted.
 * A hostile page can also give its own name the address of this service. So if no key is needed, the name must be
 * known. Addresses are accepted, because they are not such names.
 */
export function refuseForeignOrigins(hosts: HostPolicy): Middleware<RequestState> {
  return async (ctx, next) => {
    const host = ctx.get('Host');
    if (host !== '' && !isAccepted(host, hosts)) {
      sendProblem(
        ctx,
        'foreign_origin',
        'The Host of the request is not a name of this service: add it to ALLOWED_HOSTS',
      );
    } else if (isForeign(ctx.get('Origin'), host) || !isFetchAllowed(ctx)) {
      sendProblem(ctx, 'foreign_origin', 'Pages of other origins may not use this service');
    } else {
      await next();
    }
  };
}

function isAccepted(host: string, { accepts, names }: HostPolicy): boolean {
  if (accepts === 'any') return true;
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  if (name === 'localhost' || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'))) return true;
  return names.includes(name) || (accepts === 'address' && isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0);
}

/** The scheme may differ, because a proxy may use TLS. */
function isForeign(origin: string, host: string): boolean {
  if (origin === '') return false;
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return true;
  const { protocol, host: from } = new URL(origin);
  return !URL.canParse(`${protocol}//${host}`) || new URL(`${protocol}//${host}`).host !== from;
}

/** A link on another page may lead here, because it shows the page to its user and tells the other page nothing. */
function isFetchAllowed(ctx: Parameters<Middleware<RequestState>>[0]): boolean {
  if (['', 'same-origin', 'none'].includes(ctx.get('Sec-Fetch-Site'))) return true;
  return ctx.method === 'GET' && ctx.get('Sec-Fetch-Mode') === 'navigate' && ctx.get('Sec-Fetch-Dest') === 'document';
}
