// The Responses API through the official client, over a backend that speaks Chat Completions: create whole and streamed,
// functions, schemas, chains, stored responses and their input, owners, failures, what runs in the background.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import { Backend, chunk, hang, jsonAnswer, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { Envoy } from './lib/envoy.mjs';
import { get, request } from './lib/http.mjs';
import { eventually, freePort, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';
import { startStandIn, told } from './lib/standin.mjs';

const connect = (vsr, options = {}) =>
  new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', maxRetries: 0, ...options });

const store = (store_backend, more = {}) => ({ global: { services: { response_api: { store_backend, ...more } } } });

const document = (backend, more = store('memory')) =>
  policy({ default_model: 'small', models: { small: { provider_model_id: 'prov/small', backend_refs: [backend] } }, ...more });

const tool = {
  type: 'function',
  name: 'weather',
  description: 'Looks out of the window.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
  strict: true,
};

/** A backend's whole answer with these members of the message. */
const says = (message, extra = {}) =>
  jsonAnswer(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1700000000,
      model: 'prov/small',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...extra }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    }),
  );

/** The same as a stream of these deltas. */
const streams = (deltas, options = {}) => async (exchange) => {
  await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
  for (const event of streamEvents('prov/small', deltas, { usage: true, ...options })) await exchange.write(chunk(event));
  await exchange.write('0\r\n\r\n');
};

const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } };

async function all(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  events.forEach((event, i) => assert.equal(event.sequence_number, i, event.type));
  return events;
}

const types = (events) => events.map((event) => event.type.replace('response.', ''));

