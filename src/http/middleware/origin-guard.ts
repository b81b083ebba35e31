import type { Middleware } from 'koa';
import { isIP } from 'node:net';
import { sendProblem } from '../problem.ts';
import type { RequestState } from './request-log.ts';

/**
 * Refuses what a web page of another origin makes a browser ask. Browsers say so themselves (`Sec-Fetch-Site`,
 * `Origin`), and no script can make them say otherwise; what is no browser says nothing and passes.
 * @param isPrivate true where only this machine can reach the service and nobody is asked for a key: then a request
 *   must also name it as this machine, since a hostile page can give its own name this machine's address
 */
export function refuseForeignOrigins({ isPrivate }: { readonly isPrivate: boolean }): Middleware<RequestState> {
  return async (ctx, next) => {
    const host = ctx.get('Host');
    if (isPrivate && host !== '' && !namesThisMachine(host)) {
      sendProblem(
        ctx,
        'foreign_origin',
        'The Host of the request is another machine: ask for localhost, or set API_KEYS',
      );
    } else if (isForeign(ctx.get('Origin'), host) || !isFetchAllowed(ctx)) {
      sendProblem(ctx, 'foreign_origin', 'Pages of other origins may not use this service');
    } else {
      await next();
    }
  };
}

function namesThisMachine(host: string): boolean {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  return name === 'localhost' || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'));
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
