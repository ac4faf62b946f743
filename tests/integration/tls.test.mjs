// TLS on listeners: versions, protocols, client certificates, and certificates that are renewed while vsr serves.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

import { Backend } from './lib/backend.mjs';
import { Authority } from './lib/certificates.mjs';
import { chat, get } from './lib/http.mjs';
import { eventually, freePort, policy, startVsr, test, within } from './lib/harness.mjs';

/** A policy with a plain listener and further ones, `{name, port, tls}`. */
const withListeners = (backend, ...more) => {
  const document = policy({ models: { m: backend }, default_model: 'm' });
  for (const one of more) document.listeners.push({ address: '127.0.0.1', timeout: '60s', ...one });
  return document;
};

/** A handshake. Resolves with the socket, or with what went wrong. */
const shake = (port, options) =>
  within(
    'a handshake',
    new Promise((resolve) => {
      const socket = tls.connect({ port, host: '127.0.0.1', ...options });
      socket.once('secureConnect', () => {
        // In TLS 1.3 a server's refusal of the client's certificate comes behind the handshake.
        socket.once('error', (error) => resolve({ error }));
        setTimeout(() => resolve({ socket }), 100);
      });
      socket.once('error', (error) => resolve({ error }));
    }),
  );

const postTls = (port, options, body = chat('hi', { model: 'm' })) =>
  within(
    'an answer over TLS',
    new Promise((resolve, reject) => {
      const call = https.request(
        {
          port,
          host: '127.0.0.1',
          method: 'POST',
          path: '/v1/chat/completions',
          agent: false,
          headers: { 'content-type': 'application/json' },
          ...options,
        },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve({ status: answer.statusCode, cn: answer.socket.getPeerCertificate?.()?.subject?.CN }));
        },
      );
      call.once('error', reject);
      call.end(typeof body === 'string' ? body : JSON.stringify(body));
    }),
  );

/** What `openssl s_client` says about a port. */
function sClient(port, ...args) {
  const run = spawnSync('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], {
    input: '',
    encoding: 'utf8',
    timeout: 20000,
  });
  const text = run.stdout + run.stderr;
  return {
    version: /^\s*(?:New, |Protocol\s*:\s*)(TLSv1\.\d)/m.exec(text)?.[1],
    alpn: /^ALPN protocol: (.*)$/m.exec(text)?.[1],
    suite: /Cipher is (\S+)/.exec(text)?.[1],
    text,
  };
}

test('versions and protocols', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const files = authority.sign('server');
  const [any, strict, old] = [await freePort(), await freePort(), await freePort()];
  const vsr = await startVsr(
    t,
    withListeners(
      backend,
      { name: 'any', port: any, tls: files },
      { name: 'strict', port: strict, tls: { ...files, min_version: '1.3', alpn: ['http/1.1', 'h2'] } },
      { name: 'old', port: old, tls: { ...files, alpn: ['http/1.1'] } },
    ),
  );
  const ca = ['-CAfile', authority.file('ca.pem'), '-verify_return_error'];
  const weak = ['-cipher', 'ALL:@SECLEVEL=0'];
  const cases = [
    ['1.1 is refused', any, ['-tls1_1', ...weak], { version: undefined }],
    ['1.2', any, ['-tls1_2', ...ca], { version: 'TLSv1.2' }],
    ['1.3', any, ['-tls1_3', ...ca], { version: 'TLSv1.3' }],
    ['1.2 where 1.3 is asked for', strict, ['-tls1_2'], { version: undefined }],
    ['1.3 where it is asked for', strict, ['-tls1_3'], { version: 'TLSv1.3' }],
    ['no RSA key exchange', any, ['-tls1_2', '-cipher', 'AES128-GCM-SHA256'], { version: undefined }],
    ['no CBC', any, ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA'], { version: undefined }],
    ['our order of protocols', any, ['-alpn', 'http/1.1,h2'], { alpn: 'h2' }],
    ['our other order', strict, ['-alpn', 'h2,http/1.1'], { alpn: 'http/1.1' }],
    ['one in common', any, ['-alpn', 'spdy/3,http/1.1'], { alpn: 'http/1.1' }],
    ['none offered', any, [], { alpn: undefined, version: 'TLSv1.3' }],
    ['none in common', old, ['-alpn', 'h2'], { version: undefined }],
  ];
  for (const [name, port, args, want] of cases) {
    const got = sClient(port, ...args);
    if (got.suite === '(NONE)') got.version = undefined;
    for (const key of Object.keys(want)) assert.equal(got[key], want[key], `${name}: ${key}\n${got.text}`);
  }
  for (const port of [any, strict, old])
    assert.deepEqual(await postTls(port, { ca: authority.ca }), { status: 200, cn: 'server' });
  // Who speaks plainly there, or breaks off, harms nobody.
  assert.notEqual((await get(any, '/health').catch(() => ({}))).status, 200);
  assert.equal((await get(vsr.port, '/health')).status, 200);
});

