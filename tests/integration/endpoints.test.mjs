// Several endpoints behind one model: retries, weights, ejection, health checks; and the connections kept to each.

import assert from 'node:assert/strict';

import {
  Backend,
  chunk,
  completion,
  jsonAnswer,
  openaiAnswer,
  responseBytes,
  sendAndClose,
  sseHead,
  streamEvents,
} from './lib/backend.mjs';
import { chat, Conn, post, readChatStream, requestBytes } from './lib/http.mjs';
import { eventually, freePort, policy, pool, seconds, sleep, startVsr, test, Vsr, within } from './lib/harness.mjs';

/** One model over several endpoints. */
const several = (backends, reliability, weights = []) =>
  policy({
    default_model: 'm',
    models: {
      m: {
        backend_refs: backends.map((backend, i) => ({
          name: `b${i}`,
          endpoint: typeof backend === 'number' ? `127.0.0.1:${backend}` : backend.address,
          ...(weights[i] === undefined ? {} : { weight: weights[i] }),
        })),
        ...(reliability ? { reliability } : {}),
      },
    },
  });

const patient = { retry_count: 3, retry_on: 'connect-failure,refused-stream,reset,gateway-error,429' };

test('another endpoint is tried when one cannot answer', async (t) => {
  const good = await Backend.start(t);
  const bad = await Backend.start(t);
  const vsr = await startVsr(t, several([bad, good, await freePort()], patient));
  const failures = {
    503: jsonAnswer('{"error":{"message":"busy"}}', { status: 503, reason: 'Busy' }),
    502: jsonAnswer('x', { status: 502, reason: 'Bad' }),
    504: jsonAnswer('x', { status: 504, reason: 'Late' }),
    429: jsonAnswer('{"error":{"message":"slow"}}', { status: 429, reason: 'Slow', headers: { 'Retry-After': '1' } }),
    'a reset': sendAndClose(Buffer.alloc(0), { reset: true }),
  };
  for (const [what, behaviour] of Object.entries(failures)) {
    await t.test(`after ${what} and a refused connection`, async () => {
      bad.behaviour = behaviour;
      const before = bad.requests.length;
      for (let i = 0; i < 12; i++) {
        const answer = await post(vsr.port, chat(`request ${i}`, { stream: i % 2 === 1 }));
        assert.equal(answer.status, 200, answer.text());
        assert.equal(JSON.parse(good.last.text()).messages[0].content, `request ${i}`);
      }
      assert.ok(bad.requests.length > before, 'the failing endpoint was never tried');
    });
  }
});

test('another endpoint is tried even where nothing is said about retries', async (t) => {
  const good = await Backend.start(t);
  const bad = await Backend.start(t, jsonAnswer('x', { status: 503, reason: 'Busy' }));
  for (const other of [bad, await freePort()]) {
    const vsr = await startVsr(t, several([other, good]));
    for (let i = 0; i < 12; i++) assert.equal((await post(vsr.port, chat('hi'))).status, 200);
  }
  assert.ok(bad.requests.length > 0);
});

test('a retried request is the same request', async (t) => {
  const bad = await Backend.start(t, jsonAnswer('x', { status: 503, reason: 'Busy' }));
  const good = await Backend.start(t);
  const document = several([bad, good], patient);
  Object.assign(document.providers.models[0].backend_refs[0], {
    api_key: 'key-a',
    extra_headers: { 'x-from': 'a' },
    chat_path: '/a',
  });
  Object.assign(document.providers.models[0].backend_refs[1], { api_key: 'key-b', chat_path: '/b' });
  document.providers.models[0].provider_model_id = 'prov-m';
  const vsr = await startVsr(t, document);
  const body = '{"model":"auto", "messages":[{"role":"user","content":"h\\u00e9"}],"seed":1.0}';
  for (let i = 0; i < 8; i++) assert.equal((await post(vsr.port, body)).status, 200);
  assert.ok(bad.requests.length > 0);
  for (const seen of bad.requests) {
    assert.deepEqual(
      [seen.path, seen.headers.get('authorization'), seen.headers.get('x-from')],
      ['/a', 'Bearer key-a', 'a'],
    );
    assert.equal(seen.text(), body.replace('"auto"', '"prov-m"'));
  }
  for (const seen of good.requests) {
    assert.deepEqual(
      [seen.path, seen.headers.get('authorization'), seen.headers.get('x-from')],
      ['/b', 'Bearer key-b', undefined],
    );
    assert.equal(seen.text(), body.replace('"auto"', '"prov-m"'));
  }
});

