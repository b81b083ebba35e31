import type { Middleware } from 'koa';
import { isIP } from 'node:net';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-log.ts';

/** Which names a request may call the service by, in its header Host. */
export interface HostPolicy {
  /** `loopback`: names and addresses of this machine. `address`: any address. `any`: everything. */
  readonly accepts: 'loopback' | 'address' | 'any';
  /** Further names, in small letters. */
  readonly names: readonly string[];
}

/**
 * Refuses what a web page of another origin makes a browser ask. Browsers say so themselves (`Sec-Fetch-Site`,
 * `Origin`), and no script can make them say otherwise; what is no browser says nothing and passes.
 *
 * A hostile page can also give its own name the address of this service. So where no key is needed, the name
 * must be known. An address in its place is no such name.
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

/** The scheme may differ: a proxy in front may speak TLS. */
function isForeign(origin: string, host: string): boolean {
  if (origin === '') return false;
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return true;
  const { protocol, host: from } = new URL(origin);
  return !URL.canParse(`${protocol}//${host}`) || new URL(`${protocol}//${host}`).host !== from;
}

/** A link on another page may lead here: it shows a page to its user, and tells the other one nothing. */
function isFetchAllowed(ctx: Parameters<Middleware<RequestState>>[0]): boolean {
  if (['', 'same-origin', 'none'].includes(ctx.get('Sec-Fetch-Site'))) return true;
  return ctx.method === 'GET' && ctx.get('Sec-Fetch-Mode') === 'navigate' && ctx.get('Sec-Fetch-Dest') === 'document';
}
