// Anthropic's client and vsr: requests and answers of a backend that speaks the same go through byte for byte, routing
// works on them as on chat, every error is one that the client knows, keys and counts are as its own API has them.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import Anthropic from '@anthropic-ai/sdk';

import { Backend, byteByByte, chunk, chunkedBytes, hang, jsonAnswer, responseBytes, sendAndClose, sseHead, streamEvents } from './lib/backend.mjs';
import { Conn, decorate, request, requestBytes } from './lib/http.mjs';
import { eventually, lane, long, otherwise, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';

const path = '/v1/messages';
const say = (content) => [{ role: 'user', content }];
const body = (extra = {}) => ({ model: 'claude', max_tokens: 50, messages: say('Hi'), ...extra });
const send = (port, value, headers = {}) =>
  request(port, { path, body: typeof value === 'string' ? value : JSON.stringify(value), headers });

const sse = (events) => events.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join('');
const stream = sse([
  { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'x', content: [], stop_reason: null, stop_sequence: null, usage: { input_tokens: 7, output_tokens: 1, cache_read_input_tokens: 3 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel\u00e9' } },
  { type: 'some_new_event', what: { ever: true } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
]);
const answer = '{"id":"msg_1", "type":"message","role":"assistant","model":"x","content":[{"type":"text","text":"\\u0048i"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":2},"new":1e400}';

/** An error in Anthropic's shape. */
function assertRefused(got, status, type, message) {
  assert.equal(got.status, status, got.text());
  assert.match(got.headers.get('content-type'), /^application\/json/);
  const value = got.json();
  assert.equal(value.type, 'error');
  assert.equal(value.error.type, type);
  assert.ok(value.error.message.length > 0);
  assert.deepEqual(Object.keys(value.error).sort(), ['message', 'type']);
  if (message) assert.match(value.error.message, message);
}

describe('a backend of the same protocol', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start(null);
    vsr = await Vsr.start(
      policy({
        default_model: 'claude',
        models: {
          claude: { api_format: 'anthropic', provider_model_id: 'claude-9', backend_refs: [{ endpoint: backend.address, api_key: 'static' }] },
          coder: { api_format: 'anthropic', provider_model_id: 'claude-c', backend_refs: [{ endpoint: backend.address, api_key: 'static' }] },
        },
        signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['segfault'] }] },
        decisions: [lane('coding', 'keyword', 'code', 'coder'), otherwise('claude')],
      }),
    );
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });
  const json = (text) => jsonAnswer(text);

  test('the body differs in the model alone, the answer in nothing', async () => {
    backend.behaviour = json(answer);
    const text = '{ "model" : "claude","max_tokens":5, "x": 12345678901234567890, "messages":[{"role":"user","content":[{"type":"text","text":"a\\u0062","cache_control":{"type":"ephemeral"}},{"type":"future","y":1}]}],"metadata":{"user_id":"u"},"thinking":{"type":"enabled","budget_tokens":1024}}';
    const got = await send(vsr.port, text, { 'anthropic-version': '2024-01-01', 'anthropic-beta': 'a,b' });
    assert.equal(got.status, 200);
    assert.equal(got.text(), answer);
    assert.equal(backend.last.text(), text.replace('"claude"', '"claude-9"'));
    assert.equal(backend.last.path, '/v1/messages');
    assert.equal(backend.last.headers.get('anthropic-version'), '2024-01-01');
    assert.equal(backend.last.headers.get('anthropic-beta'), 'a,b');
    assert.equal(backend.last.headers.get('x-api-key'), 'static');
    assert.equal(backend.last.headers.get('authorization'), undefined);
    assert.equal(got.headers.get('x-vsr-protocol-warnings'), undefined);
  });

  test('a stream passes as it is, however it comes', async () => {
    for (const sizes of [[1], [7, 1, 64], [stream.length]]) {
      backend.behaviour = byteByByte(Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), chunkedBytes(stream, sizes)]), { pauseEvery: 400 });
      const got = await send(vsr.port, body({ stream: true }));
      assert.equal(got.text(), stream);
      assert.ok(got.complete);
    }
    await eventually('usage with what was cached', async () =>
      /^llm_model_prompt_tokens_total\{model="claude"\} (3[0-9]|[4-9]\d)/m.test((await vsr.metrics()).text()));
  });

  test('a stream that is cut ends in an error event behind whole events', async () => {
    const at = stream.indexOf('event: some_new_event');
    for (const end of [at + 10, at]) {
      backend.behaviour = sendAndClose(Buffer.concat([sseHead(), Buffer.from(stream.slice(0, end))]));
      const got = await send(vsr.port, body({ stream: true }));
      assert.ok(got.text().startsWith(stream.slice(0, at)));
      assert.match(got.text().slice(at), /^\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error","message":".*"\}\}\n\n$/);
    }
  });

  test('an error of the backend passes as it is', async () => {
    const error = '{"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"req_1"}';
    backend.behaviour = jsonAnswer(error, { status: 529, reason: 'Overloaded', headers: { 'request-id': 'req_1' } });
    const got = await send(vsr.port, body());
    assert.equal(got.status, 529);
    assert.equal(got.text(), error);
    assert.equal(got.headers.get('request-id'), 'req_1');
  });

  test('it is routed by what it says', async () => {
    backend.behaviour = json(answer);
    for (const [content, model] of [
      ['why a segfault', 'claude-c'],
      [[{ type: 'text', text: 'why a segfault' }], 'claude-c'],
      ['good morning', 'claude-9'],
    ]) {
      await send(vsr.port, body({ model: 'auto', messages: say(content) }));
      assert.equal(backend.last.json().model, model);
    }
  });

  test('a client that leaves in any phase', async () => {
    for (const [streamed, behaviour] of [
      [false, hang()],
      [true, hang()],
      [true, async (exchange) => {
        await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
        await exchange.write(chunkedBytes(stream.slice(0, 500)).subarray(0, -5));
        await hang()(exchange);
      }],
    ]) {
      backend.forget();
      backend.behaviour = behaviour;
      const conn = await Conn.open(vsr.port);
      await conn.write(requestBytes({ path, body: JSON.stringify(body({ stream: streamed })) }));
      await within('the backend to be asked', backend.received(1));
      await sleep(30);
      conn.destroy();
      await within('the backend to be let go', backend.last.gone);
    }
    await eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
  });
});

