// The command line: what each command prints, how it ends, and what the stand-in backend can be told to do.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freePort, program, seconds, test, within } from './lib/harness.mjs';
import { chat, get, post, readChatStream, request } from './lib/http.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const demo = path.join(top, 'recipes/demo/config.yaml');
const commands = ['serve', 'validate', 'config', 'dsl', 'route', 'model', 'chat', 'status', 'backend', 'version', 'completion', 'help'];

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-cli-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** An environment in which only `extra` speaks to vsr. */
function environment(extra = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_') && name !== 'NO_COLOR');
  return { ...Object.fromEntries(clean), ...extra };
}

/** Runs the program to its end. `{code, out, err}`; `json()` parses stdout. */
function vsr(args, { env = {}, input = '', cwd = scratch } = {}) {
  const run = spawnSync(program, args, { env: environment(env), input, cwd, encoding: 'utf8', timeout: seconds(60) });
  assert.equal(run.signal, null, `vsr ${args.join(' ')} was ended by ${run.signal}: ${run.stderr}`);
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

function file(name, text) {
  const full = path.join(scratch, name);
  writeFileSync(full, typeof text === 'string' ? text : JSON.stringify(text));
  return full;
}

describe('help and mistakes', () => {
  test('without arguments it lists the commands', () => {
    const run = vsr([]);
    assert.equal(run.code, 0);
    for (const name of commands) assert.match(run.out, new RegExp(`^  ${name} +\\S`, 'm'));
    assert.equal(vsr(['--help']).out, run.out);
    assert.equal(vsr(['help']).out, run.out);
  });

  for (const name of commands) {
    test(`${name} --help`, () => {
      const run = vsr([name, '--help']);
      assert.equal(run.code, 0);
      assert.match(run.out, new RegExp(`^vsr ${name} - `));
      assert.match(run.out, /^Usage$/m);
      assert.match(run.out, /^ +-h, --help +show this$/m);
      assert.doesNotMatch(run.out, /\x1b/, 'no colour without a terminal');
      assert.equal(vsr(['help', name]).out, run.out);
      assert.equal(vsr([name, '--nonsense', '-h']).out, run.out, 'help wins over mistakes');
      for (const line of run.out.split('\n')) assert.ok(line.length <= 120 && !line.endsWith(' '), `line: ${line}`);
    });
  }

  test('exit codes are documented', () => {
    const run = vsr(['help', 'exit-codes']);
    assert.equal(run.code, 0);
    for (const code of ['0', '1', '2', '3']) assert.match(run.out, new RegExp(`^  ${code}  \\S`, 'm'));
  });

  const mistakes = [
    [['rout'], /unknown command "rout"; did you mean "route"\?/],
    [['xyzzy'], /unknown command "xyzzy"\n/],
    [['--nonsense'], /unknown option "--nonsense"/],
    [['route', '--jsn', 'hi'], /unknown option "--jsn"; did you mean "--json"\?\nsee `vsr route --help`/],
    [['route'], /which prompt\?/],
    [['route', '--messages', 'x.json', 'hi'], /exclude each other/],
    [['route', '--time=0', 'hi'], /--time must be a whole number/],
    [['validate'], /which file\?/],
    [['validate', 'a', 'b'], /unexpected argument "b"/],
    [['validate', '-c', 'a', 'b'], /two files/],
    [['validate', '--format', 'xml', 'a'], /--format must be text or json, not "xml"/],
    [['serve', 'x'], /unexpected argument "x"/],
    [['serve', '--workers', '0'], /--workers must be a whole number from 1 to 256/],
    [['serve', '--metrics-listen', 'nowhere'], /--metrics-listen/],
    [['serve', '--extproc-tls-dir', '/x'], /--extproc-tls-dir needs --extproc-listen/],
    [['serve', '--extproc-trust-identity'], /--extproc-trust-identity needs --extproc-listen/],
    [['backend', '--listen', 'nowhere'], /"nowhere" is no address/],
    [['backend', '--fail-rate', '2'], /--fail-rate must be a number from 0 to 1/],
    [['backend', '--tls-cert', 'x'], /need each other/],
    [['completion'], /an argument is missing/],
    [['completion', 'fish'], /unknown argument "fish"/],
    [['help', 'rout'], /did you mean "route"\?/],
    [['help', 'config', 'prnt'], /no help on "prnt"; did you mean "print"\?/],
    [['help', 'route', 'x'], /unexpected argument "x"/],
    [['config'], /which command\?\nsee `vsr config --help`/],
    [['config', 'prnt'], /unknown command "prnt"; did you mean "print"\?/],
    [['config', '--nonsense'], /unknown option "--nonsense"/],
    [['config', 'print', '--nonsense'], /unknown option "--nonsense"\nsee `vsr config print --help`/],
    [['config', 'print', 'a', 'b'], /unexpected argument "b"/],
    [['config', 'print', '-c', 'a', 'b'], /two files/],
    [['config', 'print', 'nowhere.yaml'], /cannot find "nowhere.yaml"/],
    [['chat'], /which message\?/],
    [['chat', '--url', 'ftp://x', 'hi'], /bad URL/],
    [['status', '--url', 'http://'], /bad URL/],
    [['status', '--url', 'http://me:geheim@x/?geheim'], /bad URL "http:\/\/\[REDACTED\]@x\/\?\[REDACTED\]":/],
  ];
  for (const [args, message] of mistakes) {
    test(`vsr ${args.join(' ')} is a mistake`, () => {
      const run = vsr(args);
      assert.equal(run.code, 2, run.err);
      assert.match(run.err, message);
      assert.equal(run.out, '');
    });
  }

  test('a bad environment variable is named', () => {
    const run = vsr(['serve'], { env: { VSR_WORKERS: 'many' } });
    assert.equal(run.code, 2);
    assert.match(run.err, /VSR_WORKERS must be a whole number/);
  });

  test('output that nobody takes is a failure', () => {
    const run = spawnSync('sh', ['-c', `"${program}" version >/dev/full`], { encoding: 'utf8', env: environment() });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /cannot write the output/);
  });
});

