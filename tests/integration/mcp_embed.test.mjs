// Tool servers that embed texts, asked over stdio and streamable HTTP.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { eventually, freePort, lane, otherwise, policy, startVsr, test } from './lib/harness.mjs';
import { chat, post, request, requestBytes } from './lib/http.mjs';
import { node, server, startAsker, startServer, stdio } from './lib/mcp.mjs';

function directory(t) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-mcp-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

async function modelOf(vsr, text) {
  const answer = await post(vsr.port, chat(text));
  assert.equal(answer.status, 200, answer.text());
  return JSON.parse(answer.text()).model;
}

const embedderEnv = { MCP_TEST_TOOLS: 'embedder' };

async function checkVectors(vsr) {
  assert.deepEqual(await vsr.ask(['a story', 'a sum']), {
    labels: [], numbers: [0, 1, 0, 1, 0, 0], model: 'test classifier', version: '4.5.6',
  });
  assert.deepEqual((await vsr.ask(['texts of a tale'])).numbers, [0, 1, 0], 'no structured content');
  const many = await vsr.ask(Array.from({ length: 70 }, (_, i) => (i % 2 ? `sum ${i}` : `tale ${i}`)));
  assert.deepEqual(many.numbers.slice(0, 6), [0, 1, 0, 1, 0, 0]);
  assert.equal(many.numbers.length, 210);
  for (const [text, reason] of [
    ['lonely', /there are 0 embeddings for 1 texts/],
    ['wide', /embeddings\[0\] has 4 numbers, expected 3/],
    ['holes', /embeddings\[0\]\[1\] is no number/],
    ['it throws at private words', /the tool reports a failure/],
  ]) {
    const failed = await vsr.ask([text]);
    assert.equal(failed.code, 'failed', text);
    assert.match(failed.reason, reason);
    assert.doesNotMatch(failed.reason, /private/);
  }
  assert.deepEqual((await vsr.ask(['sum “日本” \u0000 \n "quotes"'])).numbers, [1, 0, 0]);
}

describe('an embedder over stdio', () => {
  const start = (t, options = []) => stdio(t, ['--embed', '0', ...options], ['MCP_TEST_TOOLS=embedder']);

  test('vectors', async (t) => {
    const vsr = start(t);
    await checkVectors(vsr);
    await vsr.stop();
  });

  test('one that ends is started again', async (t) => {
    const vsr = start(t);
    assert.deepEqual((await vsr.ask(['a sum'])).numbers, [1, 0, 0]);
    const lost = await vsr.ask(['it exits']);
    assert.equal(lost.code, 'unavailable');
    assert.match(lost.reason, /status 3/);
    await eventually('it is back', async () => (await vsr.ask(['a sum'])).numbers);
    await vsr.stop();
  });

  test('a slow one, and answers past all limits', async (t) => {
    const vsr = start(t, ['--timeout', '1']);
    await eventually('it is ready', async () => (await vsr.ask(['a sum'])).numbers);
    assert.equal((await vsr.ask(['very slow sum'])).code, 'timeout');
    assert.deepEqual((await vsr.ask(['a sum'])).numbers, [1, 0, 0], 'the next is not held up');
    const huge = await vsr.ask(['huge']);
    assert.equal(huge.code, 'failed');
    assert.match(huge.reason, /too long/);
    await vsr.stop();
  });

  test('vectors shorter than wanted, and a server without the tool', async (t) => {
    const vsr = stdio(t, ['--embed', '4'], ['MCP_TEST_TOOLS=embedder']);
    assert.match((await vsr.ask(['a sum'])).reason, /has 3 numbers, and target_dimension is 4/);
    await vsr.stop();
    const none = stdio(t, ['--embed', '0']);
    assert.match((await none.ask(['a sum'])).reason, /none of its tools embeds texts/);
    await none.stop();
  });
});

for (const mode of ['events', 'json']) {
  test(`an embedder over streamable HTTP, answers as ${mode}`, async (t) => {
    const web = await startServer(t, mode, embedderEnv);
    const vsr = startAsker(t, ['--embed', '3', 'http', web.url]);
    await checkVectors(vsr);
    await web.forget();
    assert.deepEqual((await vsr.ask(['a sum'])).numbers, [1, 0, 0], 'nobody notices a forgotten session');
    const { embedded } = await web.seen();
    assert.ok(Math.max(...embedded.map((texts) => texts.length)) === 32, 'in pieces of 32');
    await vsr.stop();
    assert.equal((await web.seen()).sessions, 0, 'the session was ended');
  });
}

