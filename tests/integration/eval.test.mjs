// The management API: evaluation without execution, health, access. The same document as `vsr route --trace json`.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { eventually, freePort, lane, otherwise, policy, program, startVsr, test, within } from './lib/harness.mjs';
import { Conn, decorate, request } from './lib/http.mjs';

const document = (more = {}) =>
  policy({
    default_model: 'small',
    models: { small: { endpoint: '127.0.0.1:1' }, big: { endpoint: '127.0.0.1:1' } },
    signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['segmentation fault'] }] },
    decisions: [lane('coding', 'keyword', 'code', 'big'), otherwise('small')],
    ...more,
  });

async function start(t, doc, env = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, doc, { args: ['--management-listen', `127.0.0.1:${port}`], env });
  const call = async (method, target, body, headers = {}) => {
    const answer = await request(port, {
      method,
      path: target,
      headers: { 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, text: answer.text(), json: () => JSON.parse(answer.text()) };
  };
  return { vsr, port, call };
}

test('the document over HTTP is that of the command line', async (t) => {
  const { vsr, call } = await start(t, document());
  for (const prompt of ['I get a segmentation fault', 'Hello']) {
    const answer = await call('POST', '/api/v1/eval?trace=true', { text: prompt });
    assert.equal(answer.status, 200, answer.text);
    const run = spawnSync(program, ['route', '-c', vsr.file, '--trace', 'json', prompt], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const [over, here] = [answer.json(), JSON.parse(run.stdout)];
    for (const document of [over, here]) {
      assert.ok(document.metrics.keywords.execution_time_ms >= 0);
      delete document.metrics; // times differ
    }
    assert.deepEqual(over, here);
  }
});

test('what was decided, and why', async (t) => {
  const { call } = await start(t, document());
  const plain = (await call('POST', '/api/v1/eval', { text: 'a segmentation fault' })).json();
  assert.equal(plain.routing_decision, 'coding');
  assert.equal(plain.selected_model, 'big');
  assert.deepEqual([plain.selection_status, plain.selection_method], ['selected', 'single']);
  assert.deepEqual(plain.decision_result.matched_signals, { keywords: ['code'] });
  assert.equal(plain.eval_trace, undefined);
  const messages = [{ role: 'user', content: 'Hello' }];
  const traced = (await call('POST', '/api/v1/eval', { messages, trace: true, model: 'auto' })).json();
  assert.equal(traced.requested_model, 'auto');
  assert.deepEqual(traced.eval_trace.map((entry) => [entry.decision_name, entry.matched]), [['coding', false], ['otherwise', true]]);
  assert.deepEqual(traced.decision_result.unmatched_signals, { keywords: ['code'] });
});

test('mistakes are told', async (t) => {
  const { call, port } = await start(t, document());
  const cases = [
    ['{', 400, 'INVALID_INPUT', /line 1/],
    [[], 400, 'INVALID_INPUT', /object/],
    [{}, 400, 'INVALID_INPUT', /messages/],
    [{ text: 7 }, 400, 'INVALID_INPUT', /text/],
    [{ text: 'a', messages: [] }, 400, 'INVALID_INPUT', /either/],
    [{ text: 'a', model: 'nobody' }, 400, 'INVALID_ROUTING_MODEL', /nobody/],
  ];
  for (const [body, status, code, message] of cases) {
    const answer = await call('POST', '/api/v1/eval', body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.json().error.code, code);
    assert.match(answer.json().error.message, message);
    assert.equal(answer.json().error.request_id, answer.headers.get('x-request-id'));
  }
  const conn = await Conn.open(port);
  await conn.write(`POST /api/v1/eval HTTP/1.1\r\nHost: a\r\nContent-Length: ${(10 << 20) + 1}\r\n\r\n`);
  const large = decorate(await within('the answer', conn.response()));
  assert.equal(large.status, 413);
  assert.equal(JSON.parse(large.text()).error.code, 'REQUEST_BODY_TOO_LARGE');
  conn.destroy();
});

test('routes are listed, others refused', async (t) => {
  const { call } = await start(t, document());
  const routes = (await call('GET', '/api/v1')).json().routes;
  assert.ok(routes.some((route) => route.method === 'POST' && route.path === '/api/v1/eval'));
  assert.equal((await call('GET', '/nowhere')).json().error.code, 'NOT_FOUND');
  const wrong = await call('GET', '/api/v1/eval');
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'POST']);
  assert.equal((await call('GET', '/health')).json().status, 'healthy');
  assert.match((await call('GET', '/metrics')).text, /vsr_config_generation 1/);
  const mine = await call('GET', '/health', undefined, { 'x-request-id': 'mine' });
  assert.equal(mine.headers.get('x-request-id'), 'mine');
});

test('a family without a model is named, and no reason to be unready', async (t) => {
  const signals = { domains: [{ name: 'law' }], fact_check: [{ name: 'needs_fact_check' }] };
  const global = { model_catalog: { modules: { classifier: { domain: { model_ref: '', model_id: 'builtin/absent' } } } } };
  const decisions = [lane('legal', 'domain', 'law', 'big'), lane('facts', 'fact_check', 'needs_fact_check', 'big'), otherwise('small')];
  const { call } = await start(t, document({ signals, global, decisions }));
  const ready = (await call('GET', '/ready')).json();
  assert.equal(ready.ready, true);
  assert.deepEqual(ready.unavailable.map((entry) => [entry.recipe, entry.family]), [['default', 'domain']]);
  const answer = (await call('POST', '/api/v1/eval', { text: 'a contract' })).json();
  assert.equal(answer.routing_decision, 'otherwise');
  assert.ok(Object.keys(answer.signal_errors).length > 0);
});

