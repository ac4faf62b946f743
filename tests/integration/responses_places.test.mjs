// Responses in each place where they may be stored, with the real servers: everything that a client asks of what is kept,
// across a restart; and two processes that share a server, of which one ends or deletes what the other one runs.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import { Backend, chunk, hang, jsonAnswer, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { eventually, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';
import { places } from './lib/places.mjs';

const connect = (vsr, options = {}) =>
  new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', maxRetries: 0, ...options });

const as = (vsr, user) => connect(vsr, { defaultHeaders: { 'x-authz-tenant-id': 'acme', 'x-authz-user-id': user } });

const document = (backend, response_api) =>
  policy({
    default_model: 'small',
    models: { small: { provider_model_id: 'prov/small', backend_refs: [backend] } },
    listeners: [{ name: 'test', address: '127.0.0.1', port: 0, trust_identity_headers: true }],
    global: { services: { response_api } },
  });

const tool = { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false };

/** A backend's whole answer with these members of the message. */
const says = (message) =>
  jsonAnswer(
    JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1700000000,
      model: 'prov/small',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    }),
  );

/** A stream of these deltas, which stands still before the one at `stop` until `gate`. */
const streams = (deltas, { stop = Infinity, gate } = {}) => async (exchange) => {
  await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
  for (const [i, event] of streamEvents('prov/small', deltas, { usage: true }).entries()) {
    if (i === stop) await gate;
    await exchange.write(chunk(event));
  }
  await exchange.write('0\r\n\r\n');
};

const all = async (stream) => {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
};

const up = (vsr) =>
  eventually('the store to be there', async () =>
    (await vsr.metrics()).text().includes('vsr_store_up{store="responses"} 1\n'),
  );

const statusOf = async (client, id) => (await client.responses.retrieve(id)).status;

const metric = async (vsr, name) =>
  Number(
    (await vsr.metrics())
      .text()
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );

const running = (vsr) => metric(vsr, 'vsr_background_responses');

const shared = (name) => name === 'redis' || name === 'postgres';

const gone = (promise) => assert.rejects(promise, OpenAI.NotFoundError);