describe('version', () => {
  test('text', () => {
    for (const args of [['version'], ['--version'], ['-V']]) {
      const run = vsr(args);
      assert.equal(run.code, 0);
      assert.match(run.out, /^vsr \d+\.\d+\.\d+/);
    }
  });

  test('json', () => {
    const info = vsr(['version', '--json']).json();
    assert.match(info.version, /^\d+\.\d+\.\d+$/);
    assert.match(info.compiler, /^(gcc|clang) /);
    for (const name of ['libuv', 'openssl', 'libfyaml', 'hyperscan', 'utf8proc']) {
      assert.match(info.libraries[name], /^\d[\d.]*\w*$/, name);
    }
  });
});

describe('validate', () => {
  test('the demo policy is valid, without a warning', () => {
    for (const args of [[demo], ['-c', demo], [`--config=${demo}`], [demo, '--strict-env']]) {
      const run = vsr(['validate', ...args]);
      assert.equal(run.code, 0, run.out + run.err);
      assert.match(run.out, /is valid\n/);
      assert.match(run.out, /^  decisions +8$/m);
      assert.match(run.out, /^  signals .*4 keyword.*16 language/m);
    }
  });

  test('the same as JSON', () => {
    for (const flag of ['--json', '--format=json']) {
      const run = vsr(['validate', flag, demo]);
      assert.equal(run.code, 0);
      const result = run.json();
      assert.equal(result.valid, true);
      assert.deepEqual(result.errors, []);
      assert.deepEqual(result.warnings, []);
      assert.equal(result.summary.models, 6);
      assert.deepEqual(result.summary.signals, { keyword: 4, embedding: 2, language: 16, context: 1, structure: 3, conversation: 2 });
      assert.deepEqual(result.summary.projections, { partitions: 0, scores: 1, mappings: 1 });
    }
  });

  const broken = readFileSync(demo, 'utf8').replace('model: coder, use_reasoning', 'model: codre, use_reasoning');

  test('an invalid policy: place, code, suggestion', () => {
    const name = file('broken.yaml', broken);
    const run = vsr(['validate', name]);
    assert.equal(run.code, 1);
    assert.match(run.out, /broken\.yaml:\d+:\d+: error\[E_REF\] routing\.decisions\[coding\].*"codre".*did you mean "coder"/);
    assert.match(run.out, /is not valid: 1 error, /);
    const result = vsr(['validate', '--json', name]);
    assert.equal(result.code, 1);
    assert.equal(result.json().valid, false);
    assert.equal(result.json().summary, null);
    assert.equal(result.json().errors[0].code, 'E_REF');
    assert.ok(result.json().errors[0].line > 1);
  });

  test('a pattern that does not compile', () => {
    const name = file('pattern.yaml', readFileSync(demo, 'utf8').replace("pattern: '```'", "pattern: '(`'"));
    const run = vsr(['validate', name]);
    assert.equal(run.code, 1, run.out + run.err);
    assert.match(run.out, /pattern\.yaml:\d+:\d+: error\[/);
  });

  test('for collectors, problems are lines of the log', () => {
    const run = vsr(['serve', '-c', file('broken.yaml', broken), '--log-format', 'json']);
    assert.equal(run.code, 1);
    const [problem, verdict] = run.err.trim().split('\n');
    const { code, path: where, line } = JSON.parse(problem);
    assert.deepEqual([code, where], ['E_REF', 'routing.decisions[coding].modelRefs[0].model']);
    assert.ok(line > 1);
    assert.equal(verdict, 'vsr serve: the configuration has errors');
  });

  test('strict environment', () => {
    const text = readFileSync(demo, 'utf8').replace('${VSR_DEMO_PORT:-8899}', '${NO_SUCH_PORT}');
    const run = vsr(['validate', '--strict-env', file('env.yaml', text)]);
    assert.equal(run.code, 1);
    assert.match(run.out, /E_ENV.*NO_SUCH_PORT/);
  });

  test('what cannot be read is a matter of the command line', () => {
    for (const name of [path.join(scratch, 'nothing.yaml'), scratch]) {
      for (const args of [['validate', name], ['route', '-c', name, 'hi'], ['serve', '-c', name]]) {
        const run = vsr(args);
        assert.equal(run.code, 2, args.join(' '));
        assert.match(run.err, /^vsr \w+: cannot read "[^"]+": .+\n$/);
        assert.equal(run.out, '');
      }
      const run = vsr(['validate', '--json', name]);
      assert.equal(run.code, 2);
      assert.equal(run.json().valid, false);
      assert.equal(run.json().errors[0].code, 'E_IO');
    }
  });

  const through = (ref, more = '') => `version: v0.3
listeners: [{name: a, address: 127.0.0.1, port: 1}]
routing: {modelCards: [{name: m}]}
providers:
  models:
  - name: m
    backend_refs:
    - ${ref}
${more}`;

  test('files of an endpoint\'s TLS: every one that cannot be used, at the key that names it', () => {
    const name = file('ways.yaml', through(
      '{name: far, endpoint: "https://10.0.0.7", tls: {ca_file: none.pem}}',
      '    - {name: near, endpoint: "https://10.0.0.8", tls: {cert_file: ways.yaml, key_file: none.key}}\n',
    ));
    const run = vsr(['validate', name]);
    assert.equal(run.code, 1);
    assert.match(run.out, /ways\.yaml:8:\d+: error\[E_ASSET\] providers\.models\[m\]\.backend_refs\[far\]\.tls\.ca_file: cannot read CA file \S+none\.pem: No such file/);
    assert.match(run.out, /ways\.yaml:9:\d+: error\[E_ASSET\] providers\.models\[m\]\.backend_refs\[near\]\.tls\.key_file: /);
    assert.match(run.out, /is not valid: 2 errors/);
    const result = vsr(['validate', '--json', name]);
    assert.equal(result.code, 1);
    assert.deepEqual(result.json().errors.map((error) => [error.code, error.line]), [['E_ASSET', 8], ['E_ASSET', 9]]);
  });

  test('what does not compile is JSON too when JSON is asked for', () => {
    const rules = 'rules: [{name: k, requests_per_unit: 1, unit: day}]';
    const limiter = `{type: redis-limiter, redis: {address: "redis:99999"}, ${rules}}`;
    const name = file('limits.yaml', through('{endpoint: "127.0.0.1:1"}', `global: {services: {ratelimit: {providers: [${limiter}]}}}\n`));
    const run = vsr(['validate', '--json', name]);
    assert.equal(run.code, 1);
    assert.match(run.json().errors[0].message, /"redis:99999" of a redis-limiter is not host:port/);
  });

  test('a proxy is a secret only with a password', () => {
    for (const [proxy, secret] of [['http://127.0.0.1:3999', false], ['http://me:geheim@127.0.0.1:3999', true]]) {
      const run = vsr(['validate', file('proxy.yaml', through(`{base_url: "http://x.internal/v1", proxy: "${proxy}"}`))]);
      assert.equal(run.code, 0, run.out);
      assert.equal(/W_SECRET/.test(run.out), secret, run.out);
    }
  });
});

/** The rows `| prompt | decision | model |` of the demo's README. */
function documentedLanes() {
  const readme = readFileSync(path.join(top, 'recipes/demo/README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('| ')).slice(1);
  return rows.map((row) => row.split('|').slice(1, 4).map((cell) => cell.trim()));
}

describe('route', () => {
  const lanes = documentedLanes();

  test('the README documents its lanes', () => assert.ok(lanes.length >= 8));

  for (const [prompt, decision, model] of lanes) {
    test(`"${prompt}" goes to ${decision}`, () => {
      const result = vsr(['route', '--json', prompt]).json();
      assert.equal(result.routing_decision, decision);
      assert.equal(result.selected_model, model);
      const text = vsr(['route', prompt]);
      assert.equal(text.code, 0);
      assert.match(text.out, new RegExp(`^decision +${decision}\\b`, 'm'));
      assert.match(text.out, new RegExp(`^model +${model}\\b`, 'm'));
    });
  }

  test('the trace says why', () => {
    const result = vsr(['route', '--json', 'I get a segmentation fault']).json();
    assert.equal(result.requested_model, null);
    assert.equal(result.recipe, 'default');
    assert.equal(result.selection_method, 'single');
    assert.equal(result.reasoning, false);
    assert.deepEqual(result.decision_result.matched_rules, ['keyword:code_words']);
    assert.ok(result.token_count > 0);
    assert.equal(result.decision_result.decision_name, 'coding');
    assert.deepEqual(result.decision_result.matched_signals.keywords, ['code_words']);
  });

  test('reasoning and its effort', () => {
    const result = vsr(['route', '--json', 'Prove that there are infinitely many primes.']).json();
    assert.equal(result.reasoning, true);
    assert.equal(result.reasoning_effort, 'high');
  });

  test('several operands are one prompt, and -- ends the options', () => {
    assert.equal(vsr(['route', '--json', 'a', 'segmentation', 'fault']).json().routing_decision, 'coding');
    assert.equal(vsr(['route', '--json', '--', '--json', 'segmentation', 'fault']).json().routing_decision, 'coding');
  });

  test('somebody asks', () => {
    const config = file('roles.yaml', {
      version: 'v0.3',
      listeners: [{ name: 'main', address: '127.0.0.1', port: 8080 }],
      providers: { defaults: { default_model: 'm' }, models: [{ name: 'm', backend_refs: [{ endpoint: '127.0.0.1:9' }] }] },
      routing: {
        modelCards: [{ name: 'm' }],
        signals: { role_bindings: [{ name: 'paid', role: 'premium', subjects: [{ kind: 'Group', name: 'gold' }] }] },
        decisions: [
          { name: 'premium_lane', priority: 1, rules: { type: 'authz', name: 'premium' }, modelRefs: [{ model: 'm' }] },
          { name: 'others', modelRefs: [{ model: 'm' }] },
        ],
      },
    });
    const lane = (...who) => vsr(['route', '-c', config, '--json', ...who, 'hi']).json().routing_decision;
    assert.equal(lane('--user', 'bob', '--group', 'silver', '--group', 'gold'), 'premium_lane');
    assert.equal(lane('-u', 'bob'), 'others');
    const nobody = vsr(['route', '-c', config, 'hi']);
    assert.equal(nobody.code, 1);
    assert.match(nobody.err, /refused with 403: .*--user/);
  });

  const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };

  test('a request body with tools', () => {
    const body = file('tools.json', { model: 'auto', messages: [{ role: 'user', content: 'Hello' }], tools: [weather] });
    assert.equal(vsr(['route', '--json', '--messages', body]).json().routing_decision, 'agentic');
  });

  test('a conversation within a tool loop, from standard input', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } };
    const messages = [
      { role: 'user', content: 'How is the weather?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'fine' },
    ];
    const run = vsr(['route', '--json', '-m', '-'], { input: JSON.stringify(messages) });
    assert.equal(run.json().routing_decision, 'agentic');
    assert.equal(run.json().selected_model, 'agent');
  });

  test('a long document', () => {
    const text = 'All work and no play makes the reader a dull model. '.repeat(700);
    const body = file('long.json', [{ role: 'user', content: text }]);
    const result = vsr(['route', '--json', '-m', body]).json();
    assert.equal(result.routing_decision, 'long_document');
    assert.equal(result.selected_model, 'reader');
    assert.ok(result.token_count > 8000);
  });

  test('a concrete model is passed through, an unknown one refused', () => {
    const result = vsr(['route', '--json', '--model', 'coder', 'Hello']).json();
    assert.equal(result.routing_decision, null);
    assert.equal(result.selected_model, 'coder');
    assert.equal(result.selection_method, 'passthrough');
    const run = vsr(['route', '--model', 'codr', 'Hello']);
    assert.equal(run.code, 1);
    assert.match(run.err, /model "codr" is not available.*did you mean "coder"/);
  });

  test('the body names its model unless the command line does', () => {
    const body = file('model.json', { model: 'reader', messages: [{ role: 'user', content: 'Hello' }] });
    assert.equal(vsr(['route', '--json', '-m', body]).json().selected_model, 'reader');
    assert.equal(vsr(['route', '--json', '-m', body, '--model', 'auto']).json().selected_model, 'small');
  });

  test('an empty prompt goes where everything else goes', () => {
    const run = vsr(['route', '--json', '']);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.json().routing_decision, 'everyday');
    assert.equal(run.json().selected_model, 'small');
  });

  test('nothing matches: the default model', () => {
    const only = { type: 'keyword', name: 'never' };
    const name = file('default.yaml', {
      version: 'v0.3',
      providers: { defaults: { default_model: 'small' }, models: [{ name: 'small', backend_refs: [{ endpoint: '127.0.0.1:1' }] }] },
      routing: {
        modelCards: [{ name: 'small' }],
        signals: { keywords: [{ name: 'never', operator: 'OR', keywords: ['xyzzy'] }] },
        decisions: [{ name: 'magic', rules: { operator: 'AND', conditions: [only] }, modelRefs: [{ model: 'small', use_reasoning: false }] }],
      },
    });
    const result = vsr(['route', '--json', '-c', name, 'Hello']).json();
    assert.deepEqual([result.routing_decision, result.selected_model, result.selection_method], [null, 'small', 'default']);
    assert.equal(vsr(['route', '--json', '-c', name, 'Say xyzzy']).json().routing_decision, 'magic');
  });

  test('no model at all is a failure', () => {
    const name = file('none.yaml', 'version: v0.3\nrouting:\n  modelCards: [{name: small}]\n');
    const run = vsr(['route', '-c', name, 'Hello']);
    assert.equal(run.code, 1, run.out);
    assert.match(run.err, /no default model/);
  });

  test('a policy of one\'s own, by option and by environment', () => {
    const name = file('own.yaml', readFileSync(demo, 'utf8').replace('stack trace', 'capital of'));
    const prompt = 'What is the capital of France?';
    assert.equal(vsr(['route', '--json', '-c', name, prompt]).json().routing_decision, 'coding');
    assert.equal(vsr(['route', '--json', prompt], { env: { VSR_CONFIG: name } }).json().routing_decision, 'coding');
    assert.equal(vsr(['route', '--json', '-c', demo, prompt], { env: { VSR_CONFIG: name } }).json().routing_decision, 'everyday');
  });

  const bad = [
    ['not JSON', '{"messages": [', 1, /bad\.json:1:\d+/],
    ['neither list nor body', '"hello"', 1, /neither an array of messages nor a request body/],
    ['a body without messages', '{"model":"auto"}', 1, /messages/],
  ];
  for (const [name, text, code, message] of bad) {
    test(`--messages: ${name}`, () => {
      const run = vsr(['route', '-m', file('bad.json', text)]);
      assert.equal(run.code, code);
      assert.match(run.err, message);
    });
  }

  test('files that are not there', () => {
    assert.equal(vsr(['route', '-m', 'nothing.json']).code, 2);
    assert.equal(vsr(['route', '-c', 'nothing.yaml', 'hi']).code, 2);
  });

  test('time', () => {
    const result = vsr(['route', '--json', '--time=50', 'Hello there']).json();
    assert.equal(result.time.repetitions, 50);
    for (const part of ['route_us', 'total_us']) {
      const { min, p50, p99 } = result.time[part];
      assert.ok(min > 0 && min <= p50 && p50 <= p99, JSON.stringify(result.time));
    }
    assert.ok(result.time.route_us.p50 <= result.time.total_us.p50);
    assert.match(vsr(['route', '--time', 'Hello there']).out, /^time +p50 [\d.]+ us/m);
  });
});

