// The ways to a backend: through a proxy, over a Unix socket, with authorities and certificates of its own; and what
// happens on them when they are slow, full, down or coming back.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

import { Backend } from './lib/backend.mjs';
import { Authority } from './lib/certificates.mjs';
import { chat, post } from './lib/http.mjs';
import { eventually, freePort, policy, startVsr, test } from './lib/harness.mjs';
import { startProxy } from './lib/proxy.mjs';
import { startStandIn, told } from './lib/standin.mjs';

const to = (...refs) => policy({ models: { m: { backend_refs: refs } }, default_model: 'm' });
const ask = (vsr, text = 'hi', extra = {}, headers = {}) => post(vsr.port, chat(text, { model: 'm', ...extra }), headers);
const said = (answer) => answer.json().choices[0].message.content;

// ---- proxies

test('a proxy passes plain requests on, also streams, and is told who asks', async (t) => {
  const backend = await startStandIn(t);
  const proxy = await startProxy(t, { password: 'me:p@ss w:rd' });
  const vsr = await startVsr(t, to({ endpoint: backend.addresses[0], proxy: `http://me:p%40ss%20w:rd@${proxy.address}` }));
  for (let i = 0; i < 3; i++) assert.equal(said(await ask(vsr)), 'model m answering: hi');
  assert.deepEqual(new Set(proxy.seen.passed), new Set([`http://${backend.addresses[0]}/v1/chat/completions`]));
  const last = await backend.last();
  assert.equal(last.headers.get('host'), backend.addresses[0]);
  assert.equal(last.headers.get('proxy-authorization'), undefined, 'the password is the proxy\'s alone');
  const stream = await ask(vsr, 'hi', { stream: true });
  assert.match(stream.text(), /data: \[DONE\]\n\n$/);
  assert.equal(proxy.seen.unknown, 0);
  assert.doesNotMatch(vsr.log, /p@ss|p%40ss/);
});

test('a proxy opens the way to a backend with TLS', async (t) => {
  const authority = new Authority(t);
  const files = authority.sign('server');
  const backend = await startStandIn(t, ['--tls-cert', files.cert_file, '--tls-key', files.key_file]);
  const proxy = await startProxy(t, { password: 'me:secret' });
  const vsr = await startVsr(
    t,
    to({ endpoint: `https://${backend.addresses[0]}`, proxy: `http://me:secret@${proxy.address}`, tls: { ca_file: authority.file('ca.pem') } }),
  );
  for (let i = 0; i < 5; i++) assert.equal(said(await ask(vsr)), 'model m answering: hi');
  assert.ok(proxy.seen.connects.length >= 1 && proxy.seen.connects.length <= 2, 'a connection for each worker at most');
  assert.deepEqual([...new Set(proxy.seen.connects)], [backend.addresses[0]]);
  assert.deepEqual(proxy.seen.passed, []);
});

for (const [name, scheme, options, credentials] of [
  ['does not know us', '', { password: 'me:secret' }, 'me:wrong@'],
  ['does not know us, on the way to TLS', 'https://', { password: 'me:secret' }, ''],
  ['opens no way', 'https://', { refuse: 503 }, ''],
]) {
  test(`a proxy that ${name}: the backend is unreachable, and another endpoint is asked`, async (t) => {
    const backend = await startStandIn(t);
    const proxy = await startProxy(t, options);
    const behind = { name: 'behind', endpoint: `${scheme}${backend.addresses[0]}`, proxy: `http://${credentials}${proxy.address}` };
    const alone = await startVsr(t, to(behind));
    const failed = await ask(alone);
    assert.equal(failed.status, 502);
    assert.equal(failed.json().error.code, 'upstream_unreachable');
    assert.ok(proxy.seen.unknown > 0);
    const both = await startVsr(t, to({ ...behind, weight: 100 }, { name: 'direct', endpoint: backend.addresses[0] }));
    for (let i = 0; i < 4; i++) assert.equal((await ask(both)).status, 200);
  });
}

