// What goes wrong behind Envoy, for every pairing of a client's protocol with a backend's. Envoy calls the backend, so a
// fault of it comes as Envoy shows it: an answer of Envoy's own, an answer that makes no sense, one that ends too early
// or never, or a stream that is gone. The client gets a whole answer, an error in its own words, or a connection that
// breaks; never half an answer that looks whole. And nothing stays behind.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { Envoy, pieces } from './lib/envoy.mjs';
import { eventually, every, freePort, policy, test, Vsr } from './lib/harness.mjs';
import { request } from './lib/http.mjs';
import { startStandIn } from './lib/standin.mjs';

const MODES = {
  BUFFERED: {},
  STREAMED: { requestBody: 'STREAMED', responseBody: 'STREAMED' },
  'STREAMED, unasked': { requestBody: 'STREAMED', responseBody: 'STREAMED', sendBodyUnasked: true },
  'STREAMED with trailers': { requestBody: 'STREAMED', responseBody: 'STREAMED', responseTrailers: true },
  FULL_DUPLEX_STREAMED: { requestBody: 'FULL_DUPLEX_STREAMED', responseBody: 'FULL_DUPLEX_STREAMED' },
  'FULL_DUPLEX_STREAMED with trailers': {
    requestBody: 'FULL_DUPLEX_STREAMED',
    responseBody: 'FULL_DUPLEX_STREAMED',
    responseTrailers: true,
  },
};

// ---- three protocols ---------------------------------------------------------------------------------------------

const events = (text) => text.split(/\r?\n\r?\n/).filter((block) => /^data:/m.test(block));
const value = (block) => JSON.parse(/^data: ?(.*)$/m.exec(block)[1]);

/** The values of a stream's events; one that cannot be read is null. */
const values = (text) =>
  events(text).map((block) => {
    try {
      return value(block);
    } catch {
      return null;
    }
  });

/** `whole(text)`: the text of a whole answer, or undefined. `read(text)`: what a stream said, and how it ended. */
const PROTOCOLS = {
  chat: {
    path: '/v1/chat/completions',
    model: { api_format: 'openai' },
    body: (model, stream) => ({ model, messages: [{ role: 'user', content: 'one two' }], stream }),
    isError: (v) => typeof v?.error?.message === 'string' && v.type === undefined,
    whole: (v) => v.choices?.[0]?.message?.content,
    read(text) {
      const blocks = events(text);
      const list = values(text).filter(Boolean);
      return {
        whole: blocks.some((block) => block.trim() === 'data: [DONE]'),
        error: list.some((v) => this.isError(v)),
        said: list.map((v) => v.choices?.[0]?.delta?.content ?? '').join(''),
      };
    },
    errorEvent: 'data: {"error":{"message":"went wrong","type":"server_error","code":null}}\n\n',
  },
  messages: {
    path: '/v1/messages',
    model: { api_format: 'anthropic' },
    body: (model, stream) => ({ model, messages: [{ role: 'user', content: 'one two' }], stream, max_tokens: 100 }),
    isError: (v) => v?.type === 'error' && typeof v.error?.type === 'string' && typeof v.error.message === 'string',
    whole: (v) => (v.type === 'message' ? v.content?.find(({ type }) => type === 'text')?.text : undefined),
    read(text) {
      const list = values(text).filter(Boolean);
      return {
        whole: list.some((v) => v.type === 'message_stop'),
        error: list.some((v) => this.isError(v)),
        said: list.map((v) => v.delta?.text ?? '').join(''),
      };
    },
    errorEvent: 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"went wrong"}}\n\n',
  },
  responses: {
    path: '/v1/responses',
    model: { api_format: 'openai-responses' },
    body: (model, stream) => ({ model, input: 'one two', stream }),
    isError: (v) => typeof v?.error?.message === 'string' && (v.object === undefined || v.status === 'failed'),
    whole: (v) =>
      v.object === 'response' && v.status === 'completed'
        ? v.output.find(({ type }) => type === 'message')?.content[0].text
        : undefined,
    read(text) {
      const list = values(text).filter(Boolean);
      return {
        whole: list.some((v) => v.type === 'response.completed'),
        error: list.some((v) => v.type === 'response.failed' || v.type === 'error'),
        said: list.map((v) => (v.type === 'response.output_text.delta' ? v.delta : '')).join(''),
      };
    },
    errorEvent:
      'event: error\ndata: {"type":"error","sequence_number":7,"code":"server_error","message":"went wrong","param":null}\n\n',
  },
};

const modelOf = (backend) => `${backend}-model`;

// ---- vsr, and what it counts -------------------------------------------------------------------------------------