describe('completion', () => {
  for (const shell of ['bash', 'zsh']) {
    const found = spawnSync(shell, ['--version']).status === 0;
    test(`${shell} accepts the script`, { skip: !found && `no ${shell} here` }, () => {
      const script = file(`completion.${shell}`, vsr(['completion', shell]).out);
      const run = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
    });
  }

  test('both shells know every command and its options', () => {
    for (const shell of ['bash', 'zsh']) {
      const script = vsr(['completion', shell]).out;
      for (const name of commands) assert.match(script, new RegExp(`^    ${name}\\)$`, 'm'), `${shell}: ${name}`);
      for (const option of ['--metrics-listen', '--strict-env', '--fail-rate', '--messages']) assert.ok(script.includes(option));
    }
  });

  const completes = [
    [['vsr', 'ro'], ['route']],
    [['vsr', 'val'], ['validate']],
    [['vsr', 'route', '--me'], ['--messages']],
    [['vsr', 'route', '--ti'], ['--time']],
    [['vsr', 'serve', '--log-format', 'j'], ['json']],
    [['vsr', 'serve', '--log-level', ''], ['debug', 'info', 'warn', 'error', 'off']],
    [['vsr', 'completion', ''], ['bash', 'zsh']],
    [['vsr', 'help', 'exit'], ['exit-codes']],
    [['vsr', 'backend', '--rate', ''], []],
    [['vsr', 'config', 'pr'], ['print']],
    [['vsr', 'dsl', 'comp'], ['compile']],
    [['vsr', 'dsl', 'validate', '--str'], ['--strict']],
    [['vsr', 'dsl', 'compile', '--format', ''], ['yaml', 'crd', 'helm', 'json-ast']],
    [['vsr', 'config', 'd'], ['diff', 'defaults', 'docs']],
    [['vsr', 'config', 'print', '--eff'], ['--effective']],
    [['vsr', 'config', 'validate', '--format', ''], ['text', 'json']],
  ];
  const bash = spawnSync('bash', ['--version']).status === 0;
  for (const [words, want] of completes) {
    test(`bash: ${words.join(' ')}<Tab>`, { skip: !bash && 'no bash here' }, () => {
      const script = file('complete.bash', vsr(['completion', 'bash']).out);
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const program = `source "${script}"; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _vsr; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const run = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
      assert.equal(run.stderr, '');
      assert.deepEqual(run.stdout.split('\n').filter(Boolean), want);
    });
  }

  test('bash completes file names', { skip: !bash && 'no bash here' }, () => {
    const script = file('complete.bash', vsr(['completion', 'bash']).out);
    file('policy one.yaml', '');
    const program = `source "${script}"; COMP_WORDS=(vsr serve -c 'policy'); COMP_CWORD=3; _vsr; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const run = spawnSync('bash', ['-c', program], { encoding: 'utf8', cwd: scratch });
    assert.equal(run.stdout, 'policy one.yaml\n');
  });
});

/** Starts `vsr backend` on a free port; `addresses` are where it listens. Ends with status 0 at the end of the test. */
async function startBackend(t, args = []) {
  const child = spawn(program, ['backend', '--listen', '127.0.0.1:0', '--json', ...args], { env: environment() });
  let out = '';
  let err = '';
  child.stderr.on('data', (data) => (err += data));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  t.after(async () => {
    child.kill('SIGTERM');
    const end = await within('the end of vsr backend', ended);
    assert.deepEqual(end, { code: 0, signal: null }, err);
  });
  const { listening } = await within('vsr backend to listen', new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      out += data;
      if (out.includes('\n')) resolve(JSON.parse(out));
    });
    ended.then(() => reject(new Error(`vsr backend ended: ${err}`)));
  }));
  const ports = listening.map((address) => Number(address.split(':').at(-1)));
  return { addresses: listening, ports, port: ports[0] };
}