test('a proxy that is down, and one that is back', async (t) => {
  const backend = await startStandIn(t);
  const port = await freePort();
  const vsr = await startVsr(t, to({ endpoint: backend.addresses[0], proxy: `http://127.0.0.1:${port}` }));
  assert.equal((await ask(vsr)).status, 502);
  assert.equal((await backend.stats()).requests, 0, 'never around the proxy');
  const relay = net.createServer((socket) => {
    const onward = net.connect(proxy.port, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const one of [socket, onward]) one.on('error', () => { socket.destroy(); onward.destroy(); });
  });
  const proxy = await startProxy(t);
  await new Promise((resolve) => relay.listen(port, '127.0.0.1', resolve));
  t.after(() => relay.close());
  assert.equal((await ask(vsr)).status, 200);
});

// ---- Unix sockets

test('a Unix socket, also under load and after it was away', async (t) => {
  const backend = await startStandIn(t);
  const authority = new Authority(t); // a folder that goes away by itself
  const file = path.join(authority.dir, 'model.sock');
  const listen = () =>
    new Promise((resolve) => {
      const relay = net.createServer((socket) => {
        const onward = net.connect(backend.port, '127.0.0.1');
        socket.pipe(onward).pipe(socket);
        for (const one of [socket, onward]) one.on('error', () => { socket.destroy(); onward.destroy(); });
        sockets.add(socket);
      });
      relay.listen(file, () => resolve(relay));
    });
  const sockets = new Set();
  let relay = await listen();
  const vsr = await startVsr(t, to({ endpoint: `unix:${file}` }));
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(vsr, `number ${i}`)));
  answers.forEach((answer, i) => assert.equal(said(answer), `model m answering: number ${i}`));
  assert.equal((await backend.last()).headers.get('host'), 'localhost');
  await new Promise((resolve) => {
    relay.close(resolve);
    for (const socket of sockets) socket.destroy();
  });
  assert.equal((await ask(vsr)).status, 502);
  relay = await listen();
  t.after(() => { relay.close(); for (const socket of sockets) socket.destroy(); });
  assert.equal((await ask(vsr)).status, 200);
});

// ---- TLS of an endpoint

test('authorities, names and certificates of an endpoint: what fits is let through, what does not is not', async (t) => {
  const authority = new Authority(t);
  const other = new Authority(t, 'other');
  const files = authority.sign('server');
  const old = authority.sign('old', { days: '-1' });
  const backend = await startStandIn(t, ['--tls-cert', files.cert_file, '--tls-key', files.key_file]);
  const expired = await startStandIn(t, ['--tls-cert', old.cert_file, '--tls-key', old.key_file]);
  const ca_file = authority.file('ca.pem');
  const cases = [
    ['ours', backend, { ca_file }, 200],
    ['system', backend, undefined, 502],
    ['theirs', backend, { ca_file: other.file('ca.pem') }, 502],
    ['named', backend, { ca_file, server_name: 'localhost' }, 200],
    ['misnamed', backend, { ca_file, server_name: 'api.example.com' }, 502],
    ['unverified', backend, { insecure_skip_verify: true }, 200],
    ['expired', expired, { ca_file }, 502],
  ];
  const models = Object.fromEntries(cases.map(([name, to, tls]) => [name, { backend_refs: [{ endpoint: `https://${to.addresses[0]}`, ...(tls && { tls }) }] }]));
  const vsr = await startVsr(t, policy({ models, default_model: 'ours' }));
  for (const [name, , , status] of cases) {
    const answer = await post(vsr.port, chat('hi', { model: name }));
    assert.equal(answer.status, status, `${name}: ${answer.text()}`);
  }
  writeFileSync(path.join(vsr.dir, 'beside.pem'), authority.ca);
  vsr.write(to({ endpoint: `https://${backend.addresses[0]}`, tls: { ca_file: 'beside.pem' } }));
  await eventually('a file beside the document', async () => (await ask(vsr)).status === 200);
});

