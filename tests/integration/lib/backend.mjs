// A scriptable OpenAI backend on bare sockets. Each request is recorded with its raw head and body and handed to a
// behaviour, a function that writes whatever bytes it likes: right answers, wrong ones, slow ones, none.
//
//   const backend = await Backend.start(t);          // answers like a model
//   backend.behaviour = hang();                      // from now on it does not
//   backend.requests[0].json()                       // what vsr sent

import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { ByteReader, parseFields, readChunked, toBytes } from './http.mjs';

const CRLF = '\r\n';

export class Backend {
  requests = [];
  connections = 0; // ever accepted
  open = 0; // now
  #server;
  #sockets = new Set();
  #waiters = [];

  /** Listens on a free port of the loopback address. `t` (a test context, may be null) closes it at its end. */
  static async start(t, behaviour = openaiAnswer()) {
    const backend = new Backend();
    backend.behaviour = behaviour;
    backend.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => backend.#serve(socket));
    await new Promise((resolve, reject) => {
      backend.#server.once('error', reject);
      backend.#server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    backend.port = backend.#server.address().port;
    backend.address = `127.0.0.1:${backend.port}`;
    t?.after(() => backend.close());
    return backend;
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The last request that came. */
  get last() {
    return this.requests.at(-1);
  }

  /** Waits until `n` requests came in all. */
  async received(n) {
    while (this.requests.length < n) await new Promise((resolve) => this.#waiters.push(resolve));
    return this.requests[n - 1];
  }

  forget() {
    this.requests = [];
  }

  async #serve(socket) {
    this.connections += 1;
    this.open += 1;
    this.#sockets.add(socket);
    socket.setMaxListeners(0);
    const reader = new ByteReader(socket);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    void closed.then(() => {
      this.open -= 1;
      this.#sockets.delete(socket);
    });
    const connection = this.connections;
    // The peer's FIN or RST counts as "the caller gave up": vsr has no reason to half-close.
    const gone = Promise.race([closed, new Promise((resolve) => socket.once('end', resolve))]);
    try {
      for (let index = 0; ; index++) {
        const request = await readRequest(reader);
        if (request === null) break;
        Object.assign(request, { connection, index, gone });
        this.requests.push(request);
        for (const wake of this.#waiters.splice(0)) wake();
        const exchange = new Exchange(request, socket);
        await this.behaviour(exchange);
        if (exchange.finished || socket.destroyed) break;
      }
    } catch (error) {
      if (!socket.destroyed && !reader.reset) this.failure ??= error;
    }
    if (!socket.destroyed) socket.end();
  }
}

async function readRequest(reader) {
  const head = await reader.until(Buffer.from('\r\n\r\n'));
  if (head === null) return null;
  const lines = head.toString('latin1').slice(0, -4).split(CRLF);
  const [method, path, version] = lines[0].split(' ');
  const { list, map } = parseFields(lines.slice(1));
  const request = {
    method,
    path,
    version,
    rawHead: head.toString('latin1'),
    fields: list,
    headers: map,
    complete: true,
  };
  const coding = map.get('transfer-encoding');
  if (coding !== undefined) {
    const { body, complete } = await readChunked(reader);
    Object.assign(request, { body, complete });
  } else {
    const length = Number(map.get('content-length') ?? 0);
    request.body = await reader.exactly(length);
    request.complete = request.body.length === length;
  }
  request.text = () => request.body.toString('utf8');
  request.json = () => JSON.parse(request.body.toString('utf8'));
  return request.complete ? request : null;
}

/** One request and the means to answer it. */
export class Exchange {
  finished = false; // the behaviour ended the connection

  constructor(request, socket) {
    this.request = request;
    this.socket = socket;
  }

  /** Resolves when the bytes were handed to the kernel; false when the caller is gone. */
  write(bytes) {
    return new Promise((resolve) => {
      if (this.socket.destroyed || !this.socket.writable) return resolve(false);
      const fail = () => resolve(false);
      this.socket.once('close', fail);
      this.socket.write(bytes, (error) => {
        this.socket.removeListener('close', fail);
        resolve(!error);
      });
    });
  }

  /** Ends the connection in order. */
  end() {
    this.finished = true;
    this.socket.end();
  }

  /** Ends it with a reset. */
  reset() {
    this.finished = true;
    this.socket.resetAndDestroy();
  }
}

// ---- answers as bytes --------------------------------------------------------------------------------------------

/** A whole response with a Content-Length. */
export function responseBytes({ status = 200, reason = 'OK', headers = {}, body = '' }) {
  const payload = toBytes(body);
  return Buffer.concat([
    headBytes({ status, reason, headers: { 'Content-Length': payload.length, ...headers } }),
    payload,
  ]);
}

export function headBytes({ status = 200, reason = 'OK', headers = {} }) {
  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.from(`${lines.join(CRLF)}${CRLF}${CRLF}`, 'latin1');
}

/** `body` as chunks of the given sizes, taken in turn and again from the first; with the terminal chunk. */
export function chunkedBytes(body, sizes = [body.length], extension = '') {
  const payload = toBytes(body);
  const parts = [];
  for (let at = 0, turn = 0; at < payload.length; turn++) {
    const part = payload.subarray(at, at + Math.max(1, sizes[turn % sizes.length]));
    parts.push(chunk(part, extension));
    at += part.length;
  }
  parts.push(Buffer.from(`0${CRLF}${CRLF}`));
  return Buffer.concat(parts);
}

export function chunk(bytes, extension = '') {
  const payload = toBytes(bytes);
  return Buffer.concat([Buffer.from(`${payload.length.toString(16)}${extension}${CRLF}`), payload, Buffer.from(CRLF)]);
}

/** A chat completion object, as a model server would answer. */
export function completion(model, content, extra = {}) {
  return {
    id: 'chatcmpl-0123456789',
    object: 'chat.completion',
    created: 1700000000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
    ...extra,
  };
}

/** The events of a streamed answer, each with its blank line; `usage: true` adds the usage-only chunk. */
export function streamEvents(model, pieces, { usage = false, id = 'chatcmpl-stream', finish = 'stop' } = {}) {
  const base = { id, object: 'chat.completion.chunk', created: 1700000000, model };
  const event = (fields) => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`;
  const delta = (value, reason = null) => ({ choices: [{ index: 0, delta: value, finish_reason: reason }] });
  const events = [event(delta({ role: 'assistant', content: '' }))];
  for (const piece of pieces) events.push(event(delta(typeof piece === 'string' ? { content: piece } : piece)));
  events.push(event(delta({}, finish)));
  if (usage) events.push(event({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 } }));
  events.push('data: [DONE]\n\n');
  return events;
}

export const sseHead = (headers = {}) =>
  headBytes({
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache', ...headers },
  });

// ---- behaviours --------------------------------------------------------------------------------------------------

/** Answers like a model server that echoes which model was asked; streams when asked to. */
export function openaiAnswer({ pieces = ['Hel', 'lo ', 'wörld ', '🌍'], content } = {}) {
  return async (exchange) => {
    const body = exchange.request.json();
    if (!body.stream) {
      const answer = completion(body.model, content ?? `model=${body.model}`);
      await exchange.write(
        responseBytes({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(answer) }),
      );
      return;
    }
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    const events = streamEvents(body.model, [`model=${body.model} `, ...pieces], {
      usage: body.stream_options?.include_usage === true,
    });
    for (const event of events) await exchange.write(chunk(event));
    await exchange.write(`0${CRLF}${CRLF}`);
  };
}

/** A fixed JSON answer. `body` may be a string, sent as it is. */
export function jsonAnswer(body, { status = 200, reason = 'OK', headers = {} } = {}) {
  const bytes = responseBytes({ status, reason, headers: { 'Content-Type': 'application/json', ...headers }, body });
  return async (exchange) => void (await exchange.write(bytes));
}

/** Reads the request and then says nothing until the caller leaves. */
export function hang() {
  return async (exchange) => {
    await exchange.request.gone;
    exchange.end();
  };
}

/** Sends `bytes` and ends the connection. */
export function sendAndClose(bytes, { reset = false } = {}) {
  return async (exchange) => {
    await exchange.write(bytes);
    if (reset) exchange.reset();
    else exchange.end();
  };
}

/** Sends `bytes` one by one, letting each leave on its own, then serves on. */
export function byteByByte(bytes, { pauseEvery = 16, close = false } = {}) {
  return async (exchange) => {
    for (let at = 0; at < bytes.length; at++) {
      if (!(await exchange.write(bytes.subarray(at, at + 1)))) return;
      if (at % pauseEvery === 0) await sleep(1);
    }
    if (close) exchange.end();
  };
}

/** Streams well-formed events until the caller is gone or `limit` bytes were taken. `exchange.sent` counts. */
export function endlessStream({ limit = Number.POSITIVE_INFINITY, eventBytes = 16384, onProgress = () => {} } = {}) {
  return async (exchange) => {
    const filler = 'x'.repeat(eventBytes);
    const event = chunk(streamEvents('endless', [filler])[1]);
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    for (let sent = 0; sent < limit; sent += eventBytes) {
      if (!(await exchange.write(event))) return;
      onProgress(sent + eventBytes);
    }
    await exchange.write(chunk('data: [DONE]\n\n'));
    await exchange.write(`0${CRLF}${CRLF}`);
  };
}