describe('Responses over a chat backend', () => {
  let backend, vsr, client;

  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(document(backend));
    client = connect(vsr);
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  test('create', async () => {
    backend.behaviour = openaiAnswer();
    const answer = await client.responses.create({ model: 'auto', input: 'hello', instructions: 'be kind', metadata: { a: 'b' } });
    assert.match(answer.id, /^resp_[0-9a-f]{24}$/);
    assert.equal(answer.object, 'response');
    assert.equal(answer.status, 'completed');
    assert.equal(answer.output_text, 'model=prov/small');
    assert.equal(answer.output[0].type, 'message');
    assert.equal(answer.instructions, 'be kind');
    assert.deepEqual(answer.metadata, { a: 'b' });
    assert.equal(answer.usage.input_tokens, 11);
    assert.equal(answer.usage.output_tokens, 7);
    assert.equal(backend.last.path, '/v1/chat/completions');
    assert.deepEqual(backend.last.json().messages, [
      { role: 'system', content: 'be kind' },
      { role: 'user', content: 'hello' },
    ]);
    assert.equal(backend.last.json().model, 'prov/small');
  });

  test('a stream, event by event', async () => {
    backend.behaviour = streams(['Hel', 'lo']);
    const events = await all(await client.responses.create({ model: 'auto', input: 'hello', stream: true }));
    assert.deepEqual(types(events), [
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    const { response } = events.at(-1);
    assert.equal(response.output_text, 'Hello');
    assert.equal(response.usage.total_tokens, 18);
    assert.deepEqual(await client.responses.retrieve(response.id), response);
    assert.equal(backend.last.json().stream, true);
  });

  test('a piece of any size', async () => {
    const text = 'x'.repeat(3 << 20);
    backend.behaviour = streams([text]);
    const events = await all(await client.responses.create({ model: 'auto', input: 'hello', stream: true }));
    assert.equal(events.at(-1).response.output_text, text);
  });

  test("the client's stream helper", async () => {
    backend.behaviour = streams(['Hel', 'lo']);
    const seen = [];
    const stream = client.responses.stream({ model: 'auto', input: 'hello' });
    stream.on('response.output_text.delta', (event) => seen.push(event.delta));
    const final = await stream.finalResponse();
    assert.deepEqual(seen, ['Hel', 'lo']);
    assert.equal(final.output_text, 'Hello');
  });

  test('reasoning comes before the message', async () => {
    backend.behaviour = streams([{ reasoning_content: 'hm' }, 'ok']);
    const events = await all(await client.responses.create({ model: 'auto', input: 'q', stream: true }));
    const { output } = events.at(-1).response;
    assert.deepEqual(
      output.map((item) => item.type),
      ['reasoning', 'message'],
    );
    assert.deepEqual(output[0].content, [{ type: 'reasoning_text', text: 'hm' }]);
  });

  test('functions: called, answered by previous_response_id', async () => {
    backend.behaviour = says({ content: null, tool_calls: [call] }, { finish_reason: 'tool_calls' });
    const first = await client.responses.create({ model: 'auto', input: 'weather in Ulm?', tools: [tool] });
    assert.deepEqual(backend.last.json().tools[0].function.name, 'weather');
    const asked = first.output.find((item) => item.type === 'function_call');
    assert.equal(asked.call_id, 'call_1');
    assert.deepEqual(JSON.parse(asked.arguments), { city: 'Ulm' });

    backend.behaviour = says({ content: 'sunny' });
    const second = await client.responses.create({
      model: 'auto',
      tools: [tool],
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: asked.call_id, output: 'sun' }],
    });
    assert.equal(second.output_text, 'sunny');
    assert.equal(second.previous_response_id, first.id);
    assert.equal(second.conversation_id, first.conversation_id);
    assert.deepEqual(backend.last.json().messages, [
      { role: 'user', content: 'weather in Ulm?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ]);
  });

  test('functions: answered with the whole history', async () => {
    backend.behaviour = says({ content: 'sunny' });
    const answer = await client.responses.create({
      model: 'auto',
      store: false,
      input: [
        { role: 'user', content: 'weather?' },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Ulm"}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sun' },
      ],
    });
    assert.equal(answer.output_text, 'sunny');
    assert.deepEqual(
      backend.last.json().messages.map((message) => message.role),
      ['user', 'assistant', 'tool'],
    );
    await assert.rejects(client.responses.retrieve(answer.id), OpenAI.NotFoundError);
  });

  test('parallel calls of a stream', async () => {
    const piece = (index, fields) => ({ tool_calls: [{ index, ...fields }] });
    backend.behaviour = streams(
      [
        piece(0, { id: 'a', type: 'function', function: { name: 'weather', arguments: '' } }),
        piece(0, { function: { arguments: '{"city":' } }),
        piece(1, { id: 'b', type: 'function', function: { name: 'weather', arguments: '{}' } }),
        piece(0, { function: { arguments: '"Ulm"}' } }),
      ],
      { finish: 'tool_calls' },
    );
    const final = await client.responses.stream({ model: 'auto', input: 'q', tools: [tool] }).finalResponse();
    assert.deepEqual(
      final.output.map((item) => [item.call_id, item.arguments]),
      [
        ['a', '{"city":"Ulm"}'],
        ['b', '{}'],
      ],
    );
  });

  test('a schema, parsed by the client', async () => {
    backend.behaviour = says({ content: '{"city":"Ulm"}' });
    const answer = await client.responses.parse({
      model: 'auto',
      input: 'q',
      text: { format: { type: 'json_schema', name: 'place', strict: true, schema: tool.parameters } },
    });
    assert.deepEqual(answer.output_parsed, { city: 'Ulm' });
    assert.equal(backend.last.json().response_format.json_schema.name, 'place');
  });

  test('ends that are not completions', async () => {
    backend.behaviour = says({ content: 'long' }, { finish_reason: 'length' });
    const cut = await client.responses.create({ model: 'auto', input: 'q', max_output_tokens: 1 });
    assert.equal(cut.status, 'incomplete');
    assert.deepEqual(cut.incomplete_details, { reason: 'max_output_tokens' });
    backend.behaviour = says({ content: null, refusal: 'no' });
    const refused = await client.responses.create({ model: 'auto', input: 'q' });
    assert.deepEqual(refused.output[0].content, [{ type: 'refusal', refusal: 'no' }]);
  });

  test('a stream that the backend cuts ends in response.failed, which is kept', async () => {
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      for (const event of streamEvents('m', ['Hel', 'lo']).slice(0, 3)) await exchange.write(chunk(event));
      exchange.reset();
    };
    const events = await all(await client.responses.create({ model: 'auto', input: 'q', stream: true }));
    const last = events.at(-1);
    assert.equal(last.type, 'response.failed');
    assert.ok(last.response.error.message);
    const kept = await client.responses.retrieve(last.response.id);
    assert.equal(kept.status, 'failed');
  });

  test("a backend's errors are its own", async () => {
    backend.behaviour = jsonAnswer(JSON.stringify({ error: { message: 'slow down', type: 'rate_limit_error', code: 'x' } }), {
      status: 429,
    });
    await assert.rejects(client.responses.create({ model: 'auto', input: 'q' }), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError);
      assert.match(error.message, /slow down/);
      return true;
    });
  });

  test('stored: retrieved, listed, deleted', async () => {
    backend.behaviour = openaiAnswer();
    const input = ['one', 'two', 'three'].map((content) => ({ role: 'user', content }));
    const made = await client.responses.create({ model: 'auto', instructions: 'be kind', input });
    assert.deepEqual(await client.responses.retrieve(made.id), made);

    const listed = [];
    for await (const item of client.responses.inputItems.list(made.id, { limit: 2, order: 'asc' })) listed.push(item);
    assert.deepEqual(
      listed.map((item) => [item.role, item.content[0].text]),
      [
        ['system', 'be kind'],
        ['user', 'one'],
        ['user', 'two'],
        ['user', 'three'],
      ],
    );
    const page = await client.responses.inputItems.list(made.id);
    assert.deepEqual(
      page.data.map((item) => item.id),
      listed.map((item) => item.id).reverse(),
    );
    assert.equal(page.has_more, false);
    const before = await client.responses.inputItems.list(made.id, { order: 'asc', limit: 1, after: listed[0].id });
    assert.equal(before.data[0].id, listed[1].id);
    assert.equal(before.has_more, true);
    await assert.rejects(client.responses.inputItems.list(made.id, { limit: 101 }), OpenAI.BadRequestError);

    const deleted = await request(vsr.port, { method: 'DELETE', path: `/v1/responses/${made.id}` });
    assert.deepEqual(JSON.parse(deleted.body), { id: made.id, object: 'response.deleted', deleted: true });
    await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
    await assert.rejects(client.responses.delete(made.id), OpenAI.NotFoundError);
  });

  test('a chain of many turns, whole and streamed', async () => {
    let previous;
    for (let turn = 0; turn < 5; turn++) {
      backend.behaviour = turn % 2 ? streams([`answer ${turn}`]) : says({ content: `answer ${turn}` });
      const body = { model: 'auto', input: `question ${turn}`, instructions: `turn ${turn}`, previous_response_id: previous };
      previous = (turn % 2 ? await client.responses.stream(body).finalResponse() : await client.responses.create(body)).id;
    }
    const { messages } = backend.last.json();
    assert.deepEqual(messages[0], { role: 'system', content: 'turn 4' });
    assert.equal(messages.length, 1 + 4 * 2 + 1);
    assert.deepEqual(messages.slice(1, 3), [
      { role: 'user', content: 'question 0' },
      { role: 'assistant', content: 'answer 0' },
    ]);
  });

  test('what is refused says why', async () => {
    const refusals = [
      [{ model: 'auto' }, 400, 'input'],
      [{ model: 'auto', messages: [] }, 400, 'input'],
      [{ input: 'x' }, 400, 'model'],
      [{ model: 'auto', input: 'x', previous_response_id: 'resp_nobody' }, 400, 'previous_response_id', 'previous_response_not_found'],
      [{ model: 'auto', input: 'x', background: true, store: false }, 400, 'background'],
      [{ model: 'auto', input: 'x', tools: [{ type: 'code_interpreter', container: {} }] }, 400, 'tools', 'unsupported_tool'],
      [{ model: 'auto', input: [{ type: 'item_reference', id: 'x' }] }, 400, 'input[0].type'],
      [{ model: 'no-such-model', input: 'x' }, 404, 'model', 'model_not_found'],
    ];
    for (const [body, status, param, code] of refusals) {
      const answer = await request(vsr.port, { path: '/v1/responses', body: JSON.stringify(body) });
      const what = JSON.stringify(body);
      assert.equal(answer.status, status, `${what}: ${answer.body}`);
      const { error } = JSON.parse(answer.body);
      assert.equal(error.param, param, what);
      if (code) assert.equal(error.code, code, what);
      assert.ok(error.message, what);
    }
    for (const path of ['/v1/responses/resp_nobody', '/v1/responses/resp_nobody/input_items'])
      assert.equal((await get(vsr.port, path)).status, 404, path);
    assert.equal((await get(vsr.port, '/v1/responses/other')).status, 404);
    assert.equal((await get(vsr.port, '/v1/responses')).status, 405);
  });

  test('odd inputs', async () => {
    backend.behaviour = openaiAnswer();
    const texts = ['', 'x'.repeat(300_000), '"\\\n\t\u0000 😀 é '];
    for (const input of texts) {
      const made = await client.responses.create({ model: 'auto', input });
      const items = await client.responses.inputItems.list(made.id);
      assert.equal(items.data[0].content[0].text, input);
    }
  });

  test('a conversation whose id cannot be kept', async () => {
    for (const id of ['c'.repeat(257), 'a\0b'])
      await assert.rejects(client.responses.create({ model: 'auto', input: 'q', conversation: id }), (error) => {
        assert.equal(error.status, 400);
        assert.equal(error.param, 'conversation');
        return true;
      });
  });

  test('many at once', async () => {
    backend.behaviour = openaiAnswer();
    const made = await Promise.all(
      Array.from({ length: 64 }, (_, i) => client.responses.create({ model: 'auto', input: `q${i}` })),
    );
    assert.equal(new Set(made.map((one) => one.id)).size, 64);
    const kept = await Promise.all(made.map((one) => client.responses.retrieve(one.id)));
    assert.deepEqual(
      kept.map((one) => one.id),
      made.map((one) => one.id),
    );
  });

  test('a client that leaves leaves nothing behind', async () => {
    backend.behaviour = hang();
    const n = backend.requests.length;
    const controller = new AbortController();
    const asked = client.responses.create({ model: 'auto', input: 'q', stream: true }, { signal: controller.signal });
    asked.catch(() => undefined);
    await backend.received(n + 1);
    controller.abort();
    await assert.rejects(asked);
    await within('the backend to be let go', backend.last.gone);
    backend.behaviour = openaiAnswer();
    assert.equal((await client.responses.create({ model: 'auto', input: 'q' })).status, 'completed');
  });

  test('sealed reasoning goes out and comes back', async () => {
    backend.behaviour = says(
      { content: null, reasoning_content: 'deep thought', tool_calls: [call] },
      { finish_reason: 'tool_calls' },
    );
    const include = ['reasoning.encrypted_content'];
    const first = await client.responses.create({ model: 'auto', input: 'q', tools: [tool], store: false, include });
    const [thought, asked] = first.output;
    assert.ok(thought.encrypted_content && !thought.encrypted_content.includes('deep'));
    const history = [
      { role: 'user', content: 'q' },
      { type: 'reasoning', id: thought.id, summary: [], encrypted_content: thought.encrypted_content },
      asked,
      { type: 'function_call_output', call_id: asked.call_id, output: 'sun' },
    ];
    backend.behaviour = says({ content: 'sunny' });
    await client.responses.create({ model: 'auto', input: history, store: false, include });
    assert.equal(backend.last.json().messages[1].reasoning_content, 'deep thought');
    history[1].encrypted_content = `${thought.encrypted_content.slice(0, -6)}AAAAAA`;
    await assert.rejects(client.responses.create({ model: 'auto', input: history, store: false }), (error) => {
      assert.equal(error.status, 400);
      assert.equal(error.code, 'invalid_encrypted_content');
      return true;
    });
  });
});

