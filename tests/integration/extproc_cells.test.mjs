// Envoy's external processing, for every pairing of a client's protocol with a backend's: the same as by a listener.

import assert from 'node:assert/strict';

import { Envoy, pieces } from './lib/envoy.mjs';
import { eventually, freePort, policy, startVsr, test } from './lib/harness.mjs';
import { request } from './lib/http.mjs';
import { startStandIn } from './lib/standin.mjs';

const MODES = {
  BUFFERED: {},
  STREAMED: { requestBody: 'STREAMED', responseBody: 'STREAMED' },
  'STREAMED, unasked': { requestBody: 'STREAMED', responseBody: 'STREAMED', sendBodyUnasked: true },
  FULL_DUPLEX_STREAMED: { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'FULL_DUPLEX_STREAMED' },
  'full duplex and BUFFERED': { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'BUFFERED' },
  BUFFERED_PARTIAL: { requestBody: 'BUFFERED_PARTIAL', responseBody: 'BUFFERED_PARTIAL' },
};

const tool = {
  name: 'weather',
  description: 'of a town',
  parameters: { type: 'object', properties: { town: { type: 'string' } } },
};

const CLIENTS = {
  chat: {
    path: '/v1/chat/completions',
    body: (model, extra) => ({ model, messages: [{ role: 'user', content: 'hi ä🌍' }], ...extra }),
    tools: { tools: [{ type: 'function', function: tool }] },
  },
  messages: {
    path: '/v1/messages',
    body: (model, extra) => ({ model, max_tokens: 100, messages: [{ role: 'user', content: 'hi ä🌍' }], ...extra }),
    tools: { tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters }] },
  },
  responses: {
    path: '/v1/responses',
    body: (model, extra) => ({ model, input: 'hi ä🌍', ...extra }),
    tools: { tools: [{ type: 'function', ...tool }], store: false },
  },
};

const BACKENDS = { chat: 'openai', messages: 'anthropic' };

async function start(t) {
  const standIn = await startStandIn(t);
  const port = await freePort();
  const models = Object.fromEntries(
    Object.entries(BACKENDS).map(([name, api_format]) => [
      `${name}-model`,
      { api_format, backend_refs: [{ endpoint: standIn.addresses[0], api_key: 'sk-test', weight: 1 }] },
    ]),
  );
  const vsr = await startVsr(t, policy({ models, default_model: 'chat-model' }), {
    args: ['--extproc-listen', `127.0.0.1:${port}`],
  });
  return { standIn, vsr, port };
}

const FRAMING = /^(content-length|transfer-encoding|connection|date|host|keep-alive):/;
const fields = (entries) =>
  entries
    .map(([name, value]) => `${name.toLowerCase()}: ${value}`)
    .filter((line) => !FRAMING.test(line))
    .sort();

/** Without what is made anew each time. */
const steady = (text) =>
  text
    .replace(/\b(chatcmpl-|req_|conv_|msg_|resp_|call_|toolu_|rs_|fc_|item_)[A-Za-z0-9_-]+/g, '$1ID')
    .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0');

const sent = async (standIn) => {
  const last = await standIn.last();
  return { path: last.path ?? last.target, fields: fields([...last.headers]), body: last.body };
};

const steadyFields = (list) => list.map(steady);

for (const [client, { path, body, tools }] of Object.entries(CLIENTS)) {
  for (const backend of Object.keys(BACKENDS)) {
    test(`${client} to ${backend}`, async (t) => {
      const { standIn, vsr, port } = await start(t);
      const scenarios = {
        whole: {},
        stream: { stream: true },
        tools,
        'tools in a stream': { ...tools, stream: true },
      };
      for (const [what, extra] of Object.entries(scenarios)) {
        const asked = JSON.stringify(body(`${backend}-model`, extra));
        const headers = { 'x-request-id': 'request-1', authorization: 'Bearer mine' };
        const native = await request(vsr.port, { path, body: asked, headers });
        const want = { fields: steadyFields(fields(native.fields)), body: steady(native.text()), sent: await sent(standIn) };
        assert.equal(native.status, 200, native.text());
        for (const [name, mode] of Object.entries(MODES)) {
          for (const trailers of [false, true]) {
            const envoy = new Envoy(t, port, { ...mode, requestTrailers: trailers, responseTrailers: trailers });
            const exchange = {
              path,
              headers: { 'content-type': 'application/json', ...headers },
              chunks: pieces(Buffer.from(asked), [11]),
              trailers: trailers ? [['x-sum', '1']] : [],
            };
            const hooks = {
              route: () => standIn.port,
              split: (bytes) => pieces(bytes, [33]),
              responseTrailers: trailers ? [['x-took', '1']] : [],
            };
            const answer = await envoy.exchange(exchange, hooks);
            const which = `${what} by ${name}, trailers ${trailers}`;
            assert.equal(answer.status, 200, `${which}: ${answer.body}`);
            assert.equal(steady(answer.body.toString()), want.body, `${which}: the client's body`);
            assert.deepEqual(steadyFields(fields(answer.headers.entries())), want.fields, `${which}: the client's headers`);
            assert.deepEqual(await sent(standIn), want.sent, `${which}: what the backend got`);
            assert.ok(answer.routeCleared || backend === 'chat', which);
            envoy.close();
          }
        }
      }
    });
  }
}

