// Clients that misbehave: they vanish before, during and after, pipeline, crowd in, dawdle, send and receive too much,
// or stop reading. None of them costs another client anything, and none leaves a backend call or memory behind.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { Backend, completion, endlessStream, hang, headBytes, jsonAnswer, openaiAnswer } from './lib/backend.mjs';
import { chat, Conn, decorate, get, post, readChatStream, request, requestBytes } from './lib/http.mjs';
import { eventually, long, policy, pool, sanitized, seconds, sleep, startVsr, test, within } from './lib/harness.mjs';

const one = (backend, extra = {}) => policy({ default_model: 'm', models: { m: backend }, ...extra });

// What the process may grow by while bytes wait; a sanitizer keeps shadow and freed memory on top.
const rssLimit = (16 << 20) * (sanitized ? 16 : 1);

test('clients that vanish', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const whole = requestBytes({ body: chat('hi') });
  const bodyAt = whole.indexOf('\r\n\r\n') + 4;
  const leave = { 'in order': (conn) => conn.socket.end(), 'by reset': (conn) => conn.reset() };
  for (const [how, go] of Object.entries(leave)) {
    await t.test(`before or inside the request, ${how}`, async () => {
      const seen = backend.requests.length;
      for (const at of [0, 1, 20, bodyAt - 2, bodyAt, bodyAt + 1, whole.length - 1]) {
        const conn = await Conn.open(vsr.port);
        if (at > 0) await conn.write(whole.subarray(0, at));
        go(conn);
        await within('vsr to let go of the connection', Promise.race([conn.closed, conn.peerClosed()]));
        conn.destroy();
      }
      assert.equal((await post(vsr.port, chat('hi'))).status, 200);
      assert.equal(backend.requests.length, seen + 1, 'half a request reached the backend');
    });
  }
  await t.test('while waiting for a buffered answer', async () => {
    backend.behaviour = hang();
    const conn = await Conn.open(vsr.port);
    const seen = backend.requests.length;
    await conn.write(whole);
    const call = await within('the request to arrive', backend.received(seen + 1));
    conn.destroy();
    await within('the backend call to be cancelled', call.gone);
  });
  await t.test('while waiting for a stream to begin', async () => {
    const conn = await Conn.open(vsr.port);
    const seen = backend.requests.length;
    await conn.write(requestBytes({ body: chat('hi', { stream: true }) }));
    const call = await within('the request to arrive', backend.received(seen + 1));
    conn.reset();
    await within('the backend call to be cancelled', call.gone);
  });
  await t.test('in the middle of a stream', async () => {
    backend.behaviour = endlessStream({ eventBytes: 100 });
    for (const go of Object.values({ destroy: (conn) => conn.destroy(), reset: (conn) => conn.reset() })) {
      const conn = await Conn.open(vsr.port);
      const seen = backend.requests.length;
      await conn.write(requestBytes({ body: chat('hi', { stream: true }) }));
      const call = await within('the request to arrive', backend.received(seen + 1));
      await within('some of the stream', conn.reader.until(Buffer.from('xxxxxxxxxx')));
      go(conn);
      await within('the backend call to be cancelled', call.gone);
    }
  });
  await t.test('in the middle of a buffered answer', async () => {
    backend.behaviour = async (exchange) => {
      await exchange.write(headBytes({ headers: { 'Content-Type': 'application/json', 'Content-Length': 1 << 30 } }));
      while (await exchange.write(Buffer.alloc(65536, ' ')));
    };
    const conn = await Conn.open(vsr.port);
    const seen = backend.requests.length;
    await conn.write(whole);
    const call = await within('the request to arrive', backend.received(seen + 1));
    await sleep(100);
    conn.reset();
    await within('the backend call to be cancelled', call.gone);
  });
  await t.test('after the answer', async () => {
    backend.behaviour = openaiAnswer();
    for (let i = 0; i < 20; i++) {
      const conn = await Conn.open(vsr.port);
      await conn.write(whole);
      await within('an answer', conn.response());
      if (i % 2) conn.reset();
      else conn.destroy();
    }
    await eventually('idle', async () => (await post(vsr.port, chat('hi'))).status === 200);
  });
});

