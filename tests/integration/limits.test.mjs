// Rate limits and budgets: who is counted, what is charged, what the client is told.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend, chunk, completion, hang, jsonAnswer, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { chat, Conn, post, requestBytes } from './lib/http.mjs';
import { eventually, policy, startVsr, test } from './lib/harness.mjs';

const limiter = (...rules) => ({ services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } });
const byUser = (user, more = {}) => ({ 'x-authz-user-id': user, ...more });
const remaining = (answer) => Number(answer.headers.get('x-ratelimit-remaining'));

/** The answers of `openaiAnswer` report 11 tokens of prompt and 7 of answer. */
const REPORTED = 18;

describe('limits', () => {
  let backend;
  before(async () => {
    backend = await Backend.start();
  });
  after(async () => {
    await backend?.close();
  });

  const start = (t, rules, { models = { small: backend }, listener = {}, ...more } = {}) =>
    startVsr(
      t,
      policy({
        default_model: 'small',
        models,
        listener: { trust_identity_headers: true, ...listener },
        global: limiter(...rules),
        ...more,
      }),
    );
  const ask = (vsr, headers = {}, extra = {}) => post(vsr.port, chat('hi', { model: 'small', ...extra }), headers);

  test('64 clients at once: exactly as many pass as the limit says', async (t) => {
    const vsr = await start(t, [{ name: 'r', requests_per_unit: 20, unit: 'day' }]);
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask(vsr, byUser('alice'))));
    const passed = answers.filter((answer) => answer.status === 200);
    assert.equal(passed.length, 20);
    assert.equal(answers.filter((answer) => answer.status === 429).length, 44);
    assert.deepEqual(
      passed.map(remaining).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.equal((await ask(vsr, byUser('bob'))).status, 200, 'others have their own');
  });

  test('who is refused learns when to come again', async (t) => {
    const vsr = await start(t, [{ name: 'r', requests_per_unit: 2, unit: 'hour' }]);
    const first = await ask(vsr, byUser('alice'));
    assert.equal(first.status, 200, first.text());
    assert.equal(first.headers.get('x-ratelimit-limit'), '2');
    assert.equal(first.headers.get('x-ratelimit-remaining'), '1');
    const reset = Number(first.headers.get('x-ratelimit-reset')) - Date.now() / 1000;
    assert.ok(reset > 1700 && reset < 1802, `half of the hour's budget is back in half an hour: ${reset}`);
    await ask(vsr, byUser('alice'));
    const refused = await ask(vsr, byUser('alice'));
    assertError(refused, 429, { type: 'rate_limit_error', message: /^Rate limit exceeded\. Retry after \d+ seconds\.$/ });
    const retry = Number(refused.headers.get('retry-after'));
    assert.ok(retry > 1700 && retry <= 1800, `${retry}`);
    assert.equal(refused.headers.get('x-ratelimit-limit'), '2');
    assert.equal(refused.headers.get('x-ratelimit-remaining'), '0');
    assert.equal(refused.headers.get('x-vsr-response-path'), 'rate_limited');
    assert.match((await vsr.metrics()).text(), /^vsr_rate_limited_total\{rule="r",kind="requests"\} 1$/m);
  });

  test('identity counts only where the listener trusts it', async (t) => {
    const vsr = await start(t, [{ name: 'r', requests_per_unit: 1, unit: 'day' }], {
      listener: { trust_identity_headers: false },
    });
    assert.equal((await ask(vsr, byUser('alice'))).status, 200);
    assert.equal((await ask(vsr, byUser('bob'))).status, 429, 'made up names are one caller');
    assert.equal((await ask(vsr, byUser('bob', { 'x-authz-tenant-id': 'other' }))).status, 429);
  });

  test('keys of the listener have budgets, whoever shows them', async (t) => {
    const vsr = await start(t, [{ name: 'r', requests_per_unit: 1, unit: 'day', match: { key: '*' } }], {
      listener: { api_keys: ['key-one', 'key-two'] },
    });
    const withKey = (key, user) => ask(vsr, byUser(user, { Authorization: `Bearer ${key}` }));
    assert.equal((await withKey('key-one', 'alice')).status, 200);
    assert.equal((await withKey('key-one', 'bob')).status, 429);
    assert.equal((await withKey('key-two', 'bob')).status, 200);
    assert.equal((await withKey('key-three', 'bob')).status, 401);
  });

  test('tenants share, models are counted apart', async (t) => {
    const vsr = await start(
      t,
      [
        { name: 'tenant', requests_per_unit: 3, unit: 'day', match: { tenant: '*' } },
        { name: 'large', requests_per_unit: 1, unit: 'day', match: { tenant: '*', model: 'large' } },
      ],
      { models: { small: backend, large: backend } },
    );
    const of = (tenant, user, model) => ask(vsr, byUser(user, { 'x-authz-tenant-id': tenant }), { model });
    assert.equal((await of('acme', 'alice', 'large')).status, 200);
    assert.equal((await of('acme', 'bob', 'large')).status, 429, 'the model is used up');
    assert.equal((await of('acme', 'bob', 'small')).status, 200, 'the refused one was given back to the tenant');
    assert.equal((await of('acme', 'bob', 'small')).status, 200);
    assert.equal((await of('acme', 'carol', 'small')).status, 429, 'the tenant is used up');
    assert.equal((await of('other', 'alice', 'large')).status, 200);
  });

  /** Tokens that are left once `act` is over: a fresh vsr, a budget of 1000 for a month. */
  const tokensUsed = async (t, act) => {
    const vsr = await start(t, [{ name: 'r', tokens_per_unit: 1000, unit: 'month' }]);
    await act(vsr);
    let last = -1;
    // The estimate of this very question is taken as well: it is the same each time.
    const probe = async () => {
      backend.behaviour = openaiAnswer();
      return remaining(await ask(vsr, byUser('alice'), { messages: [{ role: 'user', content: 'x' }] }));
    };
    await eventually('all is settled', async () => {
      const metrics = (await vsr.metrics()).text();
      return /^vsr_requests_active 0$/m.test(metrics);
    });
    last = await probe();
    const fresh = await start(t, [{ name: 'r', tokens_per_unit: 1000, unit: 'month' }]);
    return remaining(await ask(fresh, byUser('alice'), { messages: [{ role: 'user', content: 'x' }] })) - last;
  };

  test('tokens: what the backend reports is what counts', async (t) => {
    backend.behaviour = openaiAnswer();
    const used = await tokensUsed(t, async (vsr) => {
      for (let i = 0; i < 3; i++) assert.equal((await ask(vsr, byUser('alice'))).status, 200);
    });
    assert.equal(used, 3 * REPORTED);
  });

  test('tokens of streams, whether or not the client asked for usage', async (t) => {
    backend.behaviour = openaiAnswer();
    const used = await tokensUsed(t, async (vsr) => {
      await ask(vsr, byUser('alice'), { stream: true });
      await ask(vsr, byUser('alice'), { stream: true, stream_options: { include_usage: true } });
    });
    assert.equal(used, 2 * REPORTED);
  });

  test('tokens of whole answers whose backend does not say, and of one that is too long to be read', async (t) => {
    const { usage: _, ...silent } = completion('small', 'word '.repeat(80));
    const long = completion('small', 'word '.repeat(900000));
    for (const [answer, least, most] of [[silent, 80, 400], [long, 900, 1000]]) {
      backend.behaviour = jsonAnswer(JSON.stringify(answer));
      const used = await tokensUsed(t, async (vsr) => {
        assert.equal((await ask(vsr, byUser('alice'))).status, 200);
      });
      assert.ok(used >= least && used <= most, `${used}`);
    }
  });

  test('tokens: a backend that fails is not paid for', async (t) => {
    backend.behaviour = async (exchange) =>
      void (await exchange.write('HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'));
    const used = await tokensUsed(t, async (vsr) => {
      assert.equal((await ask(vsr, byUser('alice'))).status, 500);
    });
    assert.equal(used, 0);
  });

  test('tokens: a stream that is cut is charged for what came', async (t) => {
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      const events = streamEvents('small', Array.from({ length: 40 }, (_, i) => `w${i} `));
      for (const event of events.slice(0, 41)) await exchange.write(chunk(event));
      exchange.end();
    };
    const used = await tokensUsed(t, async (vsr) => {
      await ask(vsr, byUser('alice'), { stream: true });
    });
    assert.ok(used >= 40 && used < 60, `${used}`);
  });

  test('tokens: a client that leaves is charged, and its place is free', async (t) => {
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      const events = streamEvents('small', Array.from({ length: 30 }, (_, i) => `w${i} `));
      for (const event of events.slice(0, 31)) await exchange.write(chunk(event));
      await exchange.request.gone;
      exchange.end();
    };
    const used = await tokensUsed(t, async (vsr) => {
      const conn = await Conn.open(vsr.port);
      const body = chat('hi', { model: 'small', stream: true });
      await conn.write(requestBytes({ body, headers: byUser('alice') }));
      await eventually('the stream came', async () => (await conn.reader.some()) && conn.reader.peek().includes('w29'));
      conn.destroy();
    });
    assert.ok(used >= 30 && used < 50, `${used}`);
  });

  test('who is in debt waits', async (t) => {
    backend.behaviour = openaiAnswer();
    const vsr = await start(t, [{ name: 'r', tokens_per_unit: 15, unit: 'hour' }]);
    assert.equal((await ask(vsr, byUser('alice'))).status, 200);
    const refused = await ask(vsr, byUser('alice'));
    assertError(refused, 429, { type: 'rate_limit_error' });
    assert.ok(Number(refused.headers.get('retry-after')) > 600, 'three tokens over take 12 minutes');
    const long = await ask(vsr, byUser('bob'), { messages: [{ role: 'user', content: 'word '.repeat(200) }] });
    assertError(long, 429, { message: 'The request needs more than the whole rate limit of 15 tokens.' });
  });

  test('money, by the prices of the model', async (t) => {
    backend.behaviour = openaiAnswer();
    const priced = (prompt, completion) => ({
      backend_refs: [backend],
      pricing: { currency: 'USD', prompt_per_1m: prompt, completion_per_1m: completion },
    });
    // An answer costs 11 * 0.01 + 7 * 0.02 = 0.25.
    const vsr = await start(t, [{ name: 'r', cost_per_unit: 0.6, unit: 'month' }], {
      models: { small: priced(10000, 20000), free: backend },
    });
    for (let i = 0; i < 2; i++) assert.equal((await ask(vsr, byUser('alice'))).status, 200);
    const third = await ask(vsr, byUser('alice'));
    assert.equal(third.status, 200, 'ten cents are left, the prompt is thought to need less');
    const refused = await ask(vsr, byUser('alice'));
    assertError(refused, 429, { type: 'rate_limit_error' });
    assert.equal(refused.headers.get('x-ratelimit-limit'), '0.6000');
    assert.equal((await ask(vsr, byUser('bob'), { model: 'free' })).status, 200);
  });

  test('requests at once', async (t) => {
    backend.behaviour = hang();
    const vsr = await start(t, [{ name: 'r', concurrent: 1 }]);
    backend.forget();
    const conn = await Conn.open(vsr.port);
    await conn.write(requestBytes({ body: chat('hi', { model: 'small' }), headers: byUser('alice') }));
    await backend.received(1);
    const refused = await ask(vsr, byUser('alice'));
    assertError(refused, 429, { type: 'rate_limit_error' });
    assert.equal(refused.headers.get('retry-after'), '1');
    conn.destroy();
    backend.behaviour = openaiAnswer();
    await eventually('the place is free', async () => (await ask(vsr, byUser('alice'))).status === 200);
  });

  test("the backend's own limits are not shown as vsr's", async (t) => {
    backend.behaviour = async (exchange) =>
      void (await exchange.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-ratelimit-limit: 7\r\nX-RateLimit-Remaining-Requests: 3\r\nContent-Length: 2\r\n\r\n{}',
      ));
    const vsr = await start(t, [{ name: 'r', requests_per_unit: 5, unit: 'day' }]);
    const answer = await ask(vsr, byUser('alice'));
    assert.equal(answer.headers.get('x-ratelimit-limit'), '5');
    assert.equal(answer.headers.get('x-ratelimit-remaining-requests'), '3', 'others pass');
  });

  test('what was used outlasts a reload', async (t) => {
    backend.behaviour = openaiAnswer();
    const document = (n) =>
      policy({
        default_model: 'small',
        models: { small: backend },
        listener: { trust_identity_headers: true },
        global: limiter({ name: 'r', requests_per_unit: n, unit: 'day' }),
      });
    const vsr = await startVsr(t, document(2));
    for (let i = 0; i < 2; i++) assert.equal((await ask(vsr, byUser('alice'))).status, 200);
    assert.equal((await ask(vsr, byUser('alice'))).status, 429);
    vsr.write(document(3));
    vsr.signal('SIGHUP');
    await eventually('the new limit', async () => (await ask(vsr, byUser('alice'))).status === 200);
    assert.equal((await ask(vsr, byUser('alice'))).status, 429);
  });
});
