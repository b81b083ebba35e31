import type { RouterMiddleware } from '@koa/router';
import { createHash } from 'node:crypto';
import { isUnchanged } from './entity-tag.ts';
import { Asset, ASSET_ENCODINGS, readAssets } from './page-assets.ts';
import { pageHtml, policyOf } from './page-html.ts';
import type { RequestState } from '../middleware/request-state.ts';

/** The pages by path. Their assets are under /web/ and /client/, and also under /assets/{version}/. */
const PAGES: Readonly<Record<string, string>> = {
  '/': 'web/library.html',
  '/inspector': 'web/inspector.html',
  '/sign-in': 'web/sign-in.html',
};

/** A module that runs as a worker has its own policy, not the page's. */
const THREAD_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";
const FOR_EVER = 'private, max-age=31536000, immutable';

type Context = Parameters<RouterMiddleware<RequestState>>[0];

/** All files of the pages, read once. */
export class Pages {
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #pages: ReadonlyMap<string, { readonly asset: Asset; readonly policy: string }>;
  /** Identifies the content of all assets. */
  readonly version: string;

  private constructor(assets: readonly Asset[]) {
    this.#assets = new Map(assets.map((asset) => [asset.name, asset]));
    const digests = assets.map(({ name, digest }) => `${name} ${digest}`).toSorted();
    this.version = createHash('sha1').update(digests.join('\n')).digest('hex').slice(0, 12);
    this.#pages = new Map(
      Object.entries(PAGES).map(([path, name]) => {
        const html = pageHtml(this.#assets.get(name)?.body.toString() ?? '', this.version, this.#assets);
        return [path, { asset: new Asset(name, Buffer.from(html)), policy: policyOf(html) }];
      }),
    );
  }

  static async open(): Promise<Pages> {
    return new Pages(await readAssets());
  }

  /** The paths of the pages. */
  paths(): string[] {
    return [...this.#pages.keys()];
  }

  /** GET /, GET /inspector and GET /sign-in */
  page(): RouterMiddleware<RequestState> {
    return async (ctx) => {
      const page = this.#pages.get(ctx.path);
      if (page === undefined) return;
      ctx.set('Content-Security-Policy', page.policy);
      if (!isUnchanged(ctx, page.asset.digest)) await send(ctx, page.asset);
    };
  }

  /** GET /web/{name} and GET /client/{name}: stable addresses. */
  asset(): RouterMiddleware<RequestState> {
    return async (ctx) => {
      const asset = this.#assets.get(ctx.path.slice('/'.length));
      if (asset === undefined) return;
      if (!isUnchanged(ctx, asset.name, asset.digest)) await send(ctx, asset);
    };
  }

  /** GET /assets/{version}/{name}: addresses with immutable content. */
  versionedAsset(): RouterMiddleware<RequestState> {
    return async (ctx) => {
      const place = `/assets/${this.version}/`;
      const asset = ctx.path.startsWith(place) ? this.#assets.get(ctx.path.slice(place.length)) : undefined;
      if (asset === undefined) return;
      await send(ctx, asset);
      ctx.set('Cache-Control', FOR_EVER);
    };
  }
}

async function send(ctx: Context, asset: Asset): Promise<void> {
  if (asset.name.endsWith('.js')) ctx.set('Content-Security-Policy', THREAD_POLICY);
  ctx.vary('Accept-Encoding');
  ctx.type = asset.contentType;
  const accepted = asset.isCompressible && ctx.acceptsEncodings(...ASSET_ENCODINGS, 'identity');
  const encoding = ASSET_ENCODINGS.find((known) => known === accepted);
  if (encoding !== undefined) ctx.set('Content-Encoding', encoding);
  ctx.body = encoding === undefined ? asset.body : await asset.encoded(encoding);
  ctx.type = asset.contentType;
}
