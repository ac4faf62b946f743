// Changing the configuration of a running vsr, and ending it: nothing that is under way is lost.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';

import { Backend, chunk, completion, hang, jsonAnswer, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { chat, Conn, decorate, get, post, readChatStream, requestBytes } from './lib/http.mjs';
import {
  eventually,
  lane,
  long,
  otherwise,
  policy,
  sanitized,
  seconds,
  sleep,
  startVsr,
  test,
  Vsr,
  within,
} from './lib/harness.mjs';

/** A policy that says which generation it is in every name a client or a backend can see. */
const generation = (n, backend, extra = {}) =>
  policy({
    default_model: `rest${n}`,
    models: {
      [`code${n}`]: { provider_model_id: `prov-code${n}`, backend_refs: [backend] },
      [`rest${n}`]: { provider_model_id: `prov-rest${n}`, backend_refs: [backend] },
    },
    signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['code'] }] },
    decisions: [lane(`decision-code${n}`, 'keyword', 'code', `code${n}`), otherwise(`rest${n}`, `decision-rest${n}`)],
    ...extra,
  });

const generationOf = (answer) => {
  const n = /^(?:code|rest)(\d+)$/.exec(answer.headers.get('x-vsr-selected-model'))?.[1];
  assert.ok(n, `no generation in ${answer.headers.get('x-vsr-selected-model')}`);
  return Number(n);
};

/** Asks until several answers in a row, each on a connection of its own, come from generation `n`. */
async function settled(vsr, n) {
  let run = 0;
  await eventually(
    `generation ${n}`,
    async () => {
      run = generationOf(await post(vsr.port, chat('probe'))) === n ? run + 1 : 0;
      return run >= 16;
    },
    seconds(60),
  );
}

test('reloading under load loses nothing', { timeout: seconds(240) }, async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, generation(1, backend));
  const total = long ? 40000 : sanitized ? 2500 : 5000;
  let answered = 0;
  let oldest = 1; // no request sent from now on may see an older generation
  const seen = new Map();

  const client = async (fresh) => {
    let conn = null;
    while (answered < total) {
      const floor = oldest;
      conn ??= await Conn.open(vsr.port);
      const code = answered % 2 === 0;
      const stream = answered % 3 === 0;
      void conn.write(requestBytes({ body: chat(code ? 'some code' : 'hello', { stream }) }));
      const answer = decorate(await within('an answer under reload', conn.response()));
      assert.deepEqual([answer.status, answer.complete], [200, true], `request ${answered}: ${answer.body}`);
      const n = generationOf(answer);
      assert.ok(n >= floor, `generation ${n} after ${floor} was in force`);
      const name = `${code ? 'code' : 'rest'}${n}`;
      assert.equal(answer.headers.get('x-vsr-selected-model'), name);
      assert.equal(answer.headers.get('x-vsr-selected-decision'), `decision-${name}`);
      const content = stream ? readChatStream(answer).content : answer.json().choices[0].message.content;
      assert.ok(content.startsWith(`model=prov-${name}`), `mixed generations: ${name} and ${content}`);
      if (stream) assert.ok(readChatStream(answer).done);
      seen.set(n, (seen.get(n) ?? 0) + 1);
      answered += 1;
      if (fresh || !answer.keepAlive) {
        conn.destroy();
        conn = null;
      }
    }
    conn?.destroy();
  };

  const reloads = (async () => {
    for (let n = 2; answered < total && n <= 12; n++) {
      vsr.write(generation(n, backend));
      vsr.signal('SIGHUP');
      await settled(vsr, n);
      oldest = n;
      const goal = Math.min(total, answered + total / 20);
      await eventually('some load on this generation', () => answered >= goal, seconds(120));
    }
  })();
  await Promise.all([client(false), client(false), client(false), client(true), client(false), client(true), reloads]);
  assert.ok(seen.size >= 3, `generations seen: ${JSON.stringify([...seen])}`);
  t.diagnostic(`${answered} requests over generations ${JSON.stringify([...seen])}`);
  for (const seenRequest of backend.requests) assert.match(seenRequest.json().model, /^prov-(code|rest)\d+$/);
});

test('signals in quick succession end with the last file', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, generation(1, backend));
  for (let n = 2; n <= 30; n++) {
    vsr.write(generation(n, backend));
    vsr.signal('SIGHUP');
    if (n % 5 === 0) assert.equal((await post(vsr.port, chat('x'))).status, 200);
  }
  await settled(vsr, 30);
});