test('many clients that vanish at once leave nothing behind', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t, hang());
  const vsr = await startVsr(t, one(backend));
  const conns = await Promise.all(Array.from({ length: 300 }, () => Conn.open(vsr.port)));
  for (const [i, conn] of conns.entries()) void conn.write(requestBytes({ body: chat('hi', { stream: i % 2 === 0 }) }));
  await within('all requests to arrive', backend.received(300), seconds(60));
  for (const conn of conns) conn.reset();
  await within(
    'all backend calls to be cancelled',
    Promise.all(backend.requests.map((seen) => seen.gone)),
    seconds(60),
  );
  backend.behaviour = openaiAnswer();
  assert.equal((await post(vsr.port, chat('hi'))).status, 200);
});

test('pipelined requests are answered in order', async (t) => {
  const backend = await Backend.start(t, async (exchange) => {
    const { content } = exchange.request.json().messages[0];
    if (content === 'slow') await sleep(200);
    await jsonAnswer(JSON.stringify(completion('m', content)))(exchange);
  });
  const vsr = await startVsr(t, one(backend));
  const words = ['slow', 'b', 'c', 'slow', 'e', 'f'];
  const requests = words.map((word) => requestBytes({ body: chat(word) }));
  requests.splice(2, 0, requestBytes({ method: 'GET', path: '/health' }));
  requests.splice(5, 0, requestBytes({ body: '{"model":"nope","messages":[]}' }));
  const all = Buffer.concat(requests);
  for (const size of [all.length, 100, 7]) {
    const conn = await Conn.open(vsr.port);
    void (async () => {
      for (let at = 0; at < all.length; at += size) await conn.write(all.subarray(at, at + size));
    })();
    const got = [];
    for (let i = 0; i < requests.length; i++) {
      const answer = decorate(await within(`answer ${i}`, conn.response()));
      assert.ok(answer.complete);
      got.push(i === 2 ? 'health' : answer.status === 404 ? 'nope' : answer.json().choices[0].message.content);
    }
    assert.deepEqual(got, ['slow', 'b', 'health', 'c', 'slow', 'nope', 'e', 'f']);
    conn.destroy();
  }
});

test('pipelining without end does not run vsr over', async (t) => {
  const backend = await Backend.start(t, hang());
  const vsr = await startVsr(t, one(backend));
  const conn = await Conn.open(vsr.port);
  const before = vsr.rss();
  const batch = Buffer.concat(Array.from({ length: 500 }, () => requestBytes({ body: chat('x'.repeat(2000)) })));
  let taken = 0;
  for (let i = 0; i < 40; i++) {
    const done = await Promise.race([conn.write(batch).then(() => true), sleep(500).then(() => false)]);
    if (!done) break;
    taken += batch.length;
  }
  const grown = vsr.rss() - before;
  assert.ok(grown < rssLimit, `${grown} bytes more after ${taken} pipelined bytes`);
  conn.reset();
});

test('two thousand connections at once', { timeout: seconds(180) }, async (t) => {
  const clients = 2000;
  let release;
  const everybody = new Promise((resolve) => (release = resolve));
  const backend = await Backend.start(t, async (exchange) => {
    await everybody;
    await openaiAnswer()(exchange);
  });
  const vsr = await startVsr(t, one(backend));
  const conns = [];
  await pool(Array.from({ length: clients }), 100, async () => conns.push(await Conn.open(vsr.port)));
  for (const [i, conn] of conns.entries())
    void conn.write(requestBytes({ body: chat(`client ${i}`, { stream: i % 2 === 0 }) }));
  // All of them should be waiting at the backend together; if vsr bounds its own pool, answer those who came.
  await Promise.race([backend.received(clients), sleep(seconds(15))]);
  t.diagnostic(`${backend.requests.length} requests were at the backend together`);
  release();
  let served = 0;
  await within(
    'all answers',
    Promise.all(
      conns.map(async (conn, i) => {
        const answer = decorate(await conn.response());
        assert.equal(answer.status, 200, answer.text());
        if (i % 2 === 0) assert.ok(readChatStream(answer).done);
        else assert.ok(answer.complete);
        served += 1;
      }),
    ),
    seconds(90),
  );
  assert.equal(served, clients);
  assert.equal(backend.requests.length, clients);
  // And once more on the same connections.
  for (const conn of conns) void conn.write(requestBytes({ body: chat('again') }));
  await within(
    'all answers again',
    Promise.all(conns.map(async (conn) => assert.equal((await conn.response()).status, 200))),
    seconds(90),
  );
  for (const conn of conns) conn.destroy();
});