describe('errors of vsr itself', () => {
  test('are of the kind that the client knows', async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(
      t,
      policy({
        models: { m: backend, dead: { endpoint: '127.0.0.1:1' } },
        global: { router: { streamed_body: { max_bytes: 4096, timeout_sec: 1 } } },
      }),
    );
    const ask = (value, headers) => send(vsr.port, value, headers);
    assertRefused(await ask('{'), 400, 'invalid_request_error', /malformed JSON body/);
    assertRefused(await ask('{"messages":[]}'), 400, 'invalid_request_error', /model/);
    assertRefused(await ask('{"model":"m","max_tokens":1}'), 400, 'invalid_request_error', /messages field is required/);
    assertRefused(await ask('{"model":"m","max_tokens":1,"messages":{}}'), 400, 'invalid_request_error', /must be an array/);
    assertRefused(await ask(body({ model: 'nobody' })), 404, 'not_found_error', /nobody/);
    assertRefused(await ask(body({ model: 'dead' })), 502, 'api_error');
    assertRefused(await ask(body({ model: 'm', messages: say('x'.repeat(5000)) })), 413, 'request_too_large');
    assertRefused(await request(vsr.port, { method: 'GET', path }), 405, 'invalid_request_error');
    assertRefused(await request(vsr.port, { path: '/v1/messages/batches', body: '{}' }), 404, 'not_found_error');
    const conn = await Conn.open(vsr.port);
    await conn.write(`POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{`);
    assertRefused(decorate(await conn.response()), 408, 'timeout_error');
    conn.destroy();

    const client = new Anthropic({ baseURL: vsr.base, apiKey: 'k', maxRetries: 0 });
    const failing = (value) => client.messages.create(body(value));
    await assert.rejects(failing({ model: 'nobody' }), Anthropic.NotFoundError);
    await assert.rejects(failing({ model: 'm', messages: 'x' }), Anthropic.BadRequestError);
    backend.behaviour = jsonAnswer('{"error":{"message":"slow down","type":"rate_limit_error"}}', { status: 429, reason: 'No', headers: { 'Retry-After': '7' } });
    await assert.rejects(failing({ model: 'm' }), (error) => {
      assert.ok(error instanceof Anthropic.RateLimitError);
      assert.equal(error.headers.get('retry-after'), '7');
      assert.match(error.message, /slow down/);
      return true;
    });
  });

  test('a stream that cannot begin is no stream', async (t) => {
    const backend = await Backend.start(t, jsonAnswer('{"detail":"no"}', { status: 503, reason: 'No' }));
    const vsr = await startVsr(t, policy({ models: { m: backend } }));
    assertRefused(await send(vsr.port, body({ model: 'm', stream: true })), 503, 'overloaded_error', /no/);
  });
});

