// Envoy, its clients, and those whom vsr itself asks behind it, when they misbehave: they leave in every phase, send what
// no Envoy sends, and do not answer. Nothing stays behind, and who comes next is served.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { before, after, describe } from 'node:test';

import { Backend, completion, hang, jsonAnswer, sendAndClose, openaiAnswer } from './lib/backend.mjs';
import { Envoy, grpc, pieces } from './lib/envoy.mjs';
import { eventually, freePort, lane, otherwise, policy, sleep, startVsr, test, Vsr, within } from './lib/harness.mjs';
import { chat } from './lib/http.mjs';

const PATH = '/v1/chat/completions';
const wire = (fields) => ({ headers: Object.entries(fields).map(([key, value]) => ({ key, value: String(value) })) });
const HEAD = { ':method': 'POST', ':path': PATH, ':authority': 'a', 'content-type': 'application/json' };

async function start(t, document, options = {}) {
  const port = await freePort();
  const vsr = await (t ? startVsr.bind(null, t) : Vsr.start.bind(Vsr))(document, {
    ...options,
    args: ['--extproc-listen', `127.0.0.1:${port}`, ...(options.args ?? [])],
  });
  vsr.extprocPort = port;
  return vsr;
}

const GAUGES = ['vsr_requests_active', 'vsr_extproc_streams', 'vsr_admission_active', 'vsr_admission_queued', 'llm_model_inflight_requests', 'vsr_responses_background'];

async function idle(vsr) {
  let left;
  await eventually(
    () => `nothing under way: ${left}`,
    async () => {
      const page = (await vsr.metrics()).text();
      left = GAUGES.flatMap((name) => page.match(new RegExp(`^${name}(\\{.*\\})? [^0].*$`, 'gm')) ?? []);
      return left.length === 0;
    },
  );
}

/** A request as Envoy has it. */
function asked(body, { headers = {}, path = PATH, method = 'POST', size = 1 << 20 } = {}) {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const length = bytes.length ? { 'content-length': bytes.length } : {};
  return { method, path, headers: { 'content-type': 'application/json', ...length, ...headers }, chunks: pieces(bytes, [size]) };
}

const good = { status: 200, headers: [['content-type', 'application/json']], chunks: [JSON.stringify(completion('m', 'fine'))] };

async function assertServes(vsr) {
  const envoy = new Envoy(null, vsr.extprocPort);
  const answer = await within('an answer', envoy.exchange(asked(chat('hi')), { upstream: () => good }));
  envoy.close();
  assert.deepEqual([answer.status, answer.body.toString()], [200, good.chunks[0]]);
}

const MODES = {
  BUFFERED: {},
  'STREAMED, unasked': { requestBody: 'STREAMED', responseBody: 'STREAMED', sendBodyUnasked: true },
  FULL_DUPLEX_STREAMED: { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'FULL_DUPLEX_STREAMED' },
};
const configOf = ({ requestBody = 'BUFFERED', responseBody = 'BUFFERED', sendBodyUnasked = false }) => ({
  request_body_mode: requestBody,
  response_body_mode: responseBody,
  send_body_without_waiting_for_header_response: sendBodyUnasked,
});

// ---- who leaves --------------------------------------------------------------------------------------------------

/** What passes both ways, until it is cut. */
async function startTunnel(t, port) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    const onward = net.connect(port, '127.0.0.1');
    for (const [one, other] of [[socket, onward], [onward, socket]]) {
      sockets.add(one);
      one.on('error', () => {});
      one.once('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return {
    port: server.address().port,
    cut(how) {
      for (const socket of sockets) socket[how]();
      sockets.clear();
    },
  };
}

