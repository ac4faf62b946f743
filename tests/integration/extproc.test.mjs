// Envoy's external processing: what the backend and the client get through Envoy is what they get from a listener.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Backend, completion, hang, jsonAnswer, openaiAnswer } from './lib/backend.mjs';
import { Envoy, connect, grpc, Health, pieces } from './lib/envoy.mjs';
import { every, eventually, freePort, lane, otherwise, policy, program, startVsr, test } from './lib/harness.mjs';
import { chat, request } from './lib/http.mjs';

const PATH = '/v1/chat/completions';

async function start(t, document, { args = [], ...options } = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, document, { args: ['--extproc-listen', `127.0.0.1:${port}`, ...args], ...options });
  vsr.extprocPort = port;
  return vsr;
}

const routed = (backend) =>
  policy({
    models: {
      small: backend,
      coder: { backend_refs: [{ endpoint: backend.address, api_key: 'sk-backend', weight: 1 }], provider_model_id: 'coder-v2' },
    },
    default_model: 'small',
    signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['function'] }] },
    decisions: [lane('code', 'keyword', 'code', 'coder'), otherwise('small')],
  });

const HEADERS = {
  'content-type': 'application/json',
  'x-request-id': 'request-1',
  'x-vsr-looper-request': 'spoofed',
  'x-selected-model': 'small', // as if by chance what vsr says, too
  'x-authz-user-id': 'mallory',
  authorization: 'Bearer of-the-client',
};

/** A client's request as Envoy has it: pieces, and a content-length where there are no trailers. */
function asked(body, { split = [1 << 20], trailers = [], headers = {}, path = PATH } = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const length = trailers.length > 0 ? {} : { 'content-length': bytes.length };
  return { path, headers: { ...HEADERS, ...length, ...headers }, chunks: pieces(bytes, split), trailers };
}

const FRAMING = new Set(['content-length', 'transfer-encoding', 'connection', 'date', 'host', 'keep-alive']);

/** What is to be the same by every way: sorted fields but for those that frame a message. */
const comparable = (entries) =>
  entries
    .map(([name, value]) => [name.toLowerCase(), value])
    .filter(([name]) => !FRAMING.has(name))
    .map((field) => field.join(': '))
    .sort();

const sent = (one) => ({ line: `${one.method} ${one.path}`, fields: comparable(one.fields), body: one.text() });

async function byListener(vsr, backend, body, headers = {}) {
  const all = { 'Content-Type': 'application/json', ...HEADERS, ...headers };
  delete all['content-type'];
  const answer = await request(vsr.port, { path: PATH, body, headers: all });
  return {
    status: answer.status,
    fields: comparable(answer.fields),
    body: answer.body.toString(),
    sent: sent(backend.last),
  };
}

async function byEnvoy(envoy, backend, exchange, hooks = {}) {
  const answer = await envoy.exchange(exchange, { route: () => backend.port, ...hooks });
  return {
    status: answer.status,
    fields: comparable(answer.headers.entries()),
    body: answer.body.toString(),
    sent: sent(backend.last),
    answer,
  };
}

function assertSame(got, want, what, { headersFollow = true, answerHeadersFollow = true } = {}) {
  assert.equal(got.body, want.body, `${what}: the client's body`);
  assert.equal(got.status, want.status, `${what}: status`);
  assert.equal(got.sent.body, want.sent.body, `${what}: the backend's body`);
  if (answerHeadersFollow) assert.deepEqual(got.fields, want.fields, `${what}: the client's headers`);
  if (headersFollow) {
    assert.deepEqual(got.sent.fields, want.sent.fields, `${what}: the backend's headers`);
    assert.equal(got.sent.line, want.sent.line, `${what}: the backend's request line`);
  }
}

const MODES = {
  BUFFERED: {},
  'BUFFERED, no override': { allowModeOverride: false },
  'older Envoy': { tellsConfig: false },
  STREAMED: { requestBody: 'STREAMED', responseBody: 'STREAMED' },
  'STREAMED, body first': { requestBody: 'STREAMED', responseBody: 'STREAMED', bodyEarly: true },
  'STREAMED, no override': { requestBody: 'STREAMED', responseBody: 'STREAMED', allowModeOverride: false },
  'STREAMED, unasked': { requestBody: 'STREAMED', responseBody: 'STREAMED', sendBodyUnasked: true },
  FULL_DUPLEX_STREAMED: { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'FULL_DUPLEX_STREAMED' },
  'full duplex and BUFFERED': { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'BUFFERED' },
  BUFFERED_PARTIAL: { requestBody: 'BUFFERED_PARTIAL', responseBody: 'BUFFERED_PARTIAL' },
  NONE: { requestBody: 'NONE', responseBody: 'NONE' },
};

