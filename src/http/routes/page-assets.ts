import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Modules of packages, by their paths in the import map of the pages. */
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
  '.mp4': 'video/mp4',
};

const COMPRESSORS = {
  br: (body: Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (body: Buffer) => promisify(gzip)(body),
};
export type AssetEncoding = keyof typeof COMPRESSORS;
export const ASSET_ENCODINGS: readonly AssetEncoding[] = ['br', 'gzip'];

/** One file of the pages. Compressed at the first request for each encoding, then cached. */
export class Asset {
  readonly name: string;
  readonly body: Buffer;
  readonly contentType: string;
  readonly digest: string;
  readonly #encoded = new Map<AssetEncoding, Promise<Buffer>>();

  constructor(name: string, body: Buffer) {
    this.name = name;
    this.body = body;
    this.contentType = CONTENT_TYPES[extname(name)] ?? 'application/octet-stream';
    this.digest = createHash('sha1').update(this.body).digest('base64url');
  }

  /** False for what is compressed in itself. */
  get isCompressible(): boolean {
    return this.contentType !== 'video/mp4';
  }

  encoded(encoding: AssetEncoding): Promise<Buffer> {
    const known = this.#encoded.get(encoding) ?? COMPRESSORS[encoding](this.body);
    this.#encoded.set(encoding, known);
    return known;
  }
}

/** Reads all files of the pages: about a third of a megabyte. */
export async function readAssets(): Promise<readonly Asset[]> {
  const compiled = new URL('../../web/', import.meta.url);
  const written = new URL('src/web/', import.meta.resolve('#package.json'));
  const files = [
    ...(await filesOf('web/', compiled, ['.js'])),
    ...(await filesOf('web/', written, ['.html', '.css', '.svg', '.mp4'])),
    ...(await filesOf('client/', new URL('../../client/', import.meta.url), ['.js'])),
    ...Object.entries(PACKAGES).map(([name, address]) => ({ name, url: new URL(address) })),
  ];
  return Promise.all(
    files.map(async ({ name, url }) => {
      const bytes = await readFile(url);
      // The maps beside the modules are not served.
      const isModule = name.endsWith('.js');
      const body = isModule ? Buffer.from(bytes.toString().replace(/^\/\/# sourceMappingURL=.*$/m, '')) : bytes;
      return new Asset(name, body);
    }),
  );
}

async function filesOf(place: string, folder: URL, extensions: readonly string[]) {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => extensions.includes(extname(name)))
    .map((name) => ({ name: place + name, url: new URL(name, folder) }));
}