describe('Responses in the background', () => {
  let backend, vsr, client;

  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(document(backend));
    client = connect(vsr);
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const poll = (id) =>
    eventually('the response to end', async () => {
      const one = await client.responses.retrieve(id);
      return ['queued', 'in_progress'].includes(one.status) ? undefined : one;
    });

  test('polled', async () => {
    backend.behaviour = says({ content: 'done' });
    const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
    assert.equal(queued.status, 'queued');
    assert.equal(queued.background, true);
    const done = await poll(queued.id);
    assert.equal(done.status, 'completed');
    assert.equal(done.output_text, 'done');
    assert.equal(done.created_at, queued.created_at);
    assert.equal((await client.responses.inputItems.list(queued.id)).data[0].content[0].text, 'q');
    backend.behaviour = says({ content: 'more' });
    const next = await client.responses.create({ model: 'auto', input: 'and?', previous_response_id: queued.id });
    assert.equal(next.conversation_id, queued.conversation_id);
    assert.equal(backend.last.json().messages.length, 3);
  });

  test('failed', async () => {
    backend.behaviour = jsonAnswer('{"error":{"message":"broken"}}', { status: 500 });
    const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
    const done = await poll(queued.id);
    assert.equal(done.status, 'failed');
    assert.match(done.error.message, /broken/);
    const events = await all(await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true }));
    assert.deepEqual(types(events), ['created', 'queued', 'failed']);
    assert.match(events[2].response.error.message, /broken/);
    assert.equal(events[2].response.error.code, 'server_error');
    assert.equal((await client.responses.retrieve(events[2].response.id)).error.message, events[2].response.error.message);
  });

  test('cancelled, twice', async () => {
    backend.behaviour = hang();
    const n = backend.requests.length;
    const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
    await backend.received(n + 1);
    assert.equal((await client.responses.retrieve(queued.id)).status, 'in_progress');
    assert.equal((await client.responses.cancel(queued.id)).status, 'cancelled');
    assert.equal((await client.responses.cancel(queued.id)).status, 'cancelled');
    await within('the backend to be let go', backend.last.gone);
    assert.equal((await client.responses.retrieve(queued.id)).status, 'cancelled');
    backend.behaviour = says({ content: 'x' });
    const foreground = await client.responses.create({ model: 'auto', input: 'q' });
    assert.equal((await client.responses.cancel(foreground.id)).status, 'completed');
  });

  test('a stream that the client loses is resumed', async () => {
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    backend.behaviour = async (exchange) => {
      const events = streamEvents('m', ['Hel', 'lo ', 'world'], { usage: true });
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      for (const event of events.slice(0, 3)) await exchange.write(chunk(event));
      await gate;
      for (const event of events.slice(3)) await exchange.write(chunk(event));
      await exchange.write('0\r\n\r\n');
    };
    const stream = await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
    const seen = [];
    for await (const event of stream) {
      seen.push(event);
      if (event.type === 'response.output_text.delta' && event.delta === 'lo ') break; // the connection ends here
    }
    const { id } = seen[0].response;
    assert.deepEqual(types(seen).slice(0, 3), ['created', 'queued', 'in_progress']);
    assert.equal((await client.responses.retrieve(id)).status, 'in_progress');
    const after = seen.at(-1).sequence_number;
    const rest = client.responses.retrieve(id, { stream: true, starting_after: after });
    setTimeout(release, 50);
    for await (const event of await rest) seen.push(event);
    seen.forEach((event, i) => assert.equal(event.sequence_number, i));
    assert.equal(seen.at(-1).type, 'response.completed');
    const text = seen.filter((event) => event.type === 'response.output_text.delta').map((event) => event.delta).join('');
    assert.equal(text, 'Hello world');
    assert.equal(seen.at(-1).response.output_text, 'Hello world');
    // Once more, from the beginning, when all is over; and from the end.
    const again = await all(await client.responses.retrieve(id, { stream: true }));
    assert.deepEqual(again, seen);
    const nothing = [];
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: seen.length - 1 }))
      nothing.push(event);
    assert.deepEqual(nothing, []);
  });

  test('cancelled while it is streamed: the stream ends', async () => {
    backend.behaviour = hang();
    let n = backend.requests.length;
    const stream = await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
    const events = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === 'response.queued') {
        await backend.received(n + 1);
        await client.responses.cancel(event.response.id);
      }
    }
    assert.equal(events.at(-1).type, 'response.incomplete');
    assert.equal(events.at(-1).response.status, 'cancelled');
    const kept = await client.responses.retrieve(events[0].response.id);
    assert.deepEqual({ ...events.at(-1).response, output_text: '' }, kept); // the client's own addition
    // The client's helper ends with it, too.
    n = backend.requests.length;
    const helper = client.responses.stream({ model: 'auto', input: 'q', background: true });
    helper.on('response.queued', async (event) => {
      await backend.received(n + 1);
      await client.responses.cancel(event.response.id);
    });
    assert.equal((await within('the end', helper.finalResponse())).status, 'cancelled');
  });

  test('one that has no events says so', async () => {
    backend.behaviour = says({ content: 'x' });
    const made = await client.responses.create({ model: 'auto', input: 'q' });
    await assert.rejects(client.responses.retrieve(made.id, { stream: true }), OpenAI.BadRequestError);
  });

  test('a deleted one stops', async () => {
    backend.behaviour = hang();
    const n = backend.requests.length;
    const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
    await backend.received(n + 1);
    await client.responses.delete(queued.id);
    await within('the backend to be let go', backend.last.gone);
    await assert.rejects(client.responses.retrieve(queued.id), OpenAI.NotFoundError);
  });
});