/** Whether the modes let changes of the request's headers reach the backend. */
const headersFollow = (name) => name !== 'STREAMED, no override';

for (const [name, mode] of Object.entries(MODES)) {
  test(`chat by ${name}`, async (t) => {
    const backend = await Backend.start(t);
    const vsr = await start(t, routed(backend));
    for (const trailers of [false, true]) {
      const envoy = new Envoy(t, vsr.extprocPort, { ...mode, requestTrailers: trailers, responseTrailers: trailers });
      for (const [what, body] of Object.entries({
        whole: chat('write a function, ä🌍'),
        'as it is': chat('hi', { model: 'small' }),
        stream: chat('write a function', { stream: true }),
        'stream with usage': chat('hi', { stream: true, stream_options: { include_usage: true } }),
      })) {
        const want = await byListener(vsr, backend, body);
        for (const split of [[1 << 20], [7], [1, 90]]) {
          const exchange = asked(body, { split, trailers: trailers ? [['x-checksum', '1']] : [] });
          const hooks = {
            split: (bytes) => pieces(bytes, split),
            responseTrailers: trailers ? [['x-took', '2']] : [],
          };
          const got = await byEnvoy(envoy, backend, exchange, hooks);
          assertSame(got, want, `${what}, split ${split}, trailers ${trailers}`, { headersFollow: headersFollow(name) });
          assert.ok(!got.answer.immediate);
          if (headersFollow(name)) assert.ok(got.answer.routeCleared, 'the route is chosen again');
        }
      }
    }
    await idle(vsr);
  });
}

/** Nothing is under way any more. */
async function idle(vsr) {
  await eventually('an idle vsr', async () => {
    const page = (await vsr.metrics()).text();
    return ['vsr_requests_active', 'vsr_extproc_streams'].every((name) =>
      new RegExp(`^${name} 0$`, 'm').test(page),
    );
  });
}

test('a body at every split', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const body = JSON.stringify(chat(`write a function ä🌍 "quoted" {[ ${'x'.repeat(180)}`)).slice(0, -1) + ', "n": 1 }\r\n';
  const want = await byListener(vsr, backend, body);
  const length = Buffer.byteLength(body);
  for (const name of ['STREAMED, no override', 'STREAMED, unasked', 'FULL_DUPLEX_STREAMED']) {
    const trailing = MODES[name].requestBody === 'STREAMED';
    for (const trailers of [[], [['x-checksum', '1']]]) {
      const envoy = new Envoy(t, vsr.extprocPort, { ...MODES[name], requestTrailers: true });
      for (let at = 1; at < length; at++) {
        const got = await byEnvoy(envoy, backend, asked(body, { split: [at, length], trailers }));
        // White space behind the text may be left out where it came too late to be known.
        if (trailing) got.sent.body = got.sent.body.trimEnd() + (want.sent.body.endsWith('\r\n') ? '\r\n' : '');
        assertSame(got, want, `${name} at ${at}`, { headersFollow: headersFollow(name) });
      }
      envoy.close();
    }
  }
});

test('a streamed answer at every split', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const body = chat('hi', { stream: true });
  const want = await byListener(vsr, backend, body);
  for (const name of ['BUFFERED', 'FULL_DUPLEX_STREAMED']) {
    const envoy = new Envoy(t, vsr.extprocPort, MODES[name]);
    for (let at = 1; at < 400; at++) {
      const split = (bytes) => [bytes.subarray(0, at), bytes.subarray(at)];
      assertSame(await byEnvoy(envoy, backend, asked(body), { split }), want, `${name} at ${at}`);
    }
  }
});

test('large bodies, both ways', async (t) => {
  const text = 'x'.repeat(6 << 20);
  const backend = await Backend.start(t, openaiAnswer({ content: text }));
  const vsr = await start(t, routed(backend));
  const body = chat(text);
  const want = await byListener(vsr, backend, body);
  for (const name of ['BUFFERED', 'STREAMED', 'STREAMED, unasked', 'FULL_DUPLEX_STREAMED']) {
    const envoy = new Envoy(t, vsr.extprocPort, MODES[name]);
    assertSame(await byEnvoy(envoy, backend, asked(body, { split: [65536] })), want, name);
  }
  await idle(vsr);
});