const CLIENTS = {
  chat: { path: PATH, body: (model, stream) => ({ model, messages: [{ role: 'user', content: 'hi' }], stream }) },
  messages: { path: '/v1/messages', body: (model, stream) => ({ model, messages: [{ role: 'user', content: 'hi' }], stream, max_tokens: 9 }) },
  responses: { path: '/v1/responses', body: (model, stream) => ({ model, input: 'hi', stream }) },
};
const BACKENDS = {
  chat: { api_format: 'openai', event: 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', whole: '{"id":"c","choices":[' },
  messages: {
    api_format: 'anthropic',
    event:
      'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
    whole: '{"id":"m","type":"message"',
  },
  responses: {
    api_format: 'openai-responses',
    event: 'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","output":[]}}\n\n',
    whole: '{"id":"resp_1","object":"response"',
  },
};

describe('clients that leave, and connections that break', () => {
  let vsr;
  before(async () => {
    const models = Object.fromEntries(
      Object.entries(BACKENDS).map(([name, { api_format }]) => [name, { api_format, backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] }]),
    );
    vsr = await start(
      null,
      policy({ models, default_model: 'chat', global: { router: { admission: { max_active: 200 } }, services: { response_api: { enabled: true } } } }),
    );
  });
  after(() => vsr?.stop());

  /** All that Envoy says of one exchange, up to the middle of the answer. */
  function script(client, backend, stream, mode) {
    const { path, body } = CLIENTS[client];
    const bytes = Buffer.from(JSON.stringify(body(backend, stream)));
    const half = bytes.length >> 1;
    const whole = mode.requestBody === undefined;
    const type = stream ? 'text/event-stream' : 'application/json';
    const { event, whole: text } = BACKENDS[backend];
    return [
      ['request_headers', { headers: wire({ ...HEAD, ':path': path }), end_of_stream: false }],
      ...(whole
        ? [['request_body', { body: bytes, end_of_stream: true }]]
        : [
            ['request_body', { body: bytes.subarray(0, half), end_of_stream: false }],
            ['request_body', { body: bytes.subarray(half), end_of_stream: false }],
            ['request_trailers', { trailers: wire({ a: 'b' }) }],
          ]),
      ['response_headers', { headers: wire({ ':status': 200, 'content-type': type }), end_of_stream: false }],
      ['response_body', { body: Buffer.from(stream ? event : text), end_of_stream: false }],
    ];
  }

  /** Says it; where each message has its answer, that is waited for, but for the last piece of an answer. */
  async function say(stream, messages, mode) {
    for (const [i, [kind, value]] of messages.entries()) {
      stream.send(kind, value, i === 0 ? configOf(mode) : undefined);
      if (mode.requestBody === undefined && !(kind === 'response_body' && messages.at(-1)[1] === value)) await within(kind, stream.next());
    }
  }

  for (const client of Object.keys(CLIENTS))
    for (const backend of Object.keys(BACKENDS))
      test(`${client} to ${backend}`, async (t) => {
        const tunnel = await startTunnel(t, vsr.extprocPort);
        for (const [name, mode] of Object.entries(MODES))
          for (const stream of [true, false]) {
            const all = script(client, backend, stream, mode);
            const direct = new Envoy(t, vsr.extprocPort, mode);
            for (const how of ['cancel', 'end'])
              await Promise.all(
                all.map(async (_, n) => {
                  const one = direct.open();
                  await say(one, all.slice(0, n + 1), mode);
                  one.call[how]();
                  await within(`the end of ${name} ${n} ${how}`, one.closed);
                }),
              );
            for (const how of ['destroy', 'resetAndDestroy']) {
              const envoy = new Envoy(null, tunnel.port, mode);
              await new Promise((resolve) => envoy.client.waitForReady(Infinity, resolve));
              const streams = await Promise.all(
                all.map(async (_, n) => {
                  const one = envoy.open();
                  await say(one, all.slice(0, n + 1), mode);
                  return one;
                }),
              );
              await sleep(10); // for what was not waited for
              tunnel.cut(how);
              for (const one of streams) await within('the end', one.closed);
              envoy.close();
            }
          }
        await idle(vsr);
        await assertServes(vsr);
        const counted = (await vsr.metrics()).text().matchAll(/^llm_request_errors_total\{.*reason="(\w+)".*\} [1-9]/gm);
        const reasons = new Set([...counted].map(([, reason]) => reason));
        reasons.delete('translation'); // of a BUFFERED answer, which is whole whatever it holds
        assert.deepEqual([...reasons], ['cancellation']);
      });

  test('answers that come late are answers', async (t) => {
    for (const mode of Object.values(MODES)) {
      const late = async () => (await sleep(300), good);
      const answer = await new Envoy(t, vsr.extprocPort, mode).exchange(asked(chat('hi')), { upstream: late });
      assert.deepEqual([answer.status, answer.body.toString()], [200, good.chunks[0]]);
    }
  });

  test('Envoy goes away in good order, and what is under way is finished', async (t) => {
    const envoy = new Envoy(t, vsr.extprocPort);
    const one = envoy.open();
    await say(one, script('chat', 'chat', false, {}).slice(0, 2), {});
    envoy.close(); // GOAWAY
    one.send('response_headers', { headers: wire({ ':status': 200, 'content-type': 'application/json' }), end_of_stream: false });
    assert.equal((await within('an answer', one.next())).response, 'response_headers');
    one.send('response_body', { body: Buffer.from(good.chunks[0]), end_of_stream: true });
    assert.equal((await within('an answer', one.next())).response, 'response_body');
    await one.finish();
    await idle(vsr);
  });
});

test('a peer that is gone without a word is looked for', async (t) => {
  const vsr = await start(t, policy({ models: { m: { endpoint: '127.0.0.1:1' } }, default_model: 'm' }));
  const hex = (number) => number.toString(16).toUpperCase().padStart(4, '0');
  for (const port of [vsr.port, vsr.extprocPort]) {
    const socket = net.connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const here = new RegExp(`:${hex(port)} [0-9A-F]+:${hex(socket.localPort)} 01 [0-9A-F:]+ 02:`); // 02: the timer of probes
    await eventually('a timer', () => here.test(readFileSync('/proc/net/tcp', 'utf8')));
    socket.destroy();
  }
});

// ---- what no Envoy sends -----------------------------------------------------------------------------------------

describe('messages that no Envoy sends', () => {
  let vsr;
  before(async () => {
    vsr = await start(null, policy({
      models: { m: { endpoint: '127.0.0.1:1' }, claude: { api_format: 'anthropic', backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] } },
      default_model: 'm',
      global: { router: { streamed_body: { enabled: true, max_bytes: 2000 } } },
    }));
  });
  after(() => vsr?.stop());

  const head = ['request_headers', { headers: wire(HEAD), end_of_stream: false }];
  const body = (model, end = true) => ['request_body', { body: Buffer.from(JSON.stringify(chat('hi', { model }))), end_of_stream: end }];
  const answer = ['response_headers', { headers: wire({ ':status': 200, 'content-type': 'application/json' }), end_of_stream: false }];
  const part = (text, end = false) => ['response_body', { body: Buffer.from(text), end_of_stream: end }];
  const trailers = (kind) => [kind, { trailers: wire({ a: 'b' }) }];
  const ORDERS = {
    'the body twice': [head, body('m'), body('m'), answer, part('{}', true)],
    'trailers twice': [head, body('m', false), trailers('request_trailers'), trailers('request_trailers'), answer],
    'the answer before the request': [head, answer, part('{}', true)],
    'the request behind its answer': [head, body('m'), answer, body('m'), part('{}', true), body('m')],
    'the head of the answer twice': [head, body('claude'), answer, answer, part('{}', true), answer],
    'a body without its head': [head, body('m'), part('{}', true), answer],
    'trailers without a body': [head, body('m'), answer, trailers('response_trailers'), trailers('response_trailers'), part('x', true)],
    'more behind the end': [head, body('claude'), answer, part('{}', true), part('more', true), trailers('response_trailers'), trailers('request_trailers')],
    'many ends': [head, body('m'), answer, ...Array.from({ length: 50 }, () => part('x', true))],
  };
  for (const [what, messages] of Object.entries(ORDERS))
    test(what, async (t) => {
      for (const mode of Object.values(MODES))
        for (const how of ['end', 'cancel']) {
          const stream = new Envoy(t, vsr.extprocPort).open();
          for (const [i, [kind, value]] of messages.entries()) stream.send(kind, value, i === 0 ? configOf(mode) : undefined);
          if (how === 'cancel') await sleep(5);
          stream.call[how]();
          await within('the end', stream.closed);
        }
      await idle(vsr);
      await assertServes(vsr);
    });

  test('bytes that are no message', async (t) => {
    const { client } = new Envoy(t, vsr.extprocPort);
    const junk = ['', '\xff', '\x12', '\x12\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01', '\x0a\xff\xff\xff\xff\x0f', 'x'.repeat(1000), '\x12\x02\x0a\x05'];
    for (const first of [null, Buffer.from('120d0a0b0a093a6d6574686f641001', 'hex')])
      for (const text of junk) {
        const call = client.makeBidiStreamRequest('/envoy.service.ext_proc.v3.ExternalProcessor/Process', (x) => x, (x) => x);
        call.on('data', () => {});
        call.on('error', () => {});
        const ended = new Promise((resolve) => call.once('status', resolve));
        if (first) call.write(first);
        call.write(Buffer.from(text, 'latin1'));
        assert.equal((await within(`the end of ${JSON.stringify(text)}`, ended)).code, grpc.status.INVALID_ARGUMENT);
      }
    await idle(vsr);
    await assertServes(vsr);
  });

  for (const [name, mode] of Object.entries(MODES))
    test(`bodies past the limit by ${name}`, async (t) => {
      for (const length of [1990, 3000, (1 << 20) + 1500, 3 << 20])
        for (const size of [1 << 15, 16 << 20]) {
          const exchange = asked(chat('x'.repeat(length)), { size });
          const answer = await within('a refusal', new Envoy(t, vsr.extprocPort, mode).exchange(exchange, { upstream: () => good }));
          assert.equal(answer.status, 413, `${length} ${size}: ${answer.body}`);
          assert.equal(typeof JSON.parse(answer.body).error.message, 'string');
        }
      await idle(vsr);
    });

  test('an answer past the size of a message', async (t) => {
    const upstream = () => ({ ...good, chunks: [JSON.stringify(completion('m', 'y'.repeat(3 << 20)))] });
    for (const model of ['m', 'claude']) {
      const answer = await within('an answer', new Envoy(t, vsr.extprocPort).exchange(asked(chat('hi', { model })), { upstream }));
      assert.deepEqual([answer.status, answer.immediate], [502, true]);
      assert.equal(JSON.parse(answer.body).error.type, 'server_error');
    }
    // A client that has the beginning cannot get an error in place of the rest: it is cut off, whatever Envoy's filter
    // would do without a last word (failure_mode_allow).
    const began = 'event: message_start\ndata: {"type":"message_start","message":{"id":"x","role":"assistant","content":[]}}\n\n';
    const events = () => ({ status: 200, headers: [['content-type', 'text/event-stream']], chunks: [began, `event: ${'y'.repeat(3 << 20)}\n\n`] });
    const exchange = asked(chat('hi', { model: 'claude', stream: true }));
    const cut = await within('a break', new Envoy(t, vsr.extprocPort, { responseBody: 'STREAMED' }).exchange(exchange, { upstream: events }));
    assert.ok(cut.immediate && cut.cut);
    assert.match(cut.got.toString(), /^data: .*"role":"assistant"/);
    const stream = new Envoy(t, vsr.extprocPort).open();
    const said = [];
    stream.call.on('data', (message) => said.push(message.response_body?.response.body_mutation?.streamed_response));
    stream.send('request_headers', { headers: wire(HEAD), end_of_stream: false }, configOf({ requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'FULL_DUPLEX_STREAMED' }));
    stream.send('request_body', { body: exchange.chunks[0], end_of_stream: true });
    stream.send('response_headers', { headers: wire({ ':status': 200, 'content-type': 'text/event-stream' }), end_of_stream: false });
    for (const chunk of events().chunks) stream.send('response_body', { body: Buffer.from(chunk), end_of_stream: false });
    assert.equal((await within('the end', stream.closed)).code, grpc.status.OK);
    assert.match(said.at(-1).body.toString(), /data: \{"error":.*/);
    assert.ok(said.at(-1).end_of_stream, 'in duplex mode the error has a place');
    await idle(vsr);
    await assertServes(vsr);
  });
});

// ---- what a filter does not allow --------------------------------------------------------------------------------

test('what the filter does not allow is said once, whatever number of workers and connections', async (t) => {
  const vsr = await start(t, policy({ models: { m: { endpoint: '127.0.0.1:1' } }, default_model: 'm' }));
  const streamed = { requestBody: 'STREAMED', responseBody: 'NONE', allowModeOverride: false };
  const envoys = [1, 2, 3].map(() => new Envoy(t, vsr.extprocPort, streamed));
  for (let i = 0; i < 18; i++) {
    const envoy = envoys[i % 3];
    const answer = await envoy.exchange(asked(chat('hi'), { size: 20 }), { upstream: () => good });
    assert.equal(answer.body.toString(), good.chunks[0]);
  }
  await idle(vsr);
  assert.equal(vsr.log.match(/headers of a request, the routed model among them, cannot follow/g).length, 1);
  assert.equal(vsr.log.match(/does not show the bodies of answers/g).length, 1);
  const page = (await vsr.metrics()).text();
  assert.deepEqual(
    page.match(/^llm_request_errors_total\{.*\} [1-9]\d*$/gm),
    ['llm_request_errors_total{model="m",reason="cancellation"} 12'],
    'once it is known, a body that is not shown is no error: before, four on each connection look like clients that left',
  );
  assert.match(page, /^llm_model_requests_total\{.*\} 18$/m);
});

test('an answer that has to be translated and is not shown', async (t) => {
  const claude = { api_format: 'anthropic', backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] };
  const vsr = await start(t, policy({ models: { m: { endpoint: '127.0.0.1:1' }, claude }, default_model: 'm' }));
  const theirs = '{"id":"x","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}';
  const envoy = new Envoy(t, vsr.extprocPort, { responseBody: 'NONE' });
  const other = new Envoy(t, vsr.extprocPort, { responseBody: 'NONE' });
  const ask = (model, allowModeOverride, text = theirs) => {
    envoy.options.allowModeOverride = allowModeOverride;
    return envoy.exchange(asked(chat('hi', { model })), { upstream: () => ({ ...good, chunks: [text] }) });
  };
  const said = async (answer) => JSON.parse((await answer).body).choices?.[0].message.content;
  assert.equal(await said(ask('claude', true)), 'fine');
  for (let i = 0; i < 4; i++) assert.equal(await said(ask('m', false, good.chunks[0])), 'fine');
  assert.equal(await said(ask('claude', true)), 'fine', 'not sure yet');
  for (let i = 0; i < 5; i++) assert.equal(await said(ask('m', false, good.chunks[0])), 'fine');
  // Now it is known that this Envoy does not let itself be asked.
  for (let i = 0; i < 2; i++) {
    const answer = await ask('claude', false);
    assert.deepEqual([answer.status, answer.immediate], [502, true]);
    assert.match(answer.body.toString(), /response_body_mode must be BUFFERED/);
  }
  assert.equal(
    await said(other.exchange(asked(chat('hi', { model: 'claude' })), { upstream: () => ({ ...good, chunks: [theirs] }) })),
    'fine',
    'another connection is another filter',
  );
  assert.equal(await said(ask('m', true, good.chunks[0])), 'fine');
  assert.equal(await said(ask('claude', true)), 'fine', 'and now it does');

  // response_header_mode SKIP
  for (const [model, text] of [['m', good.chunks[0]], ['claude', theirs]]) {
    const stream = new Envoy(t, vsr.extprocPort).open();
    stream.send('request_headers', { headers: wire(HEAD), end_of_stream: false }, configOf({}));
    await stream.next();
    stream.send('request_body', { body: Buffer.from(JSON.stringify(chat('hi', { model }))), end_of_stream: true });
    await stream.next();
    stream.send('response_body', { body: Buffer.from(text), end_of_stream: true });
    const answer = await within('an answer', stream.next());
    if (model === 'm') assert.equal(answer.response_body.response.body_mutation, null);
    else assert.equal(answer.immediate_response.status.code, 502);
    await stream.finish();
  }
  assert.equal(vsr.log.match(/does not show the headers of answers: /g).length, 1);
  await idle(vsr);
});

test('clients that leave behind the headers of their answers switch nothing off', async (t) => {
  const claude = { api_format: 'anthropic', backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] };
  const vsr = await start(t, policy({ models: { claude }, default_model: 'claude' }));
  const envoy = new Envoy(t, vsr.extprocPort, { responseBody: 'NONE' });
  const events = ['message_start', { message: { id: 'x', role: 'assistant', content: [] } }];
  const head = { status: 200, headers: [['content-type', 'text/event-stream']] };
  const first = `event: ${events[0]}\ndata: ${JSON.stringify({ type: events[0], ...events[1] })}\n\n`;
  let left = 0;
  for (const chunks of [[], [first], [], [first], [], [first], [], [], [], []]) {
    await envoy.exchange(asked(chat('hi', { model: 'claude', stream: true })), { upstream: () => ({ ...head, chunks, cut: 'end' }) });
    left += 1;
  }
  const theirs = '{"id":"x","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"fine"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}';
  const answer = await envoy.exchange(asked(chat('hi', { model: 'claude' })), { upstream: () => ({ ...good, chunks: [theirs] }) });
  assert.equal(JSON.parse(answer.body).choices?.[0].message.content, 'fine', answer.body.toString());
  await idle(vsr);
  assert.match((await vsr.metrics()).text(), new RegExp(`^llm_request_errors_total\\{model="claude",reason="cancellation"\\} ${left}$`, 'm'));
  assert.doesNotMatch(vsr.log, /does not show the bodies/);
});

