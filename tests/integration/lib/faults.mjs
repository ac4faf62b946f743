// What backends and clients do wrong, as tables over the protocols: how a client of each protocol asks, what it makes
// of an answer, what a backend of each protocol would have said, and all the ways to spoil that.
//
//   const bench = await Bench.start();
//   const got = await bench.ask('openai', 'claude', hang(), { stream: true });   // as clients.openai reads it

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Backend, byteByByte, chunkedBytes, hang, headBytes, jsonAnswer, sendAndClose } from './backend.mjs';
import { Conn, parseSse, request, requestBytes } from './http.mjs';
import { eventually, freePort, policy, sleep, Vsr, within } from './harness.mjs';
import { startStandIn, told } from './standin.mjs';

const question = 'one two three';
const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };

/** The events of a stream; what is no event of that protocol is a failure of the test. */
const events = (text) => {
  const { events: list, rest } = parseSse(text);
  assert.equal(rest.trim(), '', 'half an event reached the client');
  return list.map(({ event, data }) => ({ event, data, value: data === '[DONE]' ? null : JSON.parse(data) }));
};

/*
 * Clients by protocol. `read` makes of a stream {whole, errors, said, id}: whether its own end came, the errors that it
 * told, its text, the name of the response if there is one.
 */
export const clients = {
  openai: {
    path: '/v1/chat/completions',
    body: (model, stream) => ({
      model,
      messages: [{ role: 'user', content: question }],
      stream,
      ...(stream && { stream_options: { include_usage: true } }),
    }),
    isError: (value) => typeof value.error?.message === 'string' && typeof value.error.type === 'string' && value.type === undefined,
    text: (value) => value.choices[0].message.content,
    read(text) {
      const list = events(text);
      const values = list.filter(({ value }) => value !== null).map(({ value }) => value);
      return {
        whole: list.at(-1)?.data === '[DONE]',
        errors: values.filter((value) => this.isError(value)),
        last: values.at(-1),
        said: values.map((value) => value.choices?.[0]?.delta.content ?? '').join(''),
      };
    },
  },
  anthropic: {
    path: '/v1/messages',
    body: (model, stream) => ({ model, messages: [{ role: 'user', content: question }], stream, max_tokens: 100 }),
    isError: (value) => value.type === 'error' && typeof value.error.type === 'string' && typeof value.error.message === 'string',
    text: (value) => value.content.filter((block) => block.type === 'text')[0].text,
    read(text) {
      const list = events(text);
      const values = list.map(({ value }) => value);
      for (const { event, value } of list) if (value.type !== undefined) assert.equal(event, value.type);
      return {
        whole: values.at(-1)?.type === 'message_stop',
        errors: values.filter((value) => this.isError(value)),
        last: values.at(-1),
        said: values.map((value) => value.delta?.text ?? '').join(''),
      };
    },
  },
  responses: {
    path: '/v1/responses',
    body: (model, stream, extra) => ({ model, input: question, stream, ...extra }),
    isError: (value) => typeof value.error?.message === 'string' && typeof value.error.type === 'string' && value.type === undefined,
    text: (value) => {
      assert.equal(value.status, 'completed');
      return value.output.find((item) => item.type === 'message').content[0].text;
    },
    read(text) {
      const list = events(text);
      const values = list.map(({ value }) => value);
      list.forEach(({ event, value }, i) => {
        if (value.type !== undefined) assert.equal(event, value.type); // of what vsr does not know the backend's word
        assert.equal(value.sequence_number, i, `${value.type} out of order`);
      });
      const ended = values.filter(({ type }) => /^response\.(completed|incomplete|failed|cancelled)$/.test(type));
      assert.ok(ended.length <= 1, 'ended twice');
      const failed = values.filter(({ type }) => type === 'response.failed');
      for (const { response } of failed) {
        assert.equal(response.status, 'failed');
        assert.equal(typeof response.error.code, 'string');
        assert.ok(response.error.message.length > 0);
      }
      return {
        whole: values.at(-1)?.type === 'response.completed',
        errors: failed,
        last: values.at(-1),
        said: values.filter(({ type }) => type === 'response.output_text.delta').map(({ delta }) => delta).join(''),
        id: values[0]?.response?.id,
      };
    },
  },
};

/**
 * Models by the protocol of their backend. `NAMEDead` has nobody behind it, `NAMENowhere` no address,
 * `NAMEPlays` the stand-in.
 */