describe('Responses over a Responses backend', () => {
  let standIn, backend, vsr, client;

  before(async () => {
    standIn = await startStandIn(null, []);
    backend = await Backend.start();
    const model = (ref) => ({ provider_model_id: 'prov/big', api_format: 'openai-responses', backend_refs: [ref] });
    vsr = await Vsr.start(
      policy({
        default_model: 'big',
        models: { big: model({ endpoint: `127.0.0.1:${standIn.port}` }), scripted: model(backend), small: backend },
        ...store('memory'),
      }),
    );
    client = connect(vsr);
  });
  after(async () => {
    await vsr?.stop();
    await standIn?.stop();
    await backend?.close();
  });

  const events = (list) => list.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const answers = (object) => jsonAnswer(JSON.stringify(object));
  const message = (text) => ({ id: 'msg_b', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text, annotations: [] }] });
  const object = (output, more = {}) => ({
    id: 'resp_backend',
    object: 'response',
    created_at: 1700000000,
    status: 'completed',
    model: 'prov/big',
    output,
    store: false,
    usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
    ...more,
  });

  test('the stand-in, whole and streamed, with the client that the provider has', async () => {
    const made = await client.responses.create({ model: 'auto', input: 'Good morning' });
    assert.match(made.id, /^resp_[0-9a-f]{24}$/);
    assert.equal(made.model, 'big');
    assert.match(made.output_text, /Good morning/);
    assert.deepEqual((await client.responses.retrieve(made.id)).output, made.output);
    const final = await client.responses.stream({ model: 'auto', input: 'Good morning' }).finalResponse();
    assert.match(final.output_text, /Good morning/);
    const seen = await all(
      await client.responses.create({ model: 'auto', input: 'x', stream: true, tools: [tool] }, { headers: told('thinking=3') }),
    );
    assert.equal(seen.at(-1).type, 'response.completed');
    assert.equal(seen.at(-1).response.id, seen[0].response.id);
    assert.equal((await client.responses.retrieve(seen[0].response.id)).status, 'completed');
  });

  test('what vsr does not know passes as it is', async () => {
    const picture = 'x'.repeat(3 << 20);
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      for (const event of events([
        { type: 'response.created', sequence_number: 7, response: object([], { status: 'in_progress' }) },
        { type: 'response.brand_new', sequence_number: 8, precise: 1.5, nested: { a: [1] } },
        { type: 'response.web_search_call.searching', sequence_number: 9, item_id: 'ws_1', output_index: 0, picture },
        { type: 'response.completed', sequence_number: 10, response: object([message('found')], { own: true }) },
      ]))
        await exchange.write(chunk(event));
      await exchange.write('0\r\n\r\n');
    };
    const seen = await all(
      await client.responses.create({ model: 'scripted', input: 'q', stream: true, tools: [{ type: 'web_search' }] }),
    );
    assert.deepEqual(types(seen), ['created', 'brand_new', 'web_search_call.searching', 'completed']);
    assert.deepEqual(seen[1], { type: 'response.brand_new', sequence_number: 1, precise: 1.5, nested: { a: [1] } });
    assert.equal(seen[2].picture, picture);
    const kept = seen.at(-1).response;
    assert.equal(kept.own, true);
    assert.equal(kept.store, true);
    assert.deepEqual(await client.responses.retrieve(kept.id), { ...kept, output_text: 'found' }); // the client's own addition
    const sent = backend.last.json();
    assert.equal(backend.last.path, '/v1/responses');
    assert.equal(sent.model, 'prov/big');
    assert.equal(sent.store, false);
    assert.deepEqual(sent.tools, [{ type: 'web_search' }]);
  });

  test('what came before is sent along, since the backend never had it', async () => {
    backend.behaviour = answers(object([message('first')]));
    const first = await client.responses.create({ model: 'scripted', input: 'one', conversation: 'mine' });
    backend.behaviour = answers(object([message('second')]));
    const second = await client.responses.create({ model: 'scripted', input: 'two', previous_response_id: first.id });
    const sent = backend.last.json();
    assert.equal(sent.previous_response_id, undefined);
    assert.deepEqual(
      sent.input.map((item) => [item.role, typeof item.content === 'string' ? item.content : item.content[0].text, item.id]),
      [
        ['user', 'one', undefined],
        ['assistant', 'first', undefined],
        ['user', 'two', undefined],
      ],
    );
    assert.equal(second.previous_response_id, first.id);
    assert.equal(second.conversation_id, first.conversation_id);
    // And on another model, which speaks another protocol.
    backend.behaviour = says({ content: 'third' });
    await client.responses.create({ model: 'small', input: 'three', previous_response_id: second.id });
    assert.equal(backend.last.json().messages.length, 5);
  });

  test('failures', async () => {
    backend.behaviour = jsonAnswer('{"error":{"message":"slow down","type":"rate_limit_error"}}', { status: 429 });
    await assert.rejects(client.responses.create({ model: 'scripted', input: 'q' }), OpenAI.RateLimitError);
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      await exchange.write(chunk(events([{ type: 'response.created', response: object([], { status: 'in_progress' }) }])[0]));
      exchange.reset();
    };
    const cut = await all(await client.responses.create({ model: 'scripted', input: 'q', stream: true }));
    assert.deepEqual(types(cut), ['created', 'failed']);
    assert.equal((await client.responses.retrieve(cut[0].response.id)).status, 'failed');
    backend.behaviour = jsonAnswer('no json');
    await assert.rejects(client.responses.create({ model: 'scripted', input: 'q' }), (error) => error.status === 502);
  });

  test('in the background', async () => {
    const stream = await client.responses.create({ model: 'auto', input: 'Good morning', background: true, stream: true });
    const seen = await all(stream);
    assert.deepEqual(types(seen).slice(0, 3), ['created', 'queued', 'in_progress']);
    assert.equal(seen.at(-1).type, 'response.completed');
    assert.equal(seen.at(-1).response.background, true);
  });

  test('a chat client, whole and streamed', async () => {
    const body = { model: 'big', messages: [{ role: 'system', content: 's' }, { role: 'user', content: 'Good morning' }] };
    const answer = await client.chat.completions.create(body);
    assert.match(answer.choices[0].message.content, /Good morning/);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.ok(answer.usage.total_tokens > 0);
    let text = '';
    for await (const part of await client.chat.completions.create({ ...body, stream: true }))
      text += part.choices[0]?.delta?.content ?? '';
    assert.match(text, /Good morning/);
  });

  test('a chat client with tools', async () => {
    const asked = { type: 'function_call', id: 'fc_b', call_id: 'c1', name: 'weather', arguments: '{}', status: 'completed' };
    backend.behaviour = answers(object([asked]));
    const answer = await client.chat.completions.create({
      model: 'scripted',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'q' }, { type: 'image_url', image_url: { url: 'data:x', detail: 'low' } }] },
        { role: 'assistant', content: 'let me', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', parameters: {} } }],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      response_format: { type: 'json_object' },
      max_completion_tokens: 50,
      reasoning_effort: 'low',
    });
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
    assert.equal(answer.choices[0].message.tool_calls[0].function.name, 'weather');
    assert.deepEqual(backend.last.json(), {
      model: 'prov/big',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'q' }, { type: 'input_image', image_url: 'data:x', detail: 'low' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'let me' }] },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Ulm"}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sun' },
      ],
      max_output_tokens: 50,
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_object' } },
      tools: [{ type: 'function', name: 'weather', parameters: {}, strict: false }],
      tool_choice: { type: 'function', name: 'weather' },
      store: false,
    });
  });
});

