// The metrics page: well-formed, growing with what happens, on a socket of its own; and that neither it nor the log
// ever shows a key, a prompt or an answer.

import assert from 'node:assert/strict';

import { Backend, hang, jsonAnswer, openaiAnswer, sendAndClose } from './lib/backend.mjs';
import { chat, Conn, get, post, request, requestBytes } from './lib/http.mjs';
import { eventually, freePort, lane, otherwise, policy, startVsr, test, within } from './lib/harness.mjs';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);

/** A strict reading of the Prometheus text format 0.0.4. Returns `{families: Map name -> {type, help, samples}}`. */
function parsePrometheus(text) {
  assert.ok(text.endsWith('\n'), 'the last line has no end');
  const families = new Map();
  const closed = new Set();
  const seen = new Set();
  let current = null;
  const open = (name) => {
    assert.match(name, NAME);
    if (current?.name === name) return current;
    assert.ok(!closed.has(name), `the lines of ${name} are not together`);
    if (current) closed.add(current.name);
    current = { name, type: null, help: null, samples: [] };
    families.set(name, current);
    return current;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    assert.doesNotMatch(line, /[\r\0]/);
    if (line === '') continue;
    if (line.startsWith('#')) {
      const match = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
      if (!match) continue; // a comment
      const family = open(match[2]);
      assert.equal(family.samples.length, 0, `${match[1]} of ${family.name} after its samples`);
      const key = match[1].toLowerCase();
      assert.equal(family[key], null, `a second ${match[1]} of ${family.name}`);
      if (key === 'type') assert.ok(TYPES.has(match[3]), line);
      else assert.doesNotMatch(match[3].replace(/\\[\\n]/g, ''), /\\/, `escape in ${line}`);
      family[key] = match[3];
      continue;
    }
    const sample = parseSample(line);
    const base = sample.name.replace(/_(bucket|sum|count)$/, '');
    const family = families.get(base)?.type === 'histogram' ? open(base) : open(sample.name);
    assert.ok(family.type !== null, `${sample.name} has no TYPE`);
    const id = `${sample.name}${JSON.stringify([...sample.labels].sort())}`;
    assert.ok(!seen.has(id), `${id} twice`);
    seen.add(id);
    if (family.type === 'counter') assert.ok(sample.value >= 0, line);
    family.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

function parseSample(line) {
  const head = /^([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line);
  assert.ok(head, `not a sample: ${line}`);
  let rest = line.slice(head[0].length);
  const labels = new Map();
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const match = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|(?=\}))/.exec(rest);
      assert.ok(match, `bad label in ${line}`);
      assert.ok(!labels.has(match[1]), `label ${match[1]} twice in ${line}`);
      assert.notEqual(match[2], '', `an empty label value in ${line}; it should read unknown`);
      labels.set(
        match[1],
        match[2].replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c)),
      );
      rest = rest.slice(match[0].length);
    }
    rest = rest.slice(1);
  }
  const value = /^ ([+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)|NaN)( -?\d+)?$/.exec(rest);
  assert.ok(value, `bad value in ${line}`);
  return { name: head[1], labels, value: Number(value[1].replace('Inf', 'Infinity')) };
}

function checkHistogram({ name, samples }) {
  const series = new Map();
  for (const sample of samples) {
    const labels = [...sample.labels].filter(([key]) => key !== 'le');
    const key = JSON.stringify(labels.sort());
    if (!series.has(key)) series.set(key, { buckets: [] });
    const one = series.get(key);
    if (sample.name === `${name}_sum`) one.sum = sample.value;
    else if (sample.name === `${name}_count`) one.count = sample.value;
    else {
      assert.equal(sample.name, `${name}_bucket`);
      one.buckets.push([Number(sample.labels.get('le').replace('Inf', 'Infinity')), sample.value]);
    }
  }
  for (const [key, { buckets, sum, count }] of series) {
    const where = `${name}${key}`;
    assert.ok(sum !== undefined && count !== undefined, `${where} lacks sum or count`);
    assert.equal(buckets.at(-1)?.[0], Infinity, `${where} lacks the +Inf bucket`);
    assert.equal(buckets.at(-1)[1], count, `${where}: +Inf bucket and count differ`);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok(buckets[i][0] > buckets[i - 1][0], `${where}: buckets out of order`);
      assert.ok(buckets[i][1] >= buckets[i - 1][1], `${where}: buckets are not cumulative`);
    }
  }
}