test('clients that send their head one byte at a time hold up nobody', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const slow = await Promise.all(Array.from({ length: 200 }, () => Conn.open(vsr.port)));
  let dribbling = true;
  const head = Buffer.from(`GET /health HTTP/1.1\r\nHost: a\r\nX-Filler: ${'a'.repeat(10000)}`);
  const dribble = (async () => {
    for (let at = 0; dribbling && at < head.length; at++) {
      for (const conn of slow) if (!conn.socket.destroyed) void conn.write(head.subarray(at, at + 1));
      await sleep(50);
    }
  })();
  const ends = Promise.all(
    slow.map(async (conn) => {
      const answer = await conn.response();
      conn.destroy();
      return answer.status;
    }),
  );
  for (let i = 0; i < 50; i++)
    assert.equal((await within("another client's answer", post(vsr.port, chat('hi')))).status, 200);
  // The head has 10 s to come in (gateway.md 12.5); no less is asserted, only that it ends.
  const statuses = await within('the slow clients to be cut off', ends, seconds(60));
  dribbling = false;
  await dribble;
  assert.deepEqual(
    [...new Set(statuses)].filter((status) => status !== 408 && status !== 0),
    [],
  );
  assert.equal((await post(vsr.port, chat('hi'))).status, 200);
});

test('slow bodies hold up nobody', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const whole = requestBytes({ body: chat('slow but sure') });
  const bodyAt = whole.indexOf('\r\n\r\n') + 4;
  const conns = await Promise.all(Array.from({ length: 50 }, () => Conn.open(vsr.port)));
  for (const conn of conns) await conn.write(whole.subarray(0, bodyAt));
  for (let at = bodyAt; at < whole.length; at++) {
    for (const conn of conns) void conn.write(whole.subarray(at, at + 1));
    if (at % 10 === 0) assert.equal((await post(vsr.port, chat('fast'))).status, 200);
  }
  const answers = await within('the slow ones', Promise.all(conns.map((conn) => conn.response())));
  assert.ok(answers.every((answer) => answer.status === 200));
  for (const conn of conns) conn.destroy();
});

test('a head over the limit', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const answer = await request(vsr.port, { method: 'GET', path: '/health', headers: { 'X-Big': 'a'.repeat(70000) } });
  assert.equal(answer.status, 431);
  const fine = await request(vsr.port, { method: 'GET', path: '/health', headers: { 'X-Big': 'a'.repeat(30000) } });
  assert.equal(fine.status, 200);
});

// ---- size --------------------------------------------------------------------------------------------------------

test('a body of 32 MiB', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t, jsonAnswer(JSON.stringify(completion('m', 'ok'))));
  const vsr = await startVsr(
    t,
    policy({ default_model: 'm', models: { m: { provider_model_id: 'prov', backend_refs: [backend] } } }),
  );
  const [start, end] = ['{"model":"auto","messages":[{"role":"user","content":"', '"}]}'].map((text) =>
    Buffer.from(text),
  );
  const pattern = Buffer.from('größer \\n \\u00e9 {}[]", '.replace('"', '\\"'));
  const room = (32 << 20) - start.length - end.length;
  const filler = Buffer.alloc(room - (room % pattern.length), pattern);
  const body = Buffer.concat([start, filler, Buffer.alloc(room - filler.length, 'z'), end]);
  assert.equal(body.length, 32 << 20);
  JSON.parse(body.toString());
  const answer = await within('the answer', post(vsr.port, body), seconds(90));
  assert.equal(answer.status, 200, answer.text());
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  const expected = Buffer.concat([Buffer.from('{"model":"prov"'), body.subarray('{"model":"auto"'.length)]);
  assert.equal(hash(backend.last.body), hash(expected));
  backend.forget();
  assert.equal((await post(vsr.port, chat('hi'))).status, 200);
});

