// What makes vsr load its policy again, and what of it changes while it runs: everything but its process.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { Backend, chunk, hang, jsonAnswer, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { chat, Conn, decorate, get, post, readChatStream, request, requestBytes } from './lib/http.mjs';
import { eventually, freePort, pool, policy, seconds, sleep, startVsr, test, within } from './lib/harness.mjs';

const one = (backend, extra = {}) => policy({ default_model: 'm', models: { m: backend }, ...extra });

const generationOf = (answer) => Number(answer.headers.get('x-vsr-config-generation'));

/** Waits until `n` is reported as in service, and checks that it really is, in every worker. */
async function serves(vsr, n, port = vsr.port, headers = {}) {
  await vsr.says(new RegExp(`configuration reloaded[^\\n]*generation=${n}\\b`));
  await pool(Array.from({ length: 16 }), 4, async () => {
    assert.equal(generationOf(await post(port, chat('hi'), headers)), n);
  });
}

/** The value of one series of the metrics page. */
async function metric(vsr, series) {
  const text = (await vsr.metrics()).body.toString();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  assert.ok(line, `${series} in the metrics`);
  return Number(line.slice(series.length + 1));
}

/** The text of a document for this instance, different for each `note`. */
const textFor = (vsr, document, note) =>
  JSON.stringify({ ...document, listeners: [{ ...document.listeners[0], port: vsr.port }], 'x-note': note });

const refused = async (port, host = '127.0.0.1') => {
  try {
    (await Conn.open(port, { host })).destroy();
    return false;
  } catch (error) {
    return error.code === 'ECONNREFUSED';
  }
};

// ---- what makes vsr reload

test('a file that changes is served, however it changes', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const text = (n) => textFor(vsr, one(backend), n);
  const data = (n) => path.join(vsr.dir, `..v${n}`);
  const swap = (n) => {
    mkdirSync(data(n));
    writeFileSync(path.join(data(n), 'config.yaml'), text(n));
    symlinkSync(`..v${n}`, path.join(vsr.dir, '..data_tmp'));
    renameSync(path.join(vsr.dir, '..data_tmp'), path.join(vsr.dir, '..data'));
  };
  const ways = {
    'replaced by a rename': (n) => {
      writeFileSync(`${vsr.file}.new`, text(n));
      renameSync(`${vsr.file}.new`, vsr.file);
    },
    'written in place': (n) => writeFileSync(vsr.file, text(n)),
    'removed, and there again': (n) => {
      rmSync(vsr.file);
      writeFileSync(vsr.file, text(n));
    },
    'become a mount of Kubernetes': (n) => {
      swap(n);
      symlinkSync('..data/config.yaml', `${vsr.file}.new`);
      renameSync(`${vsr.file}.new`, vsr.file);
    },
    'swapped with its mount': swap,
    'swapped once more': (n) => {
      swap(n);
      rmSync(data(n - 1), { recursive: true });
    },
    'written in place inside the mount': (n) => writeFileSync(path.join(data(n - 1), 'config.yaml'), text(n)),
  };
  let n = 1;
  for (const [name, change] of Object.entries(ways)) {
    await t.test(name, async () => {
      n += 1;
      change(n);
      await serves(vsr, n);
    });
  }
});

test('what has not changed is not loaded again, unless asked to', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const unchanged = () => metric(vsr, 'vsr_config_reloads_total{result="unchanged"}');
  utimesSync(vsr.file, new Date(), new Date());
  await eventually('the touched file to be looked at', async () => (await unchanged()) === 1);
  chmodSync(vsr.file, 0o600);
  await eventually('the file with another mode to be looked at', async () => (await unchanged()) === 2);
  vsr.write(one(backend)); // the same bytes
  await eventually('the replaced file to be looked at', async () => (await unchanged()) === 3);
  assert.equal(await metric(vsr, 'vsr_config_generation'), 1);
  vsr.signal('SIGHUP');
  await serves(vsr, 2);
});

