// Routing by meaning: models of the program, models in directories, servers that are asked; what becomes of requests
// while they wait.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Backend, jsonAnswer, responseBytes } from './lib/backend.mjs';
import { eventually, freePort, lane, otherwise, policy, program, startVsr, test, within } from './lib/harness.mjs';
import { chat, post, request, requestBytes } from './lib/http.mjs';

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures/nn');

// In the vocabulary of the small models of random weights, for which a text is like itself and little else.
const sums = ['baba duke fori gifu kena', 'labi muko noru pife reni'];
const tales = ['sabu tuka bure dofo finu', 'gebe kali luro mofa nine'];

const semantic = (more) => ({ model_catalog: { embeddings: { semantic: more } } });

const document = ({ backend = { endpoint: '127.0.0.1:1' }, global = {}, ...more } = {}) =>
  policy({
    default_model: 'small',
    models: { small: backend, mathematician: backend, poet: backend },
    signals: {
      embeddings: [
        { name: 'sums', threshold: 0.9, candidates: sums, aggregation_method: 'best' },
        { name: 'tales', threshold: 0.9, candidates: tales, aggregation_method: 'best' },
      ],
    },
    decisions: [
      lane('counting', 'embedding', 'sums', 'mathematician'),
      lane('telling', 'embedding', 'tales', 'poet'),
      otherwise('small'),
    ],
    global,
    ...more,
  });

const modelOf = async (vsr, text) => {
  const answer = await post(vsr.port, chat(text));
  assert.equal(answer.status, 200, answer.text());
  return JSON.parse(answer.text()).model;
};

const metric = async (vsr, name) => {
  const page = (await vsr.metrics()).text();
  const line = page.split('\n').find((text) => text.startsWith(`${name} `));
  assert.ok(line !== undefined, `no ${name}`);
  return Number(line.slice(name.length + 1));
};

function directory(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-evidence-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function managed(t, doc, { args = [], ...options } = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, doc, { ...options, args: ['--management-listen', `127.0.0.1:${port}`, ...args] });
  const ready = async () => JSON.parse((await request(port, { method: 'GET', path: '/ready' })).text());
  return { vsr, ready, port };
}

// ---- models of the program ---------------------------------------------------------------------------------------

test('the first request is routed by meaning, with no model on disk and no network', async (t) => {
  const backend = await Backend.start(t);
  const { vsr, ready } = await managed(t, document({ backend }));
  assert.equal(await modelOf(vsr, sums[1]), 'mathematician');
  assert.equal(await modelOf(vsr, tales[0]), 'poet');
  assert.deepEqual((await ready()).examples, { sets: 2, ready: 2 });
  assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="builtin",outcome="answered"}'), 6); // four examples
  assert.equal(await metric(vsr, 'vsr_evidence_seconds_count{source="builtin"}'), 6);
});

test('the command line says the same, and without models what is missing', async (t) => {
  const file = path.join(directory(t), 'config.yaml');
  const doc = document();
  writeFileSync(file, JSON.stringify({ ...doc, listeners: doc.listeners.map((one) => ({ ...one, port: 8080 })) }));
  const route = (...args) => {
    const run = spawnSync(program, ['route', '-c', file, '--trace', 'json', ...args], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    return JSON.parse(run.stdout);
  };
  assert.equal(route(tales[1]).routing_decision, 'telling');
  const bare = route('--no-models', tales[1]);
  assert.equal(bare.routing_decision, 'otherwise');
  assert.match(JSON.stringify(bare), /unavailable/);
});

// ---- models in directories ---------------------------------------------------------------------------------------

test('a model in a directory takes the place of a built-in one by one line; its vectors outlive the process', async (t) => {
  const backend = await Backend.start(t);
  const [models, state] = [directory(t), directory(t)];
  symlinkSync(path.join(fixtures, 'bert-embed-mean'), path.join(models, 'embedder'));
  const doc = document({
    backend,
    global: semantic({ bert_model_path: 'models/embedder', embedding_config: { model_type: 'bert' } }),
  });
  for (const turn of [1, 2]) {
    const { vsr, ready } = await managed(t, doc, { args: ['--models-dir', models], env: { VSR_STATE_DIR: state } });
    await eventually('examples', async () => (await ready()).examples.ready === 2);
    assert.equal(await modelOf(vsr, sums[0]), 'mathematician', `process ${turn}`);
    assert.equal(await modelOf(vsr, tales[1]), 'poet');
    assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="model",outcome="answered"}'), turn === 1 ? 4 : 2);
    await vsr.stop();
    assert.equal(readdirSync(path.join(state, 'vectors')).length, 1);
  }
});