test('a certificate of ours is shown to an endpoint that asks for it', async (t) => {
  const authority = new Authority(t);
  const tls = await import('node:tls');
  const server = authority.sign('server');
  const mine = authority.sign('vsr', { cn: 'vsr client' });
  const backend = await startStandIn(t);
  const shown = [];
  const { readFileSync } = await import('node:fs');
  const front = tls.createServer(
    { cert: readFileSync(server.cert_file), key: readFileSync(server.key_file), ca: authority.ca, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      shown.push(socket.getPeerCertificate().subject.CN);
      const onward = net.connect(backend.port, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const one of [socket, onward]) one.on('error', () => { socket.destroy(); onward.destroy(); });
      sockets.add(socket);
    },
  );
  const sockets = new Set();
  front.on('tlsClientError', () => {});
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  t.after(() => { front.close(); for (const socket of sockets) socket.destroy(); });
  const endpoint = `https://127.0.0.1:${front.address().port}`;
  const ca_file = authority.file('ca.pem');
  const vsr = await startVsr(t, policy({
    models: {
      with: { backend_refs: [{ endpoint, tls: { ca_file, ...mine } }] },
      without: { backend_refs: [{ endpoint, tls: { ca_file } }] },
    },
    default_model: 'with',
  }));
  assert.equal((await post(vsr.port, chat('hi', { model: 'with' }))).status, 200);
  assert.deepEqual(shown, ['vsr client']);
  assert.equal((await post(vsr.port, chat('hi', { model: 'without' }))).status, 502);
});

test('an authority that is renewed on disk counts from the next request on; what cannot be used changes nothing', async (t) => {
  const authority = new Authority(t);
  const other = new Authority(t, 'other');
  const files = authority.sign('server');
  const backend = await startStandIn(t, ['--tls-cert', files.cert_file, '--tls-key', files.key_file]);
  const ca_file = path.join(other.dir, 'trusted.pem');
  writeFileSync(ca_file, other.ca);
  const vsr = await startVsr(t, to({ endpoint: `https://${backend.addresses[0]}`, tls: { ca_file } }));
  assert.equal((await ask(vsr)).status, 502);
  writeFileSync(ca_file, authority.ca);
  await eventually('the new authority to count', async () => (await ask(vsr)).status === 200);
  const from = vsr.log.length;
  writeFileSync(ca_file, 'no certificate');
  await vsr.says(/cannot read CA file/, from);
  assert.equal((await ask(vsr)).status, 200);
});

// ---- load and health on them

test('a circuit: what is past it is answered 503 at once, the rest is not touched', async (t) => {
  const backend = await startStandIn(t, ['--stall', '400']);
  const vsr = await startVsr(t, policy({
    models: { m: { reliability: { circuit: { max_requests: 4 } }, backend_refs: [{ endpoint: backend.addresses[0] }] } },
    default_model: 'm',
  }));
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(vsr)));
  const statuses = answers.map((answer) => answer.status);
  assert.equal(statuses.filter((status) => status === 200).length, 4, `${statuses}`);
  const refused = answers.find((answer) => answer.status === 503);
  assert.equal(refused.json().error.code, 'overloaded');
  assert.equal(refused.headers.get('retry-after'), '1');
  assert.equal((await ask(vsr)).status, 200, 'afterwards there is room again');
});

test('connections and waiting requests of an endpoint have limits of their own', async (t) => {
  const backend = await Backend.start(t);
  const plain = backend.behaviour;
  let open = 0;
  let most = 0;
  backend.behaviour = async (exchange) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 300));
    open -= 1;
    await plain(exchange);
  };
  const vsr = await startVsr(t, policy({
    models: { m: { reliability: { circuit: { max_connections: 4, max_pending: 2 } }, backend_refs: [backend] } },
    default_model: 'm',
  }));
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(vsr)));
  const statuses = answers.map((answer) => answer.status);
  for (const answer of answers.filter(({ status }) => status === 503)) {
    assert.equal(answer.json().error.code, 'overloaded');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.match((await vsr.metrics()).text(), /^vsr_endpoint_failures_total\{.*\} 0$/m);
  assert.ok(most <= 4, `${most} at once`);
  assert.ok(statuses.includes(200) && statuses.includes(503), `${statuses}`);
  assert.ok(statuses.every((status) => status === 200 || status === 503), `${statuses}`);
});

test('who has no connection to a busy endpoint gets one to another', async (t) => {
  const [busy, free] = [await Backend.start(t), await Backend.start(t)];
  const plain = busy.behaviour;
  let release;
  const released = new Promise((resolve) => (release = resolve));
  busy.behaviour = async (exchange) => {
    await released;
    await plain(exchange);
  };
  const vsr = await startVsr(t, policy({
    models: {
      m: {
        reliability: { circuit: { max_connections: 1, max_pending: 1 } },
        backend_refs: [{ name: 'busy', endpoint: busy.address }, { name: 'free', endpoint: free.address }],
      },
    },
    default_model: 'm',
  }));
  const asked = [];
  for (let i = 0; i < 24; i++) {
    asked.push(ask(vsr));
    await Promise.race([asked.at(-1), new Promise((resolve) => setTimeout(resolve, 250))]);
  }
  assert.ok(busy.requests.length >= 1, 'it is full');
  release();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set([200]), `${statuses}`);
  assert.ok(free.requests.length >= 16, `${free.requests.length}`);
  assert.doesNotMatch((await vsr.metrics()).text(), /^vsr_endpoint_failures_total\{.*\} [1-9]/m, 'nobody is to blame');
});

