// What vsr answers by itself: requests that are not fit to forward, and its own endpoints.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend } from './lib/backend.mjs';
import { chat, Conn, decorate, get, post, request, requestBytes } from './lib/http.mjs';
import { otherwise, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';

describe('requests that vsr answers itself', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(
      policy({
        default_model: 'qwen-small',
        models: {
          'qwen-small': backend,
          'qwen-large': backend,
          'acme/fast': backend,
          metadataOnly: { provider_model_id: 'nowhere' },
          elsewhere: {
            api_format: 'anthropic',
            backend_refs: [{ provider: 'anthropic', base_url: 'http://127.0.0.1:9' }],
          },
        },
        global: {
          router: { include_config_models_in_list: true, streamed_body: { max_bytes: 65536, timeout_sec: 1 } },
        },
      }),
    );
  });
  after(async () => {
    assert.equal(backend?.requests.length, 0, 'a refused request reached the backend');
    await vsr?.stop();
    await backend?.close();
  });

  const refused = (body, expected) => async () =>
    assertError(await post(vsr.port, body), 400, { type: 'invalid_request_error', ...expected });

  const broken = [
    '',
    '{',
    '{"model":"auto","messages":[]',
    '[]x',
    '{"model":"auto","messages":[],}',
    "{'model':'auto'}",
    '{"model":"auto","messages":[]}{}',
    '{"model":"auto","messages":[01]}',
    '{"model":"auto","messages":[1.]}',
    '{"model":"auto","messages":[NaN]}',
    '{"model":"auto","messages":["\t"]}',
    '{"model":"auto","messages":["\\x"]}',
    '{"model":"auto","messages":["\\ud800"]}',
    '{"model":"auto","messages":["\\udc00\\ud800"]}',
    '{"model":"auto","messages":[tru]}',
    'null garbage',
  ];
  for (const body of broken)
    test(`malformed JSON: ${JSON.stringify(body)}`, refused(body, { message: 'malformed JSON body' }));

  const bytes = [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x00]];
  for (const bad of bytes) {
    const body = Buffer.concat([
      Buffer.from('{"model":"auto","messages":[{"role":"user","content":"'),
      Buffer.from(bad),
      Buffer.from('"}]}'),
    ]);
    test(
      `malformed JSON: bytes ${Buffer.from(bad).toString('hex')}`,
      refused(body, { message: 'malformed JSON body' }),
    );
  }
  for (const path of ['chat/completions', 'messages', 'messages/count_tokens', 'responses', 'completions', 'embeddings', 'images/generations'])
    test(`not an object: ${path}`, async () => {
      for (const body of ['[]', '[{"model":"auto"}]', '"x"', 'null', '7', 'true']) {
        const expected = { type: 'invalid_request_error', message: 'the request body must be a JSON object', what: body };
        assertError(await request(vsr.port, { path: `/v1/${path}`, body }), 400, expected);
      }
    });

  test('too deep', async () => {
    const nested = (depth) => `{"model":"nope","messages":[],"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    assertError(await post(vsr.port, nested(100)), 404, {}); // read, and then the model is unknown
    assertError(await post(vsr.port, nested(129)), 400, { type: 'invalid_request_error' });
    assertError(await post(vsr.port, nested(20000)), 400, { type: 'invalid_request_error' });
  });

  test('no messages', refused('{"model":"auto"}', { message: 'messages field is required' }));
  for (const messages of ['null', '"hi"', '{}', '7', 'true']) {
    test(
      `messages ${messages}`,
      refused(`{"model":"auto","messages":${messages}}`, { message: /^messages field (must be an array|is required)/ }),
    );
  }
  test('no model', refused('{"messages":[]}', { message: 'model field is required' }));
  for (const model of ['null', '""', '7', '[]', '{"a":1}', 'true']) {
    test(`model ${model}`, refused(`{"model":${model},"messages":[]}`, {}));
  }
  for (const stream of ['"true"', '1', '{}', '[]']) {
    test(`stream ${stream}`, refused(`{"model":"auto","messages":[],"stream":${stream}}`, { message: /stream/ }));
  }

  const nonsense = [
    ...['"x"', '-1', '1.5', '[]', '{}', 'true', '"5"', '1e400'].map((value) => [`"messages":[{"role":"user","content":"x"}],"max_tokens":${value}`, 'max_tokens field']),
    ['"max_tokens":5,"messages":[]', 'messages field must have at least one message'],
    ['"max_tokens":5,"messages":{}', 'messages field must be an array'],
    ['"max_tokens":5', 'messages field is required'],
  ];
  for (const [members, message] of nonsense)
    test(`a Messages request of ${members}, whatever the backend`, async () => {
      for (const model of ['qwen-small', 'elsewhere', 'auto']) {
        const answer = await request(vsr.port, { path: '/v1/messages', body: `{"model":"${model}",${members}}` });
        assertError(answer, 400, { type: 'invalid_request_error', message, what: model });
        assert.equal(answer.json().type, 'error');
      }
    });

  const many = (n) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, 'v']));
  const metadata = [
    many(33),
    { ['k'.repeat(129)]: 'v' },
    { '': 'v' },
    { k: 'v'.repeat(1025) },
    { k: 1 },
    { k: null },
    { k: ['v'] },
    [],
    'x',
    7,
  ];
  for (const value of metadata) {
    const shown = JSON.stringify(value).slice(0, 40);
    test(
      `metadata ${shown}`,
      refused(JSON.stringify({ model: 'auto', messages: [], metadata: value }), { message: /metadata/ }),
    );
  }
  test('metadata at its limits is fine', async () => {
    const value = { ...many(31), ['k'.repeat(128)]: 'v'.repeat(1024) };
    assertError(await post(vsr.port, { model: 'nope', messages: [], metadata: value }), 404, {});
  });

  test('an unknown model names the closest', async () => {
    const near = [
      ['qwen-smal', 'qwen-small'],
      ['qwen-larg', 'qwen-large'],
      ['acme/fsat', 'acme/fast'],
      ['Auto', 'auto'],
    ];
    for (const [wrong, right] of near) {
      const answer = await post(vsr.port, { model: wrong, messages: [] });
      assertError(answer, 404, {
        message: `model "${wrong}" is not available`,
        type: 'not_found_error',
        code: 'model_not_found',
      });
      assert.ok(
        answer.json().error.message.slice(`model "${wrong}"`.length).includes(`"${right}"`) ||
          answer.json().error.message.slice(`model "${wrong}"`.length).includes(right),
        answer.text(),
      );
    }
  });

  test('an unknown model with an evil name is quoted safely', async () => {
    const wrong = 'a"\\\u0001\r\nx-evil: 1\r\n\r\né<script>';
    const answer = await post(vsr.port, { model: wrong, messages: [] });
    assertError(answer, 404, { code: 'model_not_found' });
    assert.equal(answer.headers.get('x-evil'), undefined);
    assert.equal((await post(vsr.port, { model: 'x'.repeat(60000), messages: [] })).status, 404);
  });

  test('a model without an endpoint', async () => {
    const answer = await post(vsr.port, { model: 'metadataOnly', messages: [] });
    assertError(answer, 503, { type: 'server_error', code: 'no_backend' });
  });

  test('errors carry the keystone headers', async () => {
    for (const body of ['{', '{"model":"nope","messages":[]}']) {
      const answer = await post(vsr.port, body, { 'x-request-id': 'req-7' });
      assert.equal(answer.headers.get('x-vsr-schema-version'), '2');
      assert.equal(answer.headers.get('x-vsr-response-path'), 'error');
      assert.equal(answer.headers.get('x-request-id'), 'req-7');
    }
  });

  test('a body over the limit, announced', async () => {
    const conn = await Conn.open(vsr.port);
    await conn.write('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n');
    const answer = decorate(await within('the answer', conn.response()));
    assertError(answer, 413, { code: 'request_too_large' });
    conn.destroy();
  });

  test('a body over the limit, not announced', async () => {
    const conn = await Conn.open(vsr.port);
    void conn.write('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 20; i++) void conn.write(`1000\r\n${'x'.repeat(4096)}\r\n`);
    const answer = decorate(await within('the answer', conn.response()));
    assertError(answer, 413, { code: 'request_too_large' });
    conn.destroy();
  });

  test('a body of exactly the limit', async () => {
    const body = `{"model":"nope","messages":[],"x":"${'x'.repeat(65536)}`.slice(0, 65534).concat('"}');
    assert.equal(body.length, 65536);
    assertError(await post(vsr.port, body), 404, {});
  });

  test('a body that does not come', async () => {
    const conn = await Conn.open(vsr.port);
    await conn.write('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"model":');
    const answer = decorate(await within('the answer', conn.response()));
    assertError(answer, 408, { type: 'timeout_error' });
    assert.ok(await within('the connection to close', conn.peerClosed()));
    conn.destroy();
  });

  test('wrong methods', async () => {
    const wrong = [
      ['GET', '/v1/chat/completions'],
      ['PUT', '/v1/chat/completions'],
      ['DELETE', '/v1/chat/completions/'],
      ['POST', '/v1/models'],
      ['DELETE', '/v1/models/auto'],
      ['PATCH', '/v1/models?x=1'],
    ];
    for (const [method, path] of wrong) {
      const answer = await request(vsr.port, { method, path, body: method === 'GET' ? undefined : '{}' });
      assertError(answer, 405, { message: 'method not allowed', what: `${method} ${path}` });
    }
  });

  test('unknown paths', async () => {
    const paths = [
      '/v1',
      '/v1/',
      '/v1/foo',
      '/v1/chat',
      '/v1/chat/completionsx',
      '/v1/chat/completions/x',
      '/v1/modelsx',
      '/v1/router_replay',
      '/v1/router_replay/abc',
      '/v1/./chat/completions/..',
      '/v1/chat%2Fcompletions',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'POST']) {
        const answer = await request(vsr.port, { method, path, body: method === 'POST' ? chat('x') : undefined });
        assertError(answer, 404, { message: 'endpoint not found', type: 'not_found_error', what: `${method} ${path}` });
      }
    }
    for (const [path, message] of [
      ['/chat/completions', 'endpoint not found; did you mean /v1/chat/completions?'],
      ['/v1/respones', 'endpoint not found; did you mean /v1/responses?'],
      ['/v1/responses/x', 'endpoint not found: the id of a response begins with "resp_"'],
    ]) {
      assertError(await get(vsr.port, path), 404, { message, what: path });
    }
    const skip = await get(vsr.port, '/v1/router_replay', { 'x-vsr-skip-processing': 'true' });
    assert.equal(skip.status, 404);
    for (const path of ['/', '/metrics', '/chat/completions', '/healthz', '/readyz', '/v2/models']) {
      assert.equal((await get(vsr.port, path)).status, 404, path);
    }
  });

  test('a query and one trailing slash do not matter', async () => {
    for (const path of ['/v1/models', '/v1/models/', '/v1/models?limit=3', '/v1/models/?x']) {
      assert.equal((await get(vsr.port, path)).status, 200, path);
    }
    for (const path of ['/v1/chat/completions/', '/v1/chat/completions?api-version=1']) {
      assertError(await request(vsr.port, { path, body: '{}' }), 400, { what: path });
    }
    assert.equal((await get(vsr.port, '/v1/models//')).status, 404);
  });

  test('one model by its name, slashes encoded or not', async () => {
    for (const path of [
      '/v1/models/qwen-small',
      '/v1/models/acme/fast',
      '/v1/models/acme%2Ffast',
      '/v1/models/vllm-sr/auto',
    ]) {
      const answer = await get(vsr.port, path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.json().id, decodeURIComponent(path.slice('/v1/models/'.length)));
    }
    for (const path of ['/v1/models/nope', '/v1/models/acme', '/v1/models/%2e%2e']) {
      assertError(await get(vsr.port, path), 404, { code: 'model_not_found', what: path });
    }
    for (const path of ['/v1/models/%ff', '/v1/models/qwen-small%00', '/v1/models/%', '/v1/models/%zz']) {
      assert.ok([400, 404].includes((await get(vsr.port, path)).status), path);
    }
  });

  test('health and readiness', async () => {
    for (const path of ['/health', '/ready']) {
      const answer = await get(vsr.port, path);
      assert.equal(answer.status, 200);
      assert.match(answer.text(), /^\s*[a-z"{][^\n]{0,60}\s*$/i);
    }
  });

  test('HEAD answers without a body and keeps the connection', async () => {
    const conn = await Conn.open(vsr.port);
    for (const path of ['/health', '/v1/models', '/nope']) {
      await conn.write(requestBytes({ method: 'HEAD', path }));
      const answer = await within(`HEAD ${path}`, conn.response({ method: 'HEAD' }));
      assert.ok([200, 404, 405].includes(answer.status), `${path}: ${answer.status}`);
      if (!answer.keepAlive) return conn.destroy();
    }
    await conn.write(requestBytes({ method: 'GET', path: '/health' }));
    const answer = await within('GET /health', conn.response({ method: 'GET' }));
    assert.equal(answer.status, 200);
    conn.destroy();
  });

  test('requests that two readers could understand differently are refused and the connection ends', async () => {
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n';
    const evil = {
      'both lengths': `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'two lengths': `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      'a signed length': `${head}Content-Length: +2\r\n\r\n{}`,
      'a space before the colon': `${head}Content-Length : 2\r\n\r\n{}`,
      'a folded field': `${head}X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}`,
      'a bare LF': `${head}X-A: 1\nContent-Length: 2\r\n\r\n{}`,
      'a bare CR': `${head}X-A: 1\rContent-Length: 2\r\n\r\n{}`,
      'chunked, but not last': `${head}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
      'a coding of its own': `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      'a bad chunk size': `${head}Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n`,
      'a chunk without its CRLF': `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n`,
      'no host': 'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}',
      'two hosts': `${head}Host: b\r\nContent-Length: 2\r\n\r\n{}`,
    };
    for (const [what, bytes] of Object.entries(evil)) {
      const conn = await Conn.open(vsr.port);
      await conn.write(`${bytes}GET /health HTTP/1.1\r\nHost: a\r\n\r\n`);
      const answer = decorate(await within(`an answer to ${what}`, conn.response()));
      assert.ok([400, 501].includes(answer.status), `${what}: ${answer.status}`);
      assert.ok(answer.complete, what);
      await within(`the end after ${what}`, conn.reader.rest()).then((rest) => assert.equal(rest.length, 0, what));
      conn.destroy();
    }
  });

  test('an HTTP/1.0 client is answered without chunks and hung up on', async () => {
    for (const stream of [false, true]) {
      const body = JSON.stringify(chat('x', { model: 'nope', stream }));
      const conn = await Conn.open(vsr.port);
      await conn.write(`POST /v1/chat/completions HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const answer = await within('the answer', conn.response());
      assert.deepEqual([answer.status, answer.complete, answer.keepAlive], [404, true, false]);
      assert.notEqual(answer.framing, 'chunked');
      assert.ok(await within('the end', conn.peerClosed()));
      conn.destroy();
    }
  });

  test('a connection survives an error whose body was read', async () => {
    const conn = await Conn.open(vsr.port);
    for (let i = 0; i < 5; i++) {
      await conn.write(requestBytes({ body: '{"model":"nope","messages":[]}' }));
      const answer = await within('an answer', conn.response());
      assert.equal(answer.status, 404);
      assert.ok(answer.keepAlive);
    }
    conn.destroy();
  });
});

test('documents without providers answer 503', async (t) => {
  const document = {
    version: 'v0.3',
    listeners: [{ name: 'test', address: '127.0.0.1', port: 0 }],
    routing: { modelCards: [{ name: 'm' }], decisions: [otherwise('m')] },
  };
  const vsr = await startVsr(t, document);
  assertError(await post(vsr.port, chat('hi')), 503, { type: 'server_error', code: 'no_backend' });
});