export const servers = { openai: 'gpt', anthropic: 'claude', responses: 'oracle' };
const format = { openai: 'openai', anthropic: 'anthropic', responses: 'openai-responses' };

const jsonType = 'application/json';
const sseType = 'text/event-stream; charset=utf-8';

/** Ways to frame a payload: [head, body]. The parts of a stream are chunks of their own. */
export const framings = {
  chunked: (type, payload) => [
    headBytes({ headers: { 'Content-Type': type, 'Transfer-Encoding': 'chunked' } }),
    chunkedBytes(payload, [61, 300, 7]),
  ],
  closed: (type, payload) => [headBytes({ headers: { 'Content-Type': type, Connection: 'close' } }), payload],
  measured: (type, payload) => [headBytes({ headers: { 'Content-Type': type, 'Content-Length': payload.length } }), payload],
};

/** What a server of each protocol says to the question, as bytes: asked of the stand-in once. */
class Recordings {
  #standin;
  #made = new Map();

  constructor(standin) {
    this.#standin = standin;
  }

  async get(server, stream, behaviour = 'thinking=2') {
    const key = `${server} ${stream} ${behaviour}`;
    if (!this.#made.has(key)) {
      const { path: where, body } = clients[server];
      const got = await request(this.#standin.port, {
        path: where,
        body: JSON.stringify(body(servers[server], stream, {})),
        headers: { ...headers, ...told(behaviour) },
      });
      assert.equal(got.status, 200, got.text());
      this.#made.set(key, got.body);
    }
    return this.#made.get(key);
  }
}

/** vsr between the clients and backends of all protocols that misbehave one request at a time. */
export class Bench {
  #scripts = new Map(); // number in the header -> what the backend does to that request
  #reached = new Map(); // number -> the request as the backend has it
  #next = 0;

  /** `timeout` as in a listener; `store` a store_backend; `more` goes into the policy. */
  static async start({ timeout = '60s', store = 'memory', more = {} } = {}) {
    const bench = new Bench();
    bench.standin = await startStandIn(null);
    bench.recordings = new Recordings(bench.standin);
    bench.backend = await Backend.start(null, (exchange) => {
      const number = exchange.request.headers.get('x-fault');
      bench.#reached.get(number)?.(exchange.request);
      return bench.#scripts.get(number)(exchange);
    });
    bench.dir = mkdtempSync(path.join(tmpdir(), 'vsr-faults-'));
    const models = {};
    const dead = `127.0.0.1:${await freePort()}`;
    for (const [server, name] of Object.entries(servers)) {
      const model = (endpoint) => ({ api_format: format[server], backend_refs: [{ endpoint, api_key: 'k' }] });
      models[name] = model(bench.backend.address);
      models[`${name}Plays`] = model(bench.standin.addresses[0]);
      models[`${name}Dead`] = model(dead);
      models[`${name}Nowhere`] = model('no-such-host.invalid:80');
    }
    const document = policy({
      models,
      listener: { timeout },
      global: { services: { response_api: { store_backend: store } } },
      ...more,
    });
    bench.vsr = await Vsr.start(document, { env: { VSR_STATE_DIR: bench.dir } });
    return bench;
  }

