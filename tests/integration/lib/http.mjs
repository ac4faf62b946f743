// HTTP/1.1 and SSE as bytes, for both ends of the tests: a reader over a socket, a strict response parser that says
// whether a message really was complete, and a client that sends exactly the bytes it is given.
//
// Nothing here is lenient on purpose: a response that breaks the framing rules throws, one that merely ends too early
// comes back with `complete: false`, because a cut connection is an outcome that tests ask about.

import net from 'node:net';

import { requestHttp2 } from './http2.mjs';

const HIGH_WATER = 4 << 20; // bytes held unread before the socket is paused

/** Pulls bytes out of a socket. The end of the stream and a reset are both "no more bytes"; `reset` tells them apart. */
export class ByteReader {
  #socket;
  #chunks = [];
  #size = 0;
  #wake = null;
  ended = false;
  reset = false;

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size > HIGH_WATER) socket.pause();
      this.#notify();
    });
    socket.on('end', () => this.#finish(false));
    socket.on('error', () => this.#finish(true));
    socket.on('close', () => this.#finish(false));
  }

  get buffered() {
    return this.#size;
  }

  /** Waits for bytes beyond those already buffered. False when there will be none. */
  async more() {
    if (this.ended) return false;
    const before = this.#size;
    this.#socket.resume();
    while (this.#size === before && !this.ended) await new Promise((resolve) => (this.#wake = resolve));
    return this.#size > before;
  }

  /** Waits until there is at least one byte to read. */
  async some() {
    return this.#size > 0 || this.more();
  }

  /** All buffered bytes, not consumed. */
  peek() {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Consumes up to `n` buffered bytes. */
  take(n = this.#size) {
    const all = this.peek();
    const head = all.subarray(0, n);
    const rest = all.subarray(head.length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return head;
  }

  /** Exactly `n` bytes, or the fewer that came before the end. */
  async exactly(n) {
    const parts = [];
    let missing = n;
    while (missing > 0) {
      if (this.#size === 0 && !(await this.more())) break;
      const part = this.take(missing);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** The bytes up to and including `marker`, or null when the stream ends without it (they stay buffered). */
  async until(marker) {
    for (let from = 0; ;) {
      const all = this.peek();
      const at = all.indexOf(marker, Math.max(0, from));
      if (at >= 0) return this.take(at + marker.length);
      from = all.length - marker.length;
      if (!(await this.more())) return null;
    }
  }

  /** Everything until the end. */
  async rest() {
    while (await this.more());
    return this.take();
  }

  #finish(reset) {
    this.reset ||= reset;
    this.ended = true;
    this.#notify();
  }

  #notify() {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** `Name: value` lines to `{list, map}`: the list keeps order and case, the map has lower-case names, values joined. */
export function parseFields(lines) {
  const list = [];
  const map = new Map();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0 || /[\s]/.test(line.slice(0, colon))) throw new Error(`bad field line ${JSON.stringify(line)}`);
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    list.push([name, value]);
    const key = name.toLowerCase();
    map.set(key, map.has(key) ? `${map.get(key)}, ${value}` : value);
  }
  return { list, map };
}

/** Reads the body of a chunked message. */
export async function readChunked(reader) {
  const parts = [];
  for (;;) {
    const line = await reader.until(Buffer.from('\r\n'));
    if (line === null) return { body: Buffer.concat([...parts]), complete: false, trailers: [] };
    const match = /^([0-9a-fA-F]{1,16})(;.*)?\r\n$/s.exec(line.toString('latin1'));
    if (!match) throw new Error(`bad chunk size line ${JSON.stringify(line.toString('latin1'))}`);
    const size = Number.parseInt(match[1], 16);
    if (size === 0) break;
    const data = await reader.exactly(size);
    parts.push(data);
    if (data.length < size) return { body: Buffer.concat(parts), complete: false, trailers: [] };
    const ending = await reader.exactly(2);
    if (ending.length < 2) return { body: Buffer.concat(parts), complete: false, trailers: [] };
    if (ending.toString('latin1') !== '\r\n') throw new Error('chunk data is not followed by CRLF');
  }
  const trailers = [];
  for (;;) {
    const line = await reader.until(Buffer.from('\r\n'));
    if (line === null) return { body: Buffer.concat(parts), complete: false, trailers };
    if (line.length === 2) return { body: Buffer.concat(parts), complete: true, trailers };
    trailers.push(line.toString('latin1').slice(0, -2));
  }
}

/**
 * Reads one response. `status` is 0 when the connection ended before a whole head came; `complete` says whether the
 * body ended as its framing promised; `keepAlive` whether another response may follow.
 */
export async function readResponse(reader, { method = 'POST' } = {}) {
  const informational = [];
  for (;;) {
    const head = await reader.until(Buffer.from('\r\n\r\n'));
    if (head === null) {
      return { status: 0, headers: new Map(), fields: [], body: reader.take(), complete: false, informational };
    }
    const lines = head.toString('latin1').slice(0, -4).split('\r\n');
    const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)$/.exec(lines[0]);
    if (!match) throw new Error(`bad status line ${JSON.stringify(lines[0])}`);
    const { list, map } = parseFields(lines.slice(1));
    const status = Number(match[1]);
    if (status < 200) {
      informational.push(status);
      continue;
    }
    const response = { status, reason: match[2], headers: map, fields: list, rawHead: head, informational };
    return Object.assign(response, await readBody(reader, response, method));
  }
}

async function readBody(reader, { status, headers }, method) {
  const coding = headers.get('transfer-encoding');
  const length = headers.get('content-length');
  if (coding !== undefined && length !== undefined) throw new Error('both transfer-encoding and content-length');
  const keepAlive = !/\bclose\b/i.test(headers.get('connection') ?? '');
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { body: Buffer.alloc(0), complete: true, framing: 'none', keepAlive };
  }
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw new Error(`transfer-encoding ${coding}`);
    return { ...(await readChunked(reader)), framing: 'chunked', keepAlive };
  }
  if (length !== undefined) {
    if (!/^[0-9]+$/.test(length)) throw new Error(`content-length ${length}`);
    const body = await reader.exactly(Number(length));
    return { body, complete: body.length === Number(length), framing: 'length', keepAlive };
  }
  const body = await reader.rest();
  return { body, complete: !reader.reset, framing: 'close', keepAlive: false };
}

/** One client connection that sends what it is told to, byte for byte. */
export class Conn {
  static async open(port, { host = '127.0.0.1', noDelay = true } = {}) {
    const socket = net.connect({ port, host, noDelay, allowHalfOpen: true });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Conn(socket);
  }

  constructor(socket) {
    this.socket = socket;
    socket.setMaxListeners(0); // each write in flight has one
    this.reader = new ByteReader(socket);
    this.closed = new Promise((resolve) => socket.once('close', resolve));
  }

  /** Resolves when the kernel took the bytes, or when the connection is gone. */
  write(bytes) {
    return new Promise((resolve) => {
      if (this.socket.destroyed) return resolve();
      this.socket.once('close', resolve);
      this.socket.write(bytes, () => {
        this.socket.removeListener('close', resolve);
        resolve();
      });
    });
  }

  response(options) {
    return readResponse(this.reader, options);
  }

  /** Waits until the peer ends the connection (either way) and says so with true. */
  async peerClosed() {
    while (await this.reader.more()) this.reader.take();
    return true;
  }

  destroy() {
    this.socket.destroy();
  }

  reset() {
    this.socket.resetAndDestroy();
  }
}

/** Head and body of a request as bytes. `body` may be a string, bytes or an object (JSON). */
export function requestBytes({
  method = 'POST',
  path = '/v1/chat/completions',
  headers = {},
  body,
  host = 'vsr.test',
}) {
  const payload = body === undefined ? Buffer.alloc(0) : toBytes(body);
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  if (body !== undefined) {
    lines.push(`Content-Length: ${payload.length}`);
    if (!Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')) {
      lines.push('Content-Type: application/json');
    }
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), payload]);
}