test('tokens, roles and permissions', async (t) => {
  const auth = {
    mode: 'bearer',
    tokens: [{ env: 'TEST_ADMIN', role: 'admin' }, { env: 'TEST_VIEW', role: 'viewer' }, { env: 'TEST_NONE', role: 'idle' }],
    roles: { admin: ['*'], viewer: ['classify.invoke'], idle: ['health.read'] },
  };
  const global = { services: { management_api: { auth } } };
  const env = { TEST_ADMIN: 'admin-token', TEST_VIEW: 'view-token', TEST_NONE: 'idle-token' };
  const { vsr, call } = await start(t, document({ global }), env);
  const evaluate = async (authorization) => {
    const answer = await call('POST', '/api/v1/eval', { text: 'Hello' }, authorization ? { authorization } : {});
    return [answer.status, answer.status === 200 ? undefined : answer.json().error.code];
  };
  assert.deepEqual(await evaluate(), [401, 'UNAUTHORIZED']);
  assert.deepEqual(await evaluate('Bearer nobody'), [401, 'UNAUTHORIZED']);
  assert.deepEqual(await evaluate('Basic admin-token'), [401, 'UNAUTHORIZED']);
  assert.deepEqual(await evaluate('Bearer idle-token'), [403, 'FORBIDDEN']);
  assert.deepEqual(await evaluate('bearer view-token'), [200, undefined]);
  assert.deepEqual(await evaluate('Bearer admin-token'), [200, undefined]);
  assert.equal((await call('GET', '/health')).status, 200, 'health asks nobody');
  assert.equal((await call('GET', '/metrics', undefined, { authorization: 'Bearer view-token' })).status, 403);
  assert.ok(!vsr.log.includes('admin-token'));
});

test('without any token nobody is let in', async (t) => {
  const auth = { mode: 'bearer', tokens: [{ env: 'TEST_UNSET_TOKEN', role: 'admin' }] };
  const { call } = await start(t, document({ global: { services: { management_api: { auth } } } }));
  const answer = await call('POST', '/api/v1/eval', { text: 'Hello' }, { authorization: 'Bearer ' });
  assert.deepEqual([answer.status, answer.json().error.code], [401, 'MANAGEMENT_AUTH_NOT_CONFIGURED']);
  assert.match(answer.headers.get('www-authenticate'), /Bearer/);
});

test('on all addresses only where the policy exposes it', async (t) => {
  const exposed = (more) => document({ global: { services: { management_api: more } } });
  const open = { remote_exposure: true, auth: { mode: 'bearer', tokens: [{ env: 'TEST_ADMIN', role: 'admin' }] } };
  const port = await freePort();
  const options = { args: ['--management-listen', `0.0.0.0:${port}`], env: { TEST_ADMIN: 'admin-token' } };
  await assert.rejects(startVsr(t, document(), options), /remote_exposure is false/);
  await assert.rejects(startVsr(t, document(), { args: ['--management-listen', `0:${port}`] }), /an IP address or localhost/);

  const vsr = await startVsr(t, exposed(open), options);
  const ready = async () => (await request(port, { method: 'GET', path: '/ready', headers: { authorization: 'Bearer admin-token' } })).status;
  assert.equal(await ready(), 200);
  vsr.write(document());
  await eventually('a reload that takes the exposure back closes the door', async () => (await ready()) === 403);
  assert.equal((await request(port, { method: 'GET', path: '/health' })).status, 200);
});

test('probes ask a router as they ask the engine', async (t) => {
  const auth = { mode: 'bearer', tokens: [{ env: 'TEST_ADMIN', role: 'viewer' }] };
  const global = { services: { management_api: { auth } } };
  const { vsr, port } = await start(t, document({ global }), { TEST_ADMIN: 'admin-token' });
  const suite = path.join(vsr.dir, 'probes.yaml');
  writeFileSync(suite, JSON.stringify({
    schema_version: 'v1',
    name: 'small',
    routing_assets: { yaml: 'config.yaml', dsl: 'recipe.dsl' },
    coverage: {},
    decisions: [
      { id: 'coding', expected_decision: 'coding', expected_signals: { keywords: ['code'] }, variants: [{ id: 'crash', query: 'a segmentation fault' }] },
      { id: 'rest', expected_decision: 'otherwise', variants: [{ id: 'hello', query: 'Hello' }] },
    ],
  }));
  const here = spawnSync(program, ['probe', '--json', suite], { encoding: 'utf8' });
  assert.equal(here.status, 0, here.stdout + here.stderr);
  const ask = (token) =>
    spawnSync(program, ['probe', '--json', '--router', `http://127.0.0.1:${port}`, suite], {
      encoding: 'utf8',
      env: { ...process.env, VSR_MANAGEMENT_TOKEN: token },
    });
  assert.match(ask('nobody').stdout, /the router answers 401/);
  const there = ask('admin-token');
  assert.equal(there.status, 0, there.stdout + there.stderr);
  const states = (run) => JSON.parse(run.stdout).probes.map((probe) => [probe.id, probe.state, probe.decision]);
  assert.deepEqual(states(there), states(here));
  writeFileSync(suite, readFileSync(suite, 'utf8').replace('"expected_decision":"coding"', '"expected_decision":"codign"'));
  const slip = spawnSync(program, ['probe', suite], { encoding: 'utf8' });
  assert.equal(slip.status, 1);
  assert.match(slip.stdout, /not accepted: coding expects decision codign, which recipe default does not have/);
});