  async stop() {
    await this.vsr?.stop();
    await this.backend?.close();
    await this.standin?.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Says which request this is, and what its backend does. `came` resolves when the backend has it. */
  script(behaviour) {
    const number = `${this.#next++}`;
    const came = new Promise((resolve) => this.#reached.set(number, resolve));
    this.#scripts.set(number, behaviour);
    const forget = () => {
      this.#scripts.delete(number);
      this.#reached.delete(number);
    };
    return { fields: { ...headers, 'x-fault': number }, came, forget };
  }

  /** One question and what the client makes of the answer. */
  async ask(client, server, behaviour, options = {}) {
    return understand(client, await this.raw(client, server, behaviour, options), options.stream);
  }

  /** The answer as it came. `suffix` is of the model's name, `extra` of the body, `more` of the fields. */
  async raw(client, server, behaviour, { stream = false, suffix = '', extra = {}, more = {} } = {}) {
    const { fields, forget } = this.script(behaviour);
    const { path: where, body } = clients[client];
    const options = { path: where, body: JSON.stringify(body(servers[server] + suffix, stream, extra)), headers: { ...fields, ...more } };
    try {
      return await within('an answer', request(this.vsr.port, options));
    } finally {
      forget();
    }
  }

  /** The same as bytes. */
  bytes(client, server, fields, { stream = false, extra = {} } = {}) {
    const { path: where, body } = clients[client];
    return requestBytes({ path: where, body: JSON.stringify(body(servers[server], stream, extra)), headers: fields });
  }

  /** What the backend's answer comes to when nothing goes wrong. */
  async good(client, server, stream) {
    const [head, body] = framings.closed(stream ? sseType : jsonType, await this.recordings.get(server, stream));
    const got = await this.ask(client, server, sendAndClose(Buffer.concat([head, body])), { stream });
    assert.deepEqual([got.status, got.whole, got.errors.length], [200, true, 0], got.raw);
    return got;
  }

  /** The head and the body of a recorded answer, framed. */
  async recorded(server, stream, framing = 'chunked', behaviour = undefined) {
    return framings[framing](stream ? sseType : jsonType, await this.recordings.get(server, stream, behaviour));
  }

  /** How much of a framed stream is there before its last event begins. */
  async terminal(server, framing) {
    const payload = await this.recordings.get(server, true);
    const before = payload.subarray(0, payload.lastIndexOf('data:'));
    return framings[framing](sseType, before)[1].length - (framing === 'chunked' ? '\r\n0\r\n\r\n'.length : 0);
  }

  async gauge(name) {
    const lines = (await this.vsr.metrics()).text().match(new RegExp(`^${name}(\\{.*\\})? \\d+$`, 'gm'));
    return lines === null ? 0 : lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Waits until nothing is under way: no request, no run, no call of a backend; with `connections` no client's connection either. */
  async idle({ connections = false } = {}) {
    let left;
    const names = ['vsr_requests_active', 'llm_model_inflight_requests'];
    if (connections) names.push('vsr_client_connections', 'vsr_admission_active'); // written every two seconds
    await eventually(
      () => `nothing under way: ${JSON.stringify(left)}`,
      async () => {
        left = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await this.gauge(name)])));
        return Object.values(left).every((value) => value === 0);
      },
    );
  }

  /** Descriptors that vsr holds, but those of connections that backends keep open. */
  descriptors() {
    return readdirSync(`/proc/${this.vsr.pid}/fd`).length - this.backend.open;
  }
}

/** An answer as its client takes it: {status, whole, errors, said, id, headers, raw}. */
export function understand(client, answer, stream) {
  const mine = clients[client];
  const common = { status: answer.status, headers: answer.headers, raw: answer.text(), complete: answer.complete };
  if (answer.status !== 200) {
    return { ...common, whole: false, errors: [], said: '' };
  }
  if (!answer.complete) return { ...common, whole: false, errors: [], said: '' };
  if (stream && /^text\/event-stream/.test(answer.headers.get('content-type'))) return { ...common, ...mine.read(common.raw) };
  const value = JSON.parse(common.raw);
  return { ...common, whole: true, errors: [], said: mine.text(value), id: value.id };
}

/** Whether bytes pass between the two as they are. */
export const passes = (client, server) => client === server && client !== 'responses';

/**
 * The rule behind all of it: the whole of what the backend would have said, or an error in the client's own words, and
 * that once, at the end. An answer of which part had gone out when it broke may be broken off.
 */
export function assertSound(client, server, got, good) {
  const what = `${got.status} ${got.raw.slice(-600)}`;
  if (got.status !== 200) {
    assert.ok(got.status >= 400, what);
    assert.ok(clients[client].isError(JSON.parse(got.raw)), what);
    return;
  }
  if (!got.complete) {
    assert.ok(passes(client, server), `broken off: ${what}`);
    return;
  }
  if (got.whole) {
    assert.equal(got.errors.length, 0, what);
    assert.equal(got.said, good.said, what);
    return;
  }
  assert.equal(got.errors.length, 1, `${got.errors.length} errors: ${what}`);
  assert.deepEqual(got.last, got.errors[0], `more behind the error: ${what}`);
  assert.ok(good.said.startsWith(got.said), what);
}

// ---- the faults --------------------------------------------------------------------------------------------------

const again = (bytes, ms, times) => async (exchange) => {
  for (let i = 0; i < times; i++) {
    if (!(await exchange.write(bytes[i % bytes.length]))) break;
    await sleep(ms);
  }
  await hang()(exchange);
};
const then = (bytes, next) => async (exchange) => {
  await exchange.write(bytes);
  await next(exchange);
};
/** An error of the backend's own, in the words of the protocol that it is asked in. */
const error = (status, fields = {}, body = undefined) => ({
  behaviour: (exchange) => {
    const ours = { ...(exchange.request.path.endsWith('/messages') && { type: 'error' }), error: { message: 'of the backend', type: 'api_error' } };
    return jsonAnswer(body ?? JSON.stringify(ours), { status, reason: 'No', headers: fields })(exchange);
  },
  status,
  theirs: true,
});

