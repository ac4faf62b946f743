// `vsr dsl generate`: what models say, over HTTP and from a file, and what becomes of it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';

import { Backend, completion, responseBytes } from './lib/backend.mjs';
import { program, seconds, test } from './lib/harness.mjs';
import { startStandIn } from './lib/standin.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-generate-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs `vsr dsl generate ARGS` to its end, without blocking the servers of this process. */
async function generate(args, { input = '', env = {} } = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VSR_|VLLM_)/.test(name)));
  const child = spawn(program, ['dsl', 'generate', ...args], { env: { ...clean, ...env }, cwd: scratch, timeout: seconds(60) });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  child.stdin.on('error', () => {}).end(input);
  const [code, signal] = await new Promise((resolve) => child.on('close', (...how) => resolve(how)));
  assert.equal(signal, null, `ended by ${signal}: ${err}`);
  return { code, out, err, json: () => JSON.parse(out) };
}

/** A server that replays: texts as completions, objects as responses. The last one again and again. */
async function replaying(t, replies) {
  let turn = 0;
  return Backend.start(t, async (exchange) => {
    const reply = replies[Math.min(turn++, replies.length - 1)];
    const answer = typeof reply === 'string' ? { body: JSON.stringify(completion('m', reply)) } : reply;
    await exchange.write(responseBytes({ headers: { 'Content-Type': 'application/json' }, ...answer }));
  });
}

function file(name, text) {
  const full = path.join(scratch, name);
  writeFileSync(full, text);
  return full;
}
const lines = (name, values) => file(name, values.map((value) => `${JSON.stringify(value)}\n`).join(''));

const clean = `SIGNAL domain math {
}

ROUTE a {
  PRIORITY 2
  WHEN domain("math")
  MODEL "m"
}

ROUTE b {
  PRIORITY 1
  MODEL "m"
}
`;
const broken = 'ROUTE a { PRIORITY two MODEL "m" }';
const warned = 'ROUTE a { PRIORITY 2 WHEN domain("math") MODEL "m" } ROUTE b { PRIORITY 1 MODEL "m" }';