test('client certificates', async (t) => {
  const authority = new Authority(t);
  const other = new Authority(t, 'somebody else');
  const backend = await Backend.start(t);
  const files = { ...authority.sign('server'), client_ca_file: authority.file('ca.pem') };
  const [none, request, require] = [await freePort(), await freePort(), await freePort()];
  authority.sign('client');
  other.sign('client');
  const vsr = await startVsr(
    t,
    withListeners(
      backend,
      { name: 'none', port: none, tls: { ...files, client_ca_file: undefined } },
      { name: 'request', port: request, tls: { ...files, client_auth: 'request' } },
      { name: 'require', port: require, tls: { ...files, client_auth: 'require' } },
    ),
    { args: ['--log-level', 'debug'] },
  );
  const clients = { nobody: {}, known: authority.identity('client'), stranger: other.identity('client') };
  const allowed = {
    none: ['nobody', 'known', 'stranger'],
    request: ['nobody', 'known'],
    require: ['known'],
  };
  for (const [listener, port] of Object.entries({ none, request, require }))
    for (const [who, identity] of Object.entries(clients))
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
        const options = { ca: authority.ca, ...identity, maxVersion };
        const name = `${who} at ${listener} in ${maxVersion}`;
        const answer = await postTls(port, options).catch((error) => ({ error }));
        assert.equal(answer.status, allowed[listener].includes(who) ? 200 : undefined, `${name}: ${answer.error}`);
      }

  // What was not let in is counted, and some of it logged.
  await get(none, '/health').catch(() => {}); // plain HTTP
  await new Promise((resolve) => net.connect(none, '127.0.0.1').once('connect', function () { this.destroy(); resolve(); }));
  await eventually('the counts', async () => {
    const text = (await vsr.metrics()).text();
    const count = (cause) => Number(text.match(new RegExp(`^vsr_tls_handshake_failures_total\\{cause="${cause}"\\} (\\d+)$`, 'm'))[1]);
    return count('refused') === 7 && count('closed') === 1 && count('timeout') === 0;
  });
  await vsr.says(/warn +TLS handshake refused address=127\.0\.0\.1 port=\d+ peer=127\.0\.0\.1 error="TLS failed: [^"]+" unlogged=0/);

  // Who was let in is known by name.
  const from = vsr.log.length;
  await postTls(require, { ca: authority.ca, ...clients.known });
  await postTls(none, { ca: authority.ca, ...clients.known });
  await vsr.says(/client_cert="" /, from);
  await vsr.says(/client=127\.0\.0\.1 client_cert="?CN=client"? /, from);
});