test('files beside the policy count like the policy itself', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const file = path.join(vsr.dir, 'tools.json');
  const tools = (...names) =>
    JSON.stringify(names.map((name) => ({ tool: { type: 'function', function: { name } }, description: name })));
  const document = one(backend, { global: { integrations: { tools: { enabled: true, tools_db_path: 'tools.json' } } } });
  vsr.write(document); // the file is not there, which is no error
  await serves(vsr, 2);
  writeFileSync(file, tools('a'));
  await serves(vsr, 3);
  writeFileSync(`${file}.new`, tools('a', 'b'));
  renameSync(`${file}.new`, file);
  await serves(vsr, 4);
  utimesSync(file, new Date(), new Date());
  writeFileSync(file, '[{');
  await vsr.says(/config_reload_failed[^\n]*stage=validate[^\n]*tools.json[^\n]*generation=4/);
  writeFileSync(file, tools('c'));
  await serves(vsr, 5);

  // A document that is refused because of its file is tried again when the file is mended.
  const other = path.join(vsr.dir, 'other.json');
  writeFileSync(other, 'no JSON');
  vsr.write(one(backend, { global: { integrations: { tools: { enabled: true, tools_db_path: 'other.json' } } } }));
  await vsr.says(/config_reload_failed[^\n]*other.json[^\n]*generation=5/);
  writeFileSync(other, tools('d'));
  await serves(vsr, 6);
});

test('with --no-watch only a signal counts', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend), { args: ['--no-watch'] });
  vsr.write({ ...one(backend), 'x-note': 'second' });
  await sleep(1500);
  assert.equal(generationOf(await post(vsr.port, chat('hi'))), 1);
  assert.equal(await metric(vsr, 'vsr_config_reloads_total{result="unchanged"}'), 0);
  vsr.signal('SIGHUP');
  await serves(vsr, 2);
});

test('failures and successes show in the metrics and the log', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const series = [
    'vsr_config_generation',
    'vsr_config_last_reload_success',
    'vsr_config_reloads_total{result="ok"}',
    'vsr_config_reloads_total{result="failed"}',
  ];
  const state = () => Promise.all(series.map((name) => metric(vsr, name)));
  const stamp = () => metric(vsr, 'vsr_config_last_reload_success_timestamp_seconds');
  const first = await stamp();
  assert.ok(Math.abs(first - Date.now() / 1000) < 600, `${first} is about now`);
  assert.deepEqual(await state(), [1, 1, 0, 0]);
  vsr.write({ ...one(backend), surprise: true });
  await vsr.says(/config_reload_failed[^\n]*stage=validate[^\n]*E_UNKNOWN surprise[^\n]*generation=1/);
  assert.deepEqual(await state(), [1, 0, 0, 1]);
  assert.equal(await stamp(), first);
  rmSync(vsr.file);
  await vsr.says(/config_reload_failed[^\n]*stage=read[^\n]*generation=1/);
  assert.deepEqual(await state(), [1, 0, 0, 2]);
  vsr.write({ ...one(backend), 'x-note': 'second' });
  await serves(vsr, 2);
  assert.deepEqual(await state(), [2, 1, 1, 2]);
  assert.ok((await stamp()) >= first);
  vsr.write({ ...one(backend), surprise: true });
  await eventually('the third failure', async () => (await state())[3] === 3);
  vsr.write({ ...one(backend), 'x-note': 'second' });
  await eventually('the file to be what serves', async () => (await state())[1] === 1);
  await vsr.says(/info +the file is again the configuration that serves generation=2/);
  assert.deepEqual(await state(), [2, 1, 1, 3], 'nothing had to be loaded');
  await eventually('one generation in memory', async () => (await metric(vsr, 'vsr_config_snapshots')) === 1);
});

// ---- the header

