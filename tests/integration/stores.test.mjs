// Where stored responses live: every place survives a restart of vsr, two replicas share a server, and a server that is
// killed under load costs no request that does not need it, and nothing that was acknowledged.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';

import OpenAI from 'openai';

import { Backend, openaiAnswer } from './lib/backend.mjs';
import { Authority } from './lib/certificates.mjs';
import { chat, get, request } from './lib/http.mjs';
import { eventually, freePort, policy, sleep, startVsr, test, Vsr } from './lib/harness.mjs';
import { places as allPlaces } from './lib/places.mjs';
import { noRedis, Redis } from './lib/redis.mjs';

const connect = (vsr) => new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', maxRetries: 0 });

const document = (backend, response_api) =>
  policy({
    default_model: 'small',
    models: { small: { provider_model_id: 'prov/small', backend_refs: [backend] } },
    global: { services: { response_api } },
  });

const stateDir = (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-state-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
};

const { sqlite, redis, postgres } = allPlaces;

/** Those that outlive vsr. */
const places = {
  sqlite,
  redis,
  'redis over TLS, with a password': {
    skip: noRedis,
    begin: async (t) => {
      const server = await Redis.start(t, { password: 'pass word', tls: new Authority(t) });
      return { server, response_api: { store_backend: 'redis', redis: server.config } };
    },
  },
  postgres,
};

const up = (vsr, value) =>
  eventually(`the store to be ${value ? 'there' : 'away'}`, async () =>
    (await vsr.metrics()).text().includes(`vsr_store_up{store="responses"} ${value}\n`),
  );

describe('stored responses', () => {
  for (const [name, place] of Object.entries(places)) {
    test(`${name}: a restart loses none`, { skip: place.skip ?? false }, async (t) => {
      const { response_api } = await place.begin(t);
      const backend = await Backend.start(t);
      const options = { env: { VSR_STATE_DIR: stateDir(t) } };
      const first = await Vsr.start(document(backend, response_api), options);
      await up(first, 1);
      const made = await connect(first).responses.create({ model: 'auto', input: 'q' });
      const next = await connect(first).responses.create({ model: 'auto', input: 'and?', previous_response_id: made.id });
      const stream = await connect(first).responses.create({ model: 'auto', input: 'b', background: true, stream: true });
      const events = [];
      for await (const event of stream) events.push(event);
      await first.stop();
      const second = await startVsr(t, document(backend, response_api), options);
      await up(second, 1);
      const client = connect(second);
      assert.deepEqual(await client.responses.retrieve(made.id), made);
      assert.deepEqual(await client.responses.retrieve(next.id), next);
      const id = events[0].response.id;
      const again = [];
      for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 1 })) again.push(event);
      assert.deepEqual(again, events.slice(2));
      const last = await client.responses.create({ model: 'auto', input: 'more', previous_response_id: next.id });
      assert.equal(last.previous_response_id, next.id);
      assert.equal(backend.last.json().messages.filter(({ role }) => role === 'user').length, 3);
      await client.responses.delete(made.id);
      await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
    });
  }
});

describe('servers that are killed', () => {
  for (const name of ['redis', 'postgres']) {
    test(`${name} under load`, { skip: places[name].skip }, async (t) => {
      const { server, count, response_api } = await places[name].begin(t);
      const backend = await Backend.start(t);
      backend.behaviour = openaiAnswer();
      const options = { env: { VSR_STATE_DIR: stateDir(t) } };
      const vsr = await startVsr(t, document(backend, response_api), options);
      await up(vsr, 1);
      const made = [];
      let chats = 0, running = true;
      const known = (await connect(vsr).responses.create({ model: 'auto', input: 'before' })).id;
      made.push(known);
      const creating = async () => {
        for (; running; await sleep(10)) {
          const body = { model: 'auto', input: `q${made.length}` };
          const answer = await request(vsr.port, { path: '/v1/responses', body });
          assert.equal(answer.status, 200, answer.text());
          made.push(answer.json().id);
        }
      };
      const chatting = async () => {
        for (; running; await sleep(10), chats++) {
          const answer = await request(vsr.port, { body: chat('hi') });
          assert.equal(answer.status, 200, answer.text());
        }
      };
      const load = Promise.all([creating(), creating(), chatting(), chatting()]);
      await sleep(500);
      await server.kill();
      const before = chats;
      await up(vsr, 0);
      const begun = Date.now();
      const away = await get(vsr.port, `/v1/responses/${known}`);
      assert.ok(Date.now() - begun < 3500, 'an answer in 3 s');
      assert.equal(away.status, 503);
      assert.equal(away.json().error.code, 'store_unavailable');
      assert.equal(away.headers.get('retry-after'), '1');
      const meanwhile = made.at(-1); // memory has it
      assert.equal((await get(vsr.port, `/v1/responses/${meanwhile}`)).status, 200);
      assert.match((await vsr.metrics()).text(), /vsr_store_dropped_total\{store="responses"\} 0\n/);
      await eventually('chats to go on', () => chats > before + 20);
      await server.start();
      await up(vsr, 1);
      await sleep(300);
      running = false;
      await load;
      for (const id of made) {
        const kept = await get(vsr.port, `/v1/responses/${id}`);
        assert.equal(kept.status, 200, `${id}: ${kept.text()}`);
        assert.equal(kept.json().id, id);
      }
      assert.equal(new Set(made).size, made.length);
      assert.equal(count(), made.length, 'each of them once');
    });
  }
});