// ---- whom vsr asks -----------------------------------------------------------------------------------------------

describe('responses in the background', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start(null);
    vsr = await start(null, policy({ models: { m: backend }, default_model: 'm', global: { services: { response_api: { enabled: true } } } }));
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });
  const ask = async (exchange, mode = {}) => {
    const envoy = new Envoy(null, vsr.extprocPort, mode);
    const answer = await within('an answer', envoy.exchange(exchange, { upstream: () => assert.fail('vsr asks by itself') }));
    envoy.close();
    assert.ok(answer.immediate);
    return { status: answer.status, text: answer.body.toString(), json: () => JSON.parse(answer.body) };
  };
  const create = (extra, mode) => ask(asked({ model: 'm', input: 'hi', background: true, ...extra }, { path: '/v1/responses' }), mode);
  const fetch = (id, query = '') => ask(asked(undefined, { method: 'GET', path: `/v1/responses/${id}${query}` }));
  const ended = (id) =>
    eventually(`the end of ${id}`, async () => {
      const object = (await fetch(id)).json();
      return !['queued', 'in_progress'].includes(object.status) && object;
    });

  const FAULTS = {
    'a 500': jsonAnswer('{"error":{"message":"broken"}}', { status: 500 }),
    'a reset': sendAndClose('', { reset: true }),
    'no HTTP': sendAndClose('what?\r\n\r\n'),
    'half an answer': sendAndClose('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"id":'),
  };
  for (const [name, mode] of Object.entries(MODES))
    test(`a backend that fails, by ${name}`, async () => {
      for (const [what, behaviour] of Object.entries(FAULTS)) {
        backend.behaviour = behaviour;
        const created = await create({}, mode);
        assert.equal(created.status, 200, created.text);
        const object = await ended(created.json().id);
        assert.equal(object.status, 'failed', what);
        assert.equal(typeof object.error.message, 'string', what);
      }
      await idle(vsr);
    });

  test('one that hangs is cancelled, or deleted', async () => {
    for (const [method, path] of [['POST', '/cancel'], ['DELETE', '']]) {
      backend.forget();
      backend.behaviour = hang();
      const { id } = (await create({})).json();
      await within('the backend to be asked', backend.received(1));
      const answer = await ask(asked(undefined, { method, path: `/v1/responses/${id}${path}` }));
      assert.equal(answer.status, 200, answer.text);
      await within('the backend to be let go', backend.last.gone);
      await idle(vsr);
    }
  });

  test('a stream has to have its end, because it goes out in one piece', async () => {
    backend.behaviour = hang();
    const refused = await create({ stream: true });
    assert.equal(refused.status, 400);
    assert.deepEqual([refused.json().error.param, /poll the response/.test(refused.text)], ['stream', true]);
    backend.forget();
    const { id } = (await create({})).json();
    await within('the backend to be asked', backend.received(1));
    const early = await fetch(id, '?stream=true');
    assert.equal(early.status, 400, early.text);
    assert.match(early.json().error.message, /not finished is not available behind Envoy: poll it/);
    assert.equal((await ask(asked(undefined, { method: 'POST', path: `/v1/responses/${id}/cancel` }))).status, 200);
    await idle(vsr);
  });

  test('a stream that is over is told again, from where one was', async () => {
    backend.behaviour = openaiAnswer();
    // Made by a client of a listener, who may follow it as it comes.
    const native = await fetchNative(vsr, { model: 'm', input: 'hi', background: true, stream: true });
    const { id } = JSON.parse(/"response":(\{.*?"id":"resp_[^"]*")/.exec(native)[1] + '}');
    const whole = await fetch(id, '?stream=true');
    assert.equal(whole.status, 200, whole.text);
    assert.match(whole.text, /response\.completed/);
    const part = await fetch(id, '?stream=true&starting_after=3');
    assert.ok(part.text.length < whole.text.length && whole.text.endsWith(part.text), part.text);
  });

  test('who only watches begins nothing and deletes nothing', async (t) => {
    backend.behaviour = openaiAnswer();
    const { id } = (await create({})).json();
    await ended(id);
    const n = backend.requests.length;
    const requestsOf = (page) => /^llm_model_requests_total\{.*\} \d+$/m.exec(page)[0];
    const old = (await vsr.metrics()).text();
    const watcher = new Envoy(t, vsr.extprocPort, { observability: true, requestBody: 'STREAMED', responseBody: 'STREAMED' });
    await watcher.exchange(asked({ model: 'm', input: 'hi', background: true }, { path: '/v1/responses' }));
    await watcher.exchange(asked({ model: 'm', input: 'hi', previous_response_id: id, store: true }, { path: '/v1/responses' }));
    await watcher.exchange(asked(undefined, { method: 'DELETE', path: `/v1/responses/${id}` }));
    await watcher.exchange(asked(undefined, { method: 'POST', path: `/v1/responses/${id}/cancel` }));
    await idle(vsr);
    assert.equal((await fetch(id)).json().status, 'completed');
    assert.equal(backend.requests.length, n, 'nobody was asked');
    const now = (await vsr.metrics()).text();
    assert.equal(requestsOf(now), requestsOf(old), 'no request was sent to a model');
    assert.doesNotMatch(now, /^vsr_http_responses_total\{code="0"\}/m, 'and nobody was answered');
  });
});