test('clients that go in any phase leave nothing under way', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = connect(vsr);
  const active = async () => Number(/^vsr_requests_active(?:\{[^}]*\})? (\d+)/m.exec((await vsr.metrics()).body.toString())?.[1] ?? NaN);
  const leave = async (params, when) => {
    const controller = new AbortController();
    const asked = client.responses.create(params, { signal: controller.signal });
    asked.catch(() => undefined);
    await when(asked);
    controller.abort();
  };
  const first = await client.responses.create({ model: 'auto', input: 'q' });
  backend.behaviour = hang();
  for (const extra of [{}, { stream: true }, { previous_response_id: first.id }]) {
    const n = backend.requests.length;
    await leave({ model: 'auto', input: 'q', ...extra }, () => backend.received(n + 1));
    await within('the backend to be let go', backend.last.gone);
  }
  await leave({ model: 'auto', input: 'q', background: true, stream: true }, async (asked) => {
    const { value } = await (await asked)[Symbol.asyncIterator]().next();
    setTimeout(() => void client.responses.cancel(value.response.id), 20); // the run goes on without its client
  });
  await eventually('no request to be under way', async () => (await active()) === 0);
});

test('nobody sees what belongs to another', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, {
    ...document(backend),
    listeners: [{ name: 'test', address: '127.0.0.1', port: 0, trust_identity_headers: true }],
  });
  const as = (tenant, user) =>
    connect(vsr, { defaultHeaders: { 'x-authz-tenant-id': tenant, 'x-authz-user-id': user } });
  const owner = as('a', 'anna');
  const made = await owner.responses.create({ model: 'auto', input: 'q' });
  backend.behaviour = hang();
  const running = await owner.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
  const { value: first } = await running[Symbol.asyncIterator]().next();
  for (const other of [as('b', 'anna'), as('a', 'bob'), connect(vsr)]) {
    await assert.rejects(other.responses.retrieve(made.id), OpenAI.NotFoundError);
    await assert.rejects(other.responses.delete(made.id), OpenAI.NotFoundError);
    await assert.rejects(other.responses.inputItems.list(made.id), OpenAI.NotFoundError);
    await assert.rejects(other.responses.cancel(first.response.id), OpenAI.NotFoundError);
    await assert.rejects(other.responses.retrieve(first.response.id, { stream: true }), OpenAI.NotFoundError);
    await assert.rejects(other.responses.create({ model: 'auto', input: 'x', previous_response_id: made.id }), (error) => {
      assert.equal(error.code, 'previous_response_not_found');
      return true;
    });
  }
  assert.equal((await owner.responses.retrieve(made.id)).id, made.id);
  assert.equal((await owner.responses.cancel(first.response.id)).status, 'cancelled');
});

