// Plays Envoy with its external processing filter, by Envoy's rules, over @grpc/grpc-js.
//
//   const envoy = new Envoy(t, vsr.extprocPort, { requestBody: 'BUFFERED' });
//   const answer = await envoy.exchange({ path, headers, chunks, trailers });
//   answer.status, answer.headers (Map), answer.body, answer.immediate, answer.metadata, answer.routeCleared
//
// What Envoy refuses of a server fails here: a second answer to a message, an answer to another message than the one
// that waits, a header that may not be changed, a content-length that is not the body's, a streamed answer outside of
// duplex mode. Envoy's clocks and watermarks are not played.

import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const here = path.dirname(fileURLToPath(import.meta.url));
const load = (file) =>
  grpc.loadPackageDefinition(
    protoLoader.loadSync(path.join(here, file), { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true }),
  );
const { ExternalProcessor } = load('envoy.proto').envoy.service.ext_proc.v3;
export const { Health } = load('health.proto').grpc.health.v1;
export { grpc };

const MESSAGE_MAX = 128 << 20;
const LIMITS = { 'grpc.max_receive_message_length': MESSAGE_MAX, 'grpc.max_send_message_length': MESSAGE_MAX };

/** A gRPC connection of its own; `t` closes it. */
export function connect(t, Service, port, { credentials = grpc.credentials.createInsecure(), ...options } = {}) {
  const client = new Service(`127.0.0.1:${port}`, credentials, {
    ...LIMITS,
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  t?.after(() => client.close());
  return client;
}

const DEFAULTS = {
  requestBody: 'BUFFERED',
  responseBody: 'BUFFERED',
  requestTrailers: false, // SEND
  responseTrailers: false,
  allowModeOverride: true,
  sendBodyUnasked: false, // send_body_without_waiting_for_header_response
  tellsConfig: true, // protocol_config; older versions have none
  bodyEarly: false, // the whole body is there before the headers are answered
  partialLimit: 1 << 20, // BUFFERED_PARTIAL: what is kept
  observability: false,
  connection: {},
};

class Reset extends Error {}
/** The backend has gone in the middle of its answer. */
class Cut extends Error {}

/** Header names to lists of values, as Envoy's map. */
class Headers {
  #map = new Map();

  constructor(entries = []) {
    for (const [name, value] of entries) this.add(name, value);
  }

  add(name, value) {
    const key = name.toLowerCase();
    this.#map.set(key, [...(this.#map.get(key) ?? []), String(value)]);
  }

  set(name, value) {
    this.#map.set(name.toLowerCase(), [String(value)]);
  }

  remove(name) {
    this.#map.delete(name.toLowerCase());
  }

  get(name) {
    return this.#map.get(name)?.join(', ');
  }

  entries() {
    return [...this.#map].flatMap(([name, values]) => values.map((value) => [name, value]));
  }

  wire() {
    return { headers: this.entries().map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') })) };
  }
}

const FORBIDDEN = new Set(['host', ':authority', ':scheme', ':method']);

/** MutationUtils::applyHeaderMutations; `framed` false: Envoy keeps content-length out of it and drops the header. */
function mutate(headers, mutation, framed) {
  if (!mutation) return;
  for (const name of mutation.remove_headers) {
    assert.ok(!name.startsWith(':') && name !== 'host', `removes ${name}`);
    headers.remove(name);
  }
  for (const option of mutation.set_headers) {
    const { key, value, raw_value } = option.header;
    assert.equal(value, '', `${key} is written as raw_value alone`);
    assert.ok(!FORBIDDEN.has(key) && !key.startsWith('x-envoy'), `sets ${key}`);
    assert.match(option.append_action, /^(OVERWRITE_IF_EXISTS_OR_ADD|APPEND_IF_EXISTS_OR_ADD)$/);
    assert.ok(raw_value.length > 0 || option.keep_empty_value, `${key} would be dropped`);
    if (key === 'content-length' && !framed) continue;
    const text = raw_value.toString('latin1');
    if (option.append_action === 'OVERWRITE_IF_EXISTS_OR_ADD') headers.set(key, text);
    else headers.add(key, text);
  }
  if (!framed) headers.remove('content-length');
}

/** One direction's answer to a piece of body, outside of duplex mode. */
function newBody(common, bytes) {
  const mutation = common?.body_mutation;
  if (!mutation) return bytes;
  assert.notEqual(mutation.mutation, 'streamed_response', 'streamed_response outside of duplex mode');
  return mutation.mutation === 'clear_body' ? Buffer.alloc(0) : mutation.body;
}

function checkLength(headers, body, changed) {
  const length = headers.get('content-length');
  if (changed && length !== undefined)
    assert.equal(Number(length), body.length, 'mismatch between content length and the length of the mutated body');
}

/** The gRPC stream: messages out, answers in, in order. */
class Stream {
  #answers = [];
  #waiting = [];
  #ended = null;
  log = [];

  constructor(client, observability) {
    this.observability = observability;
    this.call = client.Process();
    this.call.on('data', (message) => {
      this.log.push(message.response);
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(message);
      else this.#answers.push(message);
    });
    this.closed = new Promise((resolve) => {
      this.call.on('status', (status) => {
        this.#ended = status;
        for (const waiting of this.#waiting.splice(0)) waiting.reject(new Reset(`stream ended: ${status.details}`));
        resolve(status);
      });
    });
    this.call.on('error', () => {}); // 'status' tells
  }

  send(kind, value, config) {
    const message = { [kind]: value, observability_mode: this.observability };
    if (config) message.protocol_config = config;
    this.call.write(message);
  }

  next() {
    if (this.#answers.length > 0) return Promise.resolve(this.#answers.shift());
    if (this.#ended) return Promise.reject(new Reset(`stream ended: ${this.#ended.details}`));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** What has come and was not asked for yet. */
  taken() {
    return this.#answers.splice(0);
  }

  get unasked() {
    return this.#answers.length;
  }

  /** As Envoy leaves a stream that it is done with. */
  async finish() {
    this.call.end();
    const status = await this.closed;
    assert.equal(this.#answers.length, 0, `answers that nothing asked for: ${this.log}`);
    return status;
  }
}

class Immediate {
  constructor(message) {
    const { status, headers, body, details } = message.immediate_response;
    this.status = status.code;
    this.headers = new Headers([['content-type', 'text/plain']]);
    mutate(this.headers, headers, true);
    this.body = body;
    this.details = details;
  }
}

export class Envoy {
  constructor(t, port, options = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.client = connect(t, ExternalProcessor, port, this.options.connection);
  }

  close() {
    this.client.close();
  }

  /** A stream on which the test says everything itself. */
  open(observability = false) {
    return new Stream(this.client, observability);
  }

  /**
   * One HTTP exchange of a client. `upstream(request)` answers for the backend: `{status, headers, chunks, trailers}`;
   * without it `route(headers)` names the port that is asked over HTTP. With `cut` ('cancel' or 'end') in the answer the
   * backend goes behind the chunks, and Envoy leaves the stream that way. A result with `cut` is what the client sees
   * of an answer that is broken off: `got` has come before.
   */
  async exchange(request, { upstream, route, responseTrailers, split } = {}) {
    const run = new Run(this, request, { upstream, route, responseTrailers, split });
    return run.whole();
  }
}

const streamedModes = new Set(['STREAMED', 'BUFFERED_PARTIAL', 'FULL_DUPLEX_STREAMED']);

class Run {
  constructor(envoy, request, hooks) {
    Object.assign(this, { options: envoy.options, hooks });
    this.stream = envoy.open(envoy.options.observability);
    this.request = { method: 'POST', trailers: [], ...request };
    this.chunks = (this.request.chunks ?? []).map((chunk) => Buffer.from(chunk));
    this.requestMode = this.options.requestBody;
    this.responseMode = this.options.responseBody;
    this.sendRequestTrailers = this.options.requestTrailers;
    this.sendResponseTrailers = this.options.responseTrailers;
    this.sendResponseHeaders = true;
    this.metadata = null;
    this.routeCleared = false;
    this.headers = new Headers([
      [':method', this.request.method],
      [':path', this.request.path],
      [':scheme', 'http'],
      [':authority', this.request.authority ?? 'api.example.com'],
      ...Object.entries(this.request.headers ?? {}),
    ]);
  }

  async answer(kind) {
    const message = await this.stream.next();
    if (message.response === 'immediate_response') throw new Immediate(message);
    assert.equal(message.response, kind, `the answer that was due; so far ${this.stream.log}`);
    if (message.dynamic_metadata) this.metadata = flatten(message.dynamic_metadata);
    const common = message[kind].response;
    if (common?.clear_route_cache) {
      assert.ok(common.header_mutation, 'clear_route_cache without a change of headers is ignored');
      this.routeCleared = true;
    }
    return message;
  }

  override(message) {
    const { allowModeOverride, sendBodyUnasked, requestBody, responseBody } = this.options;
    const mode = message.mode_override;
    if (!mode) return;
    if (!allowModeOverride || sendBodyUnasked) return;
    if (requestBody === 'FULL_DUPLEX_STREAMED' || responseBody === 'FULL_DUPLEX_STREAMED') return;
    this.requestMode = mode.request_body_mode;
    this.responseMode = mode.response_body_mode;
    if (mode.request_trailer_mode !== 'DEFAULT') this.sendRequestTrailers = mode.request_trailer_mode === 'SEND';
    if (mode.response_trailer_mode !== 'DEFAULT') this.sendResponseTrailers = mode.response_trailer_mode === 'SEND';
    if (mode.response_header_mode !== 'DEFAULT') this.sendResponseHeaders = mode.response_header_mode === 'SEND';
  }

  async whole() {
    try {
      const outbound = await this.requestPhase();
      if (this.options.observability) {
        await this.stream.finish();
        return { outbound };
      }
      const upstream = await this.callBackend(outbound);
      return { ...(await this.responsePhase(upstream)), ...this.summary(), outbound };
    } catch (error) {
      if (error instanceof Cut) return this.leave();
      if (!(error instanceof Immediate)) {
        this.stream.call.cancel();
        throw error;
      }
      this.stream.call.end();
      await this.stream.closed;
      const began = this.began ? { cut: true, got: this.got } : {};
      return { immediate: true, status: error.status, headers: error.headers, body: error.body, ...began, ...this.summary() };
    }
  }

  get got() {
    return Buffer.concat(this.out ?? []);
  }

  async leave() {
    this.stream.call[this.upstream.cut]();
    await this.stream.closed;
    return { cut: true, got: this.got, status: this.upstream.status, headers: this.answerHeaders, ...this.summary() };
  }

  summary() {
    return { metadata: this.metadata, routeCleared: this.routeCleared, log: this.stream.log };
  }

  // ---- request

  async requestPhase() {
    const { requestBody, responseBody, sendBodyUnasked, tellsConfig } = this.options;
    const hasBody = this.chunks.length > 0;
    const config = tellsConfig && {
      request_body_mode: requestBody,
      response_body_mode: responseBody,
      send_body_without_waiting_for_header_response: sendBodyUnasked,
    };
    this.stream.send('request_headers', { headers: this.headers.wire(), end_of_stream: !hasBody }, config);
    if (this.options.observability) return this.watched();
    if (hasBody && (requestBody === 'FULL_DUPLEX_STREAMED' || (requestBody === 'STREAMED' && sendBodyUnasked)))
      return requestBody === 'STREAMED' ? this.unaskedRequest() : this.duplexRequest();
    const message = await this.answer('request_headers');
    this.override(message);
    mutate(this.headers, message.request_headers.response?.header_mutation, !streamedModes.has(this.requestMode));
    const body = hasBody ? await this.requestBody() : Buffer.alloc(0);
    await this.requestTrailers();
    return { headers: this.headers, body };
  }

  async watched() {
    for (const [i, chunk] of this.chunks.entries())
      this.stream.send('request_body', { body: chunk, end_of_stream: i === this.chunks.length - 1 });
    return { headers: this.headers, body: Buffer.concat(this.chunks) };
  }

  get hasTrailers() {
    return this.request.trailers.length > 0;
  }

  async requestTrailers() {
    if (!this.hasTrailers || !this.sendRequestTrailers) return;
    this.stream.send('request_trailers', { trailers: new Headers(this.request.trailers).wire() });
    await this.answer('request_trailers');
  }

  async requestBody() {
    const all = Buffer.concat(this.chunks);
    if (this.requestMode === 'NONE') return all;
    if (this.requestMode === 'BUFFERED' || this.options.bodyEarly) return this.wholeRequest(all, Buffer.alloc(0));
    if (this.requestMode === 'BUFFERED_PARTIAL') {
      const limit = this.options.partialLimit;
      return this.wholeRequest(all.subarray(0, limit), all.subarray(limit));
    }
    return this.streamedRequest();
  }

  async wholeRequest(body, rest) {
    this.stream.send('request_body', { body, end_of_stream: rest.length === 0 && !this.hasTrailers });
    const common = (await this.answer('request_body')).request_body.response;
    mutate(this.headers, common?.header_mutation, this.requestMode === 'BUFFERED');
    const changed = newBody(common, body);
    checkLength(this.headers, changed, common?.body_mutation);
    return Buffer.concat([changed, rest]);
  }

  async streamedRequest() {
    const out = [];
    for (const [i, chunk] of this.chunks.entries()) this.sendRequestChunk(chunk, i);
    for (const chunk of this.chunks) out.push(newBody((await this.answer('request_body')).request_body.response, chunk));
    return Buffer.concat(out);
  }

  sendRequestChunk(body, i) {
    this.stream.send('request_body', { body, end_of_stream: i === this.chunks.length - 1 && !this.hasTrailers });
  }

  async unaskedRequest() {
    for (const [i, chunk] of this.chunks.entries()) this.sendRequestChunk(chunk, i);
    const message = await this.answer('request_headers');
    mutate(this.headers, message.request_headers.response?.header_mutation, false);
    const out = [];
    for (const chunk of this.chunks) out.push(newBody((await this.answer('request_body')).request_body.response, chunk));
    await this.requestTrailers();
    return { headers: this.headers, body: Buffer.concat(out) };
  }

  async duplexRequest() {
    for (const [i, chunk] of this.chunks.entries()) this.sendRequestChunk(chunk, i);
    if (this.hasTrailers)
      this.stream.send('request_trailers', { trailers: new Headers(this.request.trailers).wire() });
    const message = await this.answer('request_headers');
    mutate(this.headers, message.request_headers.response?.header_mutation, false);
    const body = await this.duplexBody('request_body', 'request_trailers', this.hasTrailers);
    return { headers: this.headers, body: Buffer.concat(body) };
  }

  async duplexBody(kind, trailers, hasTrailers, out = []) {
    for (;;) {
      const message = await this.stream.next();
      if (message.response === 'immediate_response') throw new Immediate(message);
      if (message.response === trailers) {
        assert.ok(hasTrailers, 'an answer to trailers that were not there');
        return out;
      }
      assert.equal(message.response, kind);
      if (message.dynamic_metadata) this.metadata = flatten(message.dynamic_metadata);
      const streamed = message[kind].response.body_mutation?.streamed_response;
      assert.ok(streamed, 'a body answer of duplex mode is a streamed_response');
      assert.ok(streamed.body.length <= 64 << 10, 'pieces are bounded');
      out.push(streamed.body);
      if (!streamed.end_of_stream) continue;
      assert.ok(!hasTrailers, 'the end of the body though trailers come');
      return out;
    }
  }

  // ---- the backend

  async callBackend(outbound) {
    if (this.hooks.upstream) return this.hooks.upstream(outbound);
    const port = this.hooks.route(outbound.headers);
    const headers = Object.fromEntries(outbound.headers.entries().filter(([name]) => !name.startsWith(':')));
    delete headers['content-length'];
    headers.host = outbound.headers.get(':authority');
    const options = {
      host: '127.0.0.1',
      port,
      method: outbound.headers.get(':method'),
      path: outbound.headers.get(':path'),
      headers: { ...headers, 'content-length': outbound.body.length, connection: 'close' },
      agent: false,
    };
    return new Promise((resolve, reject) => {
      const req = http.request(options, (res) => {
        const chunks = [];
        const fields = [];
        for (let i = 0; i < res.rawHeaders.length; i += 2) fields.push([res.rawHeaders[i], res.rawHeaders[i + 1]]);
        res.on('data', (chunk) => chunks.push(chunk));
        res.on('error', reject);
        res.on('end', () => resolve({ status: res.statusCode, headers: fields, chunks, trailers: this.hooks.responseTrailers }));
      });
      req.on('error', reject);
      req.end(outbound.body);
    });
  }

  // ---- answer

  async responsePhase(upstream) {
    const trailers = upstream.trailers ?? [];
    this.upstream = upstream;
    const headers = new Headers([[':status', upstream.status], ...hopless(upstream.headers ?? [])]);
    let chunks = (upstream.chunks ?? []).map((chunk) => Buffer.from(chunk));
    if (this.hooks.split) chunks = this.hooks.split(Buffer.concat(chunks));
    Object.assign(this, { answerHeaders: headers, trailers });
    if (!this.sendResponseHeaders) {
      await this.stream.finish();
      return { status: upstream.status, headers, body: Buffer.concat(chunks), bypassed: true };
    }
    const bare = chunks.length === 0 && trailers.length === 0 && !upstream.cut;
    this.stream.send('response_headers', { headers: headers.wire(), end_of_stream: bare });
    const body =
      this.responseMode === 'FULL_DUPLEX_STREAMED' && !bare
        ? await this.duplexResponse(chunks)
        : await this.plainResponse(chunks, bare);
    await this.stream.finish();
    const status = Number(headers.get(':status'));
    headers.remove(':status');
    return { status, headers, body };
  }

  async plainResponse(chunks, bare) {
    const message = await this.answer('response_headers');
    this.override(message);
    mutate(this.answerHeaders, message.response_headers.response?.header_mutation, this.responseMode === 'BUFFERED');
    const body = bare ? Buffer.alloc(0) : await this.responseBody(chunks);
    if (this.trailers.length > 0 && this.sendResponseTrailers) {
      this.stream.send('response_trailers', { trailers: new Headers(this.trailers).wire() });
      await this.answer('response_trailers');
    }
    return body;
  }

  async responseBody(chunks) {
    const hasTrailers = this.trailers.length > 0;
    if (this.responseMode === 'NONE') return Buffer.concat(chunks);
    if (this.responseMode !== 'STREAMED') {
      if (this.upstream.cut) throw new Cut(); // what is buffered goes nowhere
      const body = Buffer.concat(chunks);
      this.stream.send('response_body', { body, end_of_stream: !hasTrailers });
      const common = (await this.answer('response_body')).response_body.response;
      mutate(this.answerHeaders, common?.header_mutation, this.responseMode === 'BUFFERED');
      const changed = newBody(common, body);
      checkLength(this.answerHeaders, changed, common?.body_mutation);
      return changed;
    }
    this.out = [];
    this.began = true;
    const ends = !hasTrailers && !this.upstream.cut;
    for (const [i, body] of chunks.entries()) {
      this.stream.send('response_body', { body, end_of_stream: i === chunks.length - 1 && ends });
      this.out.push(newBody((await this.answer('response_body')).response_body.response, body));
    }
    if (this.upstream.cut) throw new Cut();
    return this.got;
  }

  async duplexResponse(chunks) {
    const hasTrailers = this.trailers.length > 0;
    const ends = !hasTrailers && !this.upstream.cut;
    for (const [i, body] of chunks.entries())
      this.stream.send('response_body', { body, end_of_stream: i === chunks.length - 1 && ends });
    if (this.upstream.cut) return this.duplexCut();
    if (hasTrailers) this.stream.send('response_trailers', { trailers: new Headers(this.trailers).wire() });
    const message = await this.answer('response_headers');
    mutate(this.answerHeaders, message.response_headers.response?.header_mutation, false);
    this.began = true;
    this.out = [];
    return Buffer.concat(await this.duplexBody('response_body', 'response_trailers', hasTrailers, this.out));
  }

  /** In duplex mode nothing says that no more comes: what has come in a while is what the client got. */
  async duplexCut() {
    await sleep(10);
    this.out = this.stream.taken().map((message) => {
      if (message.response === 'immediate_response') throw new Immediate(message);
      return message.response_body?.response.body_mutation?.streamed_response.body ?? Buffer.alloc(0);
    });
    throw new Cut();
  }
}

const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
const hopless = (fields) => fields.filter(([name]) => !HOP.has(name.toLowerCase()));

/** A protobuf Struct as an object. */
function flatten(struct) {
  const out = {};
  for (const [key, value] of Object.entries(struct.fields ?? {}))
    out[key] = value.kind === 'struct_value' ? flatten(value.struct_value) : value[value.kind];
  return out;
}

/** `bytes` in pieces: `sizes` in turn and again from the first. */
export function pieces(bytes, sizes) {
  const out = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]);
    out.push(bytes.subarray(at, at + size));
    at += size;
  }
  return out;
}