let standin, vsr, port;
const envoys = {};
before(async () => {
  standin = await startStandIn(null);
  port = await freePort();
  const models = Object.fromEntries(
    Object.entries(PROTOCOLS).map(([name, { model }]) => [
      modelOf(name),
      { ...model, backend_refs: [{ endpoint: standin.addresses[0], api_key: 'sk-test', weight: 1 }] },
    ]),
  );
  const document = policy({
    models,
    default_model: modelOf('chat'),
    global: {
      router: { admission: { max_active: 32, max_queued: 0 } },
      services: {
        response_api: { enabled: true },
        ratelimit: {
          providers: [{ type: 'local-limiter', rules: [{ name: 'many', tokens_per_unit: 1000000, unit: 'day' }] }],
        },
      },
    },
  });
  vsr = await Vsr.start(document, { args: ['--extproc-listen', `127.0.0.1:${port}`] });
  for (const [name, mode] of Object.entries(MODES)) envoys[name] = new Envoy(null, port, mode);
});
after(async () => {
  for (const envoy of Object.values(envoys)) envoy.close();
  await vsr?.stop();
  await standin?.stop();
});

/** Sums of series by name, label values left out. */
async function counters() {
  const page = (await vsr.metrics()).text();
  const sums = {};
  for (const [, name, labels, number] of page.matchAll(/^([a-z0-9_]+)(\{[^}]*\})? ([0-9.e+-]+)$/gm)) {
    const reason = /reason="([^"]*)"/.exec(labels ?? '')?.[1];
    const key = name === 'llm_request_errors_total' ? reason : name;
    sums[key] = (sums[key] ?? 0) + Number(number);
  }
  return sums;
}

const GAUGES = ['vsr_requests_active', 'vsr_extproc_streams', 'vsr_admission_active', 'vsr_admission_queued', 'llm_model_inflight_requests'];

/** Nothing is under way any more; then the counters. */
async function settled() {
  let sums;
  await eventually(
    () => `nothing under way: ${GAUGES.map((name) => `${name} ${sums?.[name]}`)}`,
    async () => {
      sums = await counters();
      return GAUGES.every((name) => (sums[name] ?? 0) === 0);
    },
  );
  return sums;
}

/** Runs `act` and asserts that each of the errors `want` was counted that often, and no other. */
async function counting(want, act) {
  const reasons = ['upstream_4xx', 'upstream_5xx', 'upstream_reset', 'upstream_garbage', 'timeout', 'stream_aborted', 'cancellation', 'translation', 'parse_error', 'overloaded', 'rate_limited'];
  const old = await settled();
  await act();
  const now = await settled();
  const got = Object.fromEntries(reasons.map((name) => [name, (now[name] ?? 0) - (old[name] ?? 0)]).filter(([, n]) => n));
  assert.deepEqual(got, want, 'what was counted');
}

// ---- exchanges ---------------------------------------------------------------------------------------------------

const recordings = {};

/** The answer of a real server of that protocol. */
async function recorded(backend, stream) {
  const key = `${backend} ${stream}`;
  if (recordings[key]) return recordings[key];
  const { path, body } = PROTOCOLS[backend];
  const got = await request(standin.port, {
    path,
    body: JSON.stringify(body(modelOf(backend), stream)),
    headers: { authorization: 'Bearer sk-test', 'x-api-key': 'sk-test', 'anthropic-version': '2023-06-01' },
  });
  assert.equal(got.status, 200, got.text());
  recordings[key] = { headers: [['content-type', got.headers.get('content-type')]], body: Buffer.from(got.text()) };
  return recordings[key];
}

function ask(envoy, client, backend, stream, upstream) {
  const { path, body } = PROTOCOLS[client];
  const bytes = Buffer.from(JSON.stringify(body(modelOf(backend), stream)));
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length, 'x-request-id': 'request-1' };
  return envoy.exchange({ path, headers, chunks: pieces(bytes, [29]) }, { upstream: () => upstream });
}

/** As Envoy hands it on: pieces, and trailers where the mode has them. */
const answerOf = (envoy, { status = 200, headers, body = '', size = 61, ...rest }) => ({
  status,
  headers: headers ?? [['content-type', 'application/json']],
  chunks: pieces(Buffer.from(body), [size]),
  trailers: envoy.options.responseTrailers && !rest.cut ? [['x-took', '1']] : [],
  ...rest,
});

/** The values of errors that are JSON. */
function json(answer) {
  try {
    return JSON.parse(answer.body);
  } catch {
    return undefined;
  }
}

const CELLS = Object.keys(PROTOCOLS).flatMap((client) => Object.keys(PROTOCOLS).map((backend) => [client, backend]));

/** `check(envoy, name)` by every mode at once. */
const byModes = (check, names = SOME) => Promise.all(names.map((name) => check(envoys[name], name)));
/** One of each kind; the others differ in how streams end. */
const SOME = ['BUFFERED', 'STREAMED, unasked', 'FULL_DUPLEX_STREAMED'];
const ALL = Object.keys(MODES);

