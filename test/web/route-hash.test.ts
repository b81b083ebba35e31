import { expect } from 'chai';
import { parseRoute, routeHash } from '../../src/web/shared/route-hash.ts';

const ID = '01900000-0000-7000-8000-000000000000';

describe('the address of a page', () => {
  it('names a job, a moment and a search, and comes back the same', () => {
    const route = { jobId: ID, timeMs: 225_000, query: 'käse & brot', step: null };
    expect(routeHash(route)).to.equal(`#job=${ID}&t=225.0&q=k%C3%A4se%20%26%20brot`);
    expect(parseRoute(routeHash(route))).to.deep.equal(route);
    expect(parseRoute('#step=3')).to.deep.equal({ jobId: null, timeMs: null, query: '', step: 3 });
  });

  it('leaves out what is no id, no time and no step', () => {
    const nothing = { jobId: null, timeMs: null, query: '', step: null };
    for (const hash of ['', '#job=..%2Fjobs%3Fx%3D1', '#t=-1', '#t=soon', '#t=1e12', '#step=0', '#step=1.5']) {
      expect(parseRoute(hash), hash).to.deep.equal(nothing);
    }
  });
});
