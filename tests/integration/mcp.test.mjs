// Tool servers that classify texts, asked over stdio and streamable HTTP.

import assert from 'node:assert/strict';
import { describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { eventually, lane, otherwise, policy, startVsr, test } from './lib/harness.mjs';
import { chat, post } from './lib/http.mjs';
import { node, server, startAsker, startServer, stdio } from './lib/mcp.mjs';

const labels = ['math', 'law', 'other'];

async function checkVerdicts(vsr) {
  assert.deepEqual(await vsr.ask('a math question'), {
    labels, numbers: [0.800000011920929, 0.10000000149011612, 0.10000000149011612], model: 'test classifier', version: '4.5.6',
  });
  const asText = await vsr.ask('law, as texts alone');
  assert.deepEqual(asText.numbers.map((x) => Math.round(x * 10)), [1, 8, 1]);
  const failed = await vsr.ask('it throws at private words');
  assert.equal(failed.code, 'failed');
  assert.match(failed.reason, /the tool reports a failure/);
  assert.doesNotMatch(failed.reason, /private/);
  const again = await vsr.ask('math “日本” \u0000 \n "quotes"');
  assert.deepEqual(again.labels, labels);
}

describe('stdio', () => {
  test('verdicts', async (t) => {
    const vsr = stdio(t);
    await checkVerdicts(vsr);
    await vsr.stop();
    assert.match(vsr.log(), /a test classifier starts/, 'what it says before the handshake is logged');
  });

  test('a server that ends is started again', async (t) => {
    const vsr = stdio(t);
    assert.deepEqual((await vsr.ask('law')).labels, labels);
    const lost = await vsr.ask('it exits');
    assert.equal(lost.code, 'unavailable');
    assert.match(lost.reason, /status 3/);
    await eventually('it is back', async () => (await vsr.ask('law')).labels);
    await vsr.stop();
  });

  test('a slow answer', async (t) => {
    const vsr = stdio(t, ['--timeout', '1']);
    await eventually('it is ready', async () => (await vsr.ask('law')).labels);
    assert.equal((await vsr.ask('very slow math')).code, 'timeout');
    assert.deepEqual((await vsr.ask('math')).labels, labels, 'the next is not held up');
    await vsr.stop();
  });

  test('an answer past all limits', async (t) => {
    const vsr = stdio(t);
    const huge = await vsr.ask('huge');
    assert.equal(huge.code, 'failed');
    assert.match(huge.reason, /too long/);
    await eventually('it is back', async () => (await vsr.ask('law')).labels);
    await vsr.stop();
  });

  test('tools that change', async (t) => {
    const vsr = stdio(t);
    assert.deepEqual((await vsr.ask('math')).labels, labels);
    const changed = await vsr.ask('math changes'); // its answer is an index into the new list
    assert.deepEqual(changed.labels, ['law', 'math', 'other']);
    assert.deepEqual(changed.numbers.map((x) => Math.round(x * 10)), [1, 8, 1]);
    await vsr.stop();
  });

  test('it asks something itself', async (t) => {
    const vsr = stdio(t);
    assert.deepEqual((await vsr.ask('asks about math')).labels, labels);
    await vsr.stop();
  });

  test('our keys are not its own', async (t) => {
    const vsr = stdio(t);
    assert.equal((await vsr.ask('environment')).numbers[0], 0.25);
    await vsr.stop();
    const given = stdio(t, [], ['A_KEY_OF_OURS=on purpose']);
    assert.equal((await given.ask('environment')).numbers[0], 1);
    await given.stop();
  });

  test('a tool of another name', async (t) => {
    const named = stdio(t, ['--tool', 'sort'], ['MCP_TEST_TOOLS=single']);
    assert.deepEqual((await named.ask('law')).labels, ['law']);
    await named.stop();
    const wrong = stdio(t, ['--tool', 'sort'], ['MCP_TEST_TOOLS=usual']);
    assert.match((await wrong.ask('law')).reason, /no tool "sort"/);
    await wrong.stop();
    const none = stdio(t, [], ['MCP_TEST_TOOLS=none']);
    assert.match((await none.ask('law')).reason, /none of its tools classifies/);
    await none.stop();
  });
});

for (const mode of ['events', 'json']) {
  describe(`streamable HTTP, answers as ${mode}`, () => {
    test('verdicts', async (t) => {
      const web = await startServer(t, mode);
      const vsr = startAsker(t, ['http', web.url]);
      await checkVerdicts(vsr);
      const { requests, sessions } = await web.seen();
      assert.equal(sessions, 1);
      assert.deepEqual(
        requests.slice(0, 4).map(({ rpc }) => rpc),
        ['initialize', 'notifications/initialized', 'tools/list', 'tools/call'],
      );
      for (const { rpc, session, version, accept } of requests) {
        assert.equal(accept, 'application/json, text/event-stream');
        assert.equal(session !== undefined, rpc !== 'initialize');
        assert.equal(version, rpc === 'initialize' ? undefined : '2025-06-18');
      }
      await vsr.stop();
      const end = await web.seen();
      assert.equal(end.requests.at(-1).method, 'DELETE');
      assert.equal(end.sessions, 0, 'the session was ended');
    });

    test('a session that is forgotten begins anew', async (t) => {
      const web = await startServer(t, mode);
      const vsr = startAsker(t, ['http', web.url]);
      assert.deepEqual((await vsr.ask('law')).labels, labels);
      await web.forget();
      assert.deepEqual((await vsr.ask('law')).labels, labels, 'nobody notices');
      const { requests } = await web.seen();
      assert.equal(requests.filter(({ rpc }) => rpc === 'initialize').length, 2);
      await vsr.stop();
    });

    test('a slow answer is cancelled', async (t) => {
      const web = await startServer(t, mode);
      const vsr = startAsker(t, ['--timeout', '1', 'http', web.url]);
      await eventually('it is ready', async () => (await vsr.ask('law')).labels);
      assert.equal((await vsr.ask('very slow math')).code, 'timeout');
      assert.deepEqual((await vsr.ask('math')).labels, labels);
      await eventually('it was told', async () => (await web.seen()).cancelled >= 1);
      await vsr.stop();
    });
  });
}

test('a server over HTTP that is not there', async (t) => {
  const vsr = startAsker(t, ['http', 'http://127.0.0.1:1/mcp']);
  assert.equal((await vsr.ask('law')).code, 'unavailable');
  await vsr.stop();
});

// ---- the gateway ---------------------------------------------------------------------------------------------------

const document = (backend, mcp) =>
  policy({
    default_model: 'small',
    models: { small: backend, counter: backend, lawyer: backend },
    signals: { domains: [{ name: 'math' }, { name: 'paragraphs', mmlu_categories: ['law'] }] },
    decisions: [
      lane('counting', 'domain', 'math', 'counter'),
      lane('suing', 'domain', 'paragraphs', 'lawyer'),
      otherwise('small'),
    ],
    global: { model_catalog: { modules: { classifier: { mcp: { enabled: true, threshold: 0.5, ...mcp } } } } },
  });

async function modelOf(vsr, text) {
  const answer = await post(vsr.port, chat(text));
  assert.equal(answer.status, 200, answer.text());
  return JSON.parse(answer.text()).model;
}

const processes = (vsr) => (vsr.log.match(/a test classifier starts/g) ?? []).length;

describe('in the gateway', () => {
  test('a process says which domain it is; one for all workers, also after a reload', async (t) => {
    const backend = await Backend.start(t);
    const doc = document(backend, { transport_type: 'stdio', command: node, args: [server] });
    const vsr = await startVsr(t, doc);
    await vsr.says(/a tool server is ready/);
    for (let i = 0; i < 12; i++) {
      assert.equal(await modelOf(vsr, `a math question, ${i}`), 'counter');
      assert.equal(await modelOf(vsr, `a law question, ${i}`), 'lawyer');
    }
    assert.equal(await modelOf(vsr, 'weather'), 'small');
    assert.equal(await modelOf(vsr, 'a law question that throws'), 'small', 'a failure is no class');
    const from = vsr.log.length;
    vsr.write({ ...doc, routing: { ...doc.routing, decisions: [lane('suing', 'domain', 'math', 'lawyer'), otherwise('small')] } });
    await vsr.says(/configuration reloaded/, from);
    assert.equal(await modelOf(vsr, 'a math question'), 'lawyer');
    assert.equal(processes(vsr), 1);
    const again = vsr.log.length;
    vsr.write({ ...doc, routing: { ...doc.routing, decisions: [otherwise('counter')] } });
    await vsr.says(/configuration reloaded/, again);
    assert.equal(await modelOf(vsr, 'anything'), 'counter');
  });

  test('a server over HTTP says which domain it is', async (t) => {
    const [backend, web] = [await Backend.start(t), await startServer(t)];
    const vsr = await startVsr(t, document(backend, { transport_type: 'http', url: web.url, tool_name: 'classify_text' }));
    assert.equal(await modelOf(vsr, 'a law question'), 'lawyer');
    assert.equal(await modelOf(vsr, 'a math question'), 'counter');
    await vsr.stop();
    assert.equal((await web.seen()).sessions, 0, 'the session was ended');
  });

  test('a server that is not there leaves the rest as it is', async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(t, document(backend, { transport_type: 'stdio', command: '/nowhere/classifier' }));
    assert.equal(await modelOf(vsr, 'a law question'), 'small');
    assert.match(vsr.log, /a tool server could not be reached.*\/nowhere\/classifier/);
  });
});