test('answers say which generation gave them', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend, { listener: { api_keys: ['k'] } }));
  const key = { Authorization: 'Bearer k' };
  vsr.signal('SIGHUP');
  await serves(vsr, 2, vsr.port, key);
  const routed = chat('hi');
  const answers = {
    'a routed answer': await post(vsr.port, routed, key),
    'a stream': await post(vsr.port, { ...routed, stream: true }, key),
    'a model by its name': await post(vsr.port, { ...routed, model: 'm' }, key),
    'no key': await post(vsr.port, routed),
    'no such model': await post(vsr.port, { ...routed, model: 'x' }, key),
    'no such path': await get(vsr.port, '/nowhere', key),
    'no JSON': await post(vsr.port, '{', key),
  };
  const conn = await Conn.open(vsr.port);
  await conn.write(Buffer.from('GET / HTTP/9.9\r\n\r\n'));
  answers['no HTTP'] = decorate(await within('an answer', conn.response()));
  conn.destroy();
  for (const [what, answer] of Object.entries(answers)) {
    assert.equal(answer.headers.get('x-vsr-config-generation'), '2', `${what}: ${answer.status}`);
  }
  assert.equal((await get(vsr.port, '/health')).headers.get('x-vsr-config-generation'), undefined);
  backend.behaviour = jsonAnswer('{}', { status: 503, reason: 'No', headers: { 'x-vsr-config-generation': '77' } });
  const relayed = await post(vsr.port, routed, key);
  assert.equal(relayed.status, 503);
  assert.equal(relayed.headers.get('x-vsr-config-generation'), '2', 'a backend cannot say it');
});

// ---- listeners

const listeners = (vsr, backend, ports, extra = {}) => ({
  ...one(backend),
  listeners: ports.map((port, i) => ({ name: `l${i}`, address: '127.0.0.1', port, timeout: '60s', ...extra })),
});

test('listeners come and go', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const [second, third] = [await freePort(), await freePort()];
  vsr.write(listeners(vsr, backend, [vsr.port, second]));
  await serves(vsr, 2, second);
  await serves(vsr, 2);

  let next;
  const gate = new Promise((resolve) => (next = resolve));
  backend.behaviour = async (exchange) => {
    if (!exchange.request.json().stream) return openaiAnswer()(exchange);
    const events = streamEvents('m', ['a', 'b']);
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    await exchange.write(chunk(events[0]));
    await gate;
    for (const event of events.slice(1)) await exchange.write(chunk(event));
    await exchange.write('0\r\n\r\n');
  };
  const idle = await Conn.open(second);
  await idle.write(requestBytes({ body: chat('x') }));
  assert.equal((await within('an answer', idle.response())).status, 200);
  const busy = await Conn.open(second);
  await busy.write(requestBytes({ body: chat('x', { stream: true }) }));
  await within('the start of a stream', busy.reader.some());

  vsr.write(listeners(vsr, backend, [vsr.port, third]));
  await serves(vsr, 3, third);
  assert.ok(await refused(second), 'the removed port is closed');
  await within('the idle connection to end', idle.peerClosed());
  assert.equal(await metric(vsr, 'vsr_config_snapshots'), 2, 'the stream holds its generation');
  next();
  const stream = readChatStream(decorate(await within('the stream', busy.response())));
  assert.deepEqual([stream.content, stream.done, stream.broken], ['ab', true, false]);
  await within('its connection to end', busy.peerClosed());
  for (const conn of [idle, busy]) conn.destroy();
  await eventually('the old generation to go', async () => (await metric(vsr, 'vsr_config_snapshots')) === 1);

  vsr.write(listeners(vsr, backend, [vsr.port, second]));
  await serves(vsr, 4, second);
  assert.ok(await refused(third));
});

test('a port that is taken keeps the old generation whole', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  const [free, taken] = [await freePort(), await freePort()];
  const holder = net.createServer();
  await new Promise((resolve) => holder.listen({ port: taken, host: '127.0.0.1' }, resolve));
  t.after(() => holder.close());
  vsr.write(listeners(vsr, backend, [free, taken]));
  await vsr.says(new RegExp(`config_reload_failed[^\\n]*stage=listen[^\\n]*127.0.0.1:${taken}[^\\n]*generation=1`));
  assert.ok(await refused(free), 'not even a part of it was opened');
  assert.equal(generationOf(await post(vsr.port, chat('hi'))), 1);
  await new Promise((resolve) => holder.close(resolve));
  vsr.signal('SIGHUP');
  await serves(vsr, 2, taken);
  assert.ok(await refused(vsr.port));
});