test('two replicas share a server', { skip: noRedis }, async (t) => {
  const { response_api } = await places.redis.begin(t);
  const backend = await Backend.start(t);
  const one = await startVsr(t, document(backend, response_api));
  const two = await startVsr(t, document(backend, response_api));
  await up(one, 1);
  await up(two, 1);
  const made = await connect(one).responses.create({ model: 'auto', input: 'q' });
  assert.deepEqual(await connect(two).responses.retrieve(made.id), made);
  await connect(two).responses.delete(made.id);
  await assert.rejects(connect(one).responses.retrieve(made.id), OpenAI.NotFoundError);
});

test('a server that is not there does not stop the start', async (t) => {
  const backend = await Backend.start(t);
  const management = await freePort();
  const response_api = { store_backend: 'postgres', postgres: { host: '127.0.0.1', port: await freePort(), user: 'x' } };
  const vsr = await startVsr(t, document(backend, response_api), { env: { VSR_MANAGEMENT_LISTEN: `127.0.0.1:${management}` } });
  await vsr.says(/a store cannot be reached; memory stands for it.*postgres/);
  assert.equal(vsr.log.match(/cannot be reached/g).length, 1);
  const made = await connect(vsr).responses.create({ model: 'auto', input: 'q' });
  assert.deepEqual(await connect(vsr).responses.retrieve(made.id), made);
  const [store] = (await get(management, '/ready')).json().stores;
  assert.deepEqual([store.name, store.backend, store.up, store.held_in_memory > 0], ['responses', 'postgres', false, true]);
  assert.match(store.error, /refused/);
});

test('a state directory that cannot be made', async (t) => {
  const backend = await Backend.start(t);
  const dir = stateDir(t);
  writeFileSync(path.join(dir, 'file'), '');
  const options = { args: ['--state-dir', path.join(dir, 'file', 'state')] };
  const vsr = await startVsr(t, document(backend, { store_backend: 'sqlite' }), options);
  await vsr.says(/the state directory cannot be used/);
  const made = await connect(vsr).responses.create({ model: 'auto', input: 'q' });
  assert.deepEqual(await connect(vsr).responses.retrieve(made.id), made);
});

test('what is kept is for its owner alone, and where the option says', async (t) => {
  const backend = await Backend.start(t);
  const dir = path.join(stateDir(t), 'deep', 'state');
  const vsr = await startVsr(t, document(backend, { store_backend: 'sqlite' }), { args: ['--state-dir', dir] });
  await up(vsr, 1);
  await connect(vsr).responses.create({ model: 'auto', input: 'q' });
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const file of ['responses.db', 'responses.db-wal', 'instance-0']) {
    assert.equal(statSync(path.join(dir, file)).mode & 0o777, 0o600, file);
  }
});

test('a reload moves to another place', async (t) => {
  const backend = await Backend.start(t);
  const dir = stateDir(t);
  mkdirSync(path.join(dir, 'state'));
  const vsr = await startVsr(t, document(backend, { store_backend: 'memory' }), { env: { VSR_STATE_DIR: dir } });
  const made = await connect(vsr).responses.create({ model: 'auto', input: 'q' });
  vsr.write(document(backend, { store_backend: 'sqlite' }));
  await vsr.says(/configuration reloaded/);
  await assert.rejects(connect(vsr).responses.retrieve(made.id), OpenAI.NotFoundError);
  const kept = await connect(vsr).responses.create({ model: 'auto', input: 'q' });
  vsr.write(document(backend, { store_backend: 'sqlite', max_responses: 7 }));
  const from = vsr.log.length;
  await vsr.says(/configuration reloaded/, from);
  assert.deepEqual(await connect(vsr).responses.retrieve(kept.id), kept);
});

test('a cluster of Redis servers is refused', async (t) => {
  const backend = await Backend.start(t);
  const redis = { address: 'localhost:6379', cluster_mode: true };
  const vsr = await Vsr.start(document(backend, { store_backend: 'redis', redis }), { ready: false });
  t.after(() => vsr.kill());
  await vsr.exited;
  assert.match(vsr.log, /cluster of Redis servers; name one that is not part of a cluster/);
});
