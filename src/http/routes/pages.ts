import type { RouterMiddleware } from '@koa/router';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { isUnchanged } from './entity-tag.ts';
import type { RequestState } from '../middleware/request-log.ts';

/** The pages by their paths; everything else that they need lies under /web/, and the client under /client/. */
const PAGES: Readonly<Record<string, string>> = {
  '/': 'web/console.html',
  '/inspector': 'web/inspector.html',
  '/sign-in': 'web/sign-in.html',
};

/** Where modules of packages lie, by the paths that the pages' import map names. */
const PACKAGES: Readonly<Record<string, string>> = {
  'web/packages/preact.js': import.meta.resolve('preact'),
  'web/packages/preact-hooks.js': import.meta.resolve('preact/hooks'),
  'web/packages/preact-jsx-runtime.js': import.meta.resolve('preact/jsx-runtime'),
  'web/packages/dagre.js': import.meta.resolve('@dagrejs/dagre'),
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A module that runs as a thread of its own obeys the policy that came with it, not the page's. */
const THREAD_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";

interface Asset {
  readonly body: Buffer;
  readonly contentType: string;
  /** What it may load, where it loads anything. */
  readonly policy?: string;
}

/** Everything that the pages are made of, read once: about a quarter of a megabyte. */
export class Pages {
  readonly #assets: ReadonlyMap<string, Asset>;

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets;
  }

  static async open(): Promise<Pages> {
    const compiled = new URL('../../web/', import.meta.url);
    const written = new URL('src/web/', import.meta.resolve('#package.json'));
    const files = [
      ...(await filesOf('web/', compiled, ['.js'])),
      ...(await filesOf('web/', written, ['.html', '.css', '.svg'])),
      ...(await filesOf('client/', new URL('../../client/', import.meta.url), ['.js'])),
      ...Object.entries(PACKAGES).map(([name, address]) => ({ name, url: new URL(address) })),
    ];
    return new Pages(
      new Map(await Promise.all(files.map(async ({ name, url }) => [name, await assetOf(name, url)] as const))),
    );
  }

  /** The paths of the pages. */
  paths(): string[] {
    return Object.keys(PAGES);
  }

  /** GET /, GET /inspector and GET /sign-in */
  page(): RouterMiddleware<RequestState> {
    return (ctx) => this.#sendProblem(ctx, PAGES[ctx.path] ?? '');
  }

  /** GET /web/{name} and GET /client/{name} */
  asset(): RouterMiddleware<RequestState> {
    return (ctx) => this.#sendProblem(ctx, ctx.path.slice('/'.length));
  }

  #sendProblem(ctx: Parameters<RouterMiddleware<RequestState>>[0], name: string): void {
    const asset = this.#assets.get(name);
    if (asset === undefined) return;
    if (asset.policy !== undefined) ctx.set('Content-Security-Policy', asset.policy);
    if (isUnchanged(ctx, name, createHash('sha1').update(asset.body).digest('base64url'))) return;
    ctx.type = asset.contentType;
    ctx.body = asset.body;
  }
}

async function filesOf(place: string, folder: URL, extensions: readonly string[]) {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => extensions.includes(extname(name)))
    .map((name) => ({ name: place + name, url: new URL(name, folder) }));
}

async function assetOf(name: string, url: URL): Promise<Asset> {
  const text = await readFile(url, 'utf8');
  // The maps beside the modules are not served.
  const body = Buffer.from(text.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  const contentType = CONTENT_TYPES[extname(name)] ?? 'application/octet-stream';
  if (name.endsWith('.html')) return { body, contentType, policy: policyOf(text) };
  return name.endsWith('.js') ? { body, contentType, policy: THREAD_POLICY } : { body, contentType };
}

/** Everything from this service alone; the one inline script is the import map, named by its hash. */
function policyOf(html: string): string {
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? [];
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