test('what Envoy is told of a route', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  const answer = await envoy.exchange(asked(chat('write a function')), { route: () => backend.port });
  const { vsr: data } = answer.metadata['envoy.filters.http.ext_proc'];
  assert.deepEqual(
    { ...data, tokens: data.tokens > 0 },
    { recipe: 'default', decision: 'code', model: 'coder', confidence: 1, tokens: true },
  );
  const seen = backend.last.headers;
  assert.equal(seen.get('x-selected-model'), 'coder');
  assert.equal(seen.get('authorization'), 'Bearer sk-backend');
  assert.equal(seen.get('accept-encoding'), 'identity');
  assert.equal(seen.get('host'), 'api.example.com', 'the host is left to the route');
  assert.equal(seen.get('x-vsr-looper-request'), undefined);
  assert.equal(seen.get('x-authz-user-id'), undefined);
  assert.equal(backend.last.json().model, 'coder-v2');
  assert.equal(answer.headers.get('x-vsr-selected-model'), 'coder');
});

test('the route is kept where the configuration says so', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, { ...routed(backend), global: { router: { clear_route_cache: false } } });
  const answer = await new Envoy(t, vsr.extprocPort).exchange(asked(chat('hi')), { route: () => backend.port });
  assert.equal(answer.status, 200);
  assert.ok(!answer.routeCleared);
});

test('identity headers of a trusted Envoy', async (t) => {
  const backend = await Backend.start(t);
  const document = policy({
    models: { small: backend, vip: backend },
    default_model: 'small',
    signals: {
      role_bindings: [{ name: 'vips', role: 'vip', subjects: [{ kind: 'User', name: 'alice' }] }],
    },
    decisions: [lane('vip', 'authz', 'vip', 'vip'), otherwise('small')],
    global: { services: { authz: { fail_open: true } } },
  });
  const headers = { 'x-authz-user-id': 'alice' };
  const ask = async (args, env = {}) => {
    const vsr = await start(t, document, { args, env });
    const envoy = new Envoy(t, vsr.extprocPort);
    return (await envoy.exchange(asked(chat('hi'), { headers }), { route: () => backend.port })).metadata;
  };
  const model = (metadata) => metadata['envoy.filters.http.ext_proc'].vsr.model;
  assert.equal(model(await ask(['--extproc-trust-identity'])), 'vip');
  assert.equal(model(await ask([], { VSR_EXTPROC_TRUST_IDENTITY: '1' })), 'vip');
  assert.equal(model(await ask([], { VSR_EXTPROC_TRUST_IDENTITY: 'false' })), 'small');
  assert.equal(model(await ask([])), 'small');
});

// ---- answers of vsr's own ----------------------------------------------------------------------------------------

async function refused(t, document, exchange, mode = {}) {
  const vsr = await start(t, document);
  const envoy = new Envoy(t, vsr.extprocPort, mode);
  const answer = await envoy.exchange(exchange, { upstream: () => assert.fail('nothing was to be sent') });
  assert.ok(answer.immediate);
  await idle(vsr);
  return { ...answer, json: () => JSON.parse(answer.body) };
}

for (const name of ['BUFFERED', 'STREAMED', 'STREAMED, unasked', 'FULL_DUPLEX_STREAMED', 'BUFFERED_PARTIAL']) {
  test(`refusals by ${name}`, async (t) => {
    const backend = await Backend.start(t);
    const keyless = policy({
      models: { small: { backend_refs: [{ endpoint: backend.address, api_key_env: 'NO_SUCH_KEY' }] } },
      default_model: 'small',
    });
    const small = { ...routed(backend), global: { router: { streamed_body: { enabled: true, max_bytes: 100 } } } };
    const cases = [
      [400, routed(backend), asked('{"model":"auto","messages":')],
      [400, routed(backend), asked('{"model":"auto"}')],
      [404, routed(backend), asked(chat('hi', { model: 'nobody' }))],
      [404, routed(backend), asked(chat('hi'), { path: '/v1/nothing' })],
      [405, routed(backend), { ...asked(chat('hi')), method: 'PUT' }],
      [401, keyless, asked(chat('hi'))],
      [413, small, asked(chat('x'.repeat(200)), { split: [50] })],
    ];
    for (const [status, document, exchange] of cases) {
      const answer = await refused(t, document, exchange, MODES[name]);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), 'application/json');
      assert.equal(answer.headers.get('x-vsr-response-path'), 'error');
      assert.equal(answer.headers.get('x-request-id'), 'request-1');
      assert.equal(answer.json().error.status, status);
    }
    assert.equal(backend.requests.length, 0);
  });
}