const scrape = async (vsr) => {
  const answer = await vsr.metrics();
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  return parsePrometheus(answer.text());
};

/** The sum of a family's samples that carry these labels. */
function total(families, name, labels = {}) {
  let sum = 0;
  for (const sample of families.get(name)?.samples ?? []) {
    if (Object.entries(labels).every(([key, value]) => sample.labels.get(key) === value)) sum += sample.value;
  }
  return sum;
}

/** Waits until a counter has the value it must come to; accounting ends a moment after the answer does. */
const reaches = (vsr, name, labels, expected) =>
  eventually(
    `${name}${JSON.stringify(labels)} to be ${expected}`,
    async () => total(await scrape(vsr), name, labels) === expected,
  );

test('the page is well-formed, before and after traffic', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'm"od\\el', models: { 'm"od\\el': backend } }));
  const early = await scrape(vsr);
  assert.ok(
    [...early.keys()].some((name) => /^(llm|vsr)_/.test(name)),
    `${[...early.keys()]}`,
  );
  for (let i = 0; i < 20; i++) await post(vsr.port, chat('hi', { stream: i % 2 === 0 }));
  await post(vsr.port, '{');
  const later = await scrape(vsr);
  assert.ok(total(later, 'llm_model_requests_total', { model: 'm"od\\el' }) > 0);
  assert.equal((await get(vsr.metricsPort, '/nope')).status, 404);
  assert.equal((await get(vsr.port, '/metrics')).status, 404, 'metrics have a socket of their own');
  for (const path of ['/metrics', '/v1/chat/completions']) {
    const answer = await request(vsr.metricsPort, { path, body: chat('hi') });
    assert.ok([404, 405].includes(answer.status), `POST ${path} on the metrics socket: ${answer.status}`);
  }
});

for (const [baseline, routed, named, foreign] of [
  [undefined, 33, 33, 11],
  ['default_model', 22, 22, 0],
  ['decision_max', 22, 0, 0],
  ['cheap', 11, 11, 0],
]) {
  test(`what answers would have cost from the baseline: ${baseline ?? 'the default'}`, async (t) => {
    const backend = await Backend.start(t);
    const priced = (millions, currency = 'USD') => ({
      backend_refs: [backend],
      pricing: { currency, prompt_per_1m: millions * 1e6 },
    });
    const vsr = await startVsr(
      t,
      policy({
        default_model: 'middle',
        models: { cheap: priced(1), middle: priced(2), dear: priced(3), foreign: priced(1, 'EUR'), free: backend },
        signals: { keywords: [{ name: 'code_words', operator: 'OR', keywords: ['code'] }] },
        decisions: [
          lane('code_lane', 'keyword', 'code_words', 'cheap', { modelRefs: [{ model: 'cheap' }, { model: 'middle' }] }),
        ],
        global: baseline ? { router: { pricing: { baseline } } } : {},
      }),
    );
    const ask = async (text, model) => {
      assert.equal((await post(vsr.port, chat(text, model ? { model } : {}))).status, 200);
      await reaches(vsr, 'llm_model_requests_total', {}, ++asked);
    };
    let asked = 0;
    await ask('some code');
    await reaches(vsr, 'llm_model_cost_total', { model: 'cheap', currency: 'USD' }, 11);
    await reaches(vsr, 'vsr_savings_baseline_cost_total', { model: 'cheap' }, routed);
    await reaches(vsr, 'vsr_savings_actual_cost_total', { model: 'cheap' }, 11);
    await ask('hello', 'cheap');
    await reaches(vsr, 'llm_model_cost_total', { model: 'cheap' }, 22);
    await reaches(vsr, 'vsr_savings_baseline_cost_total', { model: 'cheap' }, routed + named);
    await ask('hello', 'foreign');
    await reaches(vsr, 'llm_model_cost_total', { model: 'foreign', currency: 'EUR' }, 11);
    await reaches(vsr, 'vsr_savings_baseline_cost_total', { model: 'foreign' }, foreign);
    await ask('hello', 'free');
    await reaches(vsr, 'llm_model_prompt_tokens_total', { model: 'free' }, 11);
    const families = await scrape(vsr);
    assert.equal(total(families, 'llm_model_cost_total', { model: 'free' }), 0);
    assert.equal(total(families, 'vsr_savings_baseline_cost_total', { model: 'free' }), 0);
  });
}

