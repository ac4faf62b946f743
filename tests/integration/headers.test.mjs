// Headers, paths and credentials: what goes on to the backend, what is added, what is replaced, what stays here.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { freePort, policy, startVsr, test, Vsr } from './lib/harness.mjs';

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('headers', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(
      policy({
        default_model: 'keyless',
        models: {
          keyless: backend,
          keyed: { backend_refs: [{ endpoint: backend.address, api_key: 'static-key-1' }] },
          envKeyed: { backend_refs: [{ endpoint: backend.address, api_key_env: 'VSR_TEST_BACKEND_KEY' }] },
          keyMissing: { backend_refs: [{ endpoint: backend.address, api_key_env: 'VSR_TEST_NO_SUCH_KEY' }] },
          odd: {
            backend_refs: [
              {
                endpoint: backend.address,
                api_key: 'k',
                auth_header: 'X-Token',
                auth_prefix: 'Token',
                chat_path: '/generate',
                extra_headers: { 'X-Title': 'from config', 'x-extra': 'a, b' },
              },
            ],
          },
        },
      }),
      { env: { VSR_TEST_BACKEND_KEY: 'static-key-2' } },
    );
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const sent = async (headers, body = chat('hi')) => {
    backend.forget();
    const answer = await post(vsr.port, body, headers);
    assert.equal(answer.status, 200, answer.text());
    return { answer, headers: backend.last.headers, fields: backend.last.fields };
  };

  test('a request id is echoed and passed on', async () => {
    const { answer, headers } = await sent({ 'X-Request-Id': 'my-id-42' });
    assert.equal(answer.headers.get('x-request-id'), 'my-id-42');
    assert.equal(headers.get('x-request-id'), 'my-id-42');
  });

  test('a request id is made when there is none', async () => {
    const ids = new Set();
    for (let i = 0; i < 5; i++) {
      const { answer } = await sent({});
      assert.match(answer.headers.get('x-request-id'), uuid7);
      ids.add(answer.headers.get('x-request-id'));
    }
    assert.equal(ids.size, 5);
    assert.match((await post(vsr.port, '{')).headers.get('x-request-id'), uuid7);
  });

  test('trace context goes on', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const { headers } = await sent({ traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: 'a=1,b=2' });
    assert.match(headers.get('traceparent'), new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
    assert.equal(headers.get('tracestate'), 'a=1,b=2');
  });

  test('ordinary headers of the client go on', async () => {
    const { headers } = await sent({
      'X-Custom': 'v',
      'User-Agent': 'tester/1',
      'OpenAI-Beta': 'x=1',
      'Accept-Encoding': 'gzip, br',
    });
    assert.equal(headers.get('x-custom'), 'v');
    assert.equal(headers.get('user-agent'), 'tester/1');
    assert.equal(headers.get('openai-beta'), 'x=1');
    assert.equal(headers.get('accept-encoding'), 'identity');
    assert.match(headers.get('content-type'), /^application\/json/);
    assert.equal(headers.get('host'), backend.address);
  });

  test('hop-by-hop headers stay here', async () => {
    const { headers } = await sent({
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      TE: 'trailers',
      Trailer: 'x-checksum',
      Upgrade: 'h2c',
      Connection: 'close, X-Hop',
      'X-Hop': '1',
    });
    for (const name of ['keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade', 'x-hop']) {
      assert.equal(headers.get(name), undefined, name);
    }
    assert.doesNotMatch(headers.get('connection') ?? '', /close|x-hop/i);
  });

  test('a caller\'s key does not replace one that the configuration lacks', async () => {
    backend.forget();
    const answer = await post(vsr.port, chat('hi', { model: 'keyMissing' }), { Authorization: 'Bearer theirs' });
    assertError(answer, 401, { code: 'invalid_api_key' });
    assert.doesNotMatch(answer.text(), /VSR_TEST_NO_SUCH_KEY/);
    assert.equal(backend.last, undefined);
    await vsr.says(
      /no credential for an endpoint request_id=\S+ model=keyMissing endpoint=keyMissing_\S+ error="the endpoint configures a key and has none: VSR_TEST_NO_SUCH_KEY/,
    );
  });

  test('internal, identity and credential headers of a stranger are removed', async () => {
    const forged = {};
    for (const name of [
      'x-vsr-internal-auth',
      'x-vsr-looper-request',
      'x-vsr-looper-iteration',
      'x-vsr-looper-decision',
      'x-vsr-looper-secret',
      'x-vsr-fusion-depth',
      'x-vsr-selected-recipe',
      'x-authz-user-id',
      'x-authz-user-groups',
      'x-authz-team-id',
      'x-authz-tenant-id',
      'x-user-openai-key',
      'x-user-anthropic-key',
      'x-user-azure-openai-key',
      'x-user-bedrock-key',
      'x-user-gemini-key',
      'x-user-vertex-ai-key',
      'x-user-minimax-key',
    ]) {
      forged[name] = 'forged';
    }
    const { headers, fields } = await sent({
      ...forged,
      'X-Selected-Model': 'forged',
      'X-VSR-Looper-Request': ['forged', 'again'],
    });
    for (const name of Object.keys(forged)) assert.equal(headers.get(name), undefined, name);
    assert.ok(!fields.some(([, value]) => /forged/.test(value)), JSON.stringify(fields));
    assert.ok([undefined, 'keyless'].includes(headers.get('x-selected-model')), headers.get('x-selected-model'));
  });

  test('a forged recipe header changes nothing', async () => {
    const { answer } = await sent({ 'x-vsr-selected-recipe': 'evil', 'x-vsr-looper-decision': 'evil' });
    assert.equal(answer.headers.get('x-vsr-selected-recipe'), 'default');
  });

  test("the caller's own authorization goes on where no key is configured", async () => {
    const { headers } = await sent({ Authorization: 'Bearer sk-own' });
    assert.equal(headers.get('authorization'), 'Bearer sk-own');
    assert.equal((await sent({})).headers.get('authorization'), undefined);
  });

  test("a configured key replaces the caller's", async () => {
    for (const [model, key] of [
      ['keyed', 'static-key-1'],
      ['envKeyed', 'static-key-2'],
    ]) {
      for (const own of [{}, { Authorization: 'Bearer sk-own' }]) {
        const { headers, fields } = await sent(own, chat('hi', { model }));
        assert.equal(headers.get('authorization'), `Bearer ${key}`);
        assert.ok(!fields.some(([, value]) => value.includes('sk-own')));
      }
    }
  });

  test('own header, prefix, path and extra headers', async () => {
    const { headers, fields } = await sent(
      { Authorization: 'Bearer sk-own', 'X-Title': 'from client' },
      chat('hi', { model: 'odd' }),
    );
    assert.equal(backend.last.path, '/generate');
    assert.equal(headers.get('x-token'), 'Token k');
    assert.equal(headers.get('x-title'), 'from config');
    assert.equal(headers.get('x-extra'), 'a, b');
    assert.ok(!fields.some(([, value]) => value.includes('sk-own')));
  });

  test("the path of a plain endpoint is the client's", async () => {
    await sent({});
    assert.equal(backend.last.path, '/v1/chat/completions');
  });
});