// ---- faults of answers -------------------------------------------------------------------------------------------

const text = [['content-type', 'text/plain']];

/** Errors: the client gets the same status, in the backend's words or its own. */
const FAULTS = {
  'Envoy cannot connect': {
    status: 503,
    headers: text,
    body: 'upstream connect error or disconnect/reset before headers. reset reason: connection failure',
    counts: 'upstream_5xx',
  },
  'Envoy waits in vain': { status: 504, headers: text, body: 'upstream request timeout', counts: 'upstream_5xx' },
  'Envoy knows no route': { status: 404, headers: [], body: '', counts: 'upstream_4xx' },
  'a 429': {
    status: 429,
    headers: [['content-type', 'application/json'], ['retry-after', '7']],
    body: '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}',
    counts: 'upstream_4xx',
  },
  'a 400': { status: 400, body: '{"error":{"type":"invalid_request_error","message":"no"}}', counts: 'upstream_4xx' },
  'a 500 of no sense': { status: 500, headers: [['content-type', 'text/html']], body: '<html>', counts: 'upstream_5xx' },
  'a 529': { status: 529, body: '\xff\xfe\x00', counts: 'upstream_5xx' },
};


const sse = [['content-type', 'text/event-stream']];
const frames = (text) => text.toString().split(/(?<=\n\n)/);

/** Successes of no sense in place of a whole answer. The backend's own client gets them as they are. */
const NONSENSE = {
  'no JSON': () => ({ body: 'not json' }),
  nothing: () => ({ body: '' }),
  'nothing, and that is said': () => ({ status: 204, headers: [] }),
  'half of the answer': ({ whole }) => ({ body: whole.body.subarray(0, whole.body.length >> 1) }),
  'an open bracket': () => ({ body: '[1,2' }),
  'an empty object': () => ({ body: '{}' }),
  'a string': () => ({ body: '"x"' }),
  'null': () => ({ body: 'null' }),
  'no text': () => ({ body: Buffer.from([0xff, 0xfe, 0, 0x7b]) }),
  'a page': () => ({ headers: [['content-type', 'text/html']], body: '<html>{}</html>' }),
};

/**
 * The same in place of a stream. `theirs`: what the backend's own client gets, `others`: what others get: an `error`
 * and no proper end, a `whole` stream, all bytes `as it is`, or `no stream` but an error 502.
 */
const STREAMS = {
  'no events': { answer: () => ({ headers: sse, body: 'not json' }), theirs: 'error', others: 'error' },
  nothing: { answer: () => ({ headers: sse, body: '' }), theirs: 'error', others: 'error' },
  'nothing, and that is said': { answer: () => ({ status: 204, headers: [] }), theirs: 'as it is', others: 'no stream' },
  'no text': { answer: () => ({ headers: sse, body: Buffer.from([0xff, 0, 0xfe]) }), theirs: 'error', others: 'error' },
  'half of the events': {
    answer: ({ stream }) => ({ headers: sse, body: frames(stream.body).slice(0, 3).join('') }),
    theirs: 'error',
    others: 'error',
  },
  'half of an event': {
    answer: ({ stream }) => ({ headers: sse, body: frames(stream.body).slice(0, 3).join('').slice(0, -20) }),
    theirs: 'error',
    others: 'error',
  },
  'an error among the events': {
    answer: ({ stream, protocol }) => ({
      headers: sse,
      body: frames(stream.body).slice(0, 3).join('') + protocol.errorEvent,
    }),
    theirs: 'error',
    others: 'error',
  },
  'garbage between the events': {
    answer: ({ stream }) => ({ headers: sse, body: frames(stream.body).join('data: garb{age\n\n') }),
    theirs: 'whole',
    others: 'whole',
  },
  'an event past all sizes': {
    answer: ({ stream }) => ({
      headers: sse,
      body: `data: {"x":"${'y'.repeat(2 << 20)}"}\n\n${stream.body}`,
      size: 1 << 16,
    }),
    theirs: 'whole',
    others: 'whole',
  },
  'a whole answer': {
    answer: ({ whole }) => whole,
    theirs: 'as it is',
    others: 'whole',
  },
  'events that are called a page': {
    answer: ({ stream }) => ({ headers: [['content-type', 'text/html']], body: stream.body }),
    theirs: 'as it is',
    others: 'error',
  },
};

const COUNTED = { error: 'stream_aborted', 'no stream': 'translation' };

/** What the client sees of its answer, in one text. */
const seen = (answer) => (answer.cut ? answer.got : answer.body).toString();

