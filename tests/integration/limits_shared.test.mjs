// Budgets that several processes share through a Redis server.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend, completion, hang, jsonAnswer, openaiAnswer } from './lib/backend.mjs';
import { chat, Conn, post, requestBytes } from './lib/http.mjs';
import { eventually, freePort, lane, otherwise, policy, startVsr, test, within } from './lib/harness.mjs';

const there = spawnSync('redis-server', ['--version']).status === 0;

/** A server of its own, with a password; `kill()` as a machine that loses power. */
class Redis {
  static async start(port) {
    const redis = new Redis();
    redis.port = port ?? (await freePort());
    redis.dir = mkdtempSync(path.join(tmpdir(), 'vsr-redis-'));
    const args = ['--port', `${redis.port}`, '--bind', '127.0.0.1', '--save', '', '--requirepass', 'pass word'];
    redis.child = spawn('redis-server', [...args, '--dir', redis.dir], { stdio: 'ignore' });
    redis.ended = new Promise((resolve) => redis.child.once('close', resolve));
    await eventually('redis listens', () => connects(redis.port));
    return redis;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await within('redis to end', this.ended);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const connects = (port) =>
  new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' }, () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });

describe('limits shared through Redis', { skip: there ? false : 'redis-server is not installed' }, () => {
  let backend, redis, prefix = 0;
  before(async () => {
    backend = await Backend.start();
    redis = await Redis.start();
  });
  after(async () => {
    await redis?.kill();
    await backend?.close();
  });

  /** `n` processes with the same rules; each test counts under a name of its own. */
  const start = async (t, n, rules, { fail_open = false, port = redis.port } = {}) => {
    const server = { address: `127.0.0.1:${port}`, password: 'pass word', key_prefix: `t${prefix++}` };
    const document = policy({
      default_model: 'small',
      models: { small: backend },
      listener: { trust_identity_headers: true },
      global: { services: { ratelimit: { fail_open, providers: [{ type: 'redis-limiter', redis: server, rules }] } } },
    });
    return Promise.all(Array.from({ length: n }, () => startVsr(t, document)));
  };
  const ask = (vsr, headers = {}) => post(vsr.port, chat('hi', { model: 'small' }), { 'x-authz-user-id': 'alice', ...headers });
  const remaining = (answer) => Number(answer.headers.get('x-ratelimit-remaining'));

  test('64 clients on two processes: exactly as many pass as the limit says', async (t) => {
    backend.behaviour = openaiAnswer();
    const vsrs = await start(t, 2, [{ name: 'r', requests_per_unit: 20, unit: 'day' }]);
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => ask(vsrs[i % 2])));
    const passed = answers.filter((answer) => answer.status === 200);
    assert.equal(passed.length, 20);
    assert.deepEqual(
      passed.map(remaining).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
    const refused = answers.find((answer) => answer.status === 429);
    assertError(refused, 429, { type: 'rate_limit_error' });
    assert.ok(Number(refused.headers.get('retry-after')) > 4000);
  });

  test('another model answers by its own budgets, which are asked for again', async (t) => {
    const broken = await Backend.start(t, jsonAnswer('{}', { status: 503, reason: 'No' }));
    const two = await Backend.start(t);
    const three = await Backend.start(t);
    const dead = { backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] };
    const rules = [
      { name: 'all', requests_per_unit: 100, unit: 'day' },
      { name: 'of-two', match: { model: 'two' }, requests_per_unit: 1, unit: 'day' },
      { name: 'of-three', match: { model: 'three' }, requests_per_unit: 1, unit: 'day' },
    ];
    const server = { address: `127.0.0.1:${redis.port}`, password: 'pass word', key_prefix: `t${prefix++}` };
    for (const [i, one] of [broken, dead].entries()) {
      const vsr = await startVsr(
        t,
        policy({
          default_model: 'one',
          models: { one, two, three },
          decisions: [{ name: 'all', priority: 1, fallback: true, modelRefs: ['one', 'two', 'three'].map((model) => ({ model })) }],
          global: { services: { ratelimit: { providers: [{ type: 'redis-limiter', redis: { ...server, key_prefix: `${server.key_prefix}-${i}` }, rules }] } } },
        }),
      );
      const send = () => post(vsr.port, { ...chat('hi'), model: 'auto' });
      for (const wanted of ['two', 'three']) {
        const answer = await send();
        assert.equal(answer.status, 200, answer.text());
        assert.equal(answer.headers.get('x-vsr-selected-model'), wanted);
        assert.equal(answer.headers.get('retry-after'), undefined);
      }
      assertError(await send(), 429, { type: 'rate_limit_error' });
      await eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
    }
    assert.deepEqual([two.requests.length, three.requests.length], [2, 2]);
  });

  test('tokens are settled with what the backend reports, wherever the answer came', async (t) => {
    backend.behaviour = openaiAnswer();
    const vsrs = await start(t, 2, [{ name: 'r', tokens_per_unit: 1000, unit: 'month' }]);
    const first = remaining(await ask(vsrs[0]));
    for (let i = 0; i < 4; i++) assert.equal((await ask(vsrs[i % 2])).status, 200);
    await eventually('all is settled', async () => remaining(await ask(vsrs[0])) < first - 5 * 18 + 1);
    const third = remaining(await ask(vsrs[1]));
    assert.equal((first - third) % 18, 0, `${first} ${third}`);
  });

  test('a later rule that refuses gives the earlier ones back', async (t) => {
    backend.behaviour = openaiAnswer();
    const [vsr] = await start(t, 1, [
      { name: 'all', requests_per_unit: 2, unit: 'day' },
      { name: 'model', requests_per_unit: 1, unit: 'day', match: { user: '*', model: 'small' } },
    ]);
    assert.equal((await ask(vsr)).status, 200);
    for (let i = 0; i < 3; i++) assert.equal((await ask(vsr)).status, 429);
    const other = await post(vsr.port, chat('hi', { model: 'auto' }), { 'x-authz-user-id': 'alice' });
    assert.equal(other.status, 429, 'auto becomes small, which is used up');
    assert.equal(remaining(other), 0);
  });

  test('a client that leaves while it is asked takes nothing with it', async (t) => {
    backend.behaviour = hang();
    const [vsr] = await start(t, 1, [{ name: 'r', requests_per_unit: 100, tokens_per_unit: 100000, unit: 'month' }]);
    for (let i = 0; i < 20; i++) {
      const conn = await Conn.open(vsr.port);
      await conn.write(requestBytes({ body: chat('hi', { model: 'small' }), headers: { 'x-authz-user-id': 'alice' } }));
      conn.reset();
    }
    backend.behaviour = openaiAnswer();
    await eventually('nothing is under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
    assert.equal((await ask(vsr)).status, 200);
  });

  test('without its server: refused, or let through, as the operator says; and back when it is back', async (t) => {
    backend.behaviour = openaiAnswer();
    const own = await Redis.start();
    const rules = [{ name: 'r', requests_per_unit: 1000, unit: 'day' }];
    const [closed] = await start(t, 1, rules, { port: own.port });
    const [open] = await start(t, 1, rules, { port: own.port, fail_open: true });
    assert.equal((await ask(closed)).status, 200);
    await own.kill();
    const refused = await ask(closed);
    assertError(refused, 429, { type: 'rate_limit_error' });
    assert.equal(refused.headers.get('retry-after'), '5');
    assert.equal(refused.headers.get('x-ratelimit-limit'), undefined);
    for (let i = 0; i < 10; i++) assert.equal((await ask(open)).status, 200);
    assert.match((await open.metrics()).text(), /^vsr_limit_errors_total\{provider="redis-limiter"\} \d+$/m);
    const again = await Redis.start(own.port);
    t.after(() => again.kill());
    await eventually('it counts again', async () => (await ask(closed)).status === 200);
  });

  test('a picture beside text: the budgets of both models, counted elsewhere', async (t) => {
    const writer = await Backend.start(t, openaiAnswer());
    const url = 'data:image/png;base64,iVBORw0KGgo=';
    const painter = await Backend.start(t, jsonAnswer(JSON.stringify(completion('x', [{ type: 'image_url', image_url: { url } }]))));
    const rules = [
      { name: 'all', requests_per_unit: 100, unit: 'day' },
      { name: 'painter', requests_per_unit: 2, unit: 'day', match: { model: 'painter' } },
    ];
    const redisOptions = { address: `127.0.0.1:${redis.port}`, password: 'pass word', key_prefix: `t${prefix++}` };
    const document = policy({
      default_model: 'writer',
      models: { writer, painter },
      cards: { painter: { modality: 'diffusion' } },
      signals: { modality: [{ name: 'BOTH' }] },
      decisions: [lane('both', 'modality', 'BOTH', 'writer', { modelRefs: [{ model: 'writer' }, { model: 'painter' }] }), otherwise('writer')],
      global: {
        model_catalog: { modules: { modality_detector: { enabled: true, method: 'keyword', keywords: ['picture'], both_keywords: ['explain'] } } },
        services: { ratelimit: { providers: [{ type: 'redis-limiter', redis: redisOptions, rules }] } },
      },
    });
    const vsrs = await Promise.all([startVsr(t, document), startVsr(t, document)]);
    const both = (vsr) => post(vsr.port, chat('Explain the picture'));
    for (const vsr of vsrs) assert.equal((await both(vsr)).status, 200);
    writer.forget();
    for (const vsr of vsrs) assertError(await both(vsr), 429, { type: 'rate_limit_error' });
    assert.equal(writer.requests.length, 0);
    const plain = await post(vsrs[0].port, chat('How do cats sleep?'));
    assert.equal(plain.status, 200);
    assert.equal(remaining(plain), 97, 'what was refused was given back');
  });

  test('an address that is none is refused at start', async (t) => {
    await assert.rejects(start(t, 1, [{ name: 'r', requests_per_unit: 1 }], { port: 'none' }), /is not host:port/);
  });
});