async function fetchNative(vsr, body) {
  const answer = await fetch(`${vsr.base}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.text();
}

test('a guard that fails, hangs, or outlives its client', async (t) => {
  const guard = await Backend.start(t);
  const external = {
    name: 'judge',
    model_role: 'guardrail',
    llm_model_name: 'judge',
    access_key: 'sesame',
    llm_endpoint: { address: '127.0.0.1', port: guard.port },
  };
  const vsr = await start(t, policy({
    default_model: 'small',
    models: { small: { endpoint: '127.0.0.1:1' }, other: { endpoint: '127.0.0.1:1' } },
    signals: { jailbreak: [{ name: 'attack', threshold: 0.7 }] },
    decisions: [lane('refused', 'jailbreak', 'attack', 'other'), otherwise('small')],
    global: { model_catalog: { external: [external], modules: { prompt_guard: { protocol: 'http_chat', on_error: 'block' } } } },
  }));
  let n = 0; // each text anew: verdicts are remembered
  for (const [name, mode] of Object.entries(MODES)) {
    for (const behaviour of [sendAndClose('', { reset: true }), sendAndClose('what?\r\n\r\n'), jsonAnswer('{}', { status: 500 })]) {
      guard.behaviour = behaviour;
      const answer = await new Envoy(t, vsr.extprocPort, mode).exchange(asked(chat(`hello ${n++}`)), { upstream: () => good });
      assert.equal(answer.status, 200);
      assert.equal(answer.metadata['envoy.filters.http.ext_proc'].vsr.model, 'other', name);
    }
    for (const how of ['cancel', 'end']) {
      guard.forget();
      guard.behaviour = hang();
      const bytes = Buffer.from(JSON.stringify(chat(`hello ${n++}`)));
      const stream = new Envoy(t, vsr.extprocPort).open();
      stream.send('request_headers', { headers: wire(HEAD), end_of_stream: false }, configOf(mode));
      stream.send('request_body', { body: bytes, end_of_stream: true });
      await within('the guard to be asked', guard.received(1));
      stream.call[how]();
      await within('the end', stream.closed);
      await idle(vsr);
    }
  }
  guard.behaviour = jsonAnswer(JSON.stringify(completion('judge', 'Safety: Safe\nCategories: None')));
  await assertServes(vsr);
});

describe('pictures', () => {
  let painter, vsr;
  before(async () => {
    painter = await Backend.start(null);
    vsr = await start(null, policy({
      default_model: 'writer',
      models: { writer: { endpoint: '127.0.0.1:1' }, painter },
      cards: { painter: { modality: 'diffusion' } },
      signals: { modality: [{ name: 'DIFFUSION' }] },
      decisions: [
        lane('draw', 'modality', 'DIFFUSION', 'writer', { modelRefs: [{ model: 'writer' }, { model: 'painter' }] }),
        otherwise('writer'),
      ],
      global: { model_catalog: { modules: { modality_detector: { enabled: true, method: 'keyword', keywords: ['draw'] } } } },
    }));
  });
  after(async () => {
    await vsr?.stop();
    await painter?.close();
  });

  const FAULTS = {
    'a reset': sendAndClose('', { reset: true }),
    'no HTTP': sendAndClose('what?\r\n\r\n'),
    'a 500': jsonAnswer('{}', { status: 500 }),
    'no picture': jsonAnswer('{"choices":[]}'),
    'no JSON': jsonAnswer('<html>'),
  };
  for (const [name, mode] of Object.entries(MODES))
    test(`a painter that fails, by ${name}`, async (t) => {
      for (const [what, behaviour] of Object.entries(FAULTS)) {
        painter.behaviour = behaviour;
        const envoy = new Envoy(t, vsr.extprocPort, mode);
        const answer = await within('an answer', envoy.exchange(asked(chat('draw a cat')), { upstream: () => assert.fail('vsr asks by itself') }));
        assert.deepEqual([answer.immediate, answer.status], [true, 503], what);
        assert.equal(JSON.parse(answer.body).error.type, 'server_error', what);
      }
      await idle(vsr);
    });

  test('a client that does not wait for its picture', async (t) => {
    for (const how of ['cancel', 'end']) {
      painter.forget();
      painter.behaviour = hang();
      const stream = new Envoy(t, vsr.extprocPort).open();
      stream.send('request_headers', { headers: wire(HEAD), end_of_stream: false }, configOf({}));
      await stream.next();
      stream.send('request_body', { body: Buffer.from(JSON.stringify(chat('draw a cat'))), end_of_stream: true });
      await within('the painter to be asked', painter.received(1));
      stream.call[how]();
      await within('the painter to be let go', painter.last.gone);
      await idle(vsr);
    }
  });

  test('who only watches gets none', async (t) => {
    painter.forget();
    const watcher = new Envoy(t, vsr.extprocPort, { observability: true, requestBody: 'STREAMED', responseBody: 'STREAMED' });
    await watcher.exchange(asked(chat('draw a cat')));
    await idle(vsr);
    assert.equal(painter.requests.length, 0);
    assert.match((await vsr.metrics()).text(), /llm_decision_match_total\{decision_name="draw"\} [1-9]/);
  });
});

test('a store that is away', async (t) => {
  const redis = { address: `127.0.0.1:${await freePort()}` };
  const vsr = await start(t, policy({
    models: { m: { endpoint: '127.0.0.1:1' } },
    default_model: 'm',
    global: { services: { response_api: { enabled: true, store_backend: 'redis', redis } } },
  }));
  const ask = (mode, body, path = '/v1/responses', method = 'POST') =>
    within('an answer', new Envoy(t, vsr.extprocPort, mode).exchange(asked(body, { path, method }), { upstream: () => good }));
  for (const mode of Object.values(MODES)) {
    const created = await ask(mode, { model: 'm', input: 'hi' });
    assert.equal(created.status, 200, created.body.toString());
    assert.equal(JSON.parse(created.body).status, 'completed');
    for (const [body, path, method] of [
      [{ model: 'm', input: 'hi', previous_response_id: 'resp_elsewhere' }],
      [undefined, '/v1/responses/resp_elsewhere', 'GET'],
      [undefined, '/v1/responses/resp_elsewhere', 'DELETE'],
    ]) {
      const answer = await ask(mode, body, path, method);
      assert.equal(answer.status, 503, answer.body.toString());
      assert.equal(answer.headers.get('retry-after'), '1');
      assert.equal(JSON.parse(answer.body).error.code, 'store_unavailable');
    }
  }
  await idle(vsr);
});

// ---- budgets and places ------------------------------------------------------------------------------------------

test('budgets and places are given back, whatever goes wrong', async (t) => {
  const provider = { type: 'local-limiter', rules: [{ name: 'all', tokens_per_unit: 1000000, unit: 'day' }] };
  const vsr = await start(t, policy({
    models: { m: { endpoint: '127.0.0.1:1' } },
    default_model: 'm',
    global: {
      router: { admission: { max_active: 1, max_queued: 0 } },
      services: { ratelimit: { providers: [provider] } },
    },
  }));
  const said = chat('x'.repeat(4000));
  const refusing = () => ({ status: 503, headers: [['content-type', 'text/plain']], chunks: ['upstream connect error'] });
  /** What is left beside one's own hold. */
  const left = async () => {
    await idle(vsr);
    const answer = await new Envoy(t, vsr.extprocPort).exchange(asked(said), { upstream: refusing });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('x-vsr-response-path'), 'upstream', 'there was a place');
    await idle(vsr);
    return Number(answer.headers.get('x-ratelimit-remaining'));
  };
  const all = await left();
  assert.ok(all > 990000 && all < 1000000, String(all));
  const body = Buffer.from(JSON.stringify(said));
  const head = ['request_headers', { headers: wire(HEAD), end_of_stream: false }];
  const scripts = [
    [head],
    [head, ['request_body', { body: body.subarray(0, 99), end_of_stream: false }]],
    [head, ['request_body', { body: Buffer.from('no JSON'), end_of_stream: true }]],
    [head, ['response_headers', { headers: wire({ ':status': 503 }), end_of_stream: true }]],
    [head, ['request_body', { body, end_of_stream: true }], ['response_headers', { headers: wire({ ':status': 504 }), end_of_stream: true }]],
    [head, ['request_body', { body, end_of_stream: true }], ['response_headers', { headers: wire({ ':status': 429 }), end_of_stream: false }]],
  ];
  for (const [name, mode] of Object.entries(MODES))
    for (const [i, script] of scripts.entries())
      for (const how of ['end', 'cancel']) {
        const stream = new Envoy(t, vsr.extprocPort).open();
        for (const [n, [kind, value]] of script.entries()) stream.send(kind, value, n === 0 ? configOf(mode) : undefined);
        if (how === 'cancel') await sleep(5);
        stream.call[how]();
        await within('the end', stream.closed);
        assert.equal(await left(), all, `${name}, script ${i}, ${how}`);
      }

  // Who was answered in part has used what it was told, and the prompt.
  const stream = new Envoy(t, vsr.extprocPort).open();
  const event = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
  for (const [n, [kind, value]] of [
    ...scripts[4].slice(0, 2),
    ['response_headers', { headers: wire({ ':status': 200, 'content-type': 'text/event-stream' }), end_of_stream: false }],
    ['response_body', { body: Buffer.from(event.repeat(3)), end_of_stream: false }],
  ].entries()) {
    stream.send(kind, value, n === 0 ? configOf({}) : undefined);
    await within('an answer', stream.next());
  }
  stream.call.cancel();
  await within('the end', stream.closed);
  const now = await left();
  assert.ok(now < all && all - now < 2000, `${now} of ${all}`);
});