test('a classifier in a directory', async (t) => {
  const backend = await Backend.start(t);
  const models = directory(t);
  symlinkSync(path.join(fixtures, 'bert-sequence'), path.join(models, 'subjects')); // benign, jailbreak, other
  const doc = policy({
    default_model: 'small',
    models: { small: backend, big: backend },
    signals: { domains: [{ name: 'other' }] },
    decisions: [lane('rest', 'domain', 'other', 'big'), otherwise('small')],
    global: {
      model_catalog: { modules: { classifier: { domain: { model_id: 'models/subjects', threshold: 0.001 } } } },
    },
  });
  const vsr = await startVsr(t, doc, { args: ['--models-dir', models] });
  await eventually('the model', async () => (await modelOf(vsr, 'baba duke')) === 'big');
});

test('a model that is not there leaves its rules unavailable, and everything else goes on', async (t) => {
  const backend = await Backend.start(t);
  const doc = document({
    backend,
    global: semantic({ bert_model_path: 'models/nobody', embedding_config: { model_type: 'bert' } }),
  });
  const { vsr, ready } = await managed(t, doc, { args: ['--models-dir', directory(t)] });
  assert.equal(await modelOf(vsr, sums[0]), 'small');
  assert.deepEqual((await ready()).examples, { sets: 2, ready: 0 });
});

// ---- servers -----------------------------------------------------------------------------------------------------

/** What a server is asked first, to see whether it is the one that it was. */
const WITNESS = 'Is this still the model that it was?';

/** An embeddings API that knows what our examples are about. `hold(text)` may delay an answer. */
async function embedder(t, hold = async () => {}) {
  const server = await Backend.start(t);
  server.texts = [];
  server.behaviour = async (exchange) => {
    const { input } = exchange.request.json();
    server.texts.push(...input.filter((text) => text !== WITNESS));
    for (const text of input) await hold(text, exchange);
    const vector = (text) => (sums.includes(text) ? [1, 0, 0] : tales.includes(text) ? [0, 1, 0] : [0, 0, 1]);
    const data = input.map((text, index) => ({ index, embedding: vector(text) }));
    await exchange.write(
      responseBytes({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ data }) }),
    );
  };
  return server;
}

const remote = (server, more = {}) => ({
  ...more,
  ...semantic({
    endpoint: { base_url: `http://${server.address}/v1`, model: 'embedder' },
    embedding_config: { backend: 'openai_compatible', model_type: 'remote' },
  }),
});

test('a server is asked for vectors of examples once, and for each request', async (t) => {
  const [backend, server] = [await Backend.start(t), await embedder(t)];
  const { vsr, ready } = await managed(t, document({ backend, global: remote(server) }));
  await eventually('examples', async () => (await ready()).examples.ready === 2);
  assert.deepEqual([...server.texts].sort(), [...sums, ...tales].sort());
  assert.equal(await modelOf(vsr, tales[1]), 'poet');
  assert.equal(await modelOf(vsr, 'something else'), 'small');
  assert.equal(server.texts.length, 6);
});

test('a server that cannot be reached at first is asked again', async (t) => {
  const [backend, server] = [await Backend.start(t), await embedder(t)];
  const right = server.behaviour;
  server.behaviour = jsonAnswer('{"error":"no"}', { status: 500, reason: 'No' });
  const { vsr, ready } = await managed(t, document({ backend, global: remote(server) }));
  await vsr.says(/not all examples have vectors/);
  assert.equal(await modelOf(vsr, tales[1]), 'small');
  server.behaviour = right;
  await eventually('examples', async () => (await ready()).examples.ready === 2);
  assert.equal(await modelOf(vsr, tales[1]), 'poet');
});