describe('an embedder in the gateway', () => {
  const stories = ['tell me a story', 'a tale of two towns'];
  const sums = ['the sum of two numbers', 'which number is it'];
  const byMeaning = (backend, mcp, more = {}) =>
    policy({
      default_model: 'small',
      models: { small: backend, poet: backend, counter: backend },
      signals: {
        embeddings: [
          { name: 'telling', threshold: 0.8, candidates: stories },
          { name: 'counting', threshold: 0.8, candidates: sums },
        ],
      },
      decisions: [
        lane('telling', 'embedding', 'telling', 'poet'),
        lane('counting', 'embedding', 'counting', 'counter'),
        otherwise('small'),
      ],
      global: {
        ...more,
        model_catalog: { embeddings: { semantic: { embedding_config: { backend: 'mcp', enable_soft_matching: false }, mcp } } },
      },
    });
  const overStdio = { transport_type: 'stdio', command: node, args: [server], env: embedderEnv };
  const examples = async (port) =>
    JSON.parse((await request(port, { method: 'GET', path: '/ready' })).text()).examples;
  const managed = async (t, doc, options = {}) => {
    const port = await freePort();
    const vsr = await startVsr(t, doc, { ...options, args: ['--management-listen', `127.0.0.1:${port}`] });
    return { vsr, port, ready: () => eventually('examples', async () => (await examples(port)).ready === 2) };
  };
  const metric = async (vsr, name) => {
    const line = (await vsr.metrics()).text().split('\n').find((text) => text.startsWith(`${name} `));
    return Number(line.slice(name.length + 1));
  };

  test('a process embeds examples and requests; one for all workers, also after a reload', async (t) => {
    const backend = await Backend.start(t);
    const doc = byMeaning(backend, overStdio);
    const { vsr, port, ready } = await managed(t, doc);
    await ready();
    for (let i = 0; i < 6; i++) {
      assert.equal(await modelOf(vsr, `a long tale, ${i}`), 'poet');
      assert.equal(await modelOf(vsr, `a large number, ${i}`), 'counter');
    }
    assert.equal(await modelOf(vsr, 'weather'), 'small');
    for (const text of ['a tale that throws', 'a wide tale', 'a lonely tale', 'a tale with holes'])
      assert.equal(await modelOf(vsr, text), 'small', `${text}: a failure is no match`);
    const dry = await request(port, { path: '/api/v1/eval', body: JSON.stringify({ text: 'a wide tale' }) });
    assert.match(dry.text(), /4 numbers, expected 3/, 'the trace says why');
    assert.equal(await metric(vsr, 'vsr_evidence_asks_total{source="mcp",outcome="failed"}'), 5);
    const from = vsr.log.length;
    vsr.write({ ...doc, routing: { ...doc.routing, decisions: [lane('telling', 'embedding', 'telling', 'counter'), otherwise('small')] } });
    await vsr.says(/configuration reloaded/, from);
    await ready();
    assert.equal(await modelOf(vsr, stories[0]), 'counter');
    assert.equal((vsr.log.match(/a test embedder starts/g) ?? []).length, 1);
  });

  test('vectors of examples outlive the process, and are asked for once', async (t) => {
    const [backend, web] = [await Backend.start(t), await startServer(t, 'json', embedderEnv)];
    const state = directory(t);
    const doc = byMeaning(backend, { transport_type: 'http', url: web.url });
    for (const turn of [1, 2]) {
      const { vsr, ready } = await managed(t, doc, { env: { VSR_STATE_DIR: state } });
      await ready();
      assert.equal(await modelOf(vsr, stories[1]), 'poet');
      await vsr.stop();
      const { embedded } = await web.seen();
      const texts = embedded.flat().filter((text) => sums.includes(text));
      assert.deepEqual(texts.sort(), [...sums].sort(), `process ${turn}: examples were asked about once`);
    }
    assert.equal((await web.seen()).sessions, 0);
  });

  test('vectors of examples are made anew when the server embeds otherwise', async (t) => {
    const [backend, port, state] = [await Backend.start(t), await freePort(), directory(t)];
    const doc = byMeaning(backend, { transport_type: 'http', url: `http://127.0.0.1:${port}/mcp` });
    for (const model of ['first', 'other']) {
      const web = await startServer(t, 'json', { ...embedderEnv, MCP_TEST_PORT: String(port), MCP_TEST_MODEL: model });
      const { vsr, ready } = await managed(t, doc, { env: { VSR_STATE_DIR: state } });
      await ready();
      assert.equal(await modelOf(vsr, 'yet another tale'), 'poet', model);
      await vsr.stop();
      await web.kill();
    }
  });

  test('one that is not there leaves its rules unavailable, and is asked again', async (t) => {
    const backend = await Backend.start(t);
    const port = await freePort();
    const doc = byMeaning(backend, { transport_type: 'http', url: `http://127.0.0.1:${port}/mcp`, timeout_seconds: 2 });
    const { vsr, ready } = await managed(t, doc);
    await vsr.says(/not all examples have vectors/);
    assert.equal(await modelOf(vsr, stories[0]), 'small');
    const web = await startServer(t, 'json', { ...embedderEnv, MCP_TEST_PORT: String(port) });
    await ready();
    assert.equal(await modelOf(vsr, stories[0]), 'poet');
    await web.kill();
    await eventually('it is unavailable', async () => (await modelOf(vsr, 'another tale')) === 'small');
  });

  test('signals have a deadline, and a client that goes away takes its question with it', async (t) => {
    const [backend, web] = [await Backend.start(t), await startServer(t, 'json', embedderEnv)];
    const doc = byMeaning(backend, { transport_type: 'http', url: web.url }, { router: { signal_timeout_ms: 400 } });
    const { vsr, ready } = await managed(t, doc);
    await ready();
    assert.equal(await modelOf(vsr, 'a very slow tale'), 'small');
    await eventually('the server was told', async () => (await web.seen()).cancelled === 1);
    assert.equal(await modelOf(vsr, 'a tale'), 'poet');
    const patient = byMeaning(backend, { transport_type: 'http', url: web.url, timeout_seconds: 60 });
    const other = await managed(t, patient);
    await other.ready();
    const socket = net.connect(other.vsr.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(requestBytes({ body: chat('a very slow tale') }));
    await eventually('the question', async () => (await web.seen()).embedded.filter(([text]) => text.includes('very slow')).length === 2);
    socket.destroy();
    await eventually('it was cancelled', async () => (await web.seen()).cancelled === 2);
  });
});