test('requests, tokens, errors, signals and decisions are counted', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'rest',
      models: { code: backend, rest: backend },
      signals: { keywords: [{ name: 'code_words', operator: 'OR', keywords: ['code'] }] },
      decisions: [lane('code_lane', 'keyword', 'code_words', 'code'), otherwise('rest', 'rest_lane')],
    }),
  );
  for (let i = 0; i < 6; i++)
    assert.equal((await post(vsr.port, chat('some code', { stream: i % 2 === 0 }))).status, 200);
  for (let i = 0; i < 4; i++) assert.equal((await post(vsr.port, chat('hello'))).status, 200);
  assert.equal((await post(vsr.port, chat('hello', { model: 'code' }))).status, 200);

  await reaches(vsr, 'llm_model_requests_total', { model: 'code' }, 7);
  await reaches(vsr, 'llm_model_requests_total', { model: 'rest' }, 4);
  await reaches(vsr, 'llm_model_prompt_tokens_total', { model: 'code' }, 7 * 11);
  await reaches(vsr, 'llm_model_completion_tokens_total', { model: 'code' }, 7 * 7);
  await reaches(vsr, 'llm_model_tokens_total', { model: 'rest' }, 4 * 18);
  await reaches(vsr, 'llm_signal_match_total', { signal_type: 'keyword', signal_name: 'code_words' }, 6);
  await reaches(vsr, 'llm_decision_match_total', { decision_name: 'code_lane' }, 6);
  const families = await scrape(vsr);
  assert.equal(total(families, 'llm_model_inflight_requests'), 0);
  assert.ok(total(families, 'llm_model_completion_latency_seconds') > 0, 'latency is observed');

  await post(vsr.port, '{');
  await reaches(vsr, 'llm_request_errors_total', { reason: 'parse_error' }, 1);
  backend.behaviour = jsonAnswer('{"error":{}}', { status: 500, reason: 'No' });
  await post(vsr.port, chat('hello'));
  await reaches(vsr, 'llm_request_errors_total', { model: 'rest', reason: 'upstream_5xx' }, 1);
  backend.behaviour = jsonAnswer('{"error":{}}', { status: 429, reason: 'No' });
  await post(vsr.port, chat('hello'));
  await reaches(vsr, 'llm_request_errors_total', { model: 'rest', reason: 'upstream_4xx' }, 1);
});