export function toBytes(body) {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/**
 * One request on a connection of its own. The answer gains `json()` and `text()`. With VSR_TEST_HTTP2=1 it goes by
 * HTTP/2, and what a test says of answers must hold all the same.
 */
export async function request(port, options = {}) {
  if (process.env.VSR_TEST_HTTP2 === '1') return decorate(await requestHttp2(port, options));
  const conn = await Conn.open(port);
  try {
    const headers = { Connection: 'close', ...options.headers };
    void conn.write(requestBytes({ ...options, headers }));
    return decorate(await conn.response({ method: options.method }));
  } finally {
    conn.destroy();
  }
}

export const get = (port, path, headers) => request(port, { method: 'GET', path, headers });
export const post = (port, body, headers) => request(port, { body, headers });

export function decorate(response) {
  response.text = () => response.body.toString('utf8');
  response.json = () => JSON.parse(response.body.toString('utf8'));
  return response;
}

/** A chat body: `chat('hello')`, `chat('hello', {stream: true})`. */
export function chat(content, extra = {}) {
  return { model: 'auto', messages: [{ role: 'user', content }], ...extra };
}

/**
 * Splits an SSE body into its events the way a client does: an event counts only once the blank line after it came.
 * Returns `{events: [{event, data}], rest}`, `rest` being the bytes of an unfinished event.
 */
export function parseSse(text) {
  const events = [];
  let lines = [];
  let at = 0;
  let start = 0;
  while (at < text.length) {
    const match = /\r\n|\n|\r/.exec(text.slice(at));
    if (!match) break;
    const line = text.slice(at, at + match.index);
    at += match.index + match[0].length;
    if (line !== '') {
      lines.push(line);
      continue;
    }
    const event = decodeEvent(lines);
    if (event) events.push(event);
    lines = [];
    start = at;
  }
  return { events, rest: text.slice(start) };
}

function decodeEvent(lines) {
  const data = [];
  let event = null;
  for (const line of lines) {
    const match = /^([^:]*):? ?(.*)$/s.exec(line);
    if (match[1] === 'data') data.push(match[2]);
    if (match[1] === 'event') event = match[2];
  }
  return data.length > 0 ? { event, data: data.join('\n') } : null;
}

/** What a chat completion client makes of a stream: its chunks, whether `[DONE]` came, and the error event if any. */
export function readChatStream(response) {
  const { events, rest } = parseSse(response.body.toString('utf8'));
  const result = { chunks: [], done: false, error: null, broken: !response.complete, unreadable: 0, rest };
  for (const { data } of events) {
    if (result.done) result.afterDone = true;
    if (data === '[DONE]') {
      result.done = true;
      continue;
    }
    try {
      const value = JSON.parse(data);
      if (value.error) result.error = value.error;
      else result.chunks.push(value);
    } catch {
      result.unreadable += 1;
    }
  }
  result.content = result.chunks.map((chunk) => chunk.choices?.[0]?.delta?.content ?? '').join('');
  return result;
}
