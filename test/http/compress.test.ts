import { expect } from 'chai';
import Koa from 'koa';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { compress } from '../../src/http/middleware/compress.ts';
import type { RequestState } from '../../src/http/middleware/request-state.ts';

describe('compression', () => {
  for (const encoding of ['gzip', 'identity']) {
    it(`converts an object to JSON once for ${encoding}`, async () => {
      let conversions = 0;
      const app = new Koa<RequestState>();
      app.use(compress());
      app.use((ctx) => {
        ctx.body = {
          toJSON() {
            conversions += 1;
            return { text: 'x'.repeat(5_000) };
          },
        };
      });
      const handle = app.callback();
      const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
      try {
        await once(server, 'listening');
        const address = server.address();
        if (address === null || typeof address === 'string') throw new Error('no port');
        const answer = await fetch(`http://127.0.0.1:${address.port}/`, { headers: { 'accept-encoding': encoding } });
        expect(await answer.json()).to.deep.equal({ text: 'x'.repeat(5_000) });
        expect(answer.headers.get('content-type')).to.equal('application/json; charset=utf-8');
        expect(answer.headers.get('content-encoding')).to.equal(encoding === 'gzip' ? 'gzip' : null);
      } finally {
        server.close();
      }
      expect(conversions).to.equal(1);
    });
  }
});