test('what becomes of signals is counted, family by family', async (t) => {
  const backend = await Backend.start(t);
  const decision = (name, priority, ...conditions) => ({
    name,
    priority,
    rules: { operator: 'AND', conditions: conditions.map(([type, rule]) => ({ type, name: rule })) },
    modelRefs: [{ model: 'm' }],
  });
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'm',
      models: { m: backend },
      signals: {
        keywords: [{ name: 'code_words', operator: 'OR', keywords: ['code'] }],
        context: [{ name: 'short', min_tokens: '0', max_tokens: '1K' }],
        domains: [{ name: 'law', mmlu_categories: ['law'] }],
        language: [{ name: 'en' }],
      },
      global: { model_catalog: { modules: { classifier: { domain: { model_ref: '', model_id: 'builtin/absent' } } } } },
      decisions: [
        decision('code_lane', 100, ['keyword', 'code_words']),
        decision('law_lane', 50, ['domain', 'law'], ['context', 'short']),
      ],
    }),
  );
  await post(vsr.port, chat('some code'));
  await reaches(vsr, 'llm_signal_extraction_total', { signal_type: 'keyword', signal_name: 'code_words' }, 1);
  let families = await scrape(vsr);
  assert.equal(total(families, 'llm_signal_match_total', { signal_type: 'keyword' }), 1);
  assert.equal(total(families, 'llm_signal_skipped_total', { signal_type: 'domain', reason: 'decided' }), 1);
  assert.equal(total(families, 'llm_signal_skipped_total', { signal_type: 'language', reason: 'unused' }), 1);
  assert.equal(total(families, 'llm_signal_errors_total'), 0);

  await post(vsr.port, chat('no such word'));
  await reaches(vsr, 'llm_signal_errors_total', { signal_type: 'domain', code: 'unavailable' }, 1);
  families = await scrape(vsr);
  assert.equal(total(families, 'llm_signal_extraction_total', { signal_type: 'keyword' }), 2);
  assert.equal(total(families, 'llm_signal_match_total', { signal_type: 'keyword' }), 1);
  assert.equal(total(families, 'llm_signal_match_total', { signal_type: 'context', signal_name: 'short' }), 2, 'cheap ones run together');
  assert.equal(total(families, 'llm_signal_errors_total'), 1, 'of one family, of one kind');
  assert.ok(total(families, 'llm_signal_extraction_latency_seconds', { signal_type: 'keyword' }) > 0);
});

test('requests in flight are a gauge that returns to zero', async (t) => {
  const backend = await Backend.start(t, hang());
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: backend } }));
  const conns = await Promise.all(Array.from({ length: 5 }, () => Conn.open(vsr.port)));
  for (const conn of conns) void conn.write(requestBytes({ body: chat('hi') }));
  await within('the requests to arrive', backend.received(5));
  await reaches(vsr, 'llm_model_inflight_requests', { model: 'm' }, 5);
  for (const conn of conns) conn.reset();
  await reaches(vsr, 'llm_model_inflight_requests', { model: 'm' }, 0);
});

test('retries and timeouts show', async (t) => {
  const good = await Backend.start(t);
  const bad = await Backend.start(t, sendAndClose(Buffer.alloc(0), { reset: true }));
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'm',
      models: {
        m: {
          backend_refs: [
            { name: 'a', endpoint: bad.address },
            { name: 'b', endpoint: good.address },
            { name: 'c', endpoint: `127.0.0.1:${await freePort()}` },
          ],
          reliability: { retry_count: 3, retry_on: 'connect-failure,refused-stream,reset' },
        },
      },
    }),
  );
  for (let i = 0; i < 12; i++) assert.equal((await post(vsr.port, chat('hi'))).status, 200);
  const families = await scrape(vsr);
  const retries = [...families.values()].filter(({ name, type }) => /retr/.test(name) && type === 'counter');
  assert.ok(retries.length > 0, `a counter of retries among ${[...families.keys()]}`);
  assert.ok(retries.some(({ name }) => total(families, name) > 0));
});

test('counters outlive a reload', async (t) => {
  const backend = await Backend.start(t);
  const document = policy({ default_model: 'm', models: { m: backend } });
  const vsr = await startVsr(t, document);
  for (let i = 0; i < 5; i++) await post(vsr.port, chat('hi'));
  await reaches(vsr, 'llm_model_requests_total', { model: 'm' }, 5);
  vsr.write({ ...document, global: { router: { auto_model_names: ['auto', 'reloaded'] } } });
  vsr.signal('SIGHUP');
  await eventually('the reload', async () => (await post(vsr.port, chat('hi', { model: 'reloaded' }))).status === 200);
  for (let i = 0; i < 4; i++) await post(vsr.port, chat('hi'));
  await eventually(
    'the counter to go on',
    async () => total(await scrape(vsr), 'llm_model_requests_total', { model: 'm' }) >= 10,
  );
});

