// HTTP/2 for the tests: whole requests whose answers look like those of http.mjs, and frames by hand for clients that
// no library would be.

import http2 from 'node:http2';
import net from 'node:net';

/** The fields of a request as http.mjs takes them, in HTTP/2's form. */
function fieldsOf({ method = 'POST', path = '/v1/chat/completions', headers = {}, body, host = 'vsr.test' }) {
  const fields = { ':method': method, ':path': path, ':authority': host };
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (key === 'connection' || key === 'host') continue;
    // HTTP/1.1 drops the white space around a value, HTTP/2 forbids it.
    const trimmed = Array.isArray(value) ? value.map((one) => `${one}`.trim()) : `${value}`.trim();
    fields[key] = fields[key] === undefined ? trimmed : [fields[key], trimmed].flat();
  }
  if (body !== undefined) {
    fields['content-type'] ??= 'application/json';
    fields['content-length'] ??= Buffer.byteLength(bytesOf(body));
  }
  return fields;
}

function bytesOf(body) {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Asks on a session. Resolves with the answer, also with one that was cut: `complete` and `code` say so. */
export function ask(session, options = {}) {
  return new Promise((resolve) => {
    const stream = session.request(fieldsOf(options), { endStream: options.body === undefined });
    const answer = { status: 0, headers: new Map(), fields: [], trailers: new Map(), body: Buffer.alloc(0) };
    const parts = [];
    let ended = false;
    options.onStream?.(stream);
    stream.on('response', (head, flags, raw) => {
      answer.status = head[':status'];
      for (let i = 0; raw && i < raw.length; i += 2)
        if (!raw[i].startsWith(':')) answer.fields.push([raw[i], raw[i + 1]]);
      for (const [name, value] of Object.entries(head))
        if (!name.startsWith(':')) answer.headers.set(name, [value].flat().join(', '));
    });
    stream.on('trailers', (trailers) => {
      for (const [name, value] of Object.entries(trailers)) answer.trailers.set(name, value);
    });
    stream.on('data', (part) => {
      parts.push(part);
      options.onData?.(part, stream);
    });
    stream.on('end', () => (ended = true));
    stream.on('error', () => {});
    stream.on('close', () => {
      const body = Buffer.concat(parts);
      const code = stream.rstCode ?? 0;
      resolve(Object.assign(answer, { body, code, complete: ended && code === 0 && answer.status > 0, keepAlive: true }));
    });
    if (options.body !== undefined) stream.end(bytesOf(options.body));
  });
}

/** A session; errors of it show in what is asked. */
export function connect(port, options = {}, scheme = 'http') {
  const session = http2.connect(`${scheme}://127.0.0.1:${port}`, options);
  session.on('error', () => {});
  return session;
}

/** One request on a connection of its own. */
export async function requestHttp2(port, options = {}) {
  const session = connect(port);
  try {
    return await ask(session, options);
  } finally {
    session.destroy();
  }
}

// ---- frames by hand

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
export const TYPES = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, ping: 6, goaway: 7, window: 8, more: 9 };
export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ENHANCE_YOUR_CALM = 11;

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = TYPES[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const u32 = (n) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};

const literal = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);

/** HPACK without tables or Huffman, for fields up to 126 bytes: what a head is, to the byte. */
export function block(fields) {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

/** A connection that sends what it is told to and takes apart what comes. */
export class RawHttp2 {
  frames = []; // {type, flags, stream, payload}
  #rest = Buffer.alloc(0);

  static async open(port) {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const raw = new RawHttp2(socket);
    raw.write(PREFACE, frame('settings', 0, 0));
    return raw;
  }

  constructor(socket) {
    this.socket = socket;
    this.gone = false;
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    void this.closed.then(() => (this.gone = true));
  }

  #take(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 9) {
      const len = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + len) break;
      this.frames.push({
        type: Object.keys(TYPES).find((name) => TYPES[name] === this.#rest[3]),
        flags: this.#rest[4],
        stream: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(9, 9 + len),
      });
      this.#rest = this.#rest.subarray(9 + len);
    }
  }

  of(type) {
    return this.frames.filter((one) => one.type === type);
  }

  /** The code of the last GOAWAY; undefined without one. */
  get goaway() {
    return this.of('goaway').at(-1)?.payload.readUInt32BE(4);
  }

  /** Writes; resolves when the kernel took it or the connection is gone. */
  write(...parts) {
    return new Promise((resolve) => {
      if (this.gone || this.socket.destroyed) return resolve();
      this.socket.once('close', resolve);
      this.socket.write(Buffer.concat(parts), () => {
        this.socket.removeListener('close', resolve);
        resolve();
      });
    });
  }

  destroy() {
    this.socket.destroy();
  }
}
