// HTTP/2 towards clients: the same answers as over HTTP/1.1, many at once, cancelled, drained; and clients that are out
// for harm.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Backend, hang, jsonAnswer, openaiAnswer, completion } from './lib/backend.mjs';
import { chat, get, post, readChatStream, request } from './lib/http.mjs';
import { ask, block, connect, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, frame, RawHttp2, u32 } from './lib/http2.mjs';
import { eventually, freePort, policy, seconds, sleep, startVsr, test, within } from './lib/harness.mjs';

const document = (backend, extra = {}) => policy({ models: { m: backend }, default_model: 'm', ...extra });

const metric = async (vsr, pattern) => {
  const match = pattern.exec((await vsr.metrics()).text());
  return match ? Number(match[1]) : 0;
};

/** Waits until no request is under way. */
const quiet = (vsr) =>
  eventually('no request under way', async () => (await metric(vsr, /^vsr_requests_active (\d+)$/m)) === 0);

const session = (t, port, options) => {
  const made = connect(port, options);
  t.after(() => made.destroy());
  return made;
};

test('what holds of bodies over HTTP/1.1 holds here', { timeout: seconds(180) }, () => {
  const file = fileURLToPath(new URL('passthrough.test.mjs', import.meta.url));
  // node:test would wait for its parent's reporter if it knew that it has one.
  const env = { ...process.env, VSR_TEST_HTTP2: '1', NODE_TEST_CONTEXT: undefined };
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], { env, encoding: 'utf8' });
  assert.equal(run.status, 0, run.stdout);
  assert.match(run.stdout, /^# pass [1-9]/m);
});

test('answers have the same heads', async (t) => {
  const backend = await Backend.start(t);
  const listener = { api_keys: ['sesame'] };
  const vsr = await startVsr(t, document(backend, { listener }));
  const key = { authorization: 'Bearer sesame' };
  const cases = [
    ['chat', { body: chat('hi'), headers: key }],
    ['a stream', { body: chat('hi', { stream: true }), headers: key }],
    ['debugged', { body: chat('hi'), headers: { ...key, 'x-vsr-debug': 'true' } }],
    ['models', { method: 'GET', path: '/v1/models', headers: key }],
    ['health', { method: 'GET', path: '/health' }],
    ['head', { method: 'HEAD', path: '/health' }],
    ['no key', { body: chat('hi') }],
    ['not found', { method: 'GET', path: '/nope', headers: key }],
    ['wrong method', { method: 'PUT', path: '/v1/chat/completions', headers: key, body: '{}' }],
    ['not JSON', { body: '{', headers: key }],
    ['unknown model', { body: chat('hi', { model: 'nope' }), headers: key }],
  ];
  const own = ['connection', 'transfer-encoding'];
  const varies = ['date', 'x-vsr-latency-ms', 'traceresponse', 'x-request-id', 'server-timing', 'x-vsr-stage-us', 'x-vsr-session-id'];
  const heads = ({ fields }) =>
    fields
      .map(([name, value]) => [name.toLowerCase(), varies.includes(name.toLowerCase()) ? '*' : value])
      .filter(([name]) => !own.includes(name));
  for (const [name, options] of cases) {
    const one = await request(vsr.port, options);
    const client = connect(vsr.port);
    const two = await within(name, ask(client, options));
    client.destroy();
    assert.equal(two.status, one.status, name);
    const lengths = (list) => list.filter(([field]) => field !== 'content-length' || one.framing === 'length');
    assert.deepEqual(lengths(heads(two)), lengths(heads(one)), name);
    assert.ok(two.complete, name);
  }
});

test('many streams at once', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = session(t, vsr.port);
  const all = await within(
    'all answers',
    Promise.all(
      Array.from({ length: 300 }, (_, i) => ask(client, { body: chat(`question ${i}`, { stream: i % 2 === 0 }) })),
    ),
  );
  for (const [i, answer] of all.entries()) {
    assert.equal(answer.status, 200, `${i}: ${answer.text}`);
    assert.ok(answer.complete, `${i}`);
    if (i % 2 === 0) assert.ok(readChatStream(answer).done, `${i}`);
  }
  await eventually('the count', async () => (await metric(vsr, /^vsr_http2_connections_total (\d+)$/m)) === 1);
  await quiet(vsr);
});