test('names made up by clients do not become labels', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: backend } }));
  for (let i = 0; i < 50; i++) await post(vsr.port, chat('hi', { model: `made-up-${i}` }));
  const text = (await vsr.metrics()).text();
  assert.doesNotMatch(text, /made-up-\d/);
});

test('no secret and no content in metrics or log, at the most talkative level', async (t) => {
  const answerSecret = 'ANSWER-cobalt-9182';
  const backend = await Backend.start(t, openaiAnswer({ content: answerSecret, pieces: [answerSecret] }));
  const secrets = {
    listener: 'LISTENER-KEY-4711',
    backend: 'BACKEND-KEY-4712',
    environment: 'ENV-KEY-4713',
    extra: 'EXTRA-TOKEN-4714',
    prompt: 'PROMPT-magenta-4715',
    caller: 'CALLER-KEY-4716',
    tool: 'TOOL-ARG-4717',
    meta: 'META-VALUE-4718',
  };
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'a',
      listener: { api_keys: [secrets.listener] },
      models: {
        a: {
          backend_refs: [
            { endpoint: backend.address, api_key: secrets.backend, extra_headers: { 'x-api-token': secrets.extra } },
          ],
        },
        b: { backend_refs: [{ endpoint: backend.address, api_key_env: 'VSR_TEST_SECRET_KEY' }] },
        dead: { backend_refs: [{ endpoint: `127.0.0.1:${await freePort()}`, api_key: secrets.backend }] },
      },
      signals: { keywords: [{ name: 'k', operator: 'OR', keywords: ['magenta'] }] },
      decisions: [lane('k_lane', 'keyword', 'k', 'a')],
    }),
    { env: { VSR_TEST_SECRET_KEY: secrets.environment }, args: ['--log-level', 'debug'] },
  );
  const key = { Authorization: `Bearer ${secrets.listener}`, 'x-vsr-debug': 'true' };
  const body = (model, stream) => ({
    model,
    stream,
    metadata: { note: secrets.meta },
    messages: [
      { role: 'user', content: secrets.prompt },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: secrets.tool } }],
      },
      { role: 'tool', tool_call_id: 'c', content: secrets.tool },
      { role: 'user', content: secrets.prompt },
    ],
  });
  for (const model of ['auto', 'a', 'b', 'dead', 'nope']) {
    for (const stream of [false, true]) await post(vsr.port, body(model, stream), key);
  }
  assert.equal(backend.last.headers.get('authorization'), `Bearer ${secrets.environment}`);
  await post(vsr.port, body('auto', false), { Authorization: `Bearer ${secrets.caller}` });
  await post(vsr.port, `{"model":"auto","messages":["${secrets.prompt}"`, key);
  backend.behaviour = jsonAnswer(`{"error":{"message":"${answerSecret}"}}`, { status: 500, reason: 'No' });
  await post(vsr.port, body('auto', false), key);
  backend.behaviour = sendAndClose(Buffer.from(`${answerSecret}\r\n\r\n`));
  await post(vsr.port, body('auto', false), key);
  vsr.write({
    version: 'v0.3',
    listeners: [
      { name: 'x', address: '127.0.0.1', port: vsr.port, api_keys: [secrets.listener], bad: secrets.backend },
    ],
    routing: {},
  });
  vsr.signal('SIGHUP');
  await vsr.says(/reload/i);
  const metrics = (await vsr.metrics()).text();
  await vsr.stop();
  assert.ok(vsr.log.length > 0);
  for (const [what, secret] of Object.entries({ ...secrets, answer: answerSecret })) {
    assert.ok(!metrics.includes(secret), `the ${what} secret is in the metrics`);
    const at = vsr.log.indexOf(secret);
    assert.ok(at < 0, `the ${what} secret is in the log: …${vsr.log.slice(Math.max(0, at - 200), at + 60)}`);
  }
});