test('a body that does not come', async (t) => {
  const backend = await Backend.start(t);
  const document = { ...routed(backend), global: { router: { streamed_body: { enabled: true, timeout_sec: 1 } } } };
  const vsr = await start(t, document);
  const stream = new Envoy(t, vsr.extprocPort).open();
  stream.send('request_headers', { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false });
  assert.equal((await stream.next()).response, 'request_headers');
  assert.equal((await stream.next()).immediate_response.status.code, 408);
  await stream.finish();
  await idle(vsr);
});

const wire = (fields) => ({ headers: Object.entries(fields).map(([key, value]) => ({ key, value: String(value) })) });

test('the model list and a model are answered at once', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  for (const path of ['/v1/models', '/v1/models/small']) {
    const answer = await envoy.exchange({ method: 'GET', path, headers: { 'x-request-id': 'request-1' } });
    const want = await request(vsr.port, { method: 'GET', path, headers: { 'x-request-id': 'request-1' } });
    assert.ok(answer.immediate);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), want.text());
  }
});

test('paths outside of the API are not there', async (t) => {
  const vsr = await start(t, routed(await Backend.start(t)));
  for (const [name, mode] of Object.entries(MODES))
    for (const path of ['/metrics', '/api/generate', '/chat/completions', '//v1/chat/completions', '/V1/models', '/v1']) {
      const answer = await new Envoy(t, vsr.extprocPort, mode).exchange(asked('{"b":2}', { path, split: [3] }), {
        upstream: () => assert.fail(`${path} reached the backend`),
      });
      assert.equal(answer.status, 404, `${name} ${path}`);
    }
  await idle(vsr);
});

test('callers who want nothing done, where they may', async (t) => {
  const backend = await Backend.start(t);
  const document = {
    ...routed(backend),
    global: {
      router: { skip_processing: { enabled: true } },
      services: { authz: { fail_open: true, identity: { user_id_header: 'x-who' } } },
    },
  };
  const identity = { 'x-user-openai-key': 'sk-of-the-user', 'x-authz-tenant-id': 'acme', 'x-who': 'alice' };
  for (const args of [[], ['--extproc-trust-identity']]) {
    const vsr = await start(t, document, { args });
    const headers = { 'x-vsr-skip-processing': 'true', ...identity };
    const exchange = asked(chat('write a function', { model: 'x' }), { headers });
    const answer = await new Envoy(t, vsr.extprocPort).exchange(exchange, { route: () => backend.port });
    assert.equal(answer.status, 200);
    assert.equal(backend.last.json().model, 'x');
    for (const name of ['x-selected-model', 'x-authz-user-id', ...Object.keys(identity)])
      assert.equal(backend.last.headers.get(name), undefined, `${name} ${args}`);
    const outside = asked('{}', { path: '/api/generate', headers });
    assert.equal((await new Envoy(t, vsr.extprocPort).exchange(outside, { route: () => backend.port })).status, 404);
  }
});

// ---- what goes wrong behind Envoy ---------------------------------------------------------------------------------

