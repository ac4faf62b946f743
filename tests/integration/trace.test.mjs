// Which trace and which conversation a request belongs to, and where its time went.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { policy, startVsr, test, Vsr } from './lib/harness.mjs';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

describe('trace context', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(policy({ default_model: 'm', models: { m: backend } }));
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });
  const sent = async (headers) => {
    backend.forget();
    assert.equal((await post(vsr.port, chat('hi'), headers)).status, 200);
    return { parent: backend.last.headers.get('traceparent'), state: backend.last.headers.get('tracestate') };
  };

  test('goes on under an id of our own, another one each time', async () => {
    const seen = new Set([span]);
    for (let i = 0; i < 5; i++) {
      const { parent, state } = await sent({ traceparent: `00-${trace}-${span}-01`, tracestate: 'a=1,b=2' });
      const match = new RegExp(`^00-${trace}-([0-9a-f]{16})-01$`).exec(parent);
      assert.ok(match, parent);
      assert.ok(!seen.has(match[1]));
      seen.add(match[1]);
      assert.equal(state, 'a=1,b=2');
    }
  });

  test('whether it is sampled goes on, too', async () => {
    assert.match((await sent({ traceparent: `00-${trace}-${span}-00` })).parent, /-00$/);
    assert.match((await sent({ traceparent: `cc-${trace}-${span}-01-new` })).parent, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  });

  test('what is no trace is removed, and none is made up', async () => {
    for (const headers of [
      {},
      { tracestate: 'a=1' },
      { traceparent: 'x', tracestate: 'a=1' },
      { traceparent: `ff-${trace}-${span}-01`, tracestate: 'a=1' },
      { traceparent: `00-${'0'.repeat(32)}-${span}-01` },
      { traceparent: `00-${trace}-${'0'.repeat(16)}-01` },
    ])
      assert.deepEqual(await sent(headers), { parent: undefined, state: undefined }, JSON.stringify(headers));
  });
});

test('where the time went', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: backend } }));
  const quiet = await post(vsr.port, chat('hi'));
  assert.equal(quiet.headers.get('x-vsr-stage-us'), undefined);
  const answer = await post(vsr.port, chat('hi'), { 'x-vsr-debug': 'true' });
  const stages = answer.headers.get('x-vsr-stage-us').split(',').map((entry) => entry.split('='));
  const names = stages.map(([name]) => name);
  for (const name of ['admit', 'receive', 'parse', 'translate', 'facts', 'resolve', 'session', 'signals', 'select', 'dispatch'])
    assert.ok(names.includes(name), `${name} of ${names}`);
  assert.equal(names[0], 'admit');
  assert.equal(names.at(-1), 'dispatch');
  for (const [name, us] of stages) assert.match(us, /^\d+$/, name);
});

test('which conversation', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: backend }, listener: { trust_identity_headers: true } }));
  const session = async (body, headers = {}) =>
    (await post(vsr.port, body, { 'x-vsr-debug': 'true', ...headers })).headers.get('x-vsr-session-id');
  const hi = chat('hi');
  assert.equal(await session(hi, { 'x-session-id': ' s-1 ' }), 's-1');
  assert.equal(await session({ ...hi, metadata: { user_id: 'u' } }), 'ant-md-u');
  assert.equal(await session(hi, { 'x-authz-user-id': 'u' }), 'cc-96626b61a54008bf');
  assert.equal(await session(hi), 'cc-full-823631717fa11745');
  assert.equal(await session(hi, { 'x-claude-code-session-id': 'c' }), 'cc-full-823631717fa11745', 'only on /v1/messages');
});