/** The numbers of the first listener. */
const stats = async (backend) => (await get(backend.port, '/_stats')).json().listeners[0];
const told = (behaviour) => ({ 'x-backend-behaviour': behaviour });

describe('backend', () => {
  test('answers, and says which model was asked', async (t) => {
    const backend = await startBackend(t, ['--name', 'left']);
    const answer = await post(backend.port, chat('Good morning', { model: 'gpt-x' }));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.equal(answer.headers.get('x-backend-name'), 'left');
    assert.equal(answer.headers.get('x-backend-listener'), backend.addresses[0]);
    const body = answer.json();
    assert.equal(body.object, 'chat.completion');
    assert.equal(body.model, 'gpt-x');
    assert.equal(body.choices[0].message.content, 'model gpt-x answering: Good morning');
    assert.equal(body.choices[0].finish_reason, 'stop');
    assert.equal(body.usage.total_tokens, body.usage.prompt_tokens + body.usage.completion_tokens);
  });

  test('streams the same, with usage when asked', async (t) => {
    const backend = await startBackend(t);
    for (const include_usage of [false, true]) {
      const answer = await post(backend.port, chat('Good morning', { model: 'm', stream: true, stream_options: { include_usage } }));
      assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
      const stream = readChatStream(answer);
      assert.equal(stream.content, 'model m answering: Good morning');
      assert.ok(stream.done && !stream.broken);
      assert.equal(stream.chunks[0].choices[0].delta.role, 'assistant');
      const last = stream.chunks.at(-1);
      if (include_usage) {
        assert.deepEqual(last.choices, []);
        assert.ok(last.usage.completion_tokens > 0);
        assert.ok(stream.chunks.slice(0, -1).every((chunk) => chunk.usage === null));
      } else {
        assert.equal(last.choices[0].finish_reason, 'stop');
        assert.ok(stream.chunks.every((chunk) => chunk.usage === undefined));
      }
    }
  });

  test('length by option, by request, by the client', async (t) => {
    const backend = await startBackend(t, ['--tokens', '20']);
    const tokens = async (extra, headers) => (await post(backend.port, chat('Hi', extra), headers)).json();
    assert.equal((await tokens({})).usage.completion_tokens, 20);
    assert.equal((await tokens({}, told('tokens=3'))).usage.completion_tokens, 3);
    const cut = await tokens({ max_tokens: 5 });
    assert.equal(cut.usage.completion_tokens, 5);
    assert.equal(cut.choices[0].finish_reason, 'length');
    const stream = readChatStream(await post(backend.port, chat('Hi', { stream: true })));
    assert.equal(stream.chunks.length, 22, 'role, tokens, finish');
  });

  test('a long stream arrives whole', async (t) => {
    const backend = await startBackend(t);
    const answer = await post(backend.port, chat('Hi', { stream: true }), told('tokens=20000'));
    const stream = readChatStream(answer);
    assert.equal(stream.chunks.length, 20002);
    assert.ok(stream.done && !stream.broken);
  });

  test('a rate', async (t) => {
    const backend = await startBackend(t, ['--rate', '50', '--tokens', '10']);
    const begin = Date.now();
    const stream = readChatStream(await post(backend.port, chat('Hi', { stream: true })));
    assert.equal(stream.chunks.length, 12);
    assert.ok(stream.done);
    assert.ok(Date.now() - begin >= 200, 'twelve events at fifty a second');
  });

  const tool = {
    type: 'function',
    function: {
      name: 'weather',
      parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city', 'days'] },
    },
  };

  test('calls a tool', async (t) => {
    const backend = await startBackend(t);
    const ask = chat('Use the tool', { model: 'm', tools: [tool] });
    const message = (await post(backend.port, ask)).json().choices[0];
    assert.equal(message.finish_reason, 'tool_calls');
    assert.equal(message.message.content, null);
    const [call] = message.message.tool_calls;
    assert.equal(call.function.name, 'weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'city', days: 1 });
    const stream = readChatStream(await post(backend.port, { ...ask, stream: true }));
    const deltas = stream.chunks.flatMap((chunk) => chunk.choices[0]?.delta?.tool_calls ?? []);
    assert.equal(deltas[0].function.name, 'weather');
    assert.deepEqual(JSON.parse(deltas.map((delta) => delta.function.arguments).join('')), { city: 'city', days: 1 });
    const messages = [...ask.messages, message.message, { role: 'tool', tool_call_id: call.id, content: 'rain' }];
    const after = (await post(backend.port, { ...ask, messages })).json().choices[0];
    assert.equal(after.message.content, "model m answering with the tool's result: rain");
  });

  test('lists models, is healthy, knows no other path', async (t) => {
    const backend = await startBackend(t, ['--models', 'a, b']);
    assert.deepEqual((await get(backend.port, '/v1/models')).json().data.map((model) => model.id), ['a', 'b']);
    assert.equal((await get(backend.port, '/health')).status, 200);
    const unknown = await get(backend.port, '/v1/nothing');
    assert.equal(unknown.status, 404);
    assert.ok(unknown.json().error.message);
  });

  test('refuses what is no request', async (t) => {
    const backend = await startBackend(t);
    for (const body of ['{', '[]', '{"model":"m"}']) {
      const answer = await post(backend.port, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.json().error.type, 'invalid_request_error');
    }
  });

  test('told to fail', async (t) => {
    const backend = await startBackend(t, ['--status', '503', '--retry-after', '7']);
    const answer = await post(backend.port, chat('Hi'));
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '7');
    assert.equal(answer.json().error.status, 503);
    const other = await post(backend.port, chat('Hi'), told('status=429,retry-after=1'));
    assert.equal(other.status, 429);
    assert.equal(other.headers.get('retry-after'), '1');
    assert.equal((await get(backend.port, '/v1/models')).status, 200, 'only what a model answers fails');
  });

  test('failing at random, the same way for the same seed', async (t) => {
    const draw = async () => {
      const backend = await startBackend(t, ['--fail-rate', '0.5', '--status', '502', '--seed', '42']);
      const statuses = [];
      for (let i = 0; i < 40; i++) statuses.push((await post(backend.port, chat('Hi'))).status);
      return statuses;
    };
    const first = await draw();
    const failed = first.filter((status) => status === 502).length;
    assert.ok(failed > 5 && failed < 35, `${failed} of 40 failed`);
    assert.deepEqual(await draw(), first);
  });

  test('cut at every byte', async (t) => {
    const backend = await startBackend(t);
    for (const stream of [false, true]) {
      const whole = (await post(backend.port, chat('Hi', { stream }))).body.length;
      for (const at of [0, 1, 2, whole - 1]) {
        const answer = await post(backend.port, chat('Hi', { stream }), told(`cut=${at}`));
        assert.equal(answer.status, 200);
        assert.equal(answer.body.length, at, `cut at ${at}`);
        assert.equal(answer.complete, false);
      }
      assert.equal((await post(backend.port, chat('Hi', { stream }), told(`cut=${whole}`))).complete, true);
    }
    assert.equal((await stats(backend)).cancelled, 0, 'a cut is not the client');
  });

  test('stalls, resets, hangs, leaves [DONE] out', async (t) => {
    const backend = await startBackend(t);
    const begin = Date.now();
    assert.equal((await post(backend.port, chat('Hi'), told('stall=150'))).status, 200);
    assert.ok(Date.now() - begin >= 140);
    assert.equal((await post(backend.port, chat('Hi'), told('reset'))).status, 0, 'no answer');
    const stream = readChatStream(await post(backend.port, chat('Hi', { stream: true }), told('no-done')));
    assert.ok(!stream.done && !stream.broken && stream.content.length > 0);

    const before = await stats(backend);
    const socket = net.connect(backend.port, '127.0.0.1');
    const body = JSON.stringify(chat('Hi'));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nx-backend-behaviour: hang\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    while ((await stats(backend)).requests === before.requests);
    socket.destroy();
    while ((await stats(backend)).cancelled === before.cancelled);
  });

  test('garbage as a body, and a behaviour that makes no sense', async (t) => {
    const backend = await startBackend(t);
    const garbage = await post(backend.port, chat('Hi'), told('garbage'));
    assert.equal(garbage.status, 200);
    assert.throws(() => garbage.json());
    const nonsense = await post(backend.port, chat('Hi'), told('dance=1'));
    assert.equal(nonsense.status, 400);
    assert.match(nonsense.json().error.message, /unknown behaviour "dance"/);
  });

  test('bytes that are no HTTP', async (t) => {
    const backend = await startBackend(t, ['--garbage']);
    const socket = net.connect(backend.port, '127.0.0.1');
    const parts = [];
    socket.on('data', (data) => parts.push(data));
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await within('the end', new Promise((resolve) => socket.once('close', resolve)));
    assert.match(Buffer.concat(parts).toString('latin1'), /^HTTP\/9\.9 /);
  });

  test('a head byte by byte', async (t) => {
    const backend = await startBackend(t, ['--slow-head=1']);
    const begin = Date.now();
    const answer = await post(backend.port, chat('Hi'));
    assert.equal(answer.status, 200);
    assert.equal(answer.json().object, 'chat.completion');
    assert.ok(Date.now() - begin >= 100, 'some hundred bytes, a millisecond each');
  });

  test('several listeners, each told on its own', async (t) => {
    const backend = await startBackend(t, ['--listen', '127.0.0.1:0,[::1]:0', '--workers', '2']);
    assert.equal(backend.addresses.length, 3);
    assert.match(backend.addresses[2], /^\[::1\]:\d+$/);
    const [one, two] = backend.ports;
    const put = (port, body) => request(port, { method: 'PUT', path: '/_behaviour', body });
    assert.equal((await put(one, 'status=500,health=503')).status, 200);
    assert.equal((await post(one, chat('Hi'))).status, 500);
    assert.equal((await get(one, '/health')).status, 503);
    assert.equal((await post(two, chat('Hi'))).status, 200);
    assert.equal((await get(two, '/health')).status, 200);
    assert.equal((await put(one, '')).status, 200);
    assert.equal((await post(one, chat('Hi'))).status, 200);
    assert.equal((await put(one, 'dance')).status, 400);
    const { listeners } = (await get(one, '/_stats')).json();
    assert.deepEqual(listeners.map((listener) => listener.requests), [2, 1, 0]);
    assert.deepEqual(listeners.map((listener) => listener.address), backend.addresses);
  });

  test('the last request, as it came', async (t) => {
    const backend = await startBackend(t);
    assert.equal((await get(backend.port, '/_last')).json(), null);
    const body = '{"model":"m", "messages":[{"role":"user","content":"h\\u00e9"}],"x":1.50}';
    await request(backend.port, { body, path: '/v1/chat/completions?a=b', headers: { 'X-Odd-Case': 'yes' } });
    const last = (await get(backend.port, '/_last')).json();
    assert.equal(last.method, 'POST');
    assert.equal(last.target, '/v1/chat/completions?a=b');
    assert.equal(last.body, body);
    assert.equal(last.listener, backend.addresses[0]);
    assert.ok(last.headers.some(([name, value]) => name === 'X-Odd-Case' && value === 'yes'));
  });

  test('--fixed answers without reading', async (t) => {
    const backend = await startBackend(t, ['--fixed']);
    for (const body of [chat('Hi'), '{']) {
      const answer = await post(backend.port, body);
      assert.equal(answer.status, 200);
      assert.equal(answer.json().object, 'chat.completion');
    }
    assert.equal((await post(backend.port, chat('Hi'), told('status=500'))).status, 500);
    assert.equal((await get(backend.port, '/_last')).json(), null);
  });

  test('an address in use', async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => server.close());
    const run = vsr(['backend', '--listen', `127.0.0.1:${server.address().port}`]);
    assert.equal(run.code, 1);
    assert.match(run.err, /cannot listen on 127\.0\.0\.1:\d+/);
  });
});