test('an answer of 64 MiB', { timeout: seconds(120) }, async (t) => {
  const body = Buffer.alloc(64 << 20, 'abcdefghijklmnop');
  const backend = await Backend.start(t, async (exchange) => {
    await exchange.write(headBytes({ headers: { 'Content-Type': 'application/json', 'Content-Length': body.length } }));
    for (let at = 0; at < body.length; at += 1 << 20) await exchange.write(body.subarray(at, at + (1 << 20)));
  });
  const vsr = await startVsr(t, one(backend));
  const answer = await within('the answer', post(vsr.port, chat('hi')), seconds(90));
  assert.deepEqual([answer.status, answer.complete, answer.body.length], [200, true, body.length]);
  assert.ok(answer.body.equals(body));
});

test('a client that does not read does not fill vsr', { timeout: seconds(180) }, async (t) => {
  const total = 200 << 20;
  let sent = 0;
  const backend = await Backend.start(t, endlessStream({ limit: total, onProgress: (bytes) => (sent = bytes) }));
  const vsr = await startVsr(t, one(backend));
  backend.behaviour = openaiAnswer();
  for (let i = 0; i < 20; i++) await post(vsr.port, chat('hi', { stream: true })); // warm
  backend.behaviour = endlessStream({ limit: total, onProgress: (bytes) => (sent = bytes) });
  const before = vsr.rss();

  const conn = await Conn.open(vsr.port);
  conn.socket.pause();
  await conn.write(requestBytes({ body: chat('hi', { stream: true }) }));
  await eventually('the stream to start', () => sent > 0);
  let last = -1;
  for (let still = 0; still < 5;) {
    await sleep(200);
    still = sent === last ? still + 1 : 0;
    last = sent;
    if (sent >= total) break;
  }
  t.diagnostic(`the backend got rid of ${sent >> 20} MiB; vsr grew by ${(vsr.rss() - before) >> 10} KiB`);
  assert.ok(sent < total, 'the whole stream was taken though nobody read it');
  const grown = vsr.rss() - before;
  assert.ok(grown <= rssLimit, `vsr grew by ${grown} bytes`);
  assert.equal((await within('another client', get(vsr.port, '/health'))).status, 200);

  // Reading again makes it flow again, to the last byte.
  let read = 0;
  let tail = Buffer.alloc(0);
  await within(
    'the rest of the stream',
    (async () => {
      while (!tail.includes('data: [DONE]')) {
        if (!(await conn.reader.more()) && conn.reader.buffered === 0) break;
        const part = conn.reader.take();
        read += part.length;
        tail = Buffer.concat([tail.subarray(-64), part.subarray(-4096)]);
      }
    })(),
    seconds(120),
  );
  assert.ok(tail.includes('data: [DONE]'));
  assert.ok(read > total, `${read} bytes`);
  const after = vsr.rss() - before;
  assert.ok(after <= rssLimit, `vsr grew by ${after} bytes over ${total} streamed`);
  conn.destroy();
});

test('a client that never reads and leaves ends the backend call', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t, endlessStream());
  const vsr = await startVsr(t, one(backend));
  const conn = await Conn.open(vsr.port);
  conn.socket.pause();
  await conn.write(requestBytes({ body: chat('hi', { stream: true }) }));
  const call = await within('the request to arrive', backend.received(1));
  await sleep(500);
  conn.reset();
  await within('the backend call to be cancelled', call.gone);
});

test(
  'memory does not grow with requests',
  { timeout: seconds(300), skip: sanitized && 'a sanitizer keeps freed memory' },
  async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(t, one(backend));
    const burst = (n) =>
      pool(Array.from({ length: 8 }), 8, async () => {
        const conn = await Conn.open(vsr.port);
        for (let i = 0; i < n / 8; i++) {
          await conn.write(requestBytes({ body: chat('x'.repeat((i * 37) % 3000), { stream: i % 4 === 0 }) }));
          assert.equal((await conn.response()).status, 200);
          if (i % 100 === 0) backend.forget();
        }
        conn.destroy();
      });
    await burst(2000);
    const before = vsr.rss();
    await burst(long ? 200000 : 4000);
    const grown = vsr.rss() - before;
    assert.ok(grown < 4 << 20, `vsr grew by ${grown} bytes`);
  },
);