test('renewed certificates', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const files = authority.sign('server', { cn: 'first' });
  const port = await freePort();
  const vsr = await startVsr(t, withListeners(backend, { name: 'secure', port, tls: files }));
  const nameNow = async () => (await postTls(port, { ca: authority.ca })).cn;
  assert.equal(await nameNow(), 'first');

  // A connection that lives through all of it.
  const session = http2.connect(`https://127.0.0.1:${port}`, { ca: authority.ca });
  t.after(() => session.destroy());
  const ask = () =>
    within(
      'an answer on the old connection',
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/health' });
        stream.once('response', (head) => resolve(head[':status']));
        stream.once('error', reject);
        stream.resume();
        stream.end();
      }),
    );
  assert.equal(await ask(), 200);

  authority.sign('server', { cn: 'second' });
  await eventually('the renewed certificate', async () => (await nameNow()) === 'second');
  assert.equal(await ask(), 200, 'the old connection lives');

  let from = vsr.log.length;
  writeFileSync(files.cert_file, 'no certificate\n');
  await vsr.says(/config_reload_failed.*TLS of listener \\?"secure\\?".*server\.pem/, from);
  assert.equal(await nameNow(), 'second', 'what served goes on serving');
  assert.equal(await ask(), 200);

  // A key that does not fit is as bad; then both are right again.
  from = vsr.log.length;
  const third = authority.sign('other', { cn: 'third' });
  authority.sign('server', { cn: 'third' });
  await eventually('the mended certificate', async () => (await nameNow()) === 'third');
  const document = (tlsFiles) => withListeners(backend, { name: 'secure', port, tls: tlsFiles });
  vsr.write(document({ cert_file: files.cert_file, key_file: third.key_file }));
  await vsr.says(/config_reload_failed.*other\.key: key values mismatch/, from);
  assert.equal(await nameNow(), 'third');
  assert.equal(await ask(), 200);
});

test('certificates are renewed under load', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const port = await freePort();
  await startVsr(t, withListeners(backend, { name: 'secure', port, tls: authority.sign('server', { cn: 'renewal 0' }) }));
  const seen = new Set();
  let asking = true;
  const lanes = Array.from({ length: 4 }, async () => {
    while (asking) {
      const answer = await postTls(port, { ca: authority.ca });
      assert.equal(answer.status, 200);
      seen.add(answer.cn);
    }
  });
  const failed = Promise.all(lanes);
  for (let n = 1; n <= 3; n++) {
    authority.sign('server', { cn: `renewal ${n}` });
    await Promise.race([failed, eventually(`renewal ${n}`, () => seen.has(`renewal ${n}`))]);
  }
  asking = false;
  await failed;
  assert.deepEqual([...seen], ['renewal 0', 'renewal 1', 'renewal 2', 'renewal 3'], 'in this order');
});

test('a listener that becomes TLS, and plain again', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const port = await freePort();
  const plain = withListeners(backend, { name: 'either', port });
  const secure = withListeners(backend, { name: 'either', port, tls: authority.sign('server') });
  const vsr = await startVsr(t, plain);
  const isPlain = async () => (await get(port, '/health').catch(() => ({}))).status === 200;
  const isSecure = async () => (await postTls(port, { ca: authority.ca }).catch(() => ({}))).status === 200;
  assert.ok(await isPlain());
  assert.ok(!(await isSecure()));
  for (const [document, now, before] of [
    [secure, isSecure, isPlain],
    [plain, isPlain, isSecure],
  ]) {
    vsr.write(document);
    await eventually('the change', async () => (await now()) && !(await before()));
    for (let i = 0; i < 20; i++) assert.ok(await now(), 'and it stays');
  }
});

test('a certificate that is not there ends the start', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const files = { ...authority.sign('server'), cert_file: authority.file('missing.pem') };
  const document = withListeners(backend, { name: 'secure', port: await freePort(), tls: files });
  const { Vsr } = await import('./lib/harness.mjs');
  const vsr = await Vsr.start(document, { ready: false });
  t.after(() => vsr.kill());
  const end = await within('the end', vsr.exited);
  assert.deepEqual(end, { code: 1, signal: null }, vsr.log);
  assert.match(vsr.log, /secure.*missing\.pem.*No such file/);
});

test('handshakes that do not end are ended', async (t) => {
  const authority = new Authority(t);
  const backend = await Backend.start(t);
  const port = await freePort();
  await startVsr(t, withListeners(backend, { name: 'secure', port, tls: authority.sign('server') }));
  const { socket, error } = await shake(port, { ca: authority.ca, ALPNProtocols: ['h2'] });
  assert.ok(socket, error?.message);
  assert.equal(socket.alpnProtocol, 'h2');
  // An HTTP/1.1 request where HTTP/2 was agreed on is no preface.
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  await within('the end', new Promise((resolve) => socket.once('close', resolve).resume()));
});