describe('chat and status', () => {
  test('without a gateway', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const run = vsr(['chat', '--url', url, 'Hello']);
    assert.equal(run.code, 1);
    assert.match(run.err, /refused/);
    assert.equal(vsr(['status', '--url', url]).code, 1);
    const status = vsr(['status', '--json'], { env: { VSR_URL: url } }).json();
    assert.deepEqual([status.url, status.healthy, status.ready], [url, false, false]);
    assert.ok(status.error);
  });

  test('with a server', async (t) => {
    const backend = await startBackend(t);
    const url = `http://127.0.0.1:${backend.port}`;
    assert.equal(vsr(['chat', '-u', url, '--model', 'm', 'Good', 'morning']).out.split('\n')[0], 'model m answering: Good morning');
    const answer = vsr(['chat', '-u', url, '--json', 'Hi']).json();
    assert.equal(answer.status, 200);
    assert.equal(answer.body.object, 'chat.completion');
    const failed = vsr(['chat', '-u', `${url}/nothing/..%2f`, 'Hi']);
    assert.equal(failed.code, 0, 'any prefix is fine with the backend');
    assert.equal(vsr(['status', '-u', url]).code, 1, 'a backend is healthy, but no gateway that is ready');
  });
});

describe('the demo', () => {
  test('routes four questions to four models', async () => {
    const env = environment({
      VSR_BUILD_DIR: path.dirname(program),
      VSR_DEMO_PORT: String(await freePort()),
      VSR_DEMO_BACKEND_PORT: String(await freePort()),
      VSR_DEMO_CHECK: '1',
    });
    const run = spawnSync(path.join(top, 'tools/run-demo'), [], { env, encoding: 'utf8', timeout: seconds(60) });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.equal(run.stdout.match(/^ok /gm).length, 4);
  });
});