test('after a restart what was kept is there, and what ran has failed', async (t) => {
  const backend = await Backend.start(t);
  const dir = mkdtempSync('/tmp/vsr-responses-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const options = { env: { VSR_STATE_DIR: dir } };
  const first = await Vsr.start(document(backend, store('sqlite')), options);
  const made = await connect(first).responses.create({ model: 'auto', input: 'q' });
  backend.behaviour = hang();
  const queued = await connect(first).responses.create({ model: 'auto', input: 'q', background: true });
  await backend.received(2);
  const streamed = await connect(first).responses.create({ model: 'auto', input: 'q', background: true, stream: true });
  const lost = (await streamed[Symbol.asyncIterator]().next()).value.response;
  await backend.received(3);
  first.signal('SIGKILL');
  await first.exited;
  first.kill();
  backend.behaviour = openaiAnswer();
  const second = await startVsr(t, document(backend, store('sqlite')), options);
  const client = connect(second);
  assert.deepEqual(await client.responses.retrieve(made.id), made);
  await eventually('the lost one to be told', async () => (await client.responses.retrieve(queued.id)).status === 'failed');
  const events = await within('the lost stream', client.responses.retrieve(lost.id, { stream: true }).then(all));
  assert.equal(events.at(-1).type, 'response.failed');
  assert.equal(events.at(-1).response.status, 'failed');
  const next = await client.responses.create({ model: 'auto', input: 'and?', previous_response_id: made.id });
  assert.equal(next.conversation_id, made.conversation_id);
});

test('a reload leaves alone what runs in the background', async (t) => {
  const backend = await Backend.start(t);
  const dir = mkdtempSync('/tmp/vsr-responses-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const vsr = await startVsr(t, document(backend, store('sqlite')), { env: { VSR_STATE_DIR: dir } });
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  backend.behaviour = async (exchange) => {
    await gate;
    await openaiAnswer({ content: 'at last' })(exchange);
  };
  const client = connect(vsr);
  const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
  await backend.received(1);
  vsr.write(document(backend, store('sqlite', { ttl_seconds: 86401 })));
  await vsr.says(/configuration reloaded/);
  assert.equal((await client.responses.retrieve(queued.id)).status, 'in_progress');
  release();
  await eventually('the end', async () => (await client.responses.retrieve(queued.id)).status === 'completed');
});

test('a reload to another place, and answers that fill it, end nothing that runs in the background', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend, store('memory')));
  const client = connect(vsr);
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  backend.behaviour = async (exchange) => {
    await gate;
    await openaiAnswer({ content: 'at last' })(exchange);
  };
  const { id } = await client.responses.create({ model: 'auto', input: 'q', background: true });
  await backend.received(1);
  vsr.write(document(backend, store('memory', { max_responses: 5 })));
  await vsr.says(/configuration reloaded/);
  const status = async () => (await client.responses.retrieve(id).catch(() => ({}))).status;
  await eventually('it to be there again', async () => (await status()) === 'in_progress');
  backend.behaviour = openaiAnswer();
  const others = [];
  for (let i = 0; i < 20; i++) others.push(await client.responses.create({ model: 'auto', input: 'q' }));
  await assert.rejects(client.responses.retrieve(others[0].id), OpenAI.NotFoundError);
  assert.equal(await status(), 'in_progress');
  release();
  await eventually('the end', async () => (await status()) === 'completed');
  assert.doesNotMatch((await vsr.metrics()).text(), /status="deleted"/);
});