test('draining by weight 0 under load loses no request', async (t) => {
  const backend = await startStandIn(t, [], { listen: '127.0.0.1:0,127.0.0.1:0' });
  const document = (weight) => to({ name: 'a', endpoint: backend.addresses[0], weight }, { name: 'b', endpoint: backend.addresses[1] });
  const vsr = await startVsr(t, document(1));
  let going = true;
  const statuses = [];
  const load = Array.from({ length: 8 }, async () => {
    while (going) statuses.push((await ask(vsr)).status);
  });
  await eventually('traffic on both', async () => (await backend.stats(0)).requests > 10 && (await backend.stats(1)).requests > 10);
  vsr.write(document(0));
  let quiet = -1;
  await eventually('the drained one to be quiet', async () => {
    const { requests } = await backend.stats(0);
    const same = requests === quiet;
    quiet = requests;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return same;
  });
  const before = (await backend.stats(1)).requests;
  await eventually('traffic on the other', async () => (await backend.stats(1)).requests > before + 20);
  going = false;
  await Promise.all(load);
  assert.ok(statuses.every((status) => status === 200), `${[...new Set(statuses)]}`);
  assert.equal((await backend.stats(0)).requests, quiet);
});

test('ejection over a proxy and over TLS works as on any way', async (t) => {
  const authority = new Authority(t);
  const files = authority.sign('server');
  const bad = await startStandIn(t, ['--tls-cert', files.cert_file, '--tls-key', files.key_file, '--status', '500']);
  const good = await startStandIn(t);
  const proxy = await startProxy(t);
  const vsr = await startVsr(t, policy({
    models: {
      m: {
        reliability: { consecutive_5xx: 3, retry_count: 1, retry_on: '5xx', base_ejection_time: '60s' },
        backend_refs: [
          { name: 'bad', endpoint: `https://${bad.addresses[0]}`, proxy: `http://${proxy.address}`, tls: { ca_file: authority.file('ca.pem') } },
          { name: 'good', endpoint: good.addresses[0] },
        ],
      },
    },
    default_model: 'm',
  }));
  for (let i = 0; i < 12; i++) assert.equal((await ask(vsr)).status, 200);
  assert.match(vsr.log, /endpoint ejected/);
  assert.ok(proxy.seen.connects.length > 0);
});

test('health is asked over the endpoint\'s own way', async (t) => {
  const authority = new Authority(t);
  const files = authority.sign('server');
  const backend = await startStandIn(t, ['--tls-cert', files.cert_file, '--tls-key', files.key_file, '--health', '503']);
  const other = await startStandIn(t);
  const proxy = await startProxy(t);
  const vsr = await startVsr(t, policy({
    models: {
      m: {
        reliability: { health_check_path: '/health', health_check_interval: '100ms' },
        backend_refs: [
          { name: 'sick', endpoint: `https://${backend.addresses[0]}`, proxy: `http://${proxy.address}`, tls: { ca_file: authority.file('ca.pem') } },
          { name: 'well', endpoint: other.addresses[0] },
        ],
      },
    },
    default_model: 'm',
  }));
  await vsr.says(/endpoint is unhealthy/);
  assert.ok(proxy.seen.connects.length > 0);
  const before = (await other.stats()).requests;
  for (let i = 0; i < 6; i++) assert.equal((await ask(vsr)).status, 200);
  assert.equal((await other.stats()).requests - before, 6);
});

test('what an endpoint was told, it did: behaviours reach the stand-in through vsr', async (t) => {
  const backend = await startStandIn(t);
  const vsr = await startVsr(t, to({ endpoint: backend.addresses[0] }));
  assert.equal((await ask(vsr, 'hi', {}, told('status=418'))).status, 418);
});