/** Faults before the answer has begun: what the client gets for them, whole answers and streams alike. */
export const headFaults = {
  'nobody listens': { suffix: 'Dead', behaviour: null, status: 502 },
  'a name that does not resolve': { suffix: 'Nowhere', behaviour: null, status: [502, 503] },
  'a reset before the head': { behaviour: sendAndClose('', { reset: true }), status: 502 },
  'an end before the head': { behaviour: sendAndClose(''), status: 502 },
  'an end inside the head': { behaviour: sendAndClose('HTTP/1.1 200 OK\r\nContent-Ty'), status: 502 },
  'a reset inside the head': { behaviour: sendAndClose('HTTP/1.1 200 OK\r\nContent-Ty', { reset: true }), status: 502 },
  'no HTTP': { behaviour: sendAndClose('hello, I am not a web server\r\n\r\n'), status: 502 },
  'bytes of no sense': { behaviour: sendAndClose(Buffer.from([0, 1, 2, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a])), status: 502 },
  'a 429': error(429),
  'a 429 with Retry-After': { ...error(429, { 'Retry-After': '3' }), retryAfter: '3' },
  'a 500': error(500),
  'a 500 of no sense': { ...error(500, {}, '<html>'), senseless: true },
  'a 502 without body': { ...error(502, {}, ''), senseless: true },
  'a 503': error(503),
  'a 503 with Retry-After': { ...error(503, { 'Retry-After': '7' }), retryAfter: '7' },
  'a 529': error(529),
  'an error that is cut': {
    behaviour: sendAndClose('HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"error":{"mess'),
    status: [500, 502],
    cut: true,
  },
};

const okHead = (lines) => `HTTP/1.1 200 OK\r\n${lines}\r\n\r\n`;

/** Answers that are no HTTP, as bytes. */
export const garbage = {
  'no HTTP at all': 'hello, I am not a web server\r\n\r\n',
  'nothing, and the end': '',
  binary: Buffer.from([0, 1, 2, 3, 0xff, 0xfe, 0x0d, 0x0a, 0x0d, 0x0a]),
  'a TLS alert': Buffer.from([0x15, 3, 1, 0, 2, 2, 70]),
  'another version': `HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}`,
  'a status of letters': `HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}`,
  'a status of two digits': `HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n{}`,
  'a field without a colon': okHead('Content-Length 2') + '{}',
  'a space before the colon': okHead('Content-Length : 2') + '{}',
  'a folded field': okHead('X-A: 1\r\n  folded\r\nContent-Length: 2') + '{}',
  'a bare CR in a field': okHead('X-A: 1\r2\r\nContent-Length: 2') + '{}',
  'a NUL in a field': okHead('X-A: 1\0\r\nContent-Length: 2') + '{}',
  'two lengths': okHead('Content-Length: 2\r\nContent-Length: 3') + '{}',
  'a negative length': okHead('Content-Length: -2') + '{}',
  'a length that overflows': okHead('Content-Length: 99999999999999999999999') + '{}',
  'a length with a sign': okHead('Content-Length: +2') + '{}',
  'length and chunks': okHead('Content-Length: 2\r\nTransfer-Encoding: chunked') + '2\r\n{}\r\n0\r\n\r\n',
  'an unknown coding': okHead('Transfer-Encoding: gzip') + '{}',
  'a bad chunk size': okHead('Transfer-Encoding: chunked') + 'xyz\r\n{}\r\n0\r\n\r\n',
  'a chunk size that overflows': okHead('Transfer-Encoding: chunked') + 'ffffffffffffffffff\r\n{}\r\n0\r\n\r\n',
  'a chunk without its CRLF': okHead('Transfer-Encoding: chunked') + '2\r\n{}XX0\r\n\r\n',
  'a head without end': Buffer.from(
    `HTTP/1.1 200 OK\r\n${'X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(20000)}`,
  ),
  'a status line without end': Buffer.alloc(1 << 20, 'a'),
};
/** Answers that are well, however they come: behaviours made of [type, payload], for streams and whole ones. */
export const oddities = {
  'behind informational heads': (type, payload) =>
    sendAndClose(
      Buffer.concat([
        Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'),
        ...framings.measured(type, payload),
      ]),
    ),
  'in HTTP/1.0': (type, payload) =>
    sendAndClose(Buffer.concat([Buffer.from(`HTTP/1.0 200 OK\r\nContent-Type: ${type}\r\n\r\n`), payload])),
  'in odd chunks, with extensions and trailers': (type, payload) => {
    const chunks = chunkedBytes(payload, [1, 2, 3, 100, 5], ';name="v;alue"');
    const fields = { 'Content-Type': type, 'Transfer-Encoding': 'Chunked', Trailer: 'x-t' };
    return sendAndClose(Buffer.concat([headBytes({ headers: fields }), chunks.subarray(0, -2), Buffer.from('x-t: 1\r\n\r\n')]));
  },
  'in chunks of one byte': (type, payload) => {
    const fields = { 'Content-Type': type, 'Transfer-Encoding': 'chunked' };
    return sendAndClose(Buffer.concat([headBytes({ headers: fields }), chunkedBytes(payload, [1])]));
  },
  'byte by byte': (type, payload) => byteByByte(Buffer.concat(framings.chunked(type, payload)), { pauseEvery: 64 }),
};

