import { LIBRARY, parseRoute, routeHash, type Route } from './route-hash.ts';
import { Store, useStore } from './store.ts';

const store = new Store<Route>('location' in globalThis ? parseRoute(location.hash) : LIBRARY);
if ('location' in globalThis) addEventListener('hashchange', () => store.set(parseRoute(location.hash)));

export function useRoute(): Route {
  return useStore(store, (route) => route);
}

/** Navigates with an entry for Back. */
export function navigate(route: Partial<Route>): void {
  history.pushState(null, '', address(route));
  store.set({ ...LIBRARY, ...route });
}

/** Changes the view without an entry for Back. */
export function replaceRoute(patch: Partial<Route>): void {
  const route = { ...store.value, ...patch };
  history.replaceState(null, '', address(route));
  store.set(route);
}

/** Updates the address for a reload, without an event, because the page already shows this state. */
export function noteRoute(patch: Partial<Route>): void {
  history.replaceState(null, '', address({ ...parseRoute(location.hash), ...patch }));
}

function address(route: Partial<Route>): string {
  return `${location.pathname}${location.search}${routeHash(route)}`;
}