function assertOutcome(want, { mine, got, fault, good, which }) {
  const text = seen(got);
  const where = `${which}: ${got.status} ${text.slice(-300)}`;
  if (want === 'as it is') return assert.deepEqual([got.status, text], [fault.status ?? 200, Buffer.from(fault.body ?? '').toString()], where);
  if (want === 'no stream') {
    assert.equal(got.status, 502, where);
    return assert.ok(mine.isError(json(got)), where);
  }
  const read = mine.read(text);
  assert.equal(read.whole, want === 'whole', where);
  assert.ok(good.startsWith(read.said), where);
  if (want === 'error') assert.ok(read.error || got.cut, where);
  else assert.deepEqual([read.error, got.cut, read.said], [false, undefined, good], where);
}

for (const [client, backend] of CELLS) {
  const mine = PROTOCOLS[client];
  /** Whether bytes pass as they are. */
  const passes = client === backend && client !== 'responses';
  describe(`${client} client, ${backend} backend`, () => {
    for (const [what, { counts, ...fault }] of Object.entries(FAULTS))
      test(what, async () => {
        await counting({ [counts]: 2 * SOME.length }, () =>
          byModes(async (envoy, name) => {
            for (const stream of [false, true]) {
              const got = await ask(envoy, client, backend, stream, answerOf(envoy, fault));
              const which = `${name}, stream ${stream}: ${got.body}`;
              assert.equal(got.status, fault.status, which);
              assert.ok(!got.cut, which);
              assert.equal(got.headers.get('x-vsr-response-path'), 'upstream', which);
              if (fault.status === 429) assert.equal(got.headers.get('retry-after'), '7', which);
              if (client === backend) assert.equal(got.body.toString(), Buffer.from(fault.body).toString(), which);
              else assert.ok(mine.isError(json(got)), which);
            }
          }),
        );
      });

    const good = async () => ({
      whole: await recorded(backend, false),
      stream: await recorded(backend, true),
      protocol: PROTOCOLS[backend],
    });
    const told = async () => PROTOCOLS[backend].read((await recorded(backend, true)).body.toString()).said;

    for (const [what, make] of Object.entries(NONSENSE))
      test(`a success of no sense: ${what}`, async () => {
        const fault = make(await good());
        await counting(passes ? {} : { translation: SOME.length }, () =>
          byModes(async (envoy, name) => {
            const got = await ask(envoy, client, backend, false, answerOf(envoy, fault));
            const which = `${name}: ${got.status} ${got.body}`;
            if (passes) return assertOutcome('as it is', { got, fault, which });
            assert.equal(got.status, 502, which);
            if (got.cut) assert.equal(seen(got), '', which);
            assert.ok(mine.isError(json(got)), which);
          }),
        );
      });

    for (const [what, { answer, theirs, others }] of Object.entries(STREAMS))
      test(`a stream of no sense: ${what}`, async () => {
        const want = passes ? theirs : others;
        const fault = answer(await good());
        const said = await told();
        const counts = COUNTED[want];
        await counting(counts ? { [counts]: ALL.length } : {}, () =>
          byModes(async (envoy, name) => {
            const got = await ask(envoy, client, backend, true, answerOf(envoy, fault));
            assertOutcome(want, { mine, got, fault, good: said, which: name });
          }, ALL),
        );
      });

    for (const stream of [true, false])
      test(`${stream ? 'a stream' : 'an answer'} that is cut, and Envoy goes`, async () => {
        const { body, headers } = await recorded(backend, stream);
        const end = stream ? body.lastIndexOf('data:') : body.length - 1;
        const cuts = Array.from({ length: 6 }, (_, i) => Math.floor((end * i) / 6));
        const said = await told();
        await counting({ cancellation: cuts.length * SOME.length }, () =>
          byModes(async (envoy, name) => {
            for (const [i, at] of cuts.entries()) {
                const cut = i % 2 ? 'cancel' : 'end';
                const got = await ask(envoy, client, backend, stream, answerOf(envoy, { headers, body: body.subarray(0, at), cut }));
                const which = `${name} at ${at}, ${cut}: ${got.got}`;
                assert.ok(got.cut && !got.immediate, which);
                if (!stream) {
                  assert.ok(passes ? body.toString().startsWith(seen(got)) : seen(got) === '', which);
                  continue;
                }
                const read = mine.read(seen(got));
                assert.deepEqual([read.whole, read.error], [false, false], which);
                assert.ok(said.startsWith(read.said), which);
              }
          }),
        );
      });

    test('all is well afterwards', async () => {
      const said = await told();
      await counting({}, () =>
        byModes(async (envoy, name) => {
          const whole = await ask(envoy, client, backend, false, answerOf(envoy, await recorded(backend, false)));
          assert.equal(mine.whole(json(whole)), PROTOCOLS[backend].whole(JSON.parse((await recorded(backend, false)).body)), name);
          const got = await ask(envoy, client, backend, true, answerOf(envoy, await recorded(backend, true)));
          assertOutcome('whole', { mine, got, good: said, which: name });
        }, ALL),
      );
    });
  });
}