for (const name of ['BUFFERED', 'STREAMED', 'FULL_DUPLEX_STREAMED']) {
  test(`errors of a backend by ${name}`, async (t) => {
    const backend = await Backend.start(t);
    const vsr = await start(t, routed(backend));
    const envoy = new Envoy(t, vsr.extprocPort, MODES[name]);
    for (const [status, body] of [
      [429, '{"error":{"message":"slow down","type":"rate_limit_error"}}'],
      [500, 'not JSON'],
      [503, ''],
    ]) {
      const upstream = () => ({
        status,
        headers: [['content-type', 'application/json']],
        chunks: body ? [body] : [],
      });
      const answer = await envoy.exchange(asked(chat('hi')), { upstream });
      assert.equal(answer.status, status);
      assert.equal(answer.body.toString(), body, 'as it is');
      assert.equal(answer.headers.get('x-vsr-response-path'), 'upstream');
    }
    await idle(vsr);
  });

  test(`a stream that breaks off by ${name}`, async (t) => {
    const backend = await Backend.start(t);
    const vsr = await start(t, routed(backend));
    const envoy = new Envoy(t, vsr.extprocPort, MODES[name]);
    const upstream = () => ({
      status: 200,
      headers: [['content-type', 'text/event-stream']],
      chunks: ['data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', 'data: {"id'],
    });
    const answer = await envoy.exchange(asked(chat('hi', { stream: true })), { upstream });
    assert.match(answer.body.toString(), /"content":"a".*\n\n[^]*data: \{"error":/);
    await idle(vsr);
  });
}

test('Envoy answers by itself', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const stream = new Envoy(t, vsr.extprocPort).open();
  stream.send('request_headers', { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false });
  assert.equal((await stream.next()).response, 'request_headers');
  stream.send('response_headers', { headers: wire({ ':status': 403 }), end_of_stream: false });
  const message = await stream.next();
  assert.equal(message.response, 'response_headers');
  assert.equal(message.response_headers.response.header_mutation, null);
  stream.send('response_body', { body: Buffer.from('no'), end_of_stream: true });
  assert.equal((await stream.next()).response_body.response.body_mutation, null);
  await stream.finish();
  await idle(vsr);
});

test('observability mode', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort, { observability: true, requestBody: 'STREAMED', responseBody: 'STREAMED' });
  await envoy.exchange(asked(chat('write a function'), { split: [9] }));
  await idle(vsr);
  assert.match((await vsr.metrics()).text(), /llm_decision_match_total\{decision_name="code"\} 1/);
  assert.equal(backend.requests.length, 0);
});

test('observability mode does nothing', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, {
    ...routed(backend),
    global: {
      services: {
        response_api: { enabled: true },
        ratelimit: { providers: [{ type: 'local-limiter', rules: [{ name: 'few', requests_per_unit: 1, unit: 'minute' }] }] },
      },
    },
  });
  const envoy = new Envoy(t, vsr.extprocPort);
  const watcher = new Envoy(t, vsr.extprocPort, { observability: true, requestBody: 'STREAMED', responseBody: 'STREAMED' });
  const ask = (body, path) => envoy.exchange(asked(body, { path }), { route: () => backend.port });
  await watcher.exchange(asked(chat('hi')));
  await watcher.exchange(asked(chat('hi')));
  await watcher.exchange(asked({ model: 'small', input: 'hi', background: true }, { path: '/v1/responses' }));
  await idle(vsr);
  assert.equal(backend.requests.length, 0, 'nothing runs in the background');
  assert.equal((await ask(chat('hi'), PATH)).status, 200, 'no budget was taken');
  assert.equal((await ask(chat('hi'), PATH)).status, 429);
});

test('a head of a backend that is none', async (t) => {
  const vsr = await start(t, routed(await Backend.start(t)));
  const headers = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, 'y']));
  const answer = await new Envoy(t, vsr.extprocPort).exchange(asked(chat('hi')), {
    upstream: () => ({ status: 200, headers: Object.entries(headers), chunks: ['{}'] }),
  });
  assert.equal(answer.status, 502);
  await idle(vsr);
});

test('answers whose bodies Envoy does not show unless asked', async (t) => {
  for (const allowModeOverride of [true, false]) {
    const backend = await Backend.start(t);
    const vsr = await start(t, routed(backend));
    const envoy = new Envoy(t, vsr.extprocPort, { responseBody: 'NONE', allowModeOverride });
    for (let i = 0; i < 7; i++)
      assert.equal((await envoy.exchange(asked(chat('hi')), { route: () => backend.port })).status, 200);
    await idle(vsr);
    const metrics = (await vsr.metrics()).text();
    // Until it is clear that this proxy shows none, it looks as if four clients had left.
    const left = Number(metrics.match(/^llm_request_errors_total\{[^}]*cancel[^}]*\} (\d+)$/m)?.[1] ?? 0);
    assert.equal(left, allowModeOverride ? 0 : 4);
    if (allowModeOverride) assert.match(metrics, /llm_model_completion_tokens_total\{[^}]*\} [1-9]/);
    else assert.match(vsr.log, /does not show the bodies of answers/);
  }
});

