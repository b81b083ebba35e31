import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Asset } from './page-assets.ts';

/** An import that is loaded with its module, as the compiler writes it. */
const STATIC_IMPORT = /^(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]/gm;

/**
 * Returns a page whose parts have the address of this version of the pages, so that browsers keep them for ever, and
 * with a preload for each module that the page needs at once, so that none waits for another.
 * @param version names the content of all assets
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

/** Everything from this service alone; the one inline script is the import map, named by its hash. */
export function policyOf(html: string): string {
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? [];
  const hash = createHash('sha256').update(importMap).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // A video that the user chose is looked at before it is uploaded.
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

/** The names of a module and of all that it imports statically, the module first. */
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