test('when all endpoints fail the last answer comes through', async (t) => {
  const busy = (who) => jsonAnswer(`{"error":{"message":"busy ${who}"}}`, { status: 503, reason: 'Busy' });
  const backends = [await Backend.start(t, busy('a')), await Backend.start(t, busy('b'))];
  const vsr = await startVsr(t, several(backends, patient));
  const answer = await post(vsr.port, chat('hi'));
  assert.equal(answer.status, 503);
  assert.match(answer.json().error.message, /^busy [ab]$/);
  const tries = backends[0].requests.length + backends[1].requests.length;
  assert.ok(tries >= 2 && tries <= 4, `${tries} tries`);
  assert.ok(
    backends.every((backend) => backend.requests.length > 0),
    'a retry avoids the host that just failed',
  );
});

test('what retry_on does not name is not retried', async (t) => {
  const bad = await Backend.start(t, jsonAnswer('{"error":{"message":"no"}}', { status: 500, reason: 'No' }));
  const vsr = await startVsr(t, several([bad], { retry_count: 3, retry_on: 'connect-failure,gateway-error' }));
  assert.equal((await post(vsr.port, chat('hi'))).status, 500);
  bad.behaviour = jsonAnswer('{"error":{"message":"no"}}', { status: 429, reason: 'No' });
  assert.equal((await post(vsr.port, chat('hi'))).status, 429);
  bad.behaviour = jsonAnswer('{"error":{"message":"no"}}', { status: 400, reason: 'No' });
  assert.equal((await post(vsr.port, chat('hi'))).status, 400);
  assert.equal(bad.requests.length, 3);
});

test('without retries one failure is final', async (t) => {
  const bad = await Backend.start(t, jsonAnswer('{"error":{"message":"no"}}', { status: 503, reason: 'No' }));
  const alone = await startVsr(t, several([bad]));
  assert.equal((await post(alone.port, chat('hi'))).status, 503);
  assert.equal(bad.requests.length, 1);
  const good = await Backend.start(t);
  const strict = await startVsr(t, several([bad, good], { retry_count: 0 }));
  const statuses = new Set();
  for (let i = 0; i < 20; i++) statuses.add((await post(strict.port, chat('hi'))).status);
  assert.deepEqual([...statuses].sort(), [200, 503]);
});

test('nothing is retried once the answer began', async (t) => {
  const events = streamEvents('m', ['a', 'b', 'c']);
  const started = Buffer.concat([
    sseHead({ 'Transfer-Encoding': 'chunked' }),
    ...events.slice(0, 3).map((event) => chunk(event)),
  ]);
  const behaviour = async (exchange) => {
    await exchange.write(started);
    await sleep(300); // lets the first events reach the client before the cut
    exchange.reset();
  };
  const backends = [await Backend.start(t, behaviour), await Backend.start(t, behaviour)];
  const vsr = await startVsr(
    t,
    several(backends, { retry_count: 5, retry_on: '5xx,reset,connect-failure,refused-stream' }),
  );
  const stream = readChatStream(await post(vsr.port, chat('hi', { stream: true })));
  assert.equal(stream.content, 'ab');
  assert.equal(stream.done, false);
  assert.ok(stream.broken || stream.error);
  assert.equal(backends[0].requests.length + backends[1].requests.length, 1);
});

test('weights are honoured', async (t) => {
  const backends = [await Backend.start(t), await Backend.start(t), await Backend.start(t)];
  for (const lb_policy of ['round_robin', 'least_request']) {
    for (const backend of backends) backend.forget();
    const document = several(backends, { lb_policy }, [80, 20, 0]);
    const vsr = await Vsr.start(document);
    await pool(Array.from({ length: 500 }), 8, async () =>
      assert.equal((await post(vsr.port, chat('hi'))).status, 200),
    );
    await vsr.stop();
    const counts = backends.map((backend) => backend.requests.length);
    assert.equal(counts[0] + counts[1], 500, 'weight 0 takes no traffic');
    assert.ok(counts[0] >= 320 && counts[0] <= 470, `${lb_policy}: ${counts}`);
  }
});

test('an endpoint that keeps failing is set aside and comes back', { timeout: seconds(180) }, async (t) => {
  const bad = await Backend.start(t, jsonAnswer('{"error":{"message":"no"}}', { status: 500, reason: 'No' }));
  const good = await Backend.start(t);
  const vsr = await startVsr(
    t,
    several([bad, good], { retry_count: 0, consecutive_5xx: 3, base_ejection_time: '1s', max_ejection_percent: 50 }),
  );
  let failed = 0;
  await pool(Array.from({ length: 400 }), 4, async () => {
    if ((await post(vsr.port, chat('hi'))).status === 500) failed += 1;
  });
  assert.ok(failed >= 1 && failed < 120, `${failed} of 400 requests went to a backend that always fails`);
  bad.behaviour = openaiAnswer();
  bad.forget();
  await eventually(
    'traffic to return to the healed endpoint',
    async () => {
      await post(vsr.port, chat('hi'));
      return bad.requests.length > 5;
    },
    seconds(90),
  );
});