test('messages out of order, and no messages at all', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  const headers = { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false };
  for (const messages of [
    [['request_body', { body: Buffer.from('x'), end_of_stream: true }]],
    [['response_headers', { headers: wire({ ':status': 200 }) }]],
    [['request_headers', headers], ['request_headers', headers]],
  ]) {
    const stream = envoy.open();
    for (const [kind, value] of messages) stream.send(kind, value);
    assert.equal((await stream.closed).code, grpc.status.INVALID_ARGUMENT, JSON.stringify(messages));
  }
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, 'y']));
  for (const [status, head] of [
    [431, { ':path': PATH, ...many }],
    [414, { ':path': `/${'a'.repeat(9000)}` }],
    [400, { ':path': '/static/a"b' }],
    [400, {}],
    [400, { ':path': PATH, 'bad name': 'x' }],
    [400, { ':path': PATH, good: 'a\r\nb: c' }],
  ]) {
    const stream = envoy.open();
    stream.send('request_headers', { headers: wire({ ':method': 'POST', ...head }) });
    assert.equal((await stream.next()).immediate_response.status.code, status, JSON.stringify(head));
    await stream.finish();
  }
  await envoy.open().finish();
  await idle(vsr);
  const answer = await envoy.exchange(asked(chat('hi')), { route: () => backend.port });
  assert.equal(answer.status, 200, 'the connection is as good as before');
});

test('a client goes away, in every phase', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const body = Buffer.from(JSON.stringify(chat('hi', { stream: true })));
  const script = [
    ['request_headers', { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false }],
    ['request_body', { body, end_of_stream: true }],
    ['response_headers', { headers: wire({ ':status': 200, 'content-type': 'text/event-stream' }) }],
    ['response_body', { body: Buffer.from('data: {"id":"1","choices":[]}\n\n'), end_of_stream: false }],
    ['response_body', { body: Buffer.from('data: [DONE]\n\n'), end_of_stream: true }],
  ];
  for (const how of ['cancel', 'end']) {
    for (let n = 0; n <= script.length; n++) {
      const stream = new Envoy(t, vsr.extprocPort).open();
      for (const [kind, value] of script.slice(0, n)) {
        stream.send(kind, value);
        await stream.next();
      }
      stream.call[how]();
      await stream.closed;
    }
  }
  await idle(vsr);
});

test('a call with a deadline of its own', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  const call = envoy.client.Process({ deadline: Date.now() + 300 });
  const status = await new Promise((resolve) => {
    call.on('status', resolve);
    call.on('error', () => {});
    call.on('data', () => {});
    call.write({ request_headers: { headers: wire({ ':method': 'POST', ':path': PATH }) } });
  });
  assert.equal(status.code, grpc.status.DEADLINE_EXCEEDED);
  await idle(vsr);
});

test('a thousand exchanges at once', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  const streams = Array.from({ length: 1000 }, () => envoy.open());
  for (const stream of streams)
    stream.send('request_headers', { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false });
  for (const stream of streams) assert.equal((await stream.next()).response, 'request_headers');
  await eventually('a thousand streams', async () => /^vsr_extproc_streams 1000$/m.test((await vsr.metrics()).text()));
  for (const [i, stream] of streams.entries())
    stream.send('request_body', { body: Buffer.from(JSON.stringify(chat(`hi ${i}`))), end_of_stream: true });
  for (const stream of streams) {
    const message = await stream.next();
    assert.equal(JSON.parse(message.request_body.response.body_mutation.body).model, 'small');
  }
  for (const stream of streams.slice(0, 500)) stream.call.cancel();
  await Promise.all(streams.slice(500).map((stream) => stream.finish()));
  await idle(vsr);
});