test('megabytes both ways', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = session(t, vsr.port);
  const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const question = JSON.stringify(chat('q'.repeat(8 << 20), { model: 'm' }));
  const text = JSON.stringify(completion('m', 'a'.repeat(64 << 20)));
  backend.behaviour = jsonAnswer(text);
  const answer = await within('the answer', ask(client, { body: question }));
  assert.equal(answer.status, 200);
  assert.ok(answer.complete);
  assert.equal(sha(answer.body), sha(Buffer.from(text)));
  assert.equal(backend.last.body.length, question.length);
});

test('a stream that its client cancels', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = session(t, vsr.port);
  backend.behaviour = hang();
  let stream;
  const cancelled = ask(client, { body: chat('hi'), onStream: (made) => (stream = made) });
  const asked = await within('the backend', backend.received(1));
  stream.close(8); // CANCEL
  await within('the backend call to end', asked.gone);
  assert.equal((await cancelled).status, 0);
  await quiet(vsr);
  backend.behaviour = openaiAnswer();
  assert.equal((await ask(client, { body: chat('hi') })).status, 200, 'the connection lives');
});

test('a backend that breaks off a stream', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = session(t, vsr.port);
  backend.behaviour = async (exchange) => {
    await exchange.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"half":');
    exchange.reset();
  };
  const answer = await within('the end', ask(client, { body: chat('hi', { model: 'm' }) }));
  assert.ok(answer.status >= 500 || !answer.complete, `${answer.status}, complete: ${answer.complete}`);
  backend.behaviour = openaiAnswer();
  assert.equal((await ask(client, { body: chat('hi') })).status, 200, 'the connection lives');
});

test('a drain lets what is under way end', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const client = session(t, vsr.port);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const answerOf = openaiAnswer();
  backend.behaviour = async (exchange) => {
    await released;
    await answerOf(exchange);
  };
  const goaway = new Promise((resolve) => client.once('goaway', (code) => resolve(code)));
  const answers = Array.from({ length: 20 }, () => ask(client, { body: chat('hi') }));
  await within('the backend', backend.received(20));
  vsr.signal('SIGTERM');
  assert.equal(await within('GOAWAY', goaway), 0);
  release();
  for (const answer of await within('the answers', Promise.all(answers))) {
    assert.equal(answer.status, 200);
    assert.ok(answer.complete);
  }
  await within('the end', vsr.exited);
});

test('a listener that goes', async (t) => {
  const backend = await Backend.start(t);
  const port = await freePort();
  const both = document(backend);
  both.listeners.push({ ...both.listeners[0], name: 'second', port });
  const vsr = await startVsr(t, both);
  const client = session(t, port);
  let release;
  const released = new Promise((resolve) => (release = resolve));
  backend.behaviour = async (exchange) => {
    await released;
    await openaiAnswer()(exchange);
  };
  const answer = ask(client, { body: chat('hi') });
  await within('the backend', backend.received(1));
  const closed = new Promise((resolve) => client.once('close', resolve));
  const goaway = new Promise((resolve) => client.once('goaway', resolve));
  vsr.write(document(backend));
  await within('GOAWAY', goaway);
  release();
  assert.equal((await within('the answer', answer)).status, 200);
  await within('the end of the connection', closed);
});

// ---- clients that are out for harm

const HEAD = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/v1/chat/completions'],
  [':authority', 'x'],
  ['content-type', 'application/json'],
];
const GET = block([[':method', 'GET'], ...HEAD.slice(1, 2), [':path', '/health'], HEAD[3]]);
const body = Buffer.from(JSON.stringify(chat('hi')));

/** Each returns the bytes of one more round. */
const attacks = {
  'rapid reset, backends asked': (n) => [
    frame('headers', END_HEADERS, 2 * n + 1, block(HEAD)),
    frame('data', END_STREAM, 2 * n + 1, body),
    frame('reset', 0, 2 * n + 1, u32(8)),
  ],
  continuations: (n) =>
    n === 0 ? [frame('headers', END_STREAM, 1, GET)] : [frame('more', 0, 1, block([['x', 'y'.repeat(100)]]))],
  bomb: (n) => {
    const big = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4000, 'v')]);
    return [frame('headers', END_HEADERS | END_STREAM, 2 * n + 1, Buffer.concat([GET, big, Buffer.alloc(12000, 0xbe)]))];
  },
  pings: () => [frame('ping', 0, 0, Buffer.alloc(8))],
  settings: () => [frame('settings', 0, 0)],
  'empty frames': (n) =>
    n === 0 ? [frame('headers', END_HEADERS, 1, block(HEAD))] : [frame('data', 0, 1)],
  priorities: (n) => [frame('priority', 0, 2 * n + 1, Buffer.concat([u32(0), Buffer.from([16])]))],
};