test('another vsr does not share a port with a listener that is new', async (t) => {
  const backend = await Backend.start(t);
  const first = await startVsr(t, one(backend));
  const second = await startVsr(t, one(backend));
  second.write(listeners(second, backend, [second.port, first.port]));
  await second.says(/config_reload_failed[^\n]*stage=listen[^\n]*in use/);
  assert.equal(generationOf(await post(second.port, chat('hi'))), 1);
});

test('the address of a port changes without a failed request', { timeout: seconds(120) }, async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend));
  let stop = false;
  let n = 0;
  const client = async (fresh) => {
    let conn = null;
    while (!stop) {
      const used = conn !== null;
      conn ??= await Conn.open(vsr.port);
      void conn.write(requestBytes({ body: chat('x') }));
      const response = await within('an answer', conn.response());
      if (used && response.status === 0 && response.body.length === 0) {
        conn.destroy(); // closed between two requests, as a server may (RFC 9112 section 9.5): asked again on a fresh one
        conn = null;
        continue;
      }
      const answer = decorate(response);
      assert.deepEqual([answer.status, answer.complete], [200, true]);
      n += 1;
      if (!fresh && answer.keepAlive) continue;
      conn.destroy();
      conn = null;
    }
    conn?.destroy();
  };
  const clients = [client(true), client(false), client(false), client(true)];
  for (let generation = 2; generation <= 7; generation++) {
    const address = generation % 2 === 0 ? '0.0.0.0' : '127.0.0.1';
    vsr.write(listeners(vsr, backend, [vsr.port], { address }));
    await vsr.says(new RegExp(`configuration reloaded[^\\n]*generation=${generation}\\b`));
    const goal = n + 50;
    await eventually('some load', () => n >= goal);
  }
  stop = true;
  await Promise.all(clients);
});

test('keys and limits change for the next request of a connection', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend, { listener: { api_keys: ['old'] } }));
  const conn = await Conn.open(vsr.port);
  const ask = async (key, content = 'x') => {
    await conn.write(requestBytes({ body: chat(content), headers: { Authorization: `Bearer ${key}` } }));
    return (await within('an answer', conn.response())).status;
  };
  assert.deepEqual([await ask('old'), await ask('new')], [200, 401]);
  const document = one(backend, { listener: { api_keys: ['new'] } });
  vsr.write(document);
  await serves(vsr, 2, vsr.port, { Authorization: 'Bearer new' });
  assert.deepEqual([await ask('new'), await ask('old')], [200, 401]);
  vsr.write({ ...document, global: { router: { streamed_body: { max_bytes: 1000 } } } });
  await serves(vsr, 3, vsr.port, { Authorization: 'Bearer new' });
  assert.equal(await ask('new'), 200);
  assert.equal(await ask('new', 'y'.repeat(2000)), 413);
  conn.destroy();
});

test('a timeout changes for the next request', async (t) => {
  const backend = await Backend.start(t, hang());
  const vsr = await startVsr(t, one(backend));
  const patient = request(vsr.port, { body: chat('x') });
  await within('the first request', backend.received(1));
  vsr.write(one(backend, { listener: { timeout: '200ms' } }));
  await vsr.says(/configuration reloaded[^\n]*generation=2/);
  const answer = await within('the second request to end', post(vsr.port, chat('x')));
  assert.deepEqual([answer.status, generationOf(answer)], [504, 2]);
  const state = await Promise.race([patient, sleep(300).then(() => 'waits')]);
  assert.equal(state, 'waits', 'the first keeps the patience it began with');
  for (const seen of [patient]) seen.catch(() => {});
});

// ---- endpoints

const pooled = (backends, note, weights = [1, 1], reliability = {}) => ({
  ...policy({
    default_model: 'm',
    models: {
      m: {
        backend_refs: backends.map((backend, i) => ({ name: `b${i}`, endpoint: backend.address, weight: weights[i] })),
        reliability: { retry_count: 0, ...reliability },
      },
    },
  }),
  'x-note': note,
});