test('a signal that does not come in time is unavailable', async (t) => {
  const never = new Promise(() => {});
  const hold = (text) => (text === 'slow' ? never : Promise.resolve());
  const [backend, server] = [await Backend.start(t), await embedder(t, hold)];
  const doc = document({ backend, global: { ...remote(server), router: { signal_timeout_ms: 50 } } });
  const { vsr, ready, port } = await managed(t, doc);
  await eventually('examples', async () => (await ready()).examples.ready === 2);
  assert.equal(await modelOf(vsr, 'slow'), 'small');
  assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="http",outcome="timeout"}'), 1);
  const dry = await request(port, { path: '/api/v1/eval', body: JSON.stringify({ text: 'slow' }) });
  assert.equal(dry.status, 200, dry.text());
  assert.match(dry.text(), /timeout/, 'a dry run waits as long');
});

/** A gateway whose embedder keeps the text "held" until release(). */
async function waiting(t) {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let gone;
  const hold = async (text, exchange) => {
    if (text !== 'held') return;
    gone = exchange.request.gone;
    await Promise.race([held, exchange.request.gone]);
  };
  const [backend, server] = [await Backend.start(t), await embedder(t, hold)];
  const doc = document({ backend, global: remote(server) });
  const { vsr, ready, port } = await managed(t, doc);
  await eventually('examples', async () => (await ready()).examples.ready === 2);
  const asked = () => eventually('the question', () => server.texts.includes('held'));
  return { vsr, port, backend, server, doc, release, asked, gone: () => gone };
}

test('other requests go on while one waits', async (t) => {
  const { vsr, release, asked } = await waiting(t);
  const slow = modelOf(vsr, 'held');
  await asked();
  for (let i = 0; i < 8; i++) assert.equal(await modelOf(vsr, tales[0]), 'poet');
  release();
  assert.equal(await within('the answer', slow), 'small');
});

test('a client that goes away takes its question with it', async (t) => {
  const { vsr, backend, asked, gone } = await waiting(t);
  const before = backend.requests.length;
  const socket = net.connect(vsr.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(requestBytes({ body: chat('held') }));
  await asked();
  socket.destroy();
  await within('the question to be cancelled', gone());
  await eventually('no request is active', async () => (await metric(vsr, 'vsr_requests_active')) === 0);
  assert.equal(backend.requests.length, before, 'nothing was forwarded');
  assert.equal(await modelOf(vsr, tales[0]), 'poet');
});

test('whoever goes away from a dry run, too', async (t) => {
  const { vsr, port, asked, gone } = await waiting(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(requestBytes({ path: '/api/v1/eval', body: JSON.stringify({ text: 'held' }) }));
  await asked();
  socket.destroy();
  await within('the question to be cancelled', gone());
  assert.equal(await modelOf(vsr, tales[0]), 'poet');
});

test('a reload does not disturb who waits', async (t) => {
  const { vsr, doc, release, asked, port } = await waiting(t);
  const slow = modelOf(vsr, 'held');
  const dry = request(port, { path: '/api/v1/eval', body: JSON.stringify({ text: 'held' }) });
  await asked();
  const from = vsr.log.length;
  vsr.write({ ...doc, routing: { ...doc.routing, decisions: [otherwise('poet', 'everything')] } });
  await vsr.says(/configuration reloaded/, from);
  assert.equal(await modelOf(vsr, 'anything'), 'poet', 'the new policy');
  release();
  assert.equal(await within('the answer', slow), 'small', 'by the policy that it began with');
  assert.equal(JSON.parse((await within('the dry run', dry)).text()).routing_decision, 'otherwise');
});

test('a dry run keeps its own generation, and no other', async (t) => {
  const { vsr, doc, release, asked, port } = await waiting(t);
  const dry = request(port, { path: '/api/v1/eval', body: JSON.stringify({ text: 'held' }) });
  await asked();
  for (const name of ['one', 'two', 'three', 'four']) {
    const from = vsr.log.length;
    vsr.write({ ...doc, routing: { ...doc.routing, decisions: [otherwise('poet', name)] } });
    await vsr.says(/configuration reloaded/, from);
  }
  await eventually('two generations', async () => (await metric(vsr, 'vsr_config_snapshots')) === 2);
  release();
  assert.equal(JSON.parse((await within('the dry run', dry)).text()).routing_decision, 'otherwise');
  await eventually('one generation', async () => (await metric(vsr, 'vsr_config_snapshots')) === 1);
});

test('a stop does not wait for what nobody answers', async (t) => {
  const { vsr, asked } = await waiting(t);
  const slow = post(vsr.port, chat('held')).catch(() => null);
  await asked();
  vsr.signal('SIGTERM');
  vsr.signal('SIGTERM'); // the second cuts
  await within('the end', slow);
});