test('the key of the listener stays with the listener', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({ default_model: 'm', models: { m: backend }, listener: { api_keys: ['front-door-key'] } }),
  );
  const answer = await post(vsr.port, chat('hi'), { Authorization: 'Bearer front-door-key' });
  assert.equal(answer.status, 200);
  assert.doesNotMatch(backend.last.rawHead, /front-door-key/);
});

test('paths and keys of each kind of provider', async (t) => {
  const backend = await Backend.start(t);
  const at = `http://${backend.address}`;
  const ref = (fields) => ({ backend_refs: [{ api_key: 'sekret', ...fields }] });
  const models = {
    prefix: ref({ endpoint: `${backend.address}/tenant/a` }),
    scheme: ref({ endpoint: `${at}/b` }),
    base: ref({ base_url: `${at}/custom/v1` }),
    openai: ref({ provider: 'openai', base_url: `${at}/v1/` }),
    azure: ref({ provider: 'azure-openai', base_url: `${at}/openai/deployments/gpt`, api_version: '2024-06-01' }),
    gemini: ref({ provider: 'gemini', base_url: `${at}/v1beta/openai` }),
    minimax: ref({ provider: 'minimax', base_url: at }),
    chosen: ref({ provider: 'azure-openai', base_url: `${at}/x`, chat_path: '/y/z', api_version: 'v9' }),
    endpointOnly: ref({ provider: 'openai', endpoint: backend.address }),
  };
  const expected = {
    prefix: ['/tenant/a/chat/completions', 'authorization', 'Bearer sekret'],
    scheme: ['/b/chat/completions', 'authorization', 'Bearer sekret'],
    base: ['/custom/v1/chat/completions', 'authorization', 'Bearer sekret'],
    openai: ['/v1/chat/completions', 'authorization', 'Bearer sekret'],
    azure: ['/openai/deployments/gpt/chat/completions?api-version=2024-06-01', 'api-key', 'sekret'],
    gemini: ['/v1beta/openai/chat/completions', 'authorization', 'Bearer sekret'],
    minimax: ['/v1/chat/completions', 'authorization', 'Bearer sekret'],
    chosen: ['/y/z?api-version=v9', 'api-key', 'sekret'],
    endpointOnly: ['/chat/completions', 'authorization', 'Bearer sekret'],
  };
  const vsr = await startVsr(t, policy({ models }));
  for (const [model, [path, header, value]] of Object.entries(expected)) {
    const answer = await post(vsr.port, chat('hi', { model }), { Authorization: 'Bearer own' });
    assert.equal(answer.status, 200, `${model}: ${answer.text()}`);
    assert.equal(backend.last.path, path, model);
    assert.equal(backend.last.headers.get(header), value, model);
    assert.doesNotMatch(backend.last.rawHead, /Bearer own/, model);
    assert.equal(backend.last.headers.get('host'), backend.address, model);
  }
});

