// Admission: how many requests are in at once, who waits, who is turned away.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend, completion, responseBytes } from './lib/backend.mjs';
import { chat, Conn, post, requestBytes } from './lib/http.mjs';
import { eventually, otherwise, policy, startVsr, test } from './lib/harness.mjs';

/** Answers when it is told to; counts how many it has at once. */
function gated() {
  const gate = { now: 0, most: 0, order: [], waiting: [] };
  gate.behaviour = async (exchange) => {
    const body = exchange.request.json();
    gate.now += 1;
    gate.most = Math.max(gate.most, gate.now);
    gate.order.push(body.messages.at(-1).content);
    await Promise.race([new Promise((resolve) => gate.waiting.push(resolve)), exchange.request.gone]);
    gate.now -= 1;
    const answer = JSON.stringify(completion(body.model, 'done'));
    await exchange.write(responseBytes({ headers: { 'Content-Type': 'application/json' }, body: answer }));
  };
  gate.open = () => gate.waiting.shift()?.();
  return gate;
}

describe('admission', () => {
  let backend;
  before(async () => {
    backend = await Backend.start();
  });
  after(async () => {
    await backend?.close();
  });

  const start = (t, admission, more = {}) =>
    startVsr(
      t,
      policy({
        default_model: 'small',
        models: { small: backend },
        decisions: [otherwise('small')],
        listener: { trust_identity_headers: true },
        global: { router: { admission } },
        ...more,
      }),
    );
  const ask = (vsr, text, headers = {}, model = 'small') => post(vsr.port, chat(text, { model }), headers);
  const gauge = async (vsr, name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await vsr.metrics()).text())[1]);
  const queued = (vsr, n) =>
    eventually(`${n} wait`, async () => (await gauge(vsr, 'vsr_admission_queued')) === n);

  test('no more at once than the limit, over all workers; the rest wait', async (t) => {
    const gate = gated();
    backend.behaviour = gate.behaviour;
    const vsr = await start(t, { max_active: 3, queue_timeout_ms: 60000 });
    const answers = Array.from({ length: 24 }, (_, i) => ask(vsr, `q${i}`));
    let settled = false;
    const all = Promise.all(answers).finally(() => (settled = true));
    while (!settled) {
      gate.open();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    for (const answer of await all) assert.equal(answer.status, 200, answer.text());
    assert.equal(gate.most, 3);
    await eventually('no place is held', async () => (await gauge(vsr, 'vsr_admission_active')) === 0);
  });

  test('the important come first, and push others out of a full queue', async (t) => {
    const gate = gated();
    backend.behaviour = gate.behaviour;
    const vsr = await start(t, { max_active: 1, max_queued: 2, queue_timeout_ms: 60000 });
    const first = ask(vsr, 'first');
    await eventually('the first is in', () => gate.now === 1);
    const low = ask(vsr, 'low', { 'x-vsr-priority': '1' });
    await queued(vsr, 1);
    const middle = ask(vsr, 'middle');
    await queued(vsr, 2);
    const high = ask(vsr, 'high', { 'x-vsr-priority': '9' });
    const shed = await low;
    assertError(shed, 503, { type: 'server_error', code: 'overloaded', message: 'The server is overloaded.' });
    const retry = Number(shed.headers.get('retry-after'));
    assert.ok(retry >= 1 && retry <= 30, `${retry}`);
    assertError(await ask(vsr, 'lowest', { 'x-vsr-priority': '0' }), 503, { code: 'overloaded' });
    for (let i = 0; i < 3; i++) {
      await eventually('one is in', () => gate.waiting.length === 1);
      gate.open();
      await eventually('it has gone', () => gate.order.length === Math.min(i + 2, 3));
    }
    for (const one of [first, high, middle]) assert.equal((await one).status, 200);
    assert.deepEqual(gate.order, ['first', 'high', 'middle']);
    const metrics = (await vsr.metrics()).text();
    assert.match(metrics, /^vsr_admission_shed_total\{priority="1"\} 1$/m);
  });

  test('entrypoints have priorities; headers only where the listener trusts them', async (t) => {
    const gate = gated();
    backend.behaviour = gate.behaviour;
    const vsr = await start(
      t,
      { max_active: 1, max_queued: 8, queue_timeout_ms: 60000 },
      {
        listener: { trust_identity_headers: false },
        entrypoints: [
          { model_names: ['acme/urgent'], recipe: 'default', priority: 8 },
          { model_names: ['acme/batch'], recipe: 'default', priority: 0 },
        ],
      },
    );
    const all = [ask(vsr, 'first')];
    await eventually('the first is in', () => gate.now === 1);
    all.push(ask(vsr, 'batch', { 'x-vsr-priority': '9' }, 'acme/batch'));
    await queued(vsr, 1);
    all.push(ask(vsr, 'plain'));
    await queued(vsr, 2);
    all.push(ask(vsr, 'urgent', {}, 'acme/urgent'));
    await queued(vsr, 3);
    for (let i = 0; i < 4; i++) {
      await eventually('one is in', () => gate.waiting.length === 1);
      gate.open();
      await eventually('the next', () => gate.order.length === Math.min(i + 2, 4));
    }
    for (const one of all) assert.equal((await one).status, 200);
    assert.deepEqual(gate.order, ['first', 'urgent', 'plain', 'batch']);
    assert.equal(backend.requests.find((one) => one.headers.has('x-vsr-priority')), undefined, 'it goes no further');
  });

  test('who waits too long is turned away; who leaves makes room', async (t) => {
    const gate = gated();
    backend.behaviour = gate.behaviour;
    const vsr = await start(t, { max_active: 1, max_queued: 8, queue_timeout_ms: 150 });
    const first = await Conn.open(vsr.port);
    await first.write(requestBytes({ body: chat('first', { model: 'small' }) }));
    await eventually('the first is in', () => gate.now === 1);
    assertError(await ask(vsr, 'second'), 503, { code: 'overloaded' });
    first.destroy();
    const third = ask(vsr, 'third');
    await eventually('it is in', () => gate.order.includes('third'));
    gate.waiting.forEach((open) => open());
    assert.equal((await third).status, 200);
  });

  test('who was turned away is not counted by rate limits', async (t) => {
    const gate = gated();
    backend.behaviour = gate.behaviour;
    const rules = [{ name: 'r', requests_per_unit: 2, unit: 'day' }];
    const vsr = await start(
      t,
      {},
      {
        global: {
          router: { admission: { max_active: 1, max_queued: 0 } },
          services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } },
        },
      },
    );
    const first = ask(vsr, 'first');
    await eventually('the first is in', () => gate.now === 1);
    for (let i = 0; i < 3; i++) assertError(await ask(vsr, `more${i}`), 503, { code: 'overloaded' });
    gate.open();
    assert.equal((await first).status, 200);
    const last = ask(vsr, 'last');
    await eventually('the last is in', () => gate.now === 1);
    gate.open();
    assert.equal((await last).status, 200);
    assert.equal((await ask(vsr, 'too many')).status, 429);
  });
});
