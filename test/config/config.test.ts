import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { configSchema, isLoopback, parseConfig, removeSecrets } from '../../src/config.ts';

describe('the settings', () => {
  const hash = (key: string) => createHash('sha256').update(key).digest('hex');
  const fault = (environment: Record<string, string>): string => {
    try {
      parseConfig(environment);
    } catch (error) {
      return String(error);
    }
    return 'none';
  };

  it('need keys on an address beyond loopback, unless ALLOW_ANONYMOUS is set', () => {
    for (const HOST of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org', '128.0.0.1']) {
      expect(fault({ HOST }), HOST).to.match(
        /invalid_config|can be reached from other machines: set API_KEYS or API_KEYS_FILE/,
      );
      expect(fault({ HOST, ALLOW_ANONYMOUS: 'false' }), HOST).not.to.equal('none');
      expect(fault({ HOST, API_KEYS: 'k'.repeat(16) }), HOST).to.equal('none');
      expect(fault({ HOST, ALLOW_ANONYMOUS: 'true' }), HOST).to.equal('none');
    }
    for (const HOST of [
      '127.0.0.1',
      '127.8.9.1',
      '::1',
      '[::1]',
      '0:0:0:0:0:0:0:1',
      '::ffff:127.0.0.1',
      'localhost',
      'LOCALHOST',
    ]) {
      expect(isLoopback(parseConfig({ HOST }).HOST), HOST).to.equal(true);
      expect(fault({ HOST }), HOST).to.equal('none');
    }
  });

  it('count as not set if they are empty', () => {
    const empty = Object.fromEntries(Object.keys(configSchema.shape).map((name) => [name, '']));
    expect(parseConfig(empty)).to.deep.equal(parseConfig({}));
  });

  it('accept a base path with and without a trailing slash', () => {
    for (const [BASE_PATH, expected] of [
      ['/', ''],
      ['/reelstate', '/reelstate'],
      ['/apps/reelstate/', '/apps/reelstate'],
    ] as const) {
      expect(parseConfig({ BASE_PATH }).BASE_PATH).to.equal(expected);
    }
    for (const BASE_PATH of ['reelstate', '//', '/a//b', '/a b', '/a?b', '/a#b', '/%61', '/video', 'http://a/b']) {
      expect(fault({ BASE_PATH }), BASE_PATH).to.contain('BASE_PATH=');
    }
  });

  it('accept addresses and networks of proxies', () => {
    expect(parseConfig({ TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,::1,fd00::/8' }).TRUSTED_PROXIES).to.deep.equal([
      '127.0.0.1',
      '10.0.0.0/8',
      '::1',
      'fd00::/8',
    ]);
    for (const TRUSTED_PROXIES of ['localhost', '10.0.0.0/33', '10.0.0.0/8/8', '::/129', '10.0.0.0/x', '10.0.0.1,']) {
      expect(fault({ TRUSTED_PROXIES }), TRUSTED_PROXIES).to.contain('TRUSTED_PROXIES=');
    }
  });

  it('keep only the hashes of keys, with their scopes, or all scopes if none is named', () => {
    const [one, two, three] = ['one'.repeat(6), 'two'.repeat(6), 'three'.repeat(6)];
    const API_KEYS = `${one}, ${two}:read , sha256:${hash(three ?? '').toUpperCase()}:submit+read,sha256:${hash('x')}`;
    expect(parseConfig({ API_KEYS }).API_KEYS).to.deep.equal([
      { sha256: hash(one ?? ''), scopes: ['submit', 'read', 'admin'] },
      { sha256: hash(two ?? ''), scopes: ['read'] },
      { sha256: hash(three ?? ''), scopes: ['submit', 'read'] },
      { sha256: hash('x'), scopes: ['submit', 'read', 'admin'] },
    ]);
    expect(JSON.stringify(parseConfig({ API_KEYS: 'a-secret-that-is-long' }))).not.to.contain('a-secret');
  });

  it('are rejected in one line without a key', () => {
    const secret = 'secret-of-16-letters';
    for (const API_KEYS of [
      ',',
      'secret',
      'secret:read',
      `${secret}:everything`,
      `${secret}:`,
      `${secret} ${secret}`,
      `${secret}é`,
      ':read',
      `${secret}:read:submit`,
      `${secret},`,
      'sha256:',
      `sha256:${secret}`,
      `sha256:${hash('x').slice(1)}`,
    ]) {
      const line = fault({ API_KEYS });
      expect(line, API_KEYS).to.contain('API_KEYS: ').and.not.to.contain('\n');
      expect(line).not.to.contain('secret');
    }
    expect(fault({ API_KEYS: 'fifteen-letters' })).to.contain('fewer than 16 characters');
    expect(fault({ PORT: 'x' })).to.contain('PORT="x": must be a whole number');
  });

  it('remove the keys from the environment', () => {
    const environment: Record<string, string | undefined> = { API_KEYS: 'a-secret-that-is-long', PORT: '1' };
    removeSecrets(environment);
    expect(environment).to.deep.equal({ PORT: '1' });
  });

  it('accept host names in any case', () => {
    expect(parseConfig({ ALLOWED_HOSTS: 'Reelstate.example.org, other' }).ALLOWED_HOSTS).to.deep.equal([
      'reelstate.example.org',
      'other',
    ]);
    for (const ALLOWED_HOSTS of ['a b', 'http://x', 'x:80', 'x,', '*']) {
      expect(fault({ ALLOWED_HOSTS }), ALLOWED_HOSTS).to.contain('ALLOWED_HOSTS=');
    }
  });
});