test('endpoints by name and by IPv6 address', async (t) => {
  const backend = await Backend.start(t);
  const models = {
    byName: { backend_refs: [{ endpoint: `localhost:${backend.port}` }] },
    v6: { backend_refs: [{ endpoint: `[::1]:${await freePort()}` }] },
  };
  const vsr = await startVsr(t, policy({ models }));
  assert.equal((await post(vsr.port, chat('hi', { model: 'byName' }))).status, 200);
  assert.equal(backend.last.headers.get('host'), `localhost:${backend.port}`);
  const none = await post(vsr.port, chat('hi', { model: 'v6' }));
  assert.ok([502, 503].includes(none.status), none.text());
});

test('credentials injected by a trusted proxy', async (t) => {
  const backend = await Backend.start(t);
  const document = policy({
    listener: { trust_identity_headers: true },
    models: {
      keyed: { backend_refs: [{ endpoint: backend.address, api_key: 'static' }] },
      azure: {
        backend_refs: [
          { provider: 'azure-openai', base_url: `http://${backend.address}`, api_version: 'v1', api_key: 'static' },
        ],
      },
    },
  });
  const vsr = await startVsr(t, document);
  const headers = {
    'x-user-openai-key': 'injected',
    'x-user-azure-openai-key': 'injected-azure',
    'x-user-gemini-key': 'other',
  };
  assert.equal((await post(vsr.port, chat('hi', { model: 'keyed' }), headers)).status, 200);
  assert.equal(backend.last.headers.get('authorization'), 'Bearer injected');
  for (const name of Object.keys(headers)) assert.equal(backend.last.headers.get(name), undefined);
  assert.equal((await post(vsr.port, chat('hi', { model: 'azure' }), headers)).status, 200);
  assert.equal(backend.last.headers.get('api-key'), 'injected-azure');
  assert.equal((await post(vsr.port, chat('hi', { model: 'keyed' }))).status, 200);
  assert.equal(backend.last.headers.get('authorization'), 'Bearer static');
});

test('a chain of credentials that finds none refuses', async (t) => {
  const backend = await Backend.start(t);
  const document = policy({
    models: { keyless: backend, keyed: { backend_refs: [{ endpoint: backend.address, api_key: 'static' }] } },
    global: { services: { authz: { fail_open: false, providers: [{ type: 'static-config' }] } } },
  });
  const vsr = await startVsr(t, document);
  const own = { Authorization: 'Bearer own' };
  const answer = await post(vsr.port, chat('hi', { model: 'keyless' }), own);
  assertError(answer, 401, {
    message: 'Authentication failed. Check your API key configuration.',
    type: 'authentication_error',
    code: 'invalid_api_key',
  });
  assert.equal(backend.requests.length, 0);
  assert.equal((await post(vsr.port, chat('hi', { model: 'keyed' }), own)).status, 200);
  assert.equal(backend.last.headers.get('authorization'), 'Bearer static');
});

test('skipping all processing, where the deployment allows it', async (t) => {
  const backend = await Backend.start(t);
  const document = (enabled) =>
    policy({
      default_model: 'a',
      models: { a: backend, b: { provider_model_id: 'prov-b', backend_refs: [backend] } },
      global: { router: { skip_processing: { enabled } } },
    });
  const skip = { 'x-vsr-skip-processing': 'true', 'x-selected-model': 'forged' };
  const on = await startVsr(t, document(true));
  assert.equal((await post(on.port, chat('hi', { model: 'b' }), skip)).status, 200);
  assert.equal(backend.last.json().model, 'prov-b');
  assert.notEqual(backend.last.headers.get('x-selected-model'), 'forged');
  assertError(await post(on.port, chat('hi'), skip), 404, { code: 'model_not_found' });
  const off = await startVsr(t, document(false));
  assert.equal((await post(off.port, chat('hi'), skip)).status, 200);
});