describe('keys', () => {
  test("the listener's key may come as the client sends it, and goes no further", async (t) => {
    const backend = await Backend.start(t, jsonAnswer(answer));
    const vsr = await startVsr(
      t,
      policy({ models: { claude: { api_format: 'anthropic', backend_refs: [backend] } }, listener: { api_keys: ['sk-listener'] } }),
    );
    const client = (apiKey) => new Anthropic({ baseURL: vsr.base, apiKey, maxRetries: 0 });
    const said = await client('sk-listener').messages.create(body());
    assert.equal(said.content[0].text, 'Hi');
    assert.equal(backend.last.headers.get('x-api-key'), undefined);
    await assert.rejects(client('sk-other').messages.create(body()), Anthropic.AuthenticationError);
    assertRefused(await send(vsr.port, body()), 401, 'authentication_error');
    assert.equal((await send(vsr.port, body(), { authorization: 'Bearer sk-listener' })).status, 200);
    const chatless = await request(vsr.port, { path: '/v1/chat/completions', body: '{}', headers: { 'x-api-key': 'sk-listener' } });
    assert.equal(chatless.status, 401, 'elsewhere x-api-key is no key of the listener');
    const models = await client('sk-listener').models.list();
    assert.ok(Array.isArray(models.data), 'but the list is for all clients');
    await assert.rejects(client('sk-other').models.list(), Anthropic.AuthenticationError);
    assert.equal(backend.requests.length, 2);
  });
});

describe('tokens', () => {
  test('are counted without asking a backend', async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(t, policy({ models: { claude: { api_format: 'anthropic', backend_refs: [backend] } } }));
    const client = new Anthropic({ baseURL: vsr.base, apiKey: 'k', maxRetries: 0 });
    const count = async (value) => (await client.messages.countTokens({ model: 'claude', ...value })).input_tokens;
    const short = await count({ messages: say('Hi') });
    const long = await count({ messages: say('word '.repeat(1000)) });
    const tools = await count({ messages: say('Hi'), tools: [{ name: 'weather', description: 'd'.repeat(400), input_schema: { type: 'object' } }] });
    assert.ok(short > 0 && short < 20, `${short}`);
    assert.ok(long > 800 && long < 2000, `${long}`);
    assert.ok(tools > short + 50, `${tools}`);
    const count2 = (value) => request(vsr.port, { path: '/v1/messages/count_tokens', body: value });
    assertRefused(await count2('{"messages":[]}'), 400, 'invalid_request_error', /model field is required/);
    assertRefused(await count2('{"model":"claude"}'), 400, 'invalid_request_error', /messages field is required/);
    assert.equal(backend.requests.length, 0);
  });
});

describe('sessions', () => {
  test('follow what the client says of them', async (t) => {
    const backend = await Backend.start(t, jsonAnswer(answer));
    const vsr = await startVsr(t, policy({ models: { claude: { api_format: 'anthropic', backend_refs: [backend] } } }));
    const session = async (value, headers = {}) =>
      (await send(vsr.port, body(value), { 'x-vsr-debug': 'true', ...headers })).headers.get('x-vsr-session-id');
    assert.equal(await session({}, { 'x-session-id': 's-1', 'x-claude-code-session-id': 'c-1' }), 's-1');
    assert.equal(await session({}, { 'x-claude-code-session-id': 'c-1' }), 'c-1');
    assert.equal(await session({ metadata: { user_id: 'u-1' } }), 'ant-md-u-1');
    const first = await session({});
    assert.match(first, /^cc-full-[0-9a-f]{16}$/);
    const later = await session({ messages: [...say('Hi'), { role: 'assistant', content: 'Hello' }, ...say('And?')] });
    assert.equal(later, first, 'the same conversation, a turn later');
  });
});

describe('a backend that thinks for long', () => {
  test('the client hears pings meanwhile', { skip: !long && 'takes 15 s; VSR_TEST_LONG=1' }, async (t) => {
    const events = streamEvents('m', ['a', 'b']);
    const backend = await Backend.start(t, async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      await exchange.write(chunk(events.slice(0, 2).join('')));
      await sleep(16500);
      await exchange.write(chunk(events.slice(2).join('')));
      await exchange.write('0\r\n\r\n');
    });
    const vsr = await startVsr(t, policy({ models: { m: backend } }));
    const got = await send(vsr.port, body({ model: 'm', stream: true }));
    const names = [...got.text().matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
    const ping = names.indexOf('ping', 3);
    assert.ok(ping > 0, names.join());
    assert.equal(names[ping - 1], 'content_block_delta');
    assert.equal(names[ping + 1], 'content_block_delta');
    assert.equal(names.at(-1), 'message_stop');
  });
});