test('an ejected endpoint stays ejected, a well one stays well', async (t) => {
  const [bad, good] = [await Backend.start(t), await Backend.start(t)];
  bad.behaviour = jsonAnswer('{}', { status: 500, reason: 'No' });
  const reliability = { consecutive_5xx: 3, base_ejection_time: '300s', max_ejection_percent: 50 };
  const vsr = await startVsr(t, pooled([bad, good], 1, [1, 1], reliability));
  const available = (name) => metric(vsr, `vsr_endpoint_available{model="m",endpoint="${name}"}`);
  await eventually('the bad endpoint to be set aside', async () => {
    for (let i = 0; i < 10; i++) await post(vsr.port, chat('x'));
    return (await available('b0')) === 0;
  });
  const failures = await metric(vsr, 'vsr_endpoint_failures_total{model="m",endpoint="b0"}');
  assert.ok(failures >= 3);
  bad.behaviour = openaiAnswer(); // it would answer now, but nobody should ask
  for (let n = 2; n <= 6; n++) {
    vsr.write(pooled([bad, good], n, [1, n], reliability));
    await serves(vsr, n);
    bad.forget();
    for (let i = 0; i < 20; i++) assert.equal((await post(vsr.port, chat('x'))).status, 200);
    assert.equal(bad.requests.length, 0, `generation ${n}`);
  }
  assert.equal(await available('b0'), 0);
  assert.equal(await metric(vsr, 'vsr_endpoint_failures_total{model="m",endpoint="b0"}'), failures);
  assert.equal(await metric(vsr, 'vsr_endpoint_ejections_total{model="m",endpoint="b0"}'), 1);
  // Another port is another endpoint, about which nothing is known.
  const fresh = await Backend.start(t);
  vsr.write(pooled([fresh, good], 7, [1, 1], reliability));
  await serves(vsr, 7);
  await eventually('the new endpoint to be asked', async () => {
    await post(vsr.port, chat('x'));
    return fresh.requests.length > 0;
  });
});

test('connections to backends live on, those to removed ones go', async (t) => {
  const [kept, removed] = [await Backend.start(t), await Backend.start(t)];
  const vsr = await startVsr(t, pooled([kept, removed], 1));
  const load = () => pool(Array.from({ length: 60 }), 6, () => post(vsr.port, chat('x')));
  await load();
  const before = kept.connections;
  assert.ok(before > 0 && removed.open > 0);
  let next;
  const gate = new Promise((resolve) => (next = resolve));
  removed.behaviour = async (exchange) => {
    await gate;
    return openaiAnswer()(exchange);
  };
  const late = [];
  const seen = removed.requests.length;
  while (removed.requests.length === seen) {
    late.push(post(vsr.port, chat('x')));
    await sleep(20);
  }
  vsr.write(pooled([kept], 2));
  await serves(vsr, 2);
  for (let i = 0; i < 30; i++) await post(vsr.port, chat('x'));
  assert.ok(kept.connections <= before + late.length + 1, `${kept.connections} connections, ${before} before the reload`);
  next();
  for (const answer of await Promise.all(late)) assert.equal(answer.status, 200);
  await eventually('the connections to the removed endpoint to end', () => removed.open === 0, seconds(20));
});

test('changed weights apply', async (t) => {
  const [a, b] = [await Backend.start(t), await Backend.start(t)];
  const vsr = await startVsr(t, pooled([a, b], 1, [1, 1]));
  const shares = async () => {
    for (const backend of [a, b]) backend.forget();
    for (let i = 0; i < 80; i++) assert.equal((await post(vsr.port, chat('x'))).status, 200);
    return [a.requests.length, b.requests.length];
  };
  const even = await shares();
  assert.ok(even[0] > 0 && even[1] > 0, `${even}`);
  vsr.write(pooled([a, b], 2, [0, 1]));
  await serves(vsr, 2);
  assert.deepEqual(await shares(), [0, 80]);
  vsr.write(pooled([a, b], 3, [1, 0]));
  await serves(vsr, 3);
  assert.deepEqual(await shares(), [80, 0]);
});