for (const [name, place] of Object.entries(places))
  describe(`responses in ${name}`, { skip: place.skip }, () => {
    const ends = [];
    const t = { after: (end) => ends.push(end) };
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-places-'));
    let backend, api, count, lose, vsr, client;

    const start = async () => {
      const started = await Vsr.start(document(backend, api), { env: { VSR_STATE_DIR: dir } });
      await up(started);
      return started;
    };

    before(async () => {
      backend = await Backend.start();
      ({ response_api: api, count, lose } = await place.begin(t));
      vsr = await start();
      client = connect(vsr);
    });
    after(async () => {
      await vsr?.stop();
      await backend?.close();
      for (const end of ends.reverse()) await end();
      rmSync(dir, { recursive: true, force: true });
    });

    test('created, retrieved, listed, gone on with, deleted', async () => {
      backend.behaviour = openaiAnswer();
      const made = await client.responses.create({ model: 'auto', input: 'one', instructions: 'kind', metadata: { a: 'ü\u0000' } });
      assert.deepEqual(await client.responses.retrieve(made.id), made);
      const listed = await client.responses.inputItems.list(made.id, { order: 'asc' });
      assert.deepEqual(
        listed.data.map((item) => [item.role, item.content[0].text]),
        [
          ['system', 'kind'],
          ['user', 'one'],
        ],
      );
      const next = await client.responses.create({ model: 'auto', input: 'two', previous_response_id: made.id });
      assert.equal(next.conversation_id, made.conversation_id);
      assert.equal(backend.last.json().messages.length, 3);
      assert.equal((await client.responses.delete(made.id)).deleted, true);
      await gone(client.responses.retrieve(made.id));
      await gone(client.responses.delete(made.id));
      // A chain that has lost its beginning goes on with what is left.
      await client.responses.create({ model: 'auto', input: 'three', previous_response_id: next.id });
      assert.equal(backend.last.json().messages.length, 3);
      await assert.rejects(client.responses.create({ model: 'auto', input: 'x', previous_response_id: made.id }), {
        code: 'previous_response_not_found',
      });
    });

    test('as deep as a request may be', async () => {
      backend.behaviour = openaiAnswer();
      const depth = 128 - 4; // the request, its tools, a tool, its parameters
      let parameters = {};
      for (let i = 1; i < depth; i++) parameters = { a: parameters };
      const tools = [{ type: 'function', name: 'f', parameters, strict: false }];
      const made = await client.responses.create({ model: 'auto', input: 'q', tools });
      assert.deepEqual((await client.responses.retrieve(made.id)).tools, made.tools);
      await client.responses.create({ model: 'auto', input: 'and?', previous_response_id: made.id });
    });

    test('in the background: polled', async () => {
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      backend.behaviour = async (exchange) => {
        await gate;
        await says({ content: 'done' })(exchange);
      };
      const n = backend.requests.length;
      const queued = await client.responses.create({ model: 'auto', input: 'q', background: true });
      assert.equal(queued.status, 'queued');
      await backend.received(n + 1);
      await eventually('it to be under way', async () => (await statusOf(client, queued.id)) === 'in_progress');
      release();
      await eventually('the end', async () => (await statusOf(client, queued.id)) === 'completed');
      const done = await client.responses.retrieve(queued.id);
      assert.equal(done.output_text, 'done');
      assert.equal((await client.responses.inputItems.list(queued.id)).data[0].content[0].text, 'q');
    });

    test('in the background: streamed, lost, resumed, read again', async () => {
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      backend.behaviour = streams(['Hel', 'lo ', 'world'], { stop: 3, gate });
      const stream = await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
      const seen = [];
      for await (const event of stream) {
        seen.push(event);
        if (event.delta === 'lo ') break; // the connection ends here
      }
      const { id } = seen[0].response;
      const rest = await client.responses.retrieve(id, { stream: true, starting_after: seen.at(-1).sequence_number });
      release();
      seen.push(...(await within('the rest', all(rest))));
      assert.deepEqual(
        seen.map((event) => event.sequence_number),
        seen.map((_, i) => i),
      );
      assert.equal(seen.at(-1).type, 'response.completed');
      assert.equal(seen.at(-1).response.output_text, 'Hello world');
      assert.deepEqual(await client.responses.retrieve(id), seen.at(-1).response);
      assert.deepEqual(await all(await client.responses.retrieve(id, { stream: true })), seen);
      assert.deepEqual(await all(await client.responses.retrieve(id, { stream: true, starting_after: 3 })), seen.slice(4));
    });

    test('in the background: cancelled, with what was said so far', async () => {
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      backend.behaviour = streams(['Hel', 'lo'], { stop: 2, gate });
      const stream = await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
      const events = [];
      for await (const event of stream) {
        events.push(event);
        if (event.type !== 'response.output_text.delta') continue;
        const { id } = events[0].response;
        assert.equal((await client.responses.cancel(id)).status, 'cancelled');
        assert.equal((await client.responses.cancel(id)).status, 'cancelled');
      }
      await within('the backend to be let go', backend.last.gone);
      release();
      const { type, response } = events.at(-1);
      assert.equal(type, 'response.incomplete');
      assert.equal(response.status, 'cancelled');
      assert.equal(response.output[0].content[0].text, 'Hel');
      assert.deepEqual((await client.responses.retrieve(response.id)).output, response.output);
      await eventually('nothing to run', async () => (await running(vsr)) === 0);
      backend.behaviour = openaiAnswer();
      await client.responses.create({ model: 'auto', input: 'go on', previous_response_id: response.id });
      assert.deepEqual(
        backend.last.json().messages.map(({ content }) => content),
        ['q', 'Hel', 'go on'],
      );
    });

    test('in the background: deleted, and not there again', async () => {
      backend.behaviour = hang();
      const n = backend.requests.length;
      const stream = await client.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
      const { id } = (await stream[Symbol.asyncIterator]().next()).value.response;
      await backend.received(n + 1);
      await client.responses.delete(id);
      await within('the backend to be let go', backend.last.gone);
      await eventually('nothing to run', async () => (await running(vsr)) === 0);
      await gone(client.responses.retrieve(id));
      await gone(client.responses.retrieve(id, { stream: true }));
    });

    test('nobody sees what belongs to another', async () => {
      backend.behaviour = openaiAnswer();
      const made = await as(vsr, 'anna').responses.create({ model: 'auto', input: 'q' });
      assert.equal((await as(vsr, 'anna').responses.retrieve(made.id)).id, made.id);
      for (const other of [as(vsr, 'bob'), client]) {
        await gone(other.responses.retrieve(made.id));
        await gone(other.responses.delete(made.id));
        await gone(other.responses.cancel(made.id));
        await gone(other.responses.inputItems.list(made.id));
        await assert.rejects(other.responses.create({ model: 'auto', input: 'x', previous_response_id: made.id }), {
          code: 'previous_response_not_found',
        });
      }
    });

    test('a restart', async () => {
      const include = ['reasoning.encrypted_content'];
      const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
      backend.behaviour = says({ content: null, reasoning_content: 'deep thought', tool_calls: [call] });
      const made = await client.responses.create({ model: 'auto', input: 'q', tools: [tool], include });
      backend.behaviour = streams(['Hel', 'lo']);
      const events = await all(await client.responses.create({ model: 'auto', input: 'b', background: true, stream: true }));
      const { id } = events.at(-1).response;
      backend.behaviour = hang();
      const n = backend.requests.length;
      const cut = await client.responses.create({ model: 'auto', input: 'q', background: true });
      await backend.received(n + 1);
      vsr.signal('SIGKILL');
      await vsr.exited;
      vsr.kill();
      vsr = await start();
      client = connect(vsr);
      backend.behaviour = openaiAnswer();
      if (name === 'memory') {
        await gone(client.responses.retrieve(made.id));
      } else {
        assert.deepEqual(await client.responses.retrieve(made.id), made);
        assert.equal((await client.responses.inputItems.list(made.id)).data.length, 1);
        const again = await client.responses.retrieve(id, { stream: true, starting_after: 1 });
        assert.deepEqual(await all(again), events.slice(2));
        assert.equal(await statusOf(client, cut.id), 'failed');
        const input = [{ type: 'function_call_output', call_id: 'call_1', output: 'sun' }];
        await client.responses.create({ model: 'auto', input, previous_response_id: made.id });
        assert.equal(backend.last.json().messages.length, 3);
      }
      // What is sealed needs no store, but the key that lies beside it.
      const [thought, asked] = made.output;
      assert.ok(thought.encrypted_content && !thought.encrypted_content.includes('deep'));
      const output = { type: 'function_call_output', call_id: asked.call_id, output: 'sun' };
      const input = [{ role: 'user', content: 'q' }, thought, asked, output];
      await client.responses.create({ model: 'auto', input, store: false, include });
      assert.equal(backend.last.json().messages[1].reasoning_content, 'deep thought');
    });

    if (!shared(name)) return;

    test('a record that the server loses ends no run', async () => {
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      backend.behaviour = async (exchange) => {
        await gate;
        await says({ content: 'done' })(exchange);
      };
      const n = backend.requests.length;
      const { id } = await client.responses.create({ model: 'auto', input: 'q', background: true });
      await backend.received(n + 1);
      await eventually('it to be under way', async () => (await statusOf(client, id)) === 'in_progress');
      lose(id);
      await gone(client.responses.retrieve(id));
      await eventually('it to be there again', async () => (await statusOf(client, id).catch(() => '')) === 'in_progress');
      lose(id);
      release();
      await eventually('its end', async () => (await statusOf(client, id).catch(() => '')) === 'completed');
    });

    test('two processes: what one runs, the other ends', async (t) => {
      const two = await startVsr(t, document(backend, api));
      await up(two);
      const here = client, there = connect(two);
      backend.behaviour = openaiAnswer();
      const made = await here.responses.create({ model: 'auto', input: 'q' });
      assert.deepEqual(await there.responses.retrieve(made.id), made);
      const n = count();

      // Four that run in the one process at once: cancelled and deleted by the other, polled and streamed.
      let release;
      const gate = new Promise((resolve) => (release = resolve));
      backend.behaviour = streams(['Hel', 'lo'], { stop: 2, gate });
      const jobs = [];
      for (const stream of [false, true, false, true]) {
        const before = backend.requests.length;
        const job = await here.responses.create({ model: 'auto', input: 'q', background: true, stream });
        const events = stream ? job[Symbol.asyncIterator]() : undefined;
        const { id } = stream ? (await events.next()).value.response : job;
        await backend.received(before + 1);
        jobs.push({ id, events, call: backend.last });
      }
      const rest = async (job) => {
        const events = [];
        for (;;) {
          const { value, done } = await job.events.next();
          if (done) return events;
          events.push(value);
        }
      };
      const [cancelled, followed, deleted, cut] = jobs;
      const elsewhere = await there.responses.retrieve(followed.id, { stream: true });
      for (const job of [cancelled, followed]) assert.equal((await there.responses.cancel(job.id)).status, 'cancelled');
      for (const job of [deleted, cut]) await there.responses.delete(job.id);
      for (const job of jobs) await within('the backend to be let go', job.call.gone);
      await eventually('nothing to run', async () => (await running(vsr)) === 0);
      release();
      assert.equal(await metric(vsr, 'vsr_background_responses_total{status="cancelled"}'), 2);
      assert.equal(await metric(vsr, 'vsr_background_responses_total{status="deleted"}'), 2);
      assert.equal(vsr.log.match(/a response was deleted while it ran/g)?.length, 2, 'whoever runs it learns why it ended');
      for (const client of [here, there]) {
        for (const job of [cancelled, followed]) assert.equal(await statusOf(client, job.id), 'cancelled');
        for (const job of [deleted, cut]) await gone(client.responses.retrieve(job.id));
      }
      for (const events of await within('both streams', Promise.all([rest(followed), all(elsewhere)]))) {
        assert.equal(events.at(-1).type, 'response.incomplete');
        const { output_text, ...kept } = await there.responses.retrieve(followed.id); // the client's own addition
        assert.equal(output_text, 'Hel');
        assert.deepEqual(events.at(-1).response, kept);
      }
      await within('the stream of what is gone', rest(cut).catch(() => undefined));
      assert.equal(count(), n + 2, 'nothing came back');

      // An end that comes before the run has looked: what it was about to keep is refused.
      backend.behaviour = streams(['Hel', 'lo'], { stop: 2, gate: new Promise((resolve) => (release = resolve)) });
      const before = backend.requests.length;
      const late = await here.responses.create({ model: 'auto', input: 'q', background: true });
      await backend.received(before + 1);
      await there.responses.delete(late.id);
      release();
      await eventually('nothing to run', async () => (await running(vsr)) === 0);
      await gone(here.responses.retrieve(late.id));
      assert.equal(count(), n + 2, 'nothing came back');

      // The same of one that fails: what was said first is what the stream, the record and the metric say.
      let refuse;
      const refused = new Promise((resolve) => (refuse = resolve));
      backend.behaviour = async (exchange) => {
        await refused;
        await jsonAnswer('{"error":{"message":"no"}}', { status: 400, reason: 'Bad Request' })(exchange);
      };
      const asked = backend.requests.length;
      const stream = await here.responses.create({ model: 'auto', input: 'q', background: true, stream: true });
      const events = stream[Symbol.asyncIterator]();
      const { id } = (await events.next()).value.response;
      await backend.received(asked + 1);
      assert.equal((await there.responses.cancel(id)).status, 'cancelled');
      refuse();
      const said = await within('its end', rest({ events }));
      assert.deepEqual([said.at(-1).type, said.at(-1).response.status], ['response.incomplete', 'cancelled']);
      await eventually('nothing to run', async () => (await running(vsr)) === 0);
      assert.equal(await metric(vsr, 'vsr_background_responses_total{status="cancelled"}'), 3);
    });
  });