test('reloads under load: each exchange is of one generation', async (t) => {
  const backend = await Backend.start(t);
  const document = (id) =>
    policy({
      models: { small: { provider_model_id: id, backend_refs: [{ endpoint: backend.address, extra_headers: { 'x-generation': id } }] } },
      default_model: 'small',
    });
  const vsr = await start(t, document('id-0'));
  const envoy = new Envoy(t, vsr.extprocPort);
  let reloads = 0;
  let going = true;
  const reloading = (async () => {
    while (going) {
      const from = vsr.log.length;
      vsr.write(document(`id-${++reloads}`));
      vsr.signal('SIGHUP');
      await vsr.says(/reloaded|in service|generation/, from);
    }
  })();
  const seen = new Set();
  await every(Array.from({ length: 300 }, (_, i) => i), 8, async (i) => {
    const answer = await envoy.exchange(asked(chat(`hi ${i}`), { split: [20] }), {
      upstream: ({ headers, body }) => {
        const id = headers.get('x-generation');
        assert.equal(JSON.parse(body).model, id, 'body and headers of one generation');
        seen.add(id);
        return {
          status: 200,
          headers: [['content-type', 'application/json']],
          chunks: [JSON.stringify(completion(id, 'x'))],
        };
      },
    });
    assert.equal(answer.status, 200);
  });
  going = false;
  await reloading;
  assert.ok(seen.size > 1, `generations seen: ${seen.size}`);
  await idle(vsr);
});

// ---- the socket --------------------------------------------------------------------------------------------------

const unary = (client, method, message) =>
  new Promise((resolve) => client[method](message, (error, value) => resolve({ code: error?.code ?? 0, value })));

test('health', async (t) => {
  const backend = await Backend.start(t, hang());
  const vsr = await start(t, routed(backend));
  const client = connect(t, Health, vsr.extprocPort);
  for (const service of ['', 'envoy.service.ext_proc.v3.ExternalProcessor'])
    assert.deepEqual(await unary(client, 'Check', { service }), { code: 0, value: { status: 'SERVING' } });
  assert.equal((await unary(client, 'Check', { service: 'other' })).code, grpc.status.NOT_FOUND);
  const told = [];
  const watch = client.Watch({ service: '' });
  const ended = new Promise((resolve) => watch.on('status', resolve));
  watch.on('data', ({ status }) => told.push(status));
  watch.on('error', () => {});
  await eventually('the first word', () => told.length === 1);
  const other = client.Watch({ service: 'other' });
  other.on('error', () => {});
  assert.equal((await new Promise((resolve) => other.once('data', resolve))).status, 'SERVICE_UNKNOWN');
  other.cancel();
  vsr.signal('SIGTERM');
  assert.equal((await ended).code, grpc.status.UNAVAILABLE);
  assert.deepEqual(told, ['SERVING', 'NOT_SERVING']);
});

test('an exchange under way is finished before the end', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const stream = new Envoy(t, vsr.extprocPort).open();
  stream.send('request_headers', { headers: wire({ ':method': 'POST', ':path': PATH }), end_of_stream: false });
  await stream.next();
  vsr.signal('SIGTERM');
  await vsr.says(/draining/);
  stream.send('request_body', { body: Buffer.from(JSON.stringify(chat('hi'))), end_of_stream: true });
  assert.equal((await stream.next()).response, 'request_body');
  stream.send('response_headers', { headers: wire({ ':status': 200, 'content-type': 'application/json' }) });
  assert.equal((await stream.next()).response, 'response_headers');
  stream.send('response_body', { body: Buffer.from(JSON.stringify(completion('m', 'x'))), end_of_stream: true });
  assert.equal((await stream.next()).response, 'response_body');
  await stream.finish();
  await vsr.exited;
});

test('what is no gRPC', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  assert.equal((await request(vsr.extprocPort, { body: '{}' })).status, 426, 'HTTP/1.1');
  const client = connect(t, Health, vsr.extprocPort);
  const unknown = await new Promise((resolve) =>
    client.makeUnaryRequest('/no.such/Method', (x) => x, (x) => x, Buffer.alloc(0), (error) => resolve(error)),
  );
  assert.equal(unknown.code, grpc.status.UNIMPLEMENTED);
});

// ---- TLS ---------------------------------------------------------------------------------------------------------

function makeCertificate(dir, name) {
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', path.join(dir, 'tls.key'), '-out', path.join(dir, 'tls.crt')],
  ]);
  assert.equal(made.status, 0, made.stderr.toString());
  return readFileSync(path.join(dir, 'tls.crt'));
}