test('events of any size reach who follows a background response', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  backend.behaviour = streams(['Hel', 'lo']);
  const instructions = 'be kind '.repeat(200_000);
  const stream = await connect(vsr).responses.create({ model: 'auto', input: 'q', instructions, background: true, stream: true });
  const events = await within('the end', all(stream));
  assert.equal(events.at(-1).type, 'response.completed');
  assert.equal(events.at(-1).response.instructions, instructions);
});

test('events that the store does not take end the stream, not the response', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = connect(vsr);
  const text = 'x'.repeat(17 << 20); // more than a log holds
  backend.behaviour = streams(['Hel', 'lo', text]);
  const seen = [];
  const read = async (stream) => {
    for await (const event of await stream) seen.push(event);
  };
  const lost = { code: 'events_lost' };
  await assert.rejects(within('the end', read(client.responses.create({ model: 'auto', input: 'q', background: true, stream: true }))), lost);
  assert.deepEqual(types(seen).slice(-2), ['output_text.delta', 'output_text.delta']);
  const { id } = seen[0].response;
  await eventually('the end', async () => (await client.responses.retrieve(id)).status === 'completed');
  assert.equal((await client.responses.retrieve(id)).output_text.length, text.length + 5);
  const first = seen.splice(0);
  await assert.rejects(read(client.responses.retrieve(id, { stream: true })), lost);
  assert.deepEqual(seen, first);
});

test('what cannot be kept is refused before it runs', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = connect(vsr);
  const instructions = 'x'.repeat(17 << 20); // which an event repeats
  const params = { model: 'auto', input: 'q', instructions, background: true, stream: true };
  await assert.rejects(client.responses.create(params), { status: 413 });
  assert.equal(backend.requests.length, 0);
});

test('a conversation brings no items, which the answer says', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = connect(vsr);
  for (const [conversation, warned] of [['conv_1', true], [{ id: 'conv_1' }, true], [null, false], [undefined, false]]) {
    const { response } = await client.responses.create({ model: 'auto', input: 'q', conversation }).withResponse();
    const warnings = response.headers.get('x-vsr-protocol-warnings') ?? '';
    assert.equal(warnings.includes('lossy;conversation_items;conversation'), warned, warnings);
  }
});

test('a chain that has outgrown the model loses its oldest turns', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({ default_model: 'small', models: { small: backend }, cards: { small: { context_window_size: 2000 } }, ...store('memory') }),
  );
  const client = connect(vsr);
  let previous;
  for (let turn = 0; turn < 4; turn++) {
    const input = `turn ${turn} ${'some words '.repeat(200)}`;
    previous = (await client.responses.create({ model: 'small', input, instructions: 'short', previous_response_id: previous, max_output_tokens: 10 })).id;
  }
  const { messages } = backend.last.json();
  assert.equal(messages[0].content, 'short');
  assert.ok(messages.length < 8, `${messages.length} messages`);
  assert.ok(messages.length >= 4, `${messages.length} messages`);
  assert.match(messages.at(-1).content, /^turn 3/);
  assert.equal(messages[1].role, 'user'); // whole turns
});

test('a backend that speaks Messages', async (t) => {
  const standIn = await startStandIn(t, []);
  const ref = { endpoint: `127.0.0.1:${standIn.port}`, api_key: 'k' };
  const vsr = await startVsr(
    t,
    policy({ default_model: 'claude', models: { claude: { api_format: 'anthropic', backend_refs: [ref] } }, ...store('memory') }),
  );
  const client = connect(vsr);
  const made = await client.responses.create({ model: 'auto', input: 'Good morning' });
  assert.match(made.output_text, /Good morning/);
  const final = await client.responses.stream({ model: 'auto', input: 'And?', previous_response_id: made.id }).finalResponse();
  assert.equal(final.status, 'completed');
  assert.equal((await standIn.last()).json().messages.length, 3);
});