test('a cancel that comes late takes nothing away', { skip: places.redis.skip }, async (t) => {
  const { server, response_api } = await places.redis.begin(t);
  let release, held;
  const released = new Promise((resolve) => (release = resolve));
  const holds = new Promise((resolve) => (held = resolve));
  const slow = net.createServer((socket) => {
    const onward = net.connect(server.port, '127.0.0.1');
    onward.on('error', () => socket.destroy()).pipe(socket);
    socket.on('error', () => onward.destroy()).on('close', () => onward.end());
    socket.on('data', async (bytes) => {
      if (bytes.includes('cancelled')) {
        held();
        await released;
      }
      onward.write(bytes);
    });
  });
  await new Promise((resolve) => slow.listen(0, '127.0.0.1', resolve));
  t.after(() => slow.close());
  const backend = await Backend.start(t, streams(['Hel', 'lo'], { stop: 2, gate: new Promise(() => {}) }));
  const runs = await startVsr(t, document(backend, response_api));
  const late = await startVsr(t, document(backend, { ...response_api, redis: { ...response_api.redis, address: `127.0.0.1:${slow.address().port}` } }));
  await Promise.all([up(runs), up(late)]);
  let id;
  for await (const event of await connect(runs).responses.create({ model: 'small', input: 'q', background: true, stream: true })) {
    id ??= event.response?.id;
    if (event.type === 'response.output_text.delta') break;
  }
  const second = connect(late).responses.cancel(id);
  await within('its write', holds);
  assert.equal((await connect(runs).responses.cancel(id)).status, 'cancelled');
  const output = async () => (await connect(runs).responses.retrieve(id)).output_text;
  await eventually('what there was', async () => (await output()) === 'Hel');
  release();
  assert.equal((await within('the second cancel', second)).status, 'cancelled');
  assert.equal(await output(), 'Hel');
});