describe('a server', () => {
  const cases = [
    ['clean', [clean], 1],
    ['fenced', [`\`\`\`dsl\n${clean}\`\`\``], 1],
    ['prose around', [`Here it is:\n\n${clean}\nHope it helps!`], 1],
    ['broken, then fixed', [broken, clean], 2],
    ['with a warning, then without', [warned, clean], 2],
  ];
  for (const [name, replies, attempts] of cases) {
    test(name, async (t) => {
      const backend = await replaying(t, replies);
      const run = await generate(['--api-url', `http://${backend.address}`, '--model', 'writer', 'math', 'goes to m']);
      assert.deepEqual([run.code, run.out, run.err], [0, clean, `${attempts} attempt${attempts > 1 ? 's' : ''}\n`]);
      assert.equal(backend.requests.length, attempts);
      const body = backend.requests[0].json();
      assert.deepEqual([body.model, body.temperature, body.max_tokens], ['writer', 0.1, 4096]);
      assert.deepEqual(body.messages.map(({ role }) => role), ['system', 'user']);
      assert.match(body.messages[1].content, /\nSIGNAL classifier\n[^]*# Examples\n[^]*# Task\n\nmath goes to m\n/);
    });
  }

  test('always broken: the draft is printed, and the exit code says so', async (t) => {
    const backend = await replaying(t, [broken]);
    const run = await generate(['--api-url', `http://${backend.address}/v1/`, '--model', 'w', '--max-retries', '3', '--json', 'x']);
    assert.equal(run.code, 1);
    const { dsl, attempts, parseError, diagnostics } = run.json();
    assert.deepEqual([dsl, attempts, parseError], [broken, 4, '1:20: unexpected "two" (expected integer)']);
    assert.equal(diagnostics[0].level, 'error');
    assert.equal(backend.requests.length, 4);
    const repair = backend.last.json().messages[1].content;
    assert.match(repair, /# Original Task\n\nx\n[^]*ROUTE a \{ PRIORITY two[^]*- \[error\] unexpected "two" \(expected integer\) \(line 1, column 20\)\n/);
  });

  test('a warning that stays ends it early', async (t) => {
    const backend = await replaying(t, [warned]);
    const run = await generate(['--api-url', `http://${backend.address}`, '--model', 'w', '--max-retries', '4', 'x']);
    assert.equal(run.code, 0);
    assert.match(run.err, /^generated:3:\d+: warning: signal domain\("math"\) is not[^]*\n2 attempts; the last one changed nothing\n$/);
    assert.equal(backend.requests.length, 2);
  });

  test('key, model and address from the environment', async (t) => {
    const backend = await replaying(t, [clean]);
    const env = { VLLM_API_URL: `http://${backend.address}/v1/chat/completions`, VLLM_MODEL: 'env-model', VLLM_API_KEY: 'sesame' };
    const run = await generate([], { env, input: 'from standard input\n' });
    assert.deepEqual([run.code, run.out], [0, clean]);
    const head = backend.last.rawHead;
    assert.match(head, /^POST \/v1\/chat\/completions HTTP\/1\.1\r\n/);
    assert.match(head, /\r\nauthorization: Bearer sesame\r\n/i);
    assert.equal(backend.last.json().model, 'env-model');
    assert.match(backend.last.json().messages[1].content, /# Task\n\nfrom standard input\n/);
  });

  test('errors of the server name the attempt', async (t) => {
    const refusing = await replaying(t, [broken, { status: 503, reason: 'No', body: '{"error":{"message":"over\\u001bloaded"}}' }]);
    const run = await generate(['--api-url', `http://${refusing.address}`, '--model', 'w', 'x']);
    assert.deepEqual([run.code, run.out], [1, '']);
    assert.match(run.err, /attempt 2: the model server answered with status 503: \{"error":.*loaded/);
    const empty = await replaying(t, [{ body: '{"choices":[]}' }]);
    assert.match((await generate(['--api-url', `http://${empty.address}`, '--model', 'w', 'x'])).err, /attempt 1: the model's answer has no choices/);
    const garbled = await replaying(t, [{ body: 'choices' }]);
    assert.match((await generate(['--api-url', `http://${garbled.address}`, '--model', 'w', 'x'])).err, /attempt 1: the model's answer is no JSON/);
    const gone = await replaying(null, [clean]);
    await gone.close();
    const nobody = await generate(['--api-url', `http://${gone.address}`, '--model', 'w', 'x']);
    assert.deepEqual([nobody.code, nobody.out], [1, '']);
    assert.match(nobody.err, /attempt 1: /);
  });

  test('an answer that was cut off is no program', async (t) => {
    const answer = completion('m', clean);
    answer.choices[0].finish_reason = 'length';
    const backend = await replaying(t, [{ body: JSON.stringify(answer) }, clean]);
    const run = await generate(['--api-url', `http://${backend.address}`, '--model', 'w', 'x']);
    assert.deepEqual([run.code, run.out, run.err], [0, clean, '2 attempts\n']);
    assert.match(backend.last.json().messages[1].content, /the answer was cut off/);
  });
});

describe('`vsr backend`', () => {
  test('answers in prose, to the address alone: no program', async (t) => {
    const standIn = await startStandIn(t);
    const run = await generate(['--api-url', `127.0.0.1:${standIn.port}`, '--model', 'w', '--json', 'x']);
    assert.equal(run.code, 1);
    const { attempts, parseError } = run.json();
    assert.equal(attempts, 3);
    assert.match(parseError, /no declaration/);
    assert.equal((await standIn.stats()).requests, 3);
  });

  test('refuses: the first refusal ends it', async (t) => {
    const standIn = await startStandIn(t, ['--status', '429']);
    const run = await generate(['--api-url', `http://127.0.0.1:${standIn.port}/v1`, '--model', 'w', 'x']);
    assert.deepEqual([run.code, run.out], [1, '']);
    assert.match(run.err, /attempt 1: the model server answered with status 429/);
    assert.equal((await standIn.stats()).requests, 1);
  });

  test('never answers: the time is up', async (t) => {
    const standIn = await startStandIn(t, ['--hang']);
    const run = await generate(['--api-url', `http://127.0.0.1:${standIn.port}`, '--model', 'w', '--timeout', '1', 'x']);
    assert.deepEqual([run.code, run.out], [1, '']);
    assert.match(run.err, /attempt 1: /);
  });
});

describe('canned answers', () => {
  test('every form of a line; the last one again and again', async () => {
    const forms = [clean, { content: clean }, completion('m', clean), { request: {}, response: completion('m', clean) }];
    for (const form of forms) {
      const run = await generate(['--mock', lines('forms.jsonl', [broken, form]), 'x']);
      assert.deepEqual([run.code, run.out, run.err], [0, clean, '2 attempts\n'], JSON.stringify(form));
    }
    const always = await generate(['--mock', lines('always.jsonl', [clean, broken]), '--json', 'x']);
    assert.equal(always.json().attempts, 1);
    const error = await generate(['--mock', lines('error.jsonl', [{ error: 'connection refused' }]), 'x']);
    assert.deepEqual([error.code, error.out], [1, '']);
    assert.match(error.err, /attempt 1: connection refused/);
    const said = await generate(['--mock', 'error.jsonl', '--json', 'x']);
    assert.deepEqual([said.code, said.err, said.json().diagnostics[0].message], [1, '', 'attempt 1: connection refused']);
  });

  test('what was recorded can be replayed', async (t) => {
    const record = path.join(scratch, 'record.jsonl');
    const pretty = { body: JSON.stringify(completion('m', broken), null, 2) };
    const backend = await replaying(t, [pretty, clean]);
    const first = await generate(['--api-url', `http://${backend.address}`, '--model', 'w', '--api-key', 'sesame', '--record', record, 'x']);
    const text = readFileSync(record, 'utf8');
    const pairs = text.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(pairs.length, 2);
    assert.deepEqual(pairs[0].request, backend.requests[0].json());
    assert.doesNotMatch(text, /sesame/);
    const again = await generate(['--mock', record, 'x']);
    assert.deepEqual([again.code, again.out, again.err], [first.code, first.out, first.err]);
  });

  test('files that are none', async () => {
    assert.equal((await generate(['--mock', path.join(scratch, 'missing.jsonl'), 'x'])).code, 3);
    assert.equal((await generate(['--mock', file('empty.jsonl', '\n \n'), 'x'])).code, 1);
    const bad = await generate(['--mock', file('bad.jsonl', 'ROUTE\n'), 'x']);
    assert.equal(bad.code, 1);
    assert.match(bad.err, /bad\.jsonl: a canned answer is no JSON/);
  });
});

describe('the command', () => {
  test('what is missing', async () => {
    for (const [args, message] of [
      [['--model', 'm', 'x'], /which server\?/],
      [['--api-url', 'http://127.0.0.1:1', 'x'], /which model\?/],
      [['--api-url', 'http://127.0.0.1:1', '--model', 'm'], /what should the program do\?/],
    ]) {
      const run = await generate(args);
      assert.equal(run.code, 1);
      assert.match(run.err, message);
      const said = await generate(['--json', ...args]);
      const [{ code, message: text }] = said.json().diagnostics;
      assert.deepEqual([said.code, said.err, said.json().valid, code], [1, '', false, 'E_GENERATE']);
      assert.match(text, message);
    }
    const long = file('long.txt', 'x'.repeat((4 << 20) + 1));
    for (const [code, args] of [[1, ['--context', long]], [3, ['--context', 'nowhere']], [3, ['--edit', 'nowhere']], [3, ['--record', 'no/where']], [3, ['-o', 'no/where']]]) {
      const said = await generate(['--json', '--mock', lines('clean.jsonl', [clean]), ...args, 'x']);
      assert.deepEqual([said.code, said.err, said.json().diagnostics[0].code], [code, '', code === 1 ? 'E_LIMIT' : 'E_IO'], String(args));
    }
    assert.equal((await generate(['--max-retries', '17', 'x'])).code, 2);
  });

  test('with the base that the program will belong to', async () => {
    const base = file('base.yaml', 'providers: {models: [{name: m, api_key: sesame}]}\n');
    const unknown = clean.replaceAll('"m"', '"x"');
    const record = path.join(scratch, 'base.jsonl');
    for (const [args, env] of [[['--base', base], {}], [[], { VSR_BASE: base }]]) {
      const run = await generate([...args, '--mock', lines('unknown.jsonl', [unknown, clean]), '--record', record, 'x'], { env });
      assert.deepEqual([run.code, run.out, run.err], [0, clean, '2 attempts\n']);
      const [first, second] = readFileSync(record, 'utf8').trim().split('\n').map((line) => JSON.parse(line).request.messages[1].content);
      assert.match(first, /# Models that there are: [^\n]*\n\n- "m"\n\n/);
      assert.doesNotMatch(first, /sesame/);
      assert.match(second, /- \[warning\] model "x" is not declared/);
    }
    assert.equal((await generate(['--base', path.join(scratch, 'nowhere.yaml'), '--mock', lines('clean.jsonl', [clean]), 'x'])).code, 3);
    assert.equal((await generate(['--base', file('list.yaml', '[]\n'), '--mock', lines('clean.jsonl', [clean]), 'x'])).code, 1);
  });

  test('what is proved of a draft goes back', async () => {
    const hidden = clean.replace('PRIORITY 1\n', 'PRIORITY 3\n');
    const record = path.join(scratch, 'proved.jsonl');
    const run = await generate(['--mock', lines('hidden.jsonl', [hidden, clean]), '--record', record, 'x']);
    assert.deepEqual([run.code, run.out, run.err], [0, clean, '2 attempts\n']);
    const asked = readFileSync(record, 'utf8').trim().split('\n').map((line) => JSON.parse(line).request.messages[1].content);
    assert.match(asked[1], /- \[warning\] route "a" is unreachable: every match is taken by "b" \(line 4, column 1\); for example: domain\(math\) true\n/);
    const left = await generate(['--mock', lines('always.jsonl', [hidden]), '--json', 'x']);
    assert.deepEqual(left.json().diagnostics.map(({ code }) => code), ['W401']);
    assert.equal(left.code, 0);
  });

  test('into a file, from a program, with what else is known', async () => {
    const record = path.join(scratch, 'edit.jsonl');
    const current = file('current.dsl', broken);
    const args = ['--mock', lines('clean.jsonl', [clean]), '--record', record, '--edit', current, '--context', file('notes', 'm is a model'), '-o', 'new.dsl', 'x'];
    const run = await generate(args);
    assert.deepEqual([run.code, run.out], [0, '']);
    assert.equal(readFileSync(path.join(scratch, 'new.dsl'), 'utf8'), clean);
    assert.equal(readFileSync(current, 'utf8'), broken);
    const { content } = JSON.parse(readFileSync(record, 'utf8')).request.messages[1];
    assert.match(content, /# Additional Context\n\nm is a model\n[^]*# Current program: [^]*ROUTE a \{ PRIORITY two/);
  });
});