test('floods end in GOAWAY, harm nobody and cost no memory', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const bystander = session(t, vsr.port);
  assert.equal((await ask(bystander, { body: chat('hi') })).status, 200);
  backend.forget();
  const before = vsr.rss();
  for (const [name, round] of Object.entries(attacks)) {
    const raw = await RawHttp2.open(vsr.port);
    const ended = (async () => {
      for (let n = 0; !raw.gone && raw.goaway === undefined && n < 200000; n++) {
        await raw.write(...round(n));
        if (n % 20 === 0) await nextTurn(); // or what comes is never read
      }
    })();
    const watched = await within(`${name}: a bystander`, ask(bystander, { body: chat('meanwhile') }));
    assert.equal(watched.status, 200, name);
    await within(`${name}: the end`, ended);
    await within(`${name}: the end of the connection`, raw.closed);
    assert.equal(raw.goaway, ENHANCE_YOUR_CALM, name);
    raw.destroy();
  }
  await quiet(vsr);
  const grown = vsr.rss() - before;
  assert.ok(process.env.VSR_BUILD_DIR?.includes('san') || grown < 16 << 20, `grown by ${grown >> 10} KiB`);
  await eventually('the count', async () => {
    const text = (await vsr.metrics()).text();
    const sum = [...text.matchAll(/^vsr_http2_goaway_total\{cause="\w+"\} (\d+)$/gm)].reduce((n, m) => n + Number(m[1]), 0);
    return sum === Object.keys(attacks).length;
  });
});

test('a client that asks for much and takes nothing', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const before = vsr.rss();
  backend.behaviour = jsonAnswer(JSON.stringify(completion('m', 'a'.repeat(8 << 20))));
  const raw = await RawHttp2.open(vsr.port);
  await raw.write(frame('settings', 0, 0, Buffer.concat([Buffer.from([0, 4]), u32(1)]))); // windows of one byte
  for (let n = 0; n < 20; n++) {
    await raw.write(
      frame('headers', END_HEADERS, 2 * n + 1, block(HEAD)),
      frame('data', END_STREAM, 2 * n + 1, Buffer.from(JSON.stringify(chat('hi', { model: 'm', stream: false })))),
    );
  }
  await eventually('20 heads', () => raw.of('headers').length === 20);
  await sleep(200);
  const grown = vsr.rss() - before;
  assert.ok(process.env.VSR_BUILD_DIR?.includes('san') || grown < 16 << 20, `grown by ${grown >> 10} KiB`);
  for (const { payload } of raw.of('data')) assert.equal(payload.length, 1);
  assert.equal((await post(vsr.port, chat('hi', { model: 'm' }))).status, 200, 'others are served');
  raw.destroy();
  await quiet(vsr);
  assert.equal((await get(vsr.port, '/health')).status, 200);
});

test('requests that say two things', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, document(backend));
  const cases = {
    'a length, and another body': [[...HEAD, ['content-length', '5']], Buffer.from('{}')],
    'transfer-encoding': [[...HEAD, ['transfer-encoding', 'chunked']], body],
    'connection': [[...HEAD, ['connection', 'close']], body],
    'another host': [[...HEAD, ['host', 'y']], body],
    'a line end': [[...HEAD, ['x', 'a\r\nb: c']], body],
    'a path with a line end': [HEAD.map(([k, v]) => [k, k === ':path' ? '/v1/models\r\nx: y' : v]), body],
    'a late pseudo-header': [[...HEAD.slice(0, 3), ['x', 'y'], HEAD[3]], body],
  };
  for (const [name, [fields, bytes]] of Object.entries(cases)) {
    const raw = await RawHttp2.open(vsr.port);
    await raw.write(frame('headers', END_HEADERS, 1, block(fields)), frame('data', END_STREAM, 1, bytes));
    await eventually(name, () => raw.gone || raw.of('reset').length > 0);
    assert.equal(raw.of('reset')[0]?.payload.readUInt32BE(0), 1, `${name}: PROTOCOL_ERROR`);
    raw.destroy();
  }
  assert.equal(backend.requests.length, 0, 'no backend heard of them');
});