for (const [client, { path, body }] of Object.entries(CLIENTS)) {
  for (const backend of Object.keys(BACKENDS)) {
    test(`errors from ${backend} to ${client}`, async (t) => {
      const { standIn, vsr, port } = await start(t);
      const asked = JSON.stringify(body(`${backend}-model`, {}));
      const headers = { 'x-request-id': 'request-1' };
      for (const [status, text] of [
        [404, '{"error":{"type":"not_found_error","message":"no such model"}}'],
        [429, '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'],
        [529, 'overloaded'],
        [500, ''],
        [200, 'not JSON'],
      ]) {
        for (const [name, mode] of Object.entries(MODES)) {
          const answer = await new Envoy(t, port, mode).exchange(
            { path, headers: { 'content-type': 'application/json', ...headers }, chunks: [asked] },
            {
              upstream: () => ({
                status,
                headers: [['content-type', 'application/json']],
                chunks: text ? [text] : [],
              }),
            },
          );
          const which = `${status} by ${name}`;
          if (client === backend) {
            assert.equal(answer.status, status, which);
            assert.equal(answer.body.toString(), text, `${which}: as it is`);
            continue;
          }
          assert.equal(answer.status, status === 200 ? 502 : status, which);
          const error = JSON.parse(answer.body);
          assert.equal(typeof error.error.message, 'string', which);
          assert.equal(client === 'messages' ? error.type : 'error', 'error', which);
        }
      }
      void standIn;
      void vsr;
    });
  }
}

test('stored responses, behind Envoy', async (t) => {
  const { standIn, port } = await start(t);
  for (const [name, mode] of Object.entries(MODES)) {
    const envoy = new Envoy(t, port, mode);
    const ask = (method, path, body) =>
      envoy.exchange(
        { method, path, headers: { 'content-type': 'application/json' }, chunks: body ? [JSON.stringify(body)] : [] },
        { route: () => standIn.port },
      );
    const first = JSON.parse((await ask('POST', '/v1/responses', { model: 'chat-model', input: 'my name is Ada' })).body);
    assert.equal(first.status, 'completed', name);
    const again = await ask('GET', `/v1/responses/${first.id}`);
    assert.ok(again.immediate, name);
    assert.deepEqual(JSON.parse(again.body), first, name);
    const next = { model: 'chat-model', input: 'who am I?', previous_response_id: first.id };
    const second = await ask('POST', '/v1/responses', next);
    assert.equal(second.status, 200, `${name}: ${second.body}`);
    const { messages } = JSON.parse((await standIn.last()).body);
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'assistant', 'user'],
      name,
    );
    assert.equal((await ask('DELETE', `/v1/responses/${first.id}`)).status, 200, name);
    assert.equal((await ask('GET', `/v1/responses/${first.id}`)).status, 404, name);
  }
});

for (const backend of Object.keys(BACKENDS)) {
  test(`streams of ${backend} that break off, behind Envoy`, async (t) => {
    const { standIn, vsr, port } = await start(t);
    for (const [client, { path, body }] of Object.entries(CLIENTS)) {
      const asked = JSON.stringify(body(`${backend}-model`, { stream: true }));
      for (const cut of [1, 120, 400]) {
        const split = (bytes) => [bytes.subarray(0, cut)];
        for (const name of ['BUFFERED', 'STREAMED', 'FULL_DUPLEX_STREAMED']) {
          const answer = await new Envoy(t, port, MODES[name]).exchange(
            { path, headers: { 'content-type': 'application/json' }, chunks: [asked] },
            { route: () => standIn.port, split },
          );
          const text = answer.body.toString();
          const which = `${client} by ${name} at ${cut}`;
          assert.ok(answer.immediate || /error|failed/.test(text), `${which}: ${text}`);
          assert.doesNotMatch(text, /\[DONE\]|message_stop|response\.completed/, `${which}: no proper end`);
        }
      }
    }
    await eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
  });
}