test('what runs in the background ends before vsr does', async (t) => {
  const backend = await Backend.start(t);
  const dir = mkdtempSync('/tmp/vsr-responses-');
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const options = { env: { VSR_STATE_DIR: dir } };
  const first = await startVsr(t, document(backend, store('sqlite')), options);
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  backend.behaviour = async (exchange) => {
    await gate;
    await openaiAnswer({ content: 'at last' })(exchange);
  };
  const queued = await connect(first).responses.create({ model: 'auto', input: 'q', background: true });
  await backend.received(1);
  const stopped = first.stop();
  await first.says(/draining/);
  release();
  await stopped;
  const second = await startVsr(t, document(backend, store('sqlite')), options);
  const done = await connect(second).responses.retrieve(queued.id);
  assert.equal(done.status, 'completed');
  assert.equal(done.output_text, 'at last');
});

test('the last event does not wait for the backend to close its stream', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = connect(vsr);
  for (const kept of [true, false]) {
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      for (const event of streamEvents('m', ['Hel', 'lo'], { usage: true })) await exchange.write(chunk(event));
      await gate;
      await exchange.write('0\r\n\r\n');
    };
    const events = [];
    const read = async () => {
      for await (const event of await client.responses.create({ model: 'auto', input: 'q', stream: true, store: kept })) {
        events.push(event);
        if (event.type !== 'response.completed') continue;
        if (kept) assert.deepEqual(await client.responses.retrieve(event.response.id), event.response);
        release();
      }
    };
    await within('the end', read());
    assert.equal(events.filter((event) => event.type === 'response.completed').length, 1);
    assert.equal(events.at(-1).response.output_text, 'Hello');
  }
});

test('no more run in the background than may, however many ask at once', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend, store('memory', { max_background: 9 })), { env: { VSR_WORKERS: '1' } });
  backend.behaviour = hang();
  const body = JSON.stringify({ model: 'auto', input: 'q', background: true });
  const asked = Array.from({ length: 100 }, () =>
    request(vsr.port, { method: 'POST', path: '/v1/responses', headers: { 'content-type': 'application/json' }, body }),
  );
  const statuses = (await Promise.all(asked)).map((answer) => answer.status);
  assert.equal(statuses.filter((status) => status === 200).length, 9);
  assert.equal(statuses.filter((status) => status === 503).length, 91);
});

test('what runs in the background has its place among requests at once', async (t) => {
  const backend = await Backend.start(t);
  const services = store('memory').global.services;
  const ratelimit = { providers: [{ type: 'local-limiter', rules: [{ name: 'r', concurrent: 1 }] }] };
  const vsr = await startVsr(t, document(backend, { global: { services: { ...services, ratelimit } } }));
  const client = connect(vsr);
  for (const stream of [false, true]) {
    backend.behaviour = hang();
    const n = backend.requests.length;
    const made = await client.responses.create({ model: 'auto', input: 'q', background: true, stream });
    const { id } = stream ? (await made[Symbol.asyncIterator]().next()).value.response : made;
    await backend.received(n + 1);
    await assert.rejects(client.responses.create({ model: 'auto', input: 'q' }), OpenAI.RateLimitError);
    await client.responses.cancel(id);
    backend.behaviour = openaiAnswer();
    await eventually('the place to be free', () => client.responses.create({ model: 'auto', input: 'q' }).catch(() => undefined));
  }
});

for (const mode of ['BUFFERED', 'STREAMED', 'FULL_DUPLEX_STREAMED'])
  test(`through Envoy, ${mode}`, async (t) => {
    const backend = await Backend.start(t);
    const port = await freePort();
    const vsr = await startVsr(t, document(backend), { args: ['--extproc-listen', `127.0.0.1:${port}`] });
    const envoy = new Envoy(t, port, { requestBody: mode, responseBody: mode });
    const ask = (body) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
      return envoy.exchange({ path: '/v1/responses', headers, chunks: [bytes] }, { route: () => backend.port });
    };
    const made = JSON.parse((await ask({ model: 'auto', input: 'one' })).body.toString());
    assert.equal(made.output_text, 'model=prov/small');
    const answer = await ask({ model: 'auto', input: 'two', stream: true, previous_response_id: made.id });
    const last = JSON.parse(/data: (.*)\n\n$/.exec(answer.body.toString())[1]);
    assert.equal(last.type, 'response.completed');
    assert.equal(backend.last.json().messages.length, 3);
    const client = connect(vsr);
    assert.deepEqual(await client.responses.retrieve(last.response.id), last.response);
    const got = await envoy.exchange({ method: 'GET', path: `/v1/responses/${made.id}` }, { route: () => backend.port });
    assert.deepEqual(JSON.parse(got.body.toString()), made);
    const queued = JSON.parse((await ask({ model: 'auto', input: 'q', background: true })).body.toString());
    await eventually('the end', async () => (await client.responses.retrieve(queued.id)).status === 'completed');
  });

test('switched off it is not there', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend, store('memory', { enabled: false })));
  const client = connect(vsr);
  await assert.rejects(client.responses.create({ model: 'auto', input: 'q' }), OpenAI.NotFoundError);
  await assert.rejects(client.responses.retrieve('resp_1'), OpenAI.NotFoundError);
});

test('kept as long as it says', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend, store('memory', { ttl_seconds: 1 })));
  const client = connect(vsr);
  const made = await client.responses.create({ model: 'auto', input: 'q' });
  await eventually('it to be gone', async () => {
    try {
      await client.responses.retrieve(made.id);
      return false;
    } catch (error) {
      return error instanceof OpenAI.NotFoundError;
    }
  });
});