test('a bad file keeps the old generation', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, generation(1, backend));
  const broken = {
    'a syntax error': 'version: v0.3\nrouting: [unclosed\n',
    'an empty file': '',
    'an unknown key': { ...generation(2, backend), surprise: true },
    'an unknown model': { ...generation(2, backend), providers: { defaults: { default_model: 'ghost' }, models: [] } },
    'another version': { ...generation(2, backend), version: 'v0.9' },
    'a broken pattern': generation(2, backend, {
      signals: { keywords: [{ name: 'code', operator: 'OR', method: 'regex', keywords: ['(unclosed'] }] },
    }),
  };
  for (const [what, document] of Object.entries(broken)) {
    await t.test(what, async () => {
      const from = vsr.log.length;
      vsr.write(document);
      vsr.signal('SIGHUP');
      await vsr.says(/reload[^\n]*(fail|error|reject|kept|keep)|(fail|error)[^\n]*reload/i, from);
      for (let i = 0; i < 10; i++) assert.equal(generationOf(await post(vsr.port, chat('x'))), 1);
    });
  }
  await t.test('no file at all', async () => {
    rmSync(vsr.file);
    vsr.signal('SIGHUP');
    await sleep(200);
    for (let i = 0; i < 10; i++) assert.equal(generationOf(await post(vsr.port, chat('x'))), 1);
  });
  await t.test('and a good one is taken again', async () => {
    vsr.write(generation(3, backend));
    vsr.signal('SIGHUP');
    await settled(vsr, 3);
  });
});

test('answers under way live on across a reload', async (t) => {
  const old = await Backend.start(t);
  const fresh = await Backend.start(t);
  const vsr = await startVsr(t, generation(1, old));
  let next;
  const gate = new Promise((resolve) => (next = resolve));
  const pieces = ['a', 'b', 'c', 'd'];
  const isProbe = (request) => request.json().messages[0].content === 'probe';
  old.behaviour = async (exchange) => {
    if (isProbe(exchange.request)) return openaiAnswer()(exchange);
    if (!exchange.request.json().stream) {
      await gate;
      return jsonAnswer(JSON.stringify(completion('m', 'late')))(exchange);
    }
    const events = streamEvents('m', pieces);
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    for (const event of events.slice(0, 3)) await exchange.write(chunk(event));
    await gate;
    for (const event of events.slice(3)) await exchange.write(chunk(event));
    await exchange.write('0\r\n\r\n');
  };
  const waiting = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const conn = await Conn.open(vsr.port);
      await conn.write(requestBytes({ body: chat('x', { stream: i % 2 === 0 }) }));
      if (i % 2 === 0) await within('the start of a stream', conn.reader.some());
      return conn;
    }),
  );
  await within('all requests to arrive', old.received(20));
  // The new generation knows neither the old models nor the old endpoint.
  for (let n = 2; n <= 5; n++) {
    vsr.write(generation(n, fresh));
    vsr.signal('SIGHUP');
    await settled(vsr, n);
  }
  next();
  for (const [i, conn] of waiting.entries()) {
    const answer = decorate(await within('the rest of an answer', conn.response()));
    assert.equal(answer.status, 200);
    assert.equal(generationOf(answer), 1);
    if (i % 2 === 0) {
      const stream = readChatStream(answer);
      assert.deepEqual([stream.content, stream.done, stream.broken, stream.error], ['abcd', true, false, null]);
    } else {
      assert.equal(answer.json().choices[0].message.content, 'late');
    }
    // The same connection now serves the new generation.
    await conn.write(requestBytes({ body: chat('x') }));
    assert.equal(generationOf(await within('an answer', conn.response())), 5);
    conn.destroy();
  }
  assert.equal(old.requests.filter((seen) => !isProbe(seen)).length, 20);
});

test('endpoints, keys and lists change with a reload', async (t) => {
  const a = await Backend.start(t);
  const b = await Backend.start(t);
  const document = (backend, key, names) =>
    policy({
      default_model: 'm',
      models: { m: { backend_refs: [{ endpoint: backend.address, api_key: key }] } },
      global: { router: { auto_model_names: names } },
    });
  const vsr = await startVsr(t, document(a, 'key-one', ['auto']));
  assert.equal((await post(vsr.port, chat('x'))).status, 200);
  assert.equal(a.last.headers.get('authorization'), 'Bearer key-one');
  vsr.write(document(b, 'key-two', ['auto', 'new-name']));
  vsr.signal('SIGHUP');
  await eventually('the new name', async () => (await post(vsr.port, chat('x', { model: 'new-name' }))).status === 200);
  await eventually('the new name in the list of every worker', async () => {
    const lists = await Promise.all(Array.from({ length: 8 }, () => get(vsr.port, '/v1/models')));
    return lists.every((list) =>
      decorate(list)
        .json()
        .data.some(({ id }) => id === 'new-name'),
    );
  });
  a.forget();
  for (let i = 0; i < 10; i++) assert.equal((await post(vsr.port, chat('x'))).status, 200);
  assert.equal(a.requests.length, 0);
  assert.equal(b.last.headers.get('authorization'), 'Bearer key-two');
});

