import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Asset } from './page-assets.ts';

/** A static import, as the compiler writes it. */
const STATIC_IMPORT = /^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm;

/**
 * Returns a page that refers to the assets of this version, which browsers may cache for ever, and preloads each module
 * that it needs at once.
 * @param version identifies the content of all assets
 */
export function pageHtml(html: string, version: string, assets: ReadonlyMap<string, Asset>): string {
  const place = `assets/${version}/`;
  const packages = importMapOf(html);
  const entry = /<script type="module" src="([^"]+)"/.exec(html)?.[1] ?? '';
  const preloads = [...closureOf(entry, packages, assets)]
    .map((name) => `<link rel="modulepreload" href="${place}${name}" />`)
    .join('\n    ');
  return html.replace(/(<script type="module")/, `${preloads}\n    $1`).replaceAll(/"(\.\/)?web\//g, `"$1${place}web/`);
}

/** Only this service is allowed as a source; the one inline script is the import map, allowed by its hash. */
export function policyOf(html: string): string {
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? [];
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // The page shows a chosen video before its upload.
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function importMapOf(html: string): ReadonlyMap<string, string> {
  return new Map(
    [...html.matchAll(/"([^"]+)": "\.\/(web\/packages\/[^"]+)"/g)].map(([, name = '', path = '']) => [name, path]),
  );
}

/** Returns the names of a module and of its static imports, the module first. */
function closureOf(
  entry: string,
  packages: ReadonlyMap<string, string>,
  assets: ReadonlyMap<string, Asset>,
): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (name: string): void => {
    const asset = assets.get(name);
    if (asset === undefined || names.has(name)) return;
    names.add(name);
    for (const [, specifier = ''] of asset.body.toString().matchAll(STATIC_IMPORT)) {
      visit(packages.get(specifier) ?? posix.join(posix.dirname(name), specifier));
    }
  };
  visit(entry);
  return names;
}