test('when all endpoints fail nobody is set aside for good', async (t) => {
  const backends = [await Backend.start(t), await Backend.start(t)];
  for (const backend of backends) backend.behaviour = jsonAnswer('{}', { status: 500, reason: 'No' });
  const vsr = await startVsr(
    t,
    several(backends, { consecutive_5xx: 1, base_ejection_time: '300s', max_ejection_percent: 100 }),
  );
  for (let i = 0; i < 10; i++) assert.equal((await post(vsr.port, chat('hi'))).status, 500);
  for (const backend of backends) backend.behaviour = openaiAnswer();
  assert.equal((await post(vsr.port, chat('hi'))).status, 200);
});

test('an endpoint whose health check fails gets nothing', { timeout: seconds(120) }, async (t) => {
  const answer = (healthy) => async (exchange) => {
    if (exchange.request.path !== '/health') return openaiAnswer()(exchange);
    return jsonAnswer('{}', { status: healthy ? 200 : 503, reason: 'x' })(exchange);
  };
  const sick = await Backend.start(t, answer(false));
  const good = await Backend.start(t, answer(true));
  const vsr = await startVsr(
    t,
    several([sick, good], { health_check_path: '/health', health_check_interval: '200ms', health_check_timeout: '2s' }),
  );
  const chats = (backend) => backend.requests.filter((seen) => seen.path !== '/health').length;
  await eventually(
    'the sick endpoint to be left alone',
    async () => {
      const before = chats(sick);
      for (let i = 0; i < 10; i++) assert.equal((await post(vsr.port, chat('hi'))).status, 200);
      return chats(sick) === before;
    },
    seconds(60),
  );
  sick.behaviour = answer(true);
  await eventually(
    'it to be used again',
    async () => {
      const before = chats(sick);
      for (let i = 0; i < 10; i++) await post(vsr.port, chat('hi'));
      return chats(sick) > before;
    },
    seconds(60),
  );
});

// ---- connections to backends -------------------------------------------------------------------------------------

test('connections to a backend are kept and reused', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, several([backend]));
  const conn = await Conn.open(vsr.port);
  for (let i = 0; i < 30; i++) {
    await conn.write(requestBytes({ body: chat(`hi ${i}`, { stream: i % 3 === 0 }) }));
    const answer = await within('an answer', conn.response());
    assert.deepEqual([answer.status, answer.complete], [200, true]);
  }
  conn.destroy();
  assert.equal(backend.requests.length, 30);
  assert.ok(backend.connections <= 3, `${backend.connections} connections for 30 requests one after the other`);
});

test('a kept connection that the backend closed is noticed', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, several([backend]));
  backend.behaviour = async (exchange) => {
    await openaiAnswer()(exchange);
    setTimeout(() => exchange.socket.end(), 20);
  };
  for (let i = 0; i < 5; i++) {
    assert.equal((await post(vsr.port, chat('hi'))).status, 200);
    await eventually('the backend to have closed', () => backend.open === 0);
  }
  // The hardest moment: it closes just when the next request arrives on it. A new connection or a clean error, no hang.
  let outcomes = [];
  backend.behaviour = async (exchange) => {
    if (exchange.request.index > 0) return exchange.reset();
    return openaiAnswer()(exchange);
  };
  for (let i = 0; i < 10; i++) outcomes.push((await within('an answer', post(vsr.port, chat('hi')))).status);
  assert.ok(
    outcomes.every((status) => status === 200 || status === 502),
    `${outcomes}`,
  );
  assert.ok(outcomes.includes(200));
  outcomes = [];
});

test('a backend that says Connection: close is not asked twice on one connection', async (t) => {
  const backend = await Backend.start(t, async (exchange) => {
    const body = JSON.stringify(completion('m', 'ok'));
    await exchange.write(responseBytes({ headers: { 'Content-Type': 'application/json', Connection: 'close' }, body }));
    await exchange.request.gone;
    exchange.end();
  });
  const vsr = await startVsr(t, several([backend]));
  for (let i = 0; i < 5; i++) assert.equal((await within('an answer', post(vsr.port, chat('hi')))).status, 200);
  assert.ok(backend.requests.every((seen) => seen.index === 0));
});