/** Those that end with the patience of the listener. */
export const silentHeadFaults = {
  'silence before the head': { behaviour: hang(), status: 504 },
  'silence inside the head': { behaviour: then('HTTP/1.1 200 OK\r\nContent-Ty', hang()), status: 504 },
  'a head that takes too long': { behaviour: again(['HTTP/1.1 200 OK\r\nX-A: ', ...'abcdefgh'], 150, 60), status: 504 },
};

/** Faults of a body that is to be whole: bodies of no sense, as [type, body]. */
export const senseless = {
  'no JSON': 'hello',
  nothing: '',
  'half of an object': '{"id":',
  'an array': '[]',
  'a number': '7',
  'an empty object': '{}',
  'members of other types': '{"choices":7,"content":7,"output":7}',
  'text behind the object': '{} trailing',
  'no UTF-8': Buffer.from('{"choices":[{"message":{"content":"\xff\xfe"}}]}', 'latin1'),
};

/** Bodies of no sense for a stream. None of them ends as its protocol does. */
export const senselessEvents = {
  'no events': 'hello\nworld\n',
  nothing: '',
  'events that are no JSON': 'data: not json\n\ndata: {"half":\n\n',
  'events of other types': 'data: 7\n\ndata: []\n\ndata: "x"\n\nevent: what\ndata: {}\n\n',
  'members of other types':
    'data: {"type":7,"choices":7}\n\ndata: {"type":"response.created","response":7}\n\ndata: {"type":"content_block_delta","delta":7}\n\n',
  'a page': '<html><body>502</body></html>',
  'no UTF-8': Buffer.from('data: \xff\xfe\n\n', 'latin1'),
};

/** How the real server of each protocol says in a stream that it failed. */
const failure = { type: 'server_error', code: 'server_error', message: 'of the backend', param: null };
const failedEvent = (type, members) => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 9, ...members })}\n\n`;
export const errorEvents = {
  openai: [`data: ${JSON.stringify({ error: failure })}\n\n`],
  anthropic: [`event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'of the backend' } })}\n\n`],
  responses: [
    failedEvent('error', { ...failure, type: 'error' }),
    failedEvent('error', { error: failure }),
    failedEvent('response.failed', {
      response: { id: 'resp_b', object: 'response', status: 'failed', error: { code: 'server_error', message: 'of the backend' }, output: [] },
    }),
  ],
};

/** The places at which an answer of that length is cut. */
export const cuts = (length, n) => {
  const step = Math.max(3, Math.ceil(length / n) | 1);
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
};

/** The head, a part of the body, and what comes then. */
export const cutAt = (head, body, at, next) => then(Buffer.concat([head, body.subarray(0, at)]), next);

export const end = (exchange) => exchange.end();
export const reset = (exchange) => exchange.reset();

/** A client that goes when its backend has done so much. `leave` does it. */
export async function leaving(bench, client, server, behaviour, { stream, extra, seen, leave = (conn) => conn.destroy() }) {
  const { fields, came, forget } = bench.script(behaviour);
  const conn = await Conn.open(bench.vsr.port);
  try {
    void conn.write(bench.bytes(client, server, fields, { stream, extra }));
    const { gone } = await within('the backend to be asked', came);
    if (seen) await within('the client to have its part', seen(conn.reader));
    leave(conn);
    await within('the backend to be let go', gone);
  } finally {
    conn.destroy();
    forget();
  }
}

export { hang, jsonType, sendAndClose, sseType };