test('SIGTERM lets answers under way finish', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await Vsr.start(generation(1, backend));
  t.after(() => vsr.stop());
  let next;
  const gate = new Promise((resolve) => (next = resolve));
  backend.behaviour = async (exchange) => {
    if (!exchange.request.json().stream) {
      await gate;
      return jsonAnswer(JSON.stringify(completion('m', 'late')))(exchange);
    }
    const events = streamEvents('m', ['a', 'b']);
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    await exchange.write(chunk(events[0]));
    await gate;
    for (const event of events.slice(1)) await exchange.write(chunk(event));
    await exchange.write('0\r\n\r\n');
  };
  const idle = await Conn.open(vsr.port);
  await idle.write(requestBytes({ method: 'GET', path: '/health' }));
  await within('an answer', idle.response());
  const silent = await Conn.open(vsr.port); // never says anything
  const streaming = await Conn.open(vsr.port);
  await streaming.write(requestBytes({ body: chat('x', { stream: true }) }));
  const buffered = await Conn.open(vsr.port);
  await buffered.write(requestBytes({ body: chat('x') }));
  await within('both requests to arrive', backend.received(2));
  await within('the start of the stream', streaming.reader.some());

  vsr.signal('SIGTERM');
  await eventually('new connections to be refused', async () => {
    try {
      const conn = await Conn.open(vsr.port);
      conn.destroy();
      return false;
    } catch (error) {
      return error.code === 'ECONNREFUSED';
    }
  });
  await within('the idle connection to be closed', idle.peerClosed());
  await within('the silent connection to be closed', silent.peerClosed());
  idle.destroy();
  silent.destroy();
  assert.equal(vsr.ended, undefined, 'vsr went before the answers were through');
  next();
  const stream = readChatStream(await within('the stream', streaming.response()));
  assert.deepEqual([stream.content, stream.done, stream.broken, stream.error], ['ab', true, false, null]);
  const answer = decorate(await within('the answer', buffered.response()));
  assert.equal(answer.json().choices[0].message.content, 'late');
  const { code, signal } = await within('vsr to end', vsr.exited);
  assert.deepEqual([code, signal], [0, null]);
  streaming.destroy();
  buffered.destroy();
});

test('SIGTERM at rest', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await Vsr.start(generation(1, backend));
  t.after(() => vsr.stop());
  for (let i = 0; i < 10; i++) await post(vsr.port, chat('x'));
  vsr.signal('SIGTERM');
  assert.deepEqual(await within('vsr to end', vsr.exited, seconds(20)), { code: 0, signal: null });
});

test(
  'a drain has an end',
  { skip: !long && 'takes the 30 s of the drain; VSR_TEST_LONG=1', timeout: seconds(120) },
  async (t) => {
    const backend = await Backend.start(t, hang());
    const vsr = await Vsr.start(generation(1, backend));
    t.after(() => vsr.stop());
    const conn = await Conn.open(vsr.port);
    await conn.write(requestBytes({ body: chat('x') }));
    const call = await within('the request to arrive', backend.received(1));
    vsr.signal('SIGTERM');
    assert.deepEqual(await within('vsr to end', vsr.exited, seconds(90)), { code: 0, signal: null });
    await within('the backend call to end', call.gone);
    conn.destroy();
  },
);

test('a file that is bad at start ends vsr with a message', async () => {
  const vsr = await Vsr.start('version: v0.3\nroutin: {}\n', { ready: false });
  const { code, signal } = await within('vsr to end', vsr.exited);
  assert.deepEqual([code, signal], [1, null]);
  assert.match(vsr.log, /config\.yaml:\d+:\d+: error\[E_\w+\]/);
  assert.match(vsr.log, /routin\b/);
  await vsr.stop().catch(() => {});
});

test('a port that is taken ends vsr with a message', async (t) => {
  const backend = await Backend.start(t);
  const first = await startVsr(t, generation(1, backend));
  const document = generation(1, backend);
  document.listeners[0].port = backend.port;
  const second = await Vsr.start(document, { ready: false });
  const { code, signal } = await within('vsr to end', second.exited);
  assert.deepEqual([code, signal], [1, null]);
  assert.match(second.log, new RegExp(`${backend.port}`));
  await second.stop().catch(() => {});
  assert.equal((await get(first.port, '/health')).status, 200);
});
