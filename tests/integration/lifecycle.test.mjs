// Corners of a request's and a process's life: a second signal, odd targets, answers that only end with their connection,
// a port that another vsr holds.

import assert from 'node:assert/strict';

import { Backend, headBytes, hang } from './lib/backend.mjs';
import { chat, Conn, decorate, get, post, request, requestBytes } from './lib/http.mjs';
import { eventually, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';

const onModel = (backend, extra = {}) => policy({ default_model: 'm', models: { m: backend }, ...extra });

test('a second signal cuts what is under way, and only that', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await Vsr.start(onModel(backend));
  t.after(() => vsr.stop());
  backend.behaviour = hang();
  const conn = await Conn.open(vsr.port);
  await conn.write(requestBytes({ body: chat('x') }));
  await within('the request to arrive', backend.received(1));
  vsr.signal('SIGTERM');
  // One of the workers has nothing to do and ends at once; the second signal must not reach into it.
  await eventually('new connections to be refused', async () => {
    try {
      (await Conn.open(vsr.port)).destroy();
      return false;
    } catch (error) {
      return error.code === 'ECONNREFUSED';
    }
  });
  assert.equal(vsr.ended, undefined);
  vsr.signal('SIGTERM');
  const { code, signal } = await within('vsr to end', vsr.exited);
  assert.deepEqual([code, signal], [0, null]);
  conn.destroy();
});

test('a port that another vsr holds is refused', async (t) => {
  const backend = await Backend.start(t);
  const first = await startVsr(t, onModel(backend));
  const second = await Vsr.start(onModel(backend, { listener: { port: first.port } }), { ready: false });
  const { code, signal } = await within('the second to end', second.exited);
  assert.deepEqual([code, signal], [1, null]);
  assert.match(second.log, new RegExp(`${first.port}`));
  await second.stop().catch(() => {}); // it ended by itself, and not with 0
  assert.equal((await get(first.port, '/health')).status, 200);
});

test('targets go to the backend in origin form', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, onModel(backend));
  const cases = [
    ['/v1/chat/completions', '/v1/chat/completions'],
    ['/v1/chat/completions/', '/v1/chat/completions'],
    ['/v1/chat/completions?a=1&b=%20', '/v1/chat/completions?a=1&b=%20'],
    ['/v1/chat/completions/?a=1', '/v1/chat/completions?a=1'],
    ['http://vsr.test/v1/chat/completions?a=1', '/v1/chat/completions?a=1'],
  ];
  for (const [sent, want] of cases) {
    const answer = await request(vsr.port, { path: sent, body: chat('x') });
    assert.equal(answer.status, 200, sent);
    assert.equal(backend.requests.at(-1).path, want, sent);
  }
});

test('a buffered answer that ends with its connection must be whole', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, onModel(backend));
  const body = '{"choices":[{"message":{"content":"héllo"}}]}';
  for (let cut = 1; cut <= Buffer.byteLength(body); cut++) {
    backend.behaviour = async (exchange) => {
      await exchange.write(headBytes({ headers: { 'Content-Type': 'application/json', Connection: 'close' } }));
      await exchange.write(Buffer.from(body).subarray(0, cut));
      exchange.end();
    };
    const conn = await Conn.open(vsr.port);
    await conn.write(requestBytes({ body: chat('x') }));
    const answer = decorate(await within('an answer or its end', conn.response()));
    const whole = answer.status === 200 && answer.complete;
    assert.equal(whole, cut === Buffer.byteLength(body), `cut at ${cut}: ${answer.status} ${answer.complete}`);
    conn.destroy();
  }
});

test('an unset key variable never lets the caller\'s key through', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'm',
      models: { m: { backend_refs: [{ endpoint: backend.address, api_key_env: 'VSR_TEST_KEY_THAT_IS_NOT_SET' }] } },
    }),
  );
  const answer = await post(vsr.port, chat('x'), { Authorization: 'Bearer sk-caller' });
  assert.equal(answer.status, 401);
  assert.equal(backend.requests.length, 0);
});