test('TLS, and its renewal', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-extproc-tls-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const first = makeCertificate(dir, 'first');
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend), { args: ['--extproc-tls-dir', dir] });
  const served = async (ca) => {
    const client = connect(null, Health, vsr.extprocPort, { credentials: grpc.credentials.createSsl(ca) });
    const { code } = await unary(client, 'Check', { service: '' });
    client.close();
    return code === 0;
  };
  assert.ok(await served(first));
  const connection = { credentials: grpc.credentials.createSsl(first) };
  const envoy = new Envoy(t, vsr.extprocPort, { connection });
  const exchange = async () => (await envoy.exchange(asked(chat('hi')), { route: () => backend.port })).status;
  assert.equal(await exchange(), 200);

  const second = makeCertificate(dir, 'second');
  await eventually('the new certificate', () => served(second));
  assert.ok(!(await served(first)), 'the old one is not shown any more');
  assert.equal(await exchange(), 200, 'connections that were there stay');

  const from = vsr.log.length;
  writeFileSync(path.join(dir, 'tls.crt'), 'no certificate');
  await vsr.says(/tls\.crt/, from);
  assert.ok(await served(second), 'a file that is no good changes nothing');
});

test('TLS: who is not let in is counted, and some of it logged', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-extproc-tls-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  makeCertificate(dir, 'first');
  const vsr = await start(t, routed(await Backend.start(t)), { args: ['--extproc-tls-dir', dir] });
  await new Promise((resolve) => net.connect(vsr.extprocPort, '127.0.0.1').on('error', resolve).on('close', resolve).end('GET / HTTP/1.1\r\n\r\n').resume());
  await eventually('the count', async () => /^vsr_tls_handshake_failures_total\{cause="refused"\} 1$/m.test((await vsr.metrics()).text()));
  assert.match(vsr.log, new RegExp(`TLS handshake refused address=127\\.0\\.0\\.1 port=${vsr.extprocPort} `));
});

test('TLS without a certificate', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-extproc-tls-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(path.join(dir, 'policy.yaml'), 'version: v0.3\nrouting: {}\n');
  const ended = spawnSync(program, [
    ...['serve', '-c', path.join(dir, 'policy.yaml'), '--metrics-listen', 'off', '--management-listen', 'off'],
    ...['--extproc-listen', `127.0.0.1:${await freePort()}`, '--extproc-tls-dir', dir],
  ]);
  assert.notEqual(ended.status, 0);
  assert.match(ended.stderr.toString(), /--extproc-tls-dir wants tls\.crt and tls\.key in .*tls\.crt/);
});

// ---- hostile peers -----------------------------------------------------------------------------------------------

/** A small generator of numbers, the same each time. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('messages in any order', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await start(t, routed(backend));
  const envoy = new Envoy(t, vsr.extprocPort);
  const next = numbers(7);
  const bodies = ['', 'x', '{', '}', '{}', JSON.stringify(chat('hi')), JSON.stringify(chat('hi', { stream: true }))];
  const answers = ['data: [DONE]\n\n', 'data: {"a', '\n\n', '{}', JSON.stringify(completion('m', 'x'))];
  const kinds = [
    () => ['request_body', { body: Buffer.from(bodies[next(bodies.length)]), end_of_stream: next(2) === 1 }],
    () => ['request_trailers', { trailers: wire({ a: 'b' }) }],
    () => [
      'response_headers',
      {
        headers: wire({
          ':status': [200, 204, 404, 503][next(4)],
          'content-type': ['application/json', 'text/event-stream'][next(2)],
        }),
        end_of_stream: next(4) === 0,
      },
    ],
    () => ['response_body', { body: Buffer.from(answers[next(answers.length)]), end_of_stream: next(3) === 0 }],
    () => ['response_trailers', { trailers: wire({ a: 'b' }) }],
  ];
  await every(Array.from({ length: 400 }, (_, i) => i), 20, async () => {
    const stream = envoy.open();
    const config = { request_body_mode: next(5), response_body_mode: next(5), send_body_without_waiting_for_header_response: next(2) === 1 };
    const path = ['/v1/chat/completions', '/v1/messages', '/other', '/v1/models'][next(4)];
    stream.send('request_headers', { headers: wire({ ':method': 'POST', ':path': path }), end_of_stream: next(8) === 0 }, config);
    for (let n = next(8); n > 0; n--) stream.send(...kinds[next(kinds.length)]());
    if (next(2)) stream.call.end();
    else setTimeout(() => stream.call.cancel(), next(20));
    await stream.closed;
  });
  await idle(vsr);
  assert.equal((await envoy.exchange(asked(chat('hi')), { route: () => backend.port })).status, 200);
});
