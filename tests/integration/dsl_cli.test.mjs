// `vsr dsl`: programs of the routing language on the command line.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import YAML from 'yaml';

import { freePort, policy, program, seconds, startVsr, test } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-dsl-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function environment(extra = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_') && name !== 'NO_COLOR');
  return { ...Object.fromEntries(clean), ...extra };
}

/** Runs `vsr dsl ARGS` to its end. `{code, out, err}`; `json()` parses stdout. */
function dsl(args, { input = '', env = {}, command = [program, 'dsl'] } = {}) {
  const options = { env: environment(env), input, cwd: scratch, encoding: 'utf8', timeout: seconds(60), maxBuffer: 64 << 20 };
  const run = spawnSync(command[0], [...command.slice(1), ...args], options);
  assert.equal(run.signal, null, `vsr dsl ${args.join(' ')} was ended by ${run.signal}: ${run.stderr}`);
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

/** `{name, config, program}` of every folder with a config.yaml; `program` is its recipe.dsl, or null. */
function profiles(dir) {
  if (!existsSync(dir)) return [];
  const found = readdirSync(dir).map((name) => ({ name, config: path.join(dir, name, 'config.yaml'), program: path.join(dir, name, 'recipe.dsl') }));
  return found.filter(({ config }) => existsSync(config)).map((profile) => ({ ...profile, program: existsSync(profile.program) ? profile.program : null }));
}

function file(name, text) {
  const full = path.join(scratch, name);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  return full;
}

const good = `SIGNAL keyword urgent { operator: "OR" keywords: ["asap"] }
ROUTE hot { PRIORITY 9 WHEN keyword("urgent") MODEL "big" }
ROUTE rest { PRIORITY 1 MODEL "small" }
`;
const bad = `SIGNAL keyword urgent { operator: "OR" keywords: ["asap"] }
ROUTE hot { PRIORITY "nine" MODEL "big" }
ROUTE rest { MODEL "small" ALGORITHM confidnce }
`;

describe('check', () => {
  test('nothing to say', () => {
    for (const command of ['check', 'validate']) {
      const run = dsl([command, file('good.dsl', good)]);
      assert.deepEqual([run.code, run.out, run.err], [0, 'No issues found.\n', '']);
    }
  });

  test('findings with their places, then their number', () => {
    const run = dsl(['check', file('bad.dsl', bad)]);
    assert.equal(run.code, 1);
    assert.equal(
      run.out,
      `${scratch}/bad.dsl:2:22: error: unexpected "nine" (expected integer) [E101]\n` +
        `${scratch}/bad.dsl:3:38: error: unknown algorithm type "confidnce". Supported types: automix, confidence, fusion, hybrid, ` +
        'kmeans, knn, latency_aware, mlp, multi_factor, prompt, ratings, remom, router_dc, static, svm, workflows (fix: change to "confidence") [E204]\n' +
        '2 errors, 0 warnings, 0 constraints\n',
    );
  });

  test('warnings fail only when asked to', () => {
    const warned = file('warned.dsl', 'ROUTE r { PRIORITY 1 PRIORITY 2 MODEL "m" }\n');
    const run = dsl(['check', warned]);
    assert.equal(run.code, 0);
    assert.match(run.out, /warned\.dsl:1:22: warning: .*\[W106\]\n0 errors, 1 warning, 0 constraints\n$/);
    assert.equal(dsl(['check', '--strict', warned]).code, 1);
  });

  test('as JSON, with ranges and fixes', () => {
    const run = dsl(['check', '--json', file('bad.dsl', bad)]);
    assert.equal(run.code, 1);
    const { file: name, valid, errors, warnings, constraints, hints, diagnostics } = run.json();
    assert.equal(name, path.join(scratch, 'bad.dsl'));
    assert.deepEqual([valid, errors, warnings, constraints, hints], [false, 2, 0, 0, 0]);
    assert.equal(diagnostics.length, 2);
    const [, { level, code, line, column, endLine, endColumn, fixes }] = diagnostics;
    assert.deepEqual([level, code, line, column, endLine, endColumn], ['error', 'E204', 3, 38, 3, 47]);
    assert.equal(fixes[0].newText, 'confidence');
    assert.deepEqual(dsl(['check', '--json', 'good.dsl']).json().diagnostics, []);
  });

  test('standard input', () => {
    const run = dsl(['check', '-'], { input: bad });
    assert.equal(run.code, 1);
    assert.match(run.out, /^<stdin>:2:22: error: /);
  });

  test('what serving refuses, each once', () => {
    const blank = file('refused/blank.dsl', 'SIGNAL keyword k { keywords: ["a", " "] }\n');
    const run = dsl(['check', blank]);
    assert.equal(run.code, 1);
    assert.match(run.out, /^.*blank\.dsl:1:36: error: SIGNAL keyword k: keywords\[1\]: must not be blank \[E230\]\n1 error, 0 warnings, 0 constraints\n$/);
    const label = file('refused/label.dsl', 'RECIPE x { SIGNAL kb q { kb: "mmlu_kb" target: { kind: "label", value: "nosuch" } } }\n');
    assert.match(dsl(['check', label]).out, /label\.dsl:1:\d+: error: recipe "x": SIGNAL kb q: target\.value: knowledge base "mmlu_kb" has no label "nosuch".*\[E230\]\n1 error/);
    const twice = file('refused/twice.dsl', 'SIGNAL keyword k { method: "regex" keywords: ["("] }\n');
    assert.match(dsl(['check', twice]).out, /^.*\[C312\]\n0 errors, 0 warnings, 1 constraint\nServing refuses this program as it is; .*\n$/);
    assert.match(dsl(['fix', '--diff', blank]).err, /\[E230\]/);
  });

  test('whether serving takes what has no errors', () => {
    const cases = [
      ['taken', 'ROUTE r { PRIORITY 1 PRIORITY 2 MODEL "m" }', true],
      ['a reference', 'ROUTE r { WHEN keyword("k") MODEL "m" }', false],
      ['a constraint', 'SIGNAL embedding e { threshold: 1.5 candidates: ["x"] }', false],
      ['a field that is lost', 'SIGNAL keyword k { keyword: ["b"] keywords: ["a"] }', false],
    ];
    for (const [name, text, loads] of cases) {
      const written = file('loads/policy.dsl', `${text}\n`);
      const run = dsl(['check', written]), json = dsl(['check', '--json', written]), strict = dsl(['check', '--strict', written]);
      assert.deepEqual([run.code, json.code, strict.code], [0, 0, 1], name);
      assert.equal(json.json().loads, loads, name);
      assert.equal(run.out.endsWith('\nServing refuses this program as it is; with --strict the exit code says so.\n'), !loads, name);
      assert.equal(dsl(['validate', written], { command: [program] }).code === 0, loads, name);
    }
    assert.equal(dsl(['check', '--json', 'good.dsl']).json().loads, true);
    assert.equal(dsl(['check', '--json', file('bad.dsl', bad)]).json().loads, false);
  });

  test('what can never match', () => {
    const written = file('never/policy.dsl', 'SIGNAL keyword k { method: "bm25" operator: "OR" keywords: ["!!!", "word"] }\nSIGNAL domain maths {}\n');
    const run = dsl(['check', '--json', '--hints', written]);
    const told = run.json().diagnostics.filter(({ code }) => code === 'W231').map(({ level, line, column }) => [level, line, column]);
    assert.deepEqual([told, run.code, run.json().loads], [[['warning', 1, 61], ['hint', 2, 15]], 0, true]);
  });

  test('the base that serving would take', () => {
    const policy = file('beside/policy.dsl', 'ROUTE r { MODEL "ghost" }\n');
    assert.equal(dsl(['check', policy]).out, 'No issues found.\n');
    file('beside/config.yaml', 'version: v0.3\nproviders: {defaults: {default_model: bgi}, models: [{name: big, backend_refs: [{endpoint: "127.0.0.1:1"}]}]}\n');
    const run = dsl(['check', policy]);
    assert.match(run.out, /policy\.dsl: warning: loading refuses the base, .*config\.yaml, line 2, column \d+: .*model "bgi" is not defined.*\[W230\]\n/);
    assert.match(run.out, /policy\.dsl:1:17: warning: model "ghost" has no entry in providers\.models of the base/);
    assert.equal(dsl(['check', '--strict', policy]).code, 1);
    assert.equal(dsl(['check', '--strict', '-'], { input: 'ROUTE r { MODEL "ghost" }\n' }).code, 0);
  });

  test('models that the base has and the program does not declare', () => {
    const backend = (name) => `{name: ${name}, backend_refs: [{endpoint: "127.0.0.1:1"}]}`;
    const written = file('undeclared/policy.dsl', 'ROUTE r { MODEL "small" }\n');
    const base = file('undeclared/config.yaml', `version: v0.3\nproviders: {defaults: {default_model: large}, models: [${backend('small')}, ${backend('large')}]}\n`);
    assert.equal(dsl(['check', written]).out, 'No issues found.\n');
    const run = dsl(['validate', written], { command: [program] });
    assert.equal(run.code, 0, run.out + run.err);
    const compiled = dsl(['compile', '--base', base, written]);
    assert.deepEqual(YAML.parse(compiled.out).routing.modelCards, [{ name: 'large' }, { name: 'small' }]);
    const whole = file('undeclared/whole.yaml', compiled.out);
    const again = file('undeclared/again.dsl', dsl(['decompile', whole]).out);
    assert.deepEqual(YAML.parse(dsl(['compile', '--base', whole, again]).out), YAML.parse(compiled.out));
  });

  test('a program beside what it was compiled to', () => {
    const program = file('compiled/policy.dsl', good);
    assert.equal(dsl(['compile', '-o', path.join(scratch, 'compiled/policy.yaml'), program]).code, 0);
    for (const command of ['check', 'prove', 'explain']) {
      const run = dsl([command, program]);
      assert.equal(run.code, 0, run.err);
    }
  });

  test('a text without a name is told from YAML by its first words', () => {
    assert.equal(dsl(['check', '-'], { input: 'ROUTE"a:b"{MODEL m}\n' }).out, 'No issues found.\n');
    assert.match(dsl(['check', '--json', '-'], { input: 'routing : {decisions: [{name: r, modelRefs: [{model: m}]}]}\n' }).json().program, /ROUTE r/);
    assert.match(dsl(['check', '--json', '-'], { input: '"routing": {decisions: [{name: r, modelRefs: [{model: m}]}]}\n' }).json().program, /ROUTE r/);
  });

  test('an empty program', () => {
    const empty = file('empty/policy.dsl', '# nothing yet\n');
    assert.equal(dsl(['check', '--strict', empty]).out, 'No issues found.\n');
    for (const args of [['prove', empty], ['explain', empty], ['diff', empty, empty]]) {
      const run = dsl(args);
      assert.deepEqual([run.code, run.err], [0, ''], args[0]);
    }
  });

  const terminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;
  test('a terminal gets the line and colours', { skip: !terminal && 'script(1) finds no terminal here' }, () => {
    const ask = (env) => {
      const run = spawnSync('script', ['-qec', `'${program}' dsl check bad.dsl`, '/dev/null'], {
        env: environment({ TERM: 'xterm', ...env }),
        cwd: scratch,
        encoding: 'utf8',
      });
      return run.stdout.replaceAll('\r', '');
    };
    file('bad.dsl', bad);
    assert.match(ask({}), /bad\.dsl:2:22: \x1b\[31merror:\x1b\[0m unexpected.*\n +2 \| ROUTE hot \{ PRIORITY "nine" MODEL "big" \}\n +\| {22}\x1b\[31m\^~~~~~\x1b\[0m\n/);
    assert.match(ask({ NO_COLOR: '1' }), /bad\.dsl:2:22: error: unexpected.*\n +2 \| ROUTE hot .*\n +\| {22}\^~~~~~\n/);
  });
});

describe('compile', () => {
  const want = {
    routing: {
      modelCards: [{ name: 'big' }, { name: 'small' }],
      signals: { keywords: [{ name: 'urgent', operator: 'OR', keywords: ['asap'], case_sensitive: false }] },
      decisions: [
        { name: 'hot', priority: 9, rules: { operator: 'AND', conditions: [{ type: 'keyword', name: 'urgent' }] }, modelRefs: [{ model: 'big', use_reasoning: false }] },
        { name: 'rest', priority: 1, rules: { operator: 'AND' }, modelRefs: [{ model: 'small', use_reasoning: false }] },
      ],
    },
  };

  test('to standard output, to a file, from standard input', () => {
    const run = dsl(['compile', file('good.dsl', good)]);
    assert.equal(run.code, 0, run.err);
    assert.deepEqual(YAML.parse(run.out), want);
    assert.equal(dsl(['compile', '-'], { input: good }).out, run.out);
    assert.equal(dsl(['compile', '-o', '-', 'good.dsl']).out, run.out);
    const silent = dsl(['compile', '-o', 'out.yaml', 'good.dsl']);
    assert.deepEqual([silent.code, silent.out, silent.err], [0, '', '']);
    assert.equal(readFileSync(path.join(scratch, 'out.yaml'), 'utf8'), run.out);
  });

  test('not over the rest of a configuration', () => {
    const whole = 'version: v0.3\nlisteners:\n  - {name: http, address: 127.0.0.1, port: 8801} # mine\n';
    const base = file('over/policy.yaml', whole);
    const program = file('over/policy.dsl', good);
    const run = dsl(['compile', '-o', base, program]);
    assert.deepEqual([run.code, run.out, readFileSync(base, 'utf8')], [2, '', whole]);
    assert.match(run.err, /policy\.yaml" is a configuration that says more than routing.*another name, or .*--base .*policy\.yaml\n/);
    for (const more of ['providers: {}\n', 'global: {}\n', 'version: v0.3\nx-mine: 1\n'])
      assert.equal(dsl(['compile', '-o', file('over/more.yaml', more), program]).code, 2, more);
    // With its base it is whole, again and again, here and elsewhere; and routing alone is written over routing alone.
    for (const out of ['over/whole.yaml', 'over/whole.yaml', base]) {
      assert.equal(dsl(['compile', '--base', base, '-o', out, program]).code, 0, out);
      assert.match(readFileSync(path.resolve(scratch, out), 'utf8'), /listeners:[^]*# mine[^]*routing:/);
    }
    for (const out of ['over/routing.yaml', 'over/routing.yaml', file('over/version.yaml', 'version: v0.3\nrouting: {}\n')])
      assert.equal(dsl(['compile', '-o', out, program]).code, 0, out);
    for (const format of ['crd', 'helm', 'json-ast'])
      for (let i = 0; i < 2; i++) assert.equal(dsl(['compile', '-f', format, '-o', `over/${format}.out`, program]).code, 0, format);
  });

  test('to a pipe, which is not replaced', () => {
    const pipe = path.join(scratch, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const shell = 'cat pipe >piped.yaml & "$0" dsl compile -o pipe good.dsl; wait';
    const run = spawnSync('sh', ['-c', shell, program], { cwd: scratch, env: environment(), encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.ok(lstatSync(pipe).isFIFO());
    assert.equal(readFileSync(path.join(scratch, 'piped.yaml'), 'utf8'), dsl(['compile', 'good.dsl']).out);
  });

  test('with errors nothing is written', () => {
    const out = file('kept.yaml', 'kept: true\n');
    const run = dsl(['compile', '-o', out, file('bad.dsl', bad)]);
    assert.equal(run.code, 1);
    assert.equal(run.out, '');
    assert.match(run.err, /bad\.dsl:2:22: error: /);
    assert.equal(readFileSync(out, 'utf8'), 'kept: true\n');
  });

  test('a warning is told, and fails when asked to', () => {
    const warned = file('warned.dsl', 'ROUTE r { PRIORITY 1 PRIORITY 2 MODEL "m" }\n');
    const run = dsl(['compile', warned]);
    assert.equal(run.code, 0);
    assert.match(run.err, /\[W106\]/);
    assert.equal(YAML.parse(run.out).routing.decisions[0].priority, 2);
    const strict = dsl(['compile', '--strict', warned]);
    assert.deepEqual([strict.code, strict.out], [1, '']);
  });

  const base = `# Who listens.
version: v0.3
listeners: # one
  - {name: l, address: 127.0.0.1, port: 8801}
providers:
  models:
    # The big one.
    - name: big
      backend_refs: [{endpoint: "127.0.0.1:9", api_key: "\${KEY}"}]
    - name: small
      backend_refs: [{endpoint: "127.0.0.1:9"}]
routing:
  modelCards: [{name: old}]
  decisions:
    - {name: rest, priority: 7, annotations: {owner: ops}, modelRefs: [{model: old}]}
    - {name: gone, priority: 8, modelRefs: [{model: old}]}
entrypoints: [{model_names: [x], recipe: default}]
# The rest.
global: {router: {strategy: priority}}
`;

  test('into a base: everything else stays, with its comments', () => {
    file('base.yaml', base);
    const run = dsl(['compile', '--base', 'base.yaml', 'good.dsl']);
    assert.equal(run.code, 0, run.err);
    const got = YAML.parse(run.out);
    const old = YAML.parse(base);
    assert.deepEqual(Object.keys(got), ['version', 'listeners', 'providers', 'routing', 'global']);
    for (const key of ['version', 'listeners', 'providers', 'global']) assert.deepEqual(got[key], old[key], key);
    const merged = structuredClone(want.routing);
    merged.decisions[1].annotations = { owner: 'ops' };
    assert.deepEqual(got.routing, merged);
    for (const comment of ['# Who listens.', '# one', '# The big one.', '# The rest.']) assert.ok(run.out.includes(comment), comment);
  });

  test('models without a backend are told', () => {
    const lone = file('lone.dsl', `${good}RECIPE other { ROUTE x { MODEL "ghost" } ROUTE y { MODEL "ghost", "big" } }\n`);
    const run = dsl(['compile', '--base', 'base.yaml', lone]);
    assert.equal(run.code, 0);
    assert.match(run.err, /lone\.dsl:4:32: warning: model "ghost" has no entry in providers\.models of the base.*\[W211\]\n/);
    assert.equal(run.err.match(/W211/g).length, 1);
    const adapters = 'MODEL big { loras: [{ name: "z" }] } MODEL ghost { loras: [{ name: "y" }] } ROUTE r { MODEL z, y }\n';
    const said = dsl(['check', '-b', 'base.yaml', '-'], { input: adapters }).out;
    assert.deepEqual(said.match(/model "[^"]*" has no entry/g), ['model "y" has no entry']);
    assert.equal(dsl(['check', '--strict', '-b', 'base.yaml', lone]).code, 1);
    assert.doesNotMatch(dsl(['check', lone]).out, /W211/);
    assert.doesNotMatch(dsl(['check', '-b', file('bare.yaml', 'version: v0.3\n'), lone]).out, /W211/);
  });

  test('over the base itself, with its mode, through a link', () => {
    const target = file('deep/live.yaml', base);
    chmodSync(target, 0o640);
    const link = path.join(scratch, 'live.yaml');
    rmSync(link, { force: true });
    symlinkSync(target, link);
    const run = dsl(['compile', '-b', link, '-o', link, 'good.dsl']);
    assert.equal(run.code, 0, run.err);
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(statSync(target).mode & 0o777, 0o640);
    assert.equal(YAML.parse(readFileSync(target, 'utf8')).routing.decisions[0].name, 'hot');
    assert.deepEqual(readdirSync(path.dirname(target)), ['live.yaml']);
    const again = dsl(['compile', '-b', link, 'good.dsl']);
    assert.equal(again.out, readFileSync(target, 'utf8'));
  });

  test('a new file beside a secret base is as secret', () => {
    const secret = file('secret.yaml', base);
    chmodSync(secret, 0o600);
    const out = path.join(scratch, 'secret-out.yaml');
    assert.equal(dsl(['compile', '-b', secret, '-o', out, 'good.dsl']).code, 0);
    assert.equal(statSync(out).mode & 0o777, 0o600);
  });

  test('a base that is no configuration', () => {
    const run = dsl(['compile', '-b', file('list.yaml', '- 1\n'), 'good.dsl']);
    assert.equal(run.code, 1);
    assert.equal(run.err, `${scratch}/list.yaml:1:1: error: a configuration is a mapping [E_TYPE]\n`);
    const broken = dsl(['compile', '-b', file('broken.yaml', 'a: [\n'), 'good.dsl']);
    assert.equal(broken.code, 1);
    assert.match(broken.err, /broken\.yaml:\d+:\d+: error: .* \[E_YAML\]\n$/);
  });

  test('as a resource, as values, as a tree', () => {
    const crd = YAML.parse(dsl(['compile', '--format', 'crd', '--name', 'edge', '--namespace', 'prod', 'good.dsl']).out);
    assert.equal(crd.kind, 'SemanticRouter');
    assert.deepEqual([crd.metadata.name, crd.metadata.namespace], ['edge', 'prod']);
    assert.deepEqual(crd.spec.config.routing, want.routing);
    const plain = YAML.parse(dsl(['compile', '--format', 'crd', 'good.dsl']).out);
    assert.deepEqual([plain.metadata.name, plain.metadata.namespace], ['router', 'default']);
    assert.ok(!('decisions' in plain.spec.config));
    const legacy = YAML.parse(dsl(['compile', '--format', 'crd', '--crd-legacy', 'good.dsl']).out);
    assert.ok('decisions' in legacy.spec.config);
    const helm = YAML.parse(dsl(['compile', '--format', 'helm', 'good.dsl']).out);
    assert.deepEqual(helm.config, { version: 'v0.3', ...want });
    const tree = dsl(['compile', '--format', 'json-ast', 'good.dsl']).json();
    assert.deepEqual(tree.routes.map(({ name, priority }) => [name, priority]), [['hot', 9], ['rest', 1]]);
    assert.equal(tree.routes[0].when.signalName, 'urgent');
  });
});

describe('what a file is', () => {
  const yaml = file('kind/y.yaml', 'routing: {decisions: []}\n');
  const program = file('kind/policy.dsl', good);

  test('YAML that is no configuration', () => {
    const other = file('kind/foo.yaml', 'foo: bar\n');
    const check = dsl(['check', other]);
    assert.equal(check.code, 1);
    assert.match(check.out, /^.*foo\.yaml:1:1: error: this is no configuration: expected routing, entrypoints or recipes, .* \[E210\]\n1 error, 0 warnings, 0 constraints\n$/);
    assert.deepEqual(dsl(['check', '--json', other]).json().conversion.map((found) => found.code), ['E210']);
    const decompile = dsl(['decompile', other]);
    assert.deepEqual([decompile.code, decompile.out], [1, '']);
    assert.match(decompile.err, /foo\.yaml:1:1: error: .*\[E210\]\n$/);
    for (const text of ['version: v0.3\n', 'providers: {}\n', 'global: {}\n', 'recipes: []\n', 'entrypoints: []\n', '{}\n'])
      assert.equal(dsl(['decompile', file('kind/some.yaml', text)]).code, 0, text);
  });

  test('one kind in place of the other', () => {
    for (const command of ['compile', 'test']) {
      const run = dsl([command, yaml]);
      assert.deepEqual([run.code, run.out], [1, '']);
      assert.match(run.err, /y\.yaml: this is YAML, and a program is expected: see `vsr dsl decompile`\n$/);
    }
    assert.equal(dsl(['compile', '-'], { input: 'version: v0.3\n' }).code, 1);
    assert.match(dsl(['test', '--json', yaml]).json().diagnostics[0].message, /this is YAML/);
    const run = dsl(['decompile', program]);
    assert.deepEqual([run.code, run.out], [1, '']);
    assert.match(run.err, /policy\.dsl: this is a program, and YAML is expected: see `vsr dsl compile`\n$/);
  });
});

describe('decompile', () => {
  const corpus = profiles(path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'recipes'));
  for (const { name, config, program: text } of corpus.filter((profile) => profile.program)) {
    test(`${name}: the program of the configuration`, () => {
      const run = dsl(['decompile', config]);
      assert.deepEqual([run.code, run.err], [0, '']);
      assert.equal(run.out, readFileSync(text, 'utf8'));
      assert.equal(dsl(['check', '--strict', config]).out, 'No issues found.\n');
      assert.equal(dsl(['check', '--strict', text]).out, 'No issues found.\n');
    });
  }

  for (const { name, config } of profiles(path.join(top, 'recipes'))) {
    test(`${name}: back into the configuration it means the same`, () => {
      assert.equal(dsl(['decompile', '-o', `${name}.dsl`, config]).code, 0);
      const back = dsl(['compile', '--base', config, `${name}.dsl`]);
      assert.equal(back.code, 0, back.err);
      const probe = (asked) => {
        const run = dsl(['--json', '-c', asked, path.join(path.dirname(config), 'probes.yaml')], { command: [program, 'probe'] });
        return run.json().probes.map(({ id, state, decision }) => ({ id, state, decision }));
      };
      assert.deepEqual(probe(file(`${name}.yaml`, back.out)), probe(config));
      const again = dsl(['decompile', '-'], { input: back.out });
      assert.equal(again.out, readFileSync(path.join(scratch, `${name}.dsl`), 'utf8'));
    });
  }

  test('what the language cannot say is told with its place', () => {
    const yaml = file('lost.yaml', 'routing:\n  decisions:\n    - name: r\n      unheard_of: 1\n      modelRefs: [{model: m}]\n');
    const run = dsl(['decompile', yaml]);
    assert.equal(run.code, 0);
    assert.match(run.err, /lost\.yaml:4:7: warning: .*unheard_of.* \[W501\]\n$/);
    assert.match(run.out, /^ROUTE r \{$/m);
    const strict = dsl(['decompile', '--strict', yaml]);
    assert.deepEqual([strict.code, strict.out], [1, '']);
    const check = dsl(['check', yaml]);
    assert.equal(check.code, 0);
    assert.match(check.out, /^\S+lost\.yaml:4:7: warning: .*\[W501\]\n/);
    const { warnings, conversion, program: text } = dsl(['check', '--json', yaml]).json();
    assert.equal(warnings, 1);
    assert.deepEqual([conversion[0].line, conversion[0].column], [4, 7]);
    assert.equal(text, run.out);
  });

  test('what is checked of a configuration has places of its program', () => {
    const yaml = 'routing:\n  signals:\n    domains:\n      - {name: cs, mmlu_categories: [computer_science]}\n';
    for (const run of [dsl(['check', file('typo.yaml', yaml)]), dsl(['check', '-'], { input: yaml })]) {
      assert.equal(run.code, 1);
      assert.match(run.out, /(typo\.yaml|<stdin>) as a program:\d+:\d+: error: .*"computer_science".*\[E205\]\n/);
    }
  });

  test('standard input is read as far as a file is', () => {
    const filler = `# ${'x'.repeat(1022)}\n`.repeat(9 << 10);
    const yaml = `routing:\n  decisions:\n    - {name: a}\n${filler}    - {name: b}\n`;
    assert.match(dsl(['decompile', '-'], { input: yaml }).out, /^ROUTE b \{$/m);
    const long = dsl(['decompile', '-'], { input: filler + filler });
    assert.notEqual(long.code, 0);
    assert.match(long.err, /standard input is larger than 16777216 bytes/);
    assert.match(dsl(['check', '-'], { input: filler }).out, /\[E106\]/);
  });

  test('the program of a configuration is no more readable than it is', () => {
    const config = file('secret.yaml', 'routing:\n  decisions:\n    - name: r\n      odd: 1\n      plugins: [{type: rag, configuration: {backend_config: {api_key: k}}}]\n');
    chmodSync(config, 0o600);
    for (const command of ['decompile', 'fmt']) {
      const run = dsl([command, '-o', `secret-${command}.dsl`, config]);
      assert.equal(run.code, 0, run.err);
      assert.equal(statSync(path.join(scratch, `secret-${command}.dsl`)).mode & 0o777, 0o600);
      assert.match(run.err, /secret\.yaml:4:7: warning: ROUTE r: the language has no place for the field odd \[W501\]\n/);
    }
    const back = YAML.parse(dsl(['compile', '--base', config, 'secret-fmt.dsl']).out);
    assert.equal(back.routing.decisions[0].odd, 1);
  });

  test('what is no YAML', () => {
    const run = dsl(['decompile', file('broken.yaml', 'a: [\n')]);
    assert.equal(run.code, 1);
    assert.match(run.err, /broken\.yaml:\d+:\d+: error: .* \[E_YAML\]\n$/);
  });
});

describe('fix', () => {
  const typo = 'ROUTE r { PRIORITY 1 MODEL "m" ALGORITHM confidnce }\n';
  const mended = 'ROUTE r { PRIORITY 1 MODEL "m" ALGORITHM confidence }\n';

  test('over the file, which keeps its mode', () => {
    const name = file('typo.dsl', typo);
    chmodSync(name, 0o640);
    const run = dsl(['fix', name]);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.out, '');
    assert.equal(readFileSync(name, 'utf8'), mended);
    assert.equal(statSync(name).mode & 0o777, 0o640);
    assert.match(run.err, /typo\.dsl: 1 fix applied; left: No issues found\.\n$/);
    const { mtimeMs } = statSync(name);
    assert.match(dsl(['fix', name]).err, /0 fixes applied/);
    assert.equal(statSync(name).mtimeMs, mtimeMs);
  });

  test('no value is replaced by another one', () => {
    const taken = 'SIGNAL keyword k { keywords: ["a"], keyword: ["b"] operators: "OR" }\n';
    const run = dsl(['fix', '-'], { input: taken });
    assert.equal(run.out, taken.replace('operators', 'operator'));
    assert.match(run.err, /1 fix applied; left: 0 errors, 0 warnings, 1 constraint\n$/);
    assert.match(run.err, /"keyword" \(fix: change to "keywords"\) \[C301\]/);
    const both = dsl(['fix', '-'], { input: 'SIGNAL keyword k { keyword: ["a"] keywrds: ["b"] operator: "OR" }\n' });
    assert.equal(both.out, 'SIGNAL keyword k { keywords: ["a"] keywrds: ["b"] operator: "OR" }\n');
  });

  test('a guess that may mean something else is left, and told', () => {
    for (const [written, guess] of [
      ['ROUTE r { MODEL "m" ALGORITHM random }', 'remom'],
      ['ROUTE r { MODEL "m" PLUGIN retry }', 'memory'],
      ...[['length', 'language'], ['intent', 'context'], ['similarity', 'complexity'], ['regex', 'reask'], ['header', 'metadata']]
        .map(([type, near]) => [`ROUTE r { WHEN ${type}("x") MODEL "m" }`, near]),
      ['SIGNAL keyword k { keywords: ["a"] match: "OR" }', 'method'],
      ['SIGNAL domain d { mmlu_categories: ["bio"] }', 'biology'],
    ]) {
      const run = dsl(['fix', '-'], { input: `${written}\n` });
      assert.equal(run.out, `${written}\n`);
      assert.match(run.err, /0 fixes applied; left: /, written);
      assert.ok(run.err.includes(`(fix: change to "${guess}")`), run.err);
    }
  });

  test('a name that is cut short is written out', () => {
    const run = dsl(['fix', '-'], { input: 'SIGNAL domain d { mmlu_categories: ["chem"] }\nROUTE r { MODEL "m" ALGORITHM latency }\n' });
    assert.ok(run.out.includes('["chemistry"]') && run.out.includes('ALGORITHM latency_aware'), run.out);
    assert.match(run.err, /2 fixes applied/);
  });

  test('elsewhere, to standard output, from standard input', () => {
    const name = file('typo.dsl', typo);
    assert.equal(dsl(['fix', '-o', '-', name]).out, mended);
    assert.equal(dsl(['fix', '-'], { input: typo }).out, mended);
    assert.equal(dsl(['fix', '-o', 'mended.dsl', name]).code, 0);
    assert.equal(readFileSync(path.join(scratch, 'mended.dsl'), 'utf8'), mended);
    assert.equal(readFileSync(name, 'utf8'), typo);
  });

  test('looking only', () => {
    const name = file('typo.dsl', typo);
    const check = dsl(['fix', '--check', name]);
    assert.deepEqual([check.code, check.out], [1, '']);
    assert.match(check.err, /1 fix to apply/);
    const diff = dsl(['fix', '--diff', name]);
    assert.equal(diff.code, 0);
    assert.match(diff.err, /1 fix to apply/);
    assert.ok(diff.out.endsWith(`@@ -1,1 +1,1 @@\n-${typo}+${mended}`), diff.out);
    assert.equal(readFileSync(name, 'utf8'), typo);
    assert.equal(dsl(['fix', '--check', file('fine.dsl', good)]).code, 0);
    assert.equal(dsl(['fix', '--check', '-o', 'x.dsl', name]).code, 2);
  });

  test('one fix may uncover the next', () => {
    const run = dsl(['fix', '-'], { input: 'ROUT r { PRIORITY 1 MODEL "m" ALGORITHM confidnce }\n' });
    assert.equal(run.code, 0, run.err);
    assert.equal(run.out, mended);
    assert.match(run.err, /2 fixes applied/);
  });

  test('what nobody can be sure of is left', () => {
    const run = dsl(['fix', '-'], { input: bad });
    assert.equal(run.code, 1);
    assert.match(run.err, /<stdin>:2:22: error: .*\n<stdin>: 1 fix applied; left: 1 error, 0 warnings, 0 constraints\n$/);
    assert.ok(run.out.includes('ALGORITHM confidence'));
  });
});

describe('fmt', () => {
  const rough = `# What it is.
SIGNAL   keyword a{operator:"OR",keywords:["x"]} # behind
ROUTE 'r'`.replace("'r'", 'r') + ` { WHEN keyword(a) MODEL m,n PRIORITY 3 }
RECIPE local { ROUTE r { MODEL m }  TEST inner { "q" -> r } }
TEST t{ "x"->r }
`;
  const neat = `# What it is.
SIGNAL keyword a {
  operator: "OR"
  keywords: ["x"]
} # behind

`;

  test('over the file, which keeps its mode; twice changes nothing', () => {
    const name = file('rough.dsl', rough);
    chmodSync(name, 0o640);
    const meaning = dsl(['compile', name]).out;
    const run = dsl(['fmt', name]);
    assert.deepEqual([run.code, run.out, run.err], [0, '', '']);
    const text = readFileSync(name, 'utf8');
    assert.ok(text.startsWith(neat), text);
    for (const kept of ['TEST t {', 'TEST inner {', 'RECIPE local {']) assert.ok(text.includes(kept), kept);
    assert.equal(statSync(name).mode & 0o777, 0o640);
    assert.equal(dsl(['compile', name]).out, meaning);
    const { mtimeMs } = statSync(name);
    assert.equal(dsl(['format', name]).code, 0);
    assert.equal(readFileSync(name, 'utf8'), text);
    assert.equal(statSync(name).mtimeMs, mtimeMs);
  });

  test('looking only', () => {
    const name = file('rough.dsl', rough);
    const check = dsl(['fmt', '--check', name]);
    assert.deepEqual([check.code, check.out], [1, '']);
    assert.match(check.err, /rough\.dsl: would be laid out anew/);
    const diff = dsl(['fmt', '--diff', name]);
    assert.equal(diff.code, 0);
    assert.match(diff.out, /^-SIGNAL {3}keyword a\{operator/m);
    assert.equal(readFileSync(name, 'utf8'), rough);
    const formatted = dsl(['fmt', '-o', '-', name]).out;
    assert.equal(dsl(['fmt', '-'], { input: rough }).out, formatted);
    assert.equal(dsl(['fmt', '--check', '-'], { input: formatted }).code, 0);
  });

  test('canonical text is that of decompiling, with the tests', () => {
    const run = dsl(['fmt', '--canonical', '-'], { input: rough });
    assert.equal(run.code, 0, run.err);
    assert.match(run.err, /^vsr dsl fmt: warning: <stdin>:4: canonical text has no place for the tests of the recipe "local"\n$/);
    const plain = dsl(['decompile', '-'], { input: dsl(['compile', '-'], { input: rough }).out }).out;
    const rule = `# ${'='.repeat(77)}\n`;
    assert.equal(run.out, `${plain}\n${rule}# TESTS\n${rule}\nTEST t {\n  "x" -> r\n}\n`);
    assert.equal(dsl(['fmt', '--canonical', '-'], { input: run.out }).out, run.out);
  });

  test('a configuration is printed as a program, and stays', () => {
    const config = file('policy.yaml', dsl(['compile', '-'], { input: rough }).out);
    const before = readFileSync(config, 'utf8');
    const run = dsl(['fmt', config]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /^ROUTE r \{$/m);
    assert.equal(readFileSync(config, 'utf8'), before);
  });

  test('a program with errors is left alone', () => {
    const name = file('bad.dsl', bad);
    const run = dsl(['fmt', name]);
    assert.equal(run.code, 1);
    assert.match(run.err, /bad\.dsl:2:22: error/);
    assert.equal(readFileSync(name, 'utf8'), bad);
  });
});

describe('test', () => {
  const tested = `SIGNAL keyword urgent { operator: "OR" keywords: ["asap"] }
SIGNAL keyword code { operator: "OR" keywords: ["bug"] }
ROUTE hot { PRIORITY 9 WHEN keyword("urgent") AND NOT keyword("code") MODEL "big" }
ROUTE code { PRIORITY 5 WHEN keyword("code") MODEL "big" }
TEST fine {
  "asap please" -> hot { keyword: ["urgent"] }
  "a bug, asap" -> code { keyword: ["urgent", "code"] }
}
TEST wrong {
  "a bug" -> hot
  "hello" -> hot
  "asap!" -> hot { keyword: "code" }
}
RECIPE calm {
  ROUTE rest { MODEL "small" }
  TEST inner { "asap" -> rest }
}
`;

  test('each query goes through the engine; tests of recipes too', () => {
    const run = dsl(['test', file('tested/policy.dsl', tested)]);
    assert.equal(run.code, 1, run.err);
    const at = `${scratch}/tested/policy.dsl`;
    assert.equal(
      run.out,
      `${at}:10:3: error: TEST wrong: "a bug" goes to "code" (confidence 1.000, because of keyword:code), expected "hot" [E603]\n` +
        `${at}:11:3: error: TEST wrong: no route takes "hello", expected "hot" [E602]\n` +
        `${at}:12:18: error: TEST wrong: keyword("code") did not match "asap!" [E604]\n` +
        '6 tests: 3 passed, 3 failed\n',
    );
  });

  test('failures past those that are printed count', () => {
    const many = `${good}TEST t {\n${'"hello" -> hot\n'.repeat(1100)}}\n`;
    const run = dsl(['test', file('tested/many.dsl', many)]);
    assert.equal(run.code, 1);
    assert.match(run.out, /\n100 more of level error not shown\n1100 tests: 0 passed, 1100 failed\n$/);
  });

  test('check runs them when asked to', () => {
    const run = dsl(['check', '--runtime-checks', 'tested/policy.dsl']);
    assert.equal(run.code, 1);
    const failed = dsl(['test', 'tested/policy.dsl']).out.split('\n').filter((line) => /\[E60\d\]$/.test(line));
    assert.equal(failed.length, 3);
    for (const line of failed) assert.ok(run.out.includes(line), line);
    assert.match(run.out, /\n3 errors, \d warnings?, 0 constraints\n$/);
    assert.doesNotMatch(dsl(['check', 'tested/policy.dsl']).out, /E60/);
    assert.doesNotMatch(dsl(['check', '--runtime-checks', file('bad.dsl', `${bad}TEST t { "x" -> y }\n`)]).out, /E60/);
    assert.equal(dsl(['check', '--runtime-checks', '-'], { input: tested }).code, 2);
  });

  test('facts in place of queries', () => {
    const run = dsl(['test', '--runner', 'facts', '--json', 'tested/policy.dsl']);
    assert.equal(run.code, 1, run.err);
    const routes = run.json().tests.map(({ query, route, passed }) => [query, route, passed]);
    assert.deepEqual(routes, [
      ['asap please', 'hot', true],
      ['a bug, asap', 'code', true],
      ['a bug', null, false],
      ['hello', null, false],
      ['asap!', 'code', false],
      ['asap', 'rest', true],
    ]);
    const unknown = tested.replace('keyword: "code"', 'keyword: "cod"');
    const lost = dsl(['test', '--runner', 'facts', file('tested/unknown.dsl', unknown)]);
    assert.match(lost.out, /unknown\.dsl:12:3: error: .*could not be evaluated: keyword\("cod"\) is no signal of this profile; did you mean keyword:code\? \[E601\]/);
  });

  test('TAP and JSON', () => {
    const tap = dsl(['test', '--tap', 'tested/policy.dsl']);
    assert.equal(tap.code, 1);
    assert.match(tap.out, /^TAP version 13\n1\.\.6\nok 1 - fine: "asap please" -> hot\nok 2 - /);
    assert.match(tap.out, /\nnot ok 3 - wrong: "a bug" -> hot\n {2}---\n {2}code: E603\n {2}at: ".*policy\.dsl:10:3"\n {2}message: ".*"\n {2}\.\.\.\nnot ok 4/);
    assert.match(tap.out, /\nok 6 - calm\/inner: "asap" -> rest\n$/);
    const { passed, failed, tests, diagnostics } = dsl(['test', '--json', 'tested/policy.dsl']).json();
    assert.deepEqual([passed, failed, tests.length, diagnostics.length], [3, 3, 6, 3]);
    assert.deepEqual(tests[1].matched_signals, ['keyword:urgent', 'keyword:code']);
    assert.equal(tests[5].recipe, 'calm');
  });

  /** What Python's parser, which is strict, makes of a JUnit document: `[tag, attributes, text, children]`. */
  function parseXml(text) {
    const walk = 'import json,sys,xml.etree.ElementTree as E\ndef w(e): return [e.tag, e.attrib, (e.text or "").strip(), [w(c) for c in e]]\n' +
      'print(json.dumps(w(E.fromstring(sys.stdin.buffer.read()))))';
    const run = spawnSync('/usr/bin/python3', ['-c', walk], { input: text, encoding: 'utf8', timeout: seconds(60) });
    assert.equal(run.status, 0, `${run.stderr}\n${text}`);
    return JSON.parse(run.stdout);
  }
  const untimed = ({ time, ...rest }) => (assert.match(time, /^\d+\.\d{6}$/), rest);

  test('JUnit', () => {
    const name = path.join(scratch, 'tested/policy.dsl');
    const out = path.join(scratch, 'tested/junit.xml');
    const run = dsl(['test', '--junit', out, name]);
    assert.deepEqual([run.code, run.err], [1, '']);
    assert.match(run.out, /\n6 tests: 3 passed, 3 failed\n$/);
    const printed = dsl(['test', '--junit', '-', name]);
    assert.equal(printed.code, 1);
    const untimely = (text) => text.replace(/ time="[^"]*"/g, '');
    assert.equal(untimely(printed.out), untimely(readFileSync(out, 'utf8')));
    const [tag, attributes, , suites] = parseXml(printed.out);
    assert.deepEqual([tag, untimed(attributes)], ['testsuites', { name, tests: '6', failures: '3', errors: '0', skipped: '0' }]);
    assert.deepEqual(suites.map(([suite, its]) => [suite, untimed(its)]), [
      ['testsuite', { name: 'fine', file: name, tests: '2', failures: '0', errors: '0', skipped: '0' }],
      ['testsuite', { name: 'wrong', file: name, tests: '3', failures: '3', errors: '0', skipped: '0' }],
      ['testsuite', { name: 'calm/inner', file: name, tests: '1', failures: '0', errors: '0', skipped: '0' }],
    ]);
    const cases = suites.flatMap(([, , , its]) => its);
    assert.deepEqual(untimed(cases[2][1]), { classname: 'wrong', name: '"a bug" -> hot', file: name, line: '10' });
    assert.deepEqual(cases.map(([, , , inner]) => inner.map(([kind, { type }]) => [kind, type])), [
      [], [], [['failure', 'E603']], [['failure', 'E602']], [['failure', 'E604']], [],
    ]);
    const [, { message }, text] = cases[3][3][0];
    assert.equal(message, 'TEST wrong: no route takes "hello", expected "hot"');
    assert.equal(text, `${name}:11:3: ${message} [E602]`);
    assert.equal(dsl(['test', '--junit', '-', '--tap', name]).code, 2);
    assert.equal(dsl(['test', '--junit', path.join(scratch, 'nowhere/junit.xml'), name]).code, 3);
    assert.deepEqual(parseXml(dsl(['test', '--junit', '-', file('tested/good.dsl', good)]).out)[3], []);
  });

  test('a query that cannot be evaluated is an error of JUnit; too many failures still count', () => {
    const unknown = file('tested/unasked.dsl', tested.replace('keyword: "code"', 'keyword: "cod"'));
    const [, { failures, errors }, , suites] = parseXml(dsl(['test', '--runner', 'facts', '--junit', '-', unknown]).out);
    assert.deepEqual([failures, errors], ['2', '1']);
    assert.deepEqual(suites[1][3][2][3].map(([kind, { type }]) => [kind, type]), [['error', 'E601']]);
    const many = parseXml(dsl(['test', '--junit', '-', 'tested/many.dsl']).out);
    assert.equal(many[1].failures, '1100');
    assert.equal(many[3][0][3].filter(([, , , [failure]]) => failure?.[1].type === 'E603').length, 1100);
  });

  test('names cannot break the lines of TAP, nor act on a terminal', () => {
    const hostile = 'ROUTE "a\\n\\x1b[31m" { MODEL "m" }\nTEST "t\\nnot ok 9" { "q\\nok 7 # SKIP" -> "a\\n\\x1b[31m" }\n';
    const name = file('tested/hostile.dsl', hostile);
    const tap = dsl(['test', '--tap', name]);
    const escaped = String.raw`"t\\nnot ok 9": "q\\nok 7 \# SKIP" -> "a\\n\\x1b[31m"`;
    assert.equal(tap.out, `TAP version 13\n1..1\nok 1 - ${escaped}\n`, tap.err);
    const marked = hostile.replace('TEST "t', 'TEST "<&\\"\\x0b\ufffe>t').replaceAll('"q', '"]]><q\\t\\x00');
    const junit = dsl(['test', '--junit', '-', file('tested/marked.dsl', marked)]);
    assert.equal(junit.code, 0, junit.err);
    assert.doesNotMatch(junit.out, /[\x00-\x09\x0b-\x1f\ufffe]/);
    const [, , , [[, suite, , [[, row]]]]] = parseXml(junit.out);
    assert.equal(suite.name, '"<&\\"\\v\\ufffe>t\\nnot ok 9"');
    assert.equal(row.name, '"]]><q\\t\\u0000\\nok 7 # SKIP" -> "a\\n\\x1b[31m"');
    for (const run of [dsl(['explain', name]), dsl(['check', '--hints', name]), dsl(['diff', file('tested/good.dsl', good), name])])
      assert.doesNotMatch(run.out, /^$|[\x00-\x09\x0b-\x1f]/);
  });

  test('a `#` of a query is no directive of TAP', () => {
    const todo = `${good}TEST t {\n"the # TODO in here" -> hot\n"a \\\\# SKIP" -> hot\n}\n`;
    const { code, out } = dsl(['test', '--tap', file('tested/todo.dsl', todo)]);
    assert.equal(code, 1);
    const lines = out.split('\n').filter((line) => line.startsWith('not ok'));
    assert.deepEqual(lines, [String.raw`not ok 1 - t: "the \# TODO in here" -> hot`, String.raw`not ok 2 - t: "a \\\\\# SKIP" -> hot`]);
  });

  test('a program with errors is not run; one without tests has none that fail', () => {
    const run = dsl(['test', file('tested/bad.dsl', bad)]);
    assert.deepEqual([run.code, run.out], [1, '']);
    assert.match(run.err, /bad\.dsl:2:22: error/);
    assert.equal(dsl(['test', file('tested/good.dsl', good)]).out, '0 tests: 0 passed, 0 failed\n');
    assert.equal(dsl(['test', '--runner', 'nobody', 'tested/good.dsl']).code, 2);
    assert.equal(dsl(['test', 'nowhere.dsl']).code, 3);
  });

  for (const template of ['routes', 'tree', 'recipes']) {
    test(`what \`new --template ${template}\` writes passes its tests`, () => {
      const name = file(`tested/${template}.dsl`, dsl(['new', '-t', template]).out);
      const run = dsl(['test', name]);
      assert.equal(run.code, 0, run.out);
      assert.match(run.out, /^[23] tests: [23] passed, 0 failed\n$/);
    });
  }

  test('a running router is asked', async (t) => {
    const port = await freePort();
    const program = tested.replace('RECIPE calm', 'ENTRYPOINT { model_names: ["acme/calm"] recipe: "calm" }\nRECIPE calm');
    const backend = { endpoint: '127.0.0.1:9' };
    const base = policy({ models: { big: backend, small: backend }, default_model: 'small' });
    delete base.routing;
    await startVsr(t, base, { policy: 'policy.dsl', beside: { 'policy.dsl': program }, env: { VSR_MANAGEMENT_LISTEN: `127.0.0.1:${port}` } });
    const served = file('tested/served.dsl', program);
    const asked = dsl(['test', '--json', '--runner', `http://127.0.0.1:${port}`, served]);
    assert.equal(asked.err, '');
    const own = dsl(['test', '--json', served]);
    assert.deepEqual(asked.json(), own.json());
    assert.equal(own.json().passed, 3);
    const nobody = dsl(['test', '--runner', `http://127.0.0.1:${await freePort()}`, served]);
    assert.equal(nobody.code, 1);
    assert.match(nobody.out, /served\.dsl:6:3: error: TEST fine: "asap please" could not be evaluated: .*\[E601\]/);
    const without = dsl(['test', '--runner', `http://127.0.0.1:${port}`, file('tested/policy.dsl', tested)]);
    assert.match(without.out, /no ENTRYPOINT leads to the recipe "calm"/);
  });
});

describe('explain', () => {
  const scored = `SIGNAL keyword easy { operator: "OR" keywords: ["tl;dr"] }
SIGNAL context long { min_tokens: "8K" max_tokens: "256K" }
SIGNAL domain law {}
PROJECTION score load { inputs: [{ type: "context", name: "long", weight: 0.5 }, { type: "keyword", name: "easy", weight: -0.25, value_source: "confidence" }] }
PROJECTION mapping band { source: "load" outputs: [{ name: "light", lt: 0.4 }, { name: "heavy", gte: 0.4 }] }
ROUTE heavy { PRIORITY 9 WHEN projection("heavy") AND NOT domain("law") MODEL "big" }
ROUTE light { PRIORITY 1 MODEL "small" }
RECIPE inner { ROUTE only { PRIORITY 1 MODEL "big" } }
`;
  const route = (args) => {
    const run = dsl(['explain', '--json', ...args, file('explained/scored.dsl', scored)]);
    assert.equal(run.code, 0, run.err);
    return run.json();
  };

  test('signals that are said lead through scores to a route', () => {
    assert.equal(route([]).route, 'light');
    const heavy = route(['--fact', 'context:long']);
    assert.deepEqual([heavy.route, heavy.matched_rules], ['heavy', ['projection:heavy']]);
    assert.deepEqual(heavy.routes[0], { name: 'heavy', priority: 9, tier: 0, state: 'match', leaves: { 'projection:heavy': 'match', 'domain:law': 'no_match' } });
    assert.equal(route(['--fact', 'context:long', '--fact', 'domain:law']).route, 'light');
    assert.equal(route(['--fact', 'context:long', '--fact', 'keyword:easy=0.9']).route, 'light');
    assert.equal(route(['--fact', 'context:long', '--fact', 'keyword:easy=0.1']).route, 'heavy');
    assert.equal(route(['--fact', 'projection:heavy']).route, 'heavy');
    assert.equal(route(['--recipe', 'inner']).route, 'only');
  });

  test('facts from a file, in every form', () => {
    for (const [facts, want] of [
      ['{"context": ["long"]}', 'heavy'],
      ['context: long', 'heavy'],
      ['{"context": {"long": true}, "domain": {"law": false}}', 'heavy'],
      ['{"context": {"long": {"matched": true}}, "domain": {"law": 0.7}}', 'light'],
      ['{"context": {"long": {"matched": false, "confidence": 1}}}', 'light'],
      ['{}', 'light'],
    ])
      assert.equal(route(['--facts', file('explained/facts.json', facts)]).route, want, facts);
  });

  test('for people', () => {
    const run = dsl(['explain', '--fact', 'context:long', 'explained/scored.dsl']);
    assert.equal(
      run.out,
      `route     heavy  (confidence 0.8843)
because   projection("heavy")

heavy  priority 9: wins
  + AND
    + projection("heavy")
    + NOT
      - domain("law")

light  priority 1: holds, and another one comes first
  + always
`,
    );
  });

  test('what is no fact', () => {
    const say = (text) => dsl(['explain', '--facts', file('explained/facts.json', text), 'explained/scored.dsl']);
    assert.match(say('{"context": ["lon"]}').err, /facts\.json:1:14: context\("lon"\) is no signal of this profile; did you mean context:long\?/);
    assert.match(say('[1]').err, /facts\.json:1:1: expected a mapping/);
    assert.match(say('{"context": {"long": "yes"}}').err, /facts\.json:1:22: expected true, false/);
    assert.match(say('{"context": {"long": {"mached": true}}}').err, /facts\.json:1:23: expected matched/);
    for (const number of ['.nan', '.inf', '1e999', '0x1p3', 'nan', '"0.5"']) {
      assert.match(say(`{"context": {"long": ${number}}}`).err, /facts\.json:1:22: expected true, false, a confidence/, number);
      assert.match(say(`{"context": {"long": {"value": ${number}}}}`).err, /facts\.json:1:23: expected matched/, number);
    }
    for (const number of ['nan', 'inf', '1e999', '0x1p3', ' 1', '-.inf', '0.5x', '']) {
      const run = dsl(['explain', '--json', '--fact', `context:long=${number}`, 'explained/scored.dsl']);
      assert.deepEqual([run.code, run.out], [2, ''], number);
      assert.match(run.err, /--fact: /, number);
    }
    assert.equal(route(['--fact', 'context:long=1e0']).route, 'heavy');
    for (const number of ['7', '-0.1', '1.0001']) {
      const run = dsl(['explain', '--fact', `context:long=${number}`, 'explained/scored.dsl']);
      assert.deepEqual([run.code, run.out], [2, '']);
      assert.ok(run.err.includes(`--fact: a confidence of context("long") is from 0 to 1, found ${number}`), run.err);
    }
    assert.match(say('{"context": {"long": 7}}').err, /facts\.json:1:22: a confidence of context\("long"\) is from 0 to 1, found 7/);
    assert.match(say('{"context": {"long": {"confidence": 7}}}').err, /facts\.json:1:22: a confidence of context/);
    assert.equal(say('{"context": {"long": {"value": 7000}}}').code, 0);
    assert.match(dsl(['explain', '--fact', 'context:long=abc', 'explained/scored.dsl']).err, /--fact: "abc" is no number/);
    assert.match(dsl(['explain', '--fact', 'context:none=abc', 'explained/scored.dsl']).err, /context\("none=abc"\) is no signal/);
    const raw = file('explained/raw.dsl', 'SIGNAL jailbreak j { threshold: 0.5 }\nROUTE r { WHEN jailbreak("j") MODEL "m" }\n');
    assert.equal(dsl(['explain', '--fact', 'jailbreak:j=1.5', raw]).code, 0);
    assert.match(dsl(['explain', '--fact', 'jailbreak:j=2.5', raw]).err, /is from 0 to 2, found 2\.5/);
    for (const text of ['{"context": ["lon"]}', '[1]', '{']) assert.equal(say(text).code, 1);
    assert.equal(dsl(['explain', '--fact', 'long', 'explained/scored.dsl']).code, 2);
    assert.equal(dsl(['explain', '--recipe', 'outer', 'explained/scored.dsl']).code, 2);
    assert.equal(dsl(['explain', '--facts', 'nowhere.json', 'explained/scored.dsl']).code, 3);
    assert.equal(dsl(['explain', 'nowhere.dsl']).code, 3);
  });
});

describe('examples of embedding signals, as the built-in model sees them', () => {
  const alike = 'candidates: ["I want my money back", "refund my order"]';
  const rules = (first, second) => `SIGNAL embedding refunds { threshold: 0.7 ${first} }
SIGNAL embedding returns { threshold: 0.7 ${second} }
SIGNAL embedding poetry { threshold: 0.9 candidates: ["write a haiku about autumn"] }
ROUTE a { PRIORITY 9 WHEN embedding("refunds") MODEL "m" }
ROUTE b { PRIORITY 8 WHEN embedding("returns") MODEL "n" }
ROUTE c { PRIORITY 7 WHEN embedding("poetry") MODEL "o" }
ROUTE rest { PRIORITY 1 MODEL "m" }
`;
  const program = rules(alike, 'candidates: ["I want to send this back", "return my order"]');
  const base = 'version: v0.3\nglobal: {model_catalog: {embeddings: {semantic: {embedding_config: {top_k: 0}}}}}\n';
  const codes = (run) => run.json().diagnostics.map(({ code, level, line, column }) => [code, level, line, column]);

  test('that match together', () => {
    const name = file('together/policy.dsl', program);
    file('together/policy.yaml', base);
    const told = /policy\.dsl:2:1: warning: embedding rules "refunds" and "returns" can match one text \(their nearest examples are 0\.[89]\d alike\), so routes "a" and "b" can hold together, and the order of the routes decides between their models; in a softmax partition the nearer rule would \[W410\]\n/;
    const checked = dsl(['check', '--runtime-checks', name]);
    assert.deepEqual([checked.code, checked.err], [0, '']);
    assert.match(checked.out, told);
    assert.match(checked.out, /\n0 errors, 1 warning, 0 constraints\n$/);
    assert.equal(dsl(['check', '--runtime-checks', '--strict', name]).code, 1);
    const proved = dsl(['prove', '--runtime-checks', name]);
    assert.match(proved.out, told);
    assert.match(proved.out, /3:1: hint: embedding rules "refunds" and "poetry" could match one text/);
    assert.match(proved.out, /\n1 warning, 2 hints: 4 routes over 3 conditions, all questions answered\n$/);
    const [first] = dsl(['prove', '--runtime-checks', '--json', name]).json().diagnostics;
    assert.equal(first.witness, 'embedding(refunds) true, embedding(returns) true');
    for (const quiet of [['check', name], ['prove', name], ['check', '--runtime-checks', '--no-models', name], ['prove', '--runtime-checks', '--no-models', name]])
      assert.doesNotMatch(dsl(quiet).out, /W41/);
  });

  test('of which one stays by default', () => {
    assert.equal(dsl(['check', '--runtime-checks', file('together/alone.dsl', program)]).out, 'No issues found.\n');
  });

  test('in recipes, and in configurations', () => {
    const recipe = `ROUTE top { PRIORITY 1 MODEL "m" }\nRECIPE in {\n${program}}\n`;
    file('together/recipe.yaml', base);
    const name = file('together/recipe.dsl', recipe);
    assert.match(dsl(['check', '--runtime-checks', name]).out, /recipe\.dsl:4:1: warning: recipe "in": embedding rules "refunds" and "returns" can match/);
    const config = file('together/config.yaml', dsl(['compile', '--base', file('together/base.yaml', base), '-'], { input: program }).out);
    const run = dsl(['check', '--runtime-checks', '--json', config]);
    const [finding] = run.json().conversion;
    assert.deepEqual([finding.code, finding.level], ['W410', 'warning']);
    assert.match(readFileSync(config, 'utf8').split('\n').slice(finding.line - 1).join('\n').slice(finding.column - 1), /^name: returns\n/);
  });

  test('that a softmax cannot tell apart', () => {
    const partition = 'PROJECTION partition topics { semantics: "softmax_exclusive" temperature: 0.1 members: ["poetry", "refunds", "returns"] default: "poetry" }\n';
    const same = rules(alike, 'candidates: ["I want my money back please", "refund the order"]') + partition;
    const run = dsl(['check', '--runtime-checks', '--json', file('together/softmax.dsl', same)]);
    assert.deepEqual(codes(run), [['W413', 'warning', 8, partition.indexOf('"returns"') + 1]]);
    assert.match(run.json().diagnostics[0].message, /^PROJECTION partition topics: the examples of "refunds" and "returns" are 0\.9\d alike in the middle/);
    assert.deepEqual(codes(dsl(['check', '--runtime-checks', '--json', file('together/apart.dsl', rules(alike, 'candidates: ["which planet is the largest"]') + partition)])), []);
    assert.deepEqual(codes(dsl(['check', '--runtime-checks', '--json', file('together/exclusive.dsl', same.replace('softmax_exclusive', 'exclusive'))])), []);
  });
});

describe('prove', () => {
  const shadowed = `SIGNAL keyword a { operator: "OR" keywords: ["x"] }
SIGNAL keyword b { operator: "OR" keywords: ["y"] }
ROUTE hi { PRIORITY 9 WHEN keyword("a") MODEL "m" }
ROUTE lo { PRIORITY 1 WHEN keyword("a") AND keyword("b") MODEL "n" }
`;

  test('a route that nothing reaches, with its place', () => {
    const run = dsl(['prove', file('proved/shadowed.dsl', shadowed)]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /shadowed\.dsl:4:1: warning: route "lo" is unreachable: every match is taken by "hi" \[W401\]\n/);
    assert.match(run.out, /\n1 warning, 1 hint: 2 routes over 2 conditions, all questions answered\n$/);
    assert.equal(dsl(['prove', '--strict', 'proved/shadowed.dsl']).code, 1);
    const { complete, routes, diagnostics } = dsl(['prove', '--json', 'proved/shadowed.dsl']).json();
    assert.deepEqual([complete, routes, diagnostics[0].code, diagnostics[0].line], [true, 2, 'W401', 4]);
  });

  test('an example under what can happen', () => {
    const tie = `SIGNAL keyword a { operator: "OR" keywords: ["x"] }
SIGNAL keyword b { operator: "OR" keywords: ["y"] }
ROUTE one { PRIORITY 1 WHEN keyword("a") MODEL "m" }
ROUTE two { PRIORITY 1 WHEN keyword("b") MODEL "n" }
`;
    const run = dsl(['prove', file('proved/tie.dsl', tie)]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /\[W407\]\n    example: keyword\(a\) true, keyword\(b\) true\n/);
    // Nothing says which model is the default.
    assert.match(run.out, /hint: no route takes some requests; a route without WHEN.* \[W408\]\n    example: keyword\(a\) false, keyword\(b\) false\n/);
    assert.doesNotMatch(dsl(['prove', '--json', 'proved/tie.dsl']).out, /example:/);
    assert.doesNotMatch(dsl(['check', 'proved/tie.dsl']).out, /example:/);
  });

  test('the same of a configuration in YAML', () => {
    const yaml = file('proved/shadowed.yaml', `version: v0.3\n${dsl(['compile', '-'], { input: shadowed }).out}`);
    const run = dsl(['prove', yaml]);
    assert.match(run.out, /shadowed\.yaml:\d+:\d+: warning: route "lo" is unreachable/);
  });

  test('nothing to say; what cannot be read', () => {
    assert.match(dsl(['prove', file('proved/good.dsl', good)]).out, /^No issues found: 2 routes over 1 condition, all questions answered\n$/);
    assert.equal(dsl(['prove', 'nowhere.dsl']).code, 3);
    assert.equal(dsl(['prove', '-'], { input: good }).code, 2);
    assert.equal(dsl(['prove', file('proved/bad.dsl', bad)]).code, 1);
  });
});

describe('diff', () => {
  const before = `SIGNAL keyword a { operator: "OR" keywords: ["x"] }
SIGNAL keyword b { operator: "OR" keywords: ["y"] }
ROUTE hi { PRIORITY 9 WHEN keyword("a") AND keyword("b") MODEL "m" }
ROUTE rest { PRIORITY 1 MODEL "n" }
`;

  test('what only looks different', () => {
    const other = before.replace('keyword("a") AND keyword("b")', 'NOT (NOT keyword("b") OR NOT keyword("a"))');
    const run = dsl(['diff', file('diff/before.dsl', before), file('diff/same.dsl', other)]);
    assert.equal(run.code, 0, run.err);
    assert.equal(run.out, `* route hi in default
    condition: keyword(a) AND keyword(b) -> NOT (NOT keyword(b) OR NOT keyword(a))
No request is routed in another way.
`);
    const yaml = file('diff/compiled.yaml', `version: v0.3\n${dsl(['compile', 'diff/before.dsl']).out}`);
    assert.deepEqual(dsl(['diff', '--json', yaml, 'diff/before.dsl']).json(), {
      same: true, complete: true, settings_compared: true, removed: [], added: [], changed: [], settings: [], effects: [],
    });
  });

  test('requests that go elsewhere, with an example', () => {
    const after = `${before.replace('AND', 'OR')}ROUTE extra { PRIORITY 0 MODEL "m" }\n`;
    const run = dsl(['diff', 'diff/before.dsl', file('diff/after.dsl', after)]);
    assert.equal(run.code, 1, run.err);
    assert.match(run.out, /^\* route hi in default\n {4}condition: .* AND .* -> .* OR .*\n\+ route extra in default\n~ default: .*"rest".*"hi".*\n {4}example: .*keyword\((a|b)\) true/);
    const { same, complete, added, removed, changed, effects } = dsl(['diff', '--json', 'diff/before.dsl', 'diff/after.dsl']).json();
    assert.deepEqual([same, complete, added, removed], [false, true, [{ profile: 'default', route: 'extra' }], []]);
    assert.deepEqual(changed, [{ profile: 'default', route: 'hi', parts: [
      { part: 'condition', before: 'keyword(a) AND keyword(b)', after: 'keyword(a) OR keyword(b)' }] }]);
    assert.deepEqual([effects[0].kind, effects[0].before, effects[0].after, effects[0].circumstance], ['route', 'rest', 'hi', null]);
  });

  test('requests that are handled in another way', () => {
    const recipe = (more) => `${before}RECIPE fast {\n  ROUTE one { MODEL "m" ${more} }\n}\n`;
    const run = dsl(['diff', file('diff/old.dsl', recipe('')), file('diff/new.dsl', recipe('PLUGIN fast_response { message: "No." }'))]);
    assert.equal(run.code, 1, run.err);
    assert.equal(run.out, `* route one in fast
    plugins: none -> [{type: fast_response, configuration: {message: No.}}]
~ fast: requests of "one" are handled in another way (plugins)
    example: any request
`);
    const { same, effects } = dsl(['diff', '--json', 'diff/old.dsl', 'diff/new.dsl']).json();
    assert.deepEqual([same, effects.map((effect) => effect.kind)], [false, ['handling']]);
  });

  test('what is written beside routing', () => {
    const yaml = (words, timeout) => `version: v0.3
routing:
  modelCards: [{name: m}]
  signals: {modality: [{name: DIFFUSION}]}
  decisions: [{name: pics, rules: {type: modality, name: DIFFUSION}, modelRefs: [{model: m, use_reasoning: false}]}]
global:
  router: {signal_timeout_ms: ${timeout}}
  model_catalog: {modules: {modality_detector: {enabled: true, method: keyword, keywords: [${words}]}}}
`;
    const old = file('diff/draw.yaml', yaml('draw', 100));
    const slower = dsl(['diff', old, file('diff/slower.yaml', yaml('draw', 200))]);
    assert.deepEqual([slower.code, slower.out], [1, `* setting global.router.signal_timeout_ms: 100 -> 200
No request is routed in another way; the settings that changed may be noticed.
`]);
    const paint = dsl(['diff', '--json', old, file('diff/paint.yaml', yaml('paint', 100))]);
    assert.equal(paint.code, 1, paint.err);
    assert.deepEqual(paint.json().settings.map(({ change, path }) => [change, path]), [
      ['added', 'global.model_catalog.modules.modality_detector.keywords'],
      ['removed', 'global.model_catalog.modules.modality_detector.keywords']].sort((a, b) => (a[0] < b[0] ? 1 : -1)));
    assert.deepEqual(paint.json().effects.map(({ before, after }) => [before, after]).sort(), [[null, 'pics'], ['pics', null]]);
  });

  test('names that a terminal would obey', () => {
    const text = (more) => `SIGNAL keyword "a\\u001b[31mb" { operator: "OR" keywords: ["x"] }
ROUTE "r\\u001b[31m" { WHEN keyword("a\\u001b[31mb") MODEL "m" ${more} }\n`;
    const run = dsl(['diff', file('diff/esc.dsl', text('')), file('diff/esc2.dsl', text('PRIORITY 3 PLUGIN fast_response { message: "\\u001b]0;x\\u0007" }'))]);
    assert.equal(run.code, 1, run.err);
    assert.doesNotMatch(run.out + run.err, /[\x00-\x09\x0b-\x1f\x7f]/);
  });

  test('what cannot be compared', () => {
    assert.equal(dsl(['diff', 'diff/before.dsl', file('diff/bad.dsl', bad)]).code, 1);
    assert.equal(dsl(['diff', 'diff/before.dsl', 'nowhere.dsl']).code, 3);
    assert.equal(dsl(['diff', 'diff/before.dsl']).code, 2);
  });
});

describe('new', () => {
  for (const template of ['routes', 'tree', 'recipes']) {
    test(`${template}: without findings`, () => {
      const name = `new-${template}.dsl`;
      const run = dsl(['new', '--template', template, name]);
      assert.deepEqual([run.code, run.out, run.err], [0, '', '']);
      assert.equal(dsl(['check', '--strict', name]).out, 'No issues found.\n');
      assert.equal(dsl(['fmt', '--check', name]).code, 0);
      assert.equal(dsl(['new', '-t', template]).out, readFileSync(path.join(scratch, name), 'utf8'));
    });
  }

  test('nothing is overwritten', () => {
    const name = file('mine.dsl', good);
    const run = dsl(['new', name]);
    assert.equal(run.code, 1);
    assert.match(run.err, /mine\.dsl" exists/);
    assert.equal(readFileSync(name, 'utf8'), good);
  });
});

describe('the specification', () => {
  const spec = path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'spec/dsl.md');
  const text = existsSync(spec) ? readFileSync(spec, 'utf8') : '';
  const section = (from, to) => text.slice(text.indexOf(`\n## ${from}. `), text.indexOf(`\n## ${to}. `));
  const skip = !text && 'no specification here';

  test('its examples compile to what it says', { skip }, () => {
    const examples = [...section(13, 14).matchAll(/^### (13\.\d+) .*?```dsl\n(.*?)```\n```yaml\n(.*?)```/gms)];
    assert.equal(examples.length, 10);
    for (const [, number, source, yaml] of examples) {
      const run = dsl(['compile', '-'], { input: source });
      assert.equal(run.code, 0, `${number}: ${run.err}`);
      const plain = (value) => JSON.parse(JSON.stringify(value, (key, inner) => (key === 'use_reasoning' && inner === false ? undefined : inner)));
      assert.deepEqual(plain(YAML.parse(run.out)), plain(YAML.parse(yaml)), number);
    }
  });

  test('its mistakes are told as it says', { skip }, () => {
    const inputs = [...section(14, 15).matchAll(/^(\d+)\.\n```dsl\n(.*?)```\n(.*?)(?=\n\n)/gms)];
    assert.equal(inputs.length, 30);
    for (const [, number, source, said] of inputs) {
      const want = /\d+:\d+: \w+: .*?\[[EWC]\d+\]/.exec(said)[0];
      const { out } = dsl(['check', '-'], { input: source });
      const pattern = want.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\.\\.\\.', '.*'); // `...` is the rest of a list
      assert.match(out, new RegExp(`^<stdin>:${pattern}$`, 'm'), `${number}: ${out}`);
    }
  });
});

describe('docs/dsl.md', () => {
  const page = readFileSync(path.join(top, 'docs/dsl.md'), 'utf8').split('<!-- From here on')[0];
  const programs = [...page.matchAll(/```dsl\n(.*?)```/gs)].map((match) => match[1]);

  test('begins with the program that `new` writes', () => {
    assert.equal(programs[0], dsl(['new']).out);
    assert.ok(programs.length > 3);
  });

  for (const [i, text] of programs.entries()) {
    test(`program ${i + 1} has no findings and the usual layout`, () => {
      const name = file(`docs/${i}.dsl`, text);
      assert.equal(dsl(['check', '--strict', name]).out, 'No issues found.\n');
      assert.equal(dsl(['fmt', '--check', name]).code, 0);
    });
  }

  test('says what commands answer', () => {
    const name = file('docs/alone/policy.dsl', programs[0]);
    for (const command of ['check', 'test', 'prove']) {
      const said = new RegExp(`^vsr dsl ${command} policy\\.dsl +# (.*)$`, 'm').exec(page)[1];
      assert.equal(dsl([command, name]).out, `${said}\n`);
    }
  });

  test('its policy can be served with its base', () => {
    const base = /```yaml\n(.*?)```/s.exec(page)[1];
    file('docs/served/policy.yaml', base);
    const name = file('docs/served/policy.dsl', programs[0]);
    const run = dsl([name], { command: [program, 'validate', '--strict-env'] });
    assert.equal(run.code, 0, run.out + run.err);
    assert.match(run.out, /is valid\n/);
  });

  test('every command is in its table', () => {
    for (const [, name] of dsl(['--help']).out.matchAll(/^ {2}(\w+) {3,}\S/gm)) {
      if (name !== 'h') assert.ok(page.includes(`| \`vsr dsl ${name}`), name);
    }
  });
});

describe('how commands end', () => {
  test('3: a file that cannot be read or written', () => {
    for (const args of [['check', 'nowhere.dsl'], ['compile', 'nowhere.dsl'], ['compile', '--base', 'nowhere.yaml', 'good.dsl'], ['fix', 'nowhere.dsl'], ['check', '.']]) {
      const run = dsl(args);
      assert.equal(run.code, 3, `${args}: ${run.err}`);
      assert.match(run.err, /cannot read/);
    }
    for (const args of [['compile', '-o', 'no/where.yaml', 'good.dsl'], ['new', 'no/where.dsl'], ['compile', '-o', '.', 'good.dsl']]) {
      const run = dsl(args);
      assert.equal(run.code, 3, `${args}: ${run.err}`);
      assert.match(run.err, /cannot write/);
    }
  });

  test('2: a command line that is not understood', () => {
    file('good.dsl', good);
    for (const args of [[], ['chek', 'good.dsl'], ['check'], ['compile', '--format', 'xml', 'good.dsl'], ['compile', '--name', 'No Name', 'good.dsl'], ['compile', '--namespace', 'a.b', 'good.dsl']])
      assert.equal(dsl(args).code, 2, String(args));
    assert.match(dsl(['chek', 'good.dsl']).err, /did you mean "check"/);
  });

  /** Each command that loads a policy, with the operands in front of it and its options. */
  const loading = [['prove'], ['explain'], ['test'], ['test', '--runner', 'facts'], ['diff', 'good.dsl']];

  test('2: standard input, where what stands beside the file counts', () => {
    file('good.dsl', good);
    for (const args of [...loading, ['diff', '-', 'good.dsl']]) {
      const run = dsl(args.includes('-') ? args : [...args, '-'], { input: good });
      assert.equal(run.code, 2, `${args}: ${run.err}`);
      assert.match(run.err, /name its file\n/, String(args));
    }
  });

  test('3: a base that cannot be read', () => {
    for (const args of [...loading, ['check'], ['compile'], ['fix', '--check']]) {
      const run = dsl([...args, '--base', 'nowhere.yaml', file('good.dsl', good)]);
      assert.equal(run.code, 3, `${args}: ${run.err}`);
      assert.match(run.err, /cannot (read|find) "nowhere\.yaml": No such file/, String(args));
    }
  });

  const broken = { version: 'v0.3', listeners: [{ name: 'http', address: '127.0.0.1', port: 'x' }], providers: {} };
  const wrong = [
    { name: 'syntax', args: [file('wrong/syntax.dsl', 'ROUTE r { MODEL "a"\n')], code: 1, codes: ['E101'] },
    { name: 'a mistake, a contract', args: [file('wrong/mistake.dsl', `${bad}SIGNAL context c { min_tokens: "9K" max_tokens: "1K" }\n`)], code: 1, codes: ['E101', 'E204', 'C311'] },
    { name: 'a warning and a mistake', args: [file('wrong/warned.dsl', 'ROUTE r { PRIORITY 1 PRIORITY 2 MODEL "m" ALGORITHM confidnce }\n')], code: 1, codes: ['W106', 'E204'] },
    { name: 'bytes', args: [file('wrong/bytes.dsl', Buffer.from('ROUTE r { MODEL "\xff" }\n', 'latin1'))], code: 1, codes: ['E103'] },
    { name: 'what only loading refuses', args: [file('wrong/loaded.dsl', 'SIGNAL authz a { role: "x" subjects: [] }\nROUTE r { WHEN authz("a") MODEL "m" }\nTEST t { "x" -> r }\n')], code: 1, codes: ['E230'] },
    { name: 'no file', args: ['wrong/none.dsl'], code: 3, codes: ['E_IO'] },
    { name: 'a folder', args: ['wrong'], code: 3, codes: ['E_IO'] },
    { name: 'no base', args: ['--base', 'wrong/none.yaml', file('wrong/good.dsl', good)], code: 3, codes: ['E_IO'] },
    { name: 'a base that is a list', args: ['--base', file('wrong/list.yaml', '- 1\n'), 'wrong/good.dsl'], code: 1, codes: ['E_TYPE'] },
    { name: 'a base that is no YAML', args: ['--base', file('wrong/broken.yaml', 'a: [\n'), 'wrong/good.dsl'], code: 1, codes: ['E_YAML'] },
  ];
  for (const { name, args, code, codes } of wrong)
    test(`--json is JSON, and lines have one form: ${name}`, () => {
      const checked = dsl(['check', ...args]);
      const lines = (checked.out || checked.err).split('\n').filter((line) => line.endsWith(']'));
      for (const command of [...loading, ['check']]) {
        const said = dsl([...command, '--json', ...args]);
        assert.deepEqual([said.code, said.err], [code, ''], String(command));
        const { file: about, valid, errors, diagnostics } = said.json();
        assert.equal(typeof about, 'string');
        assert.deepEqual([valid, errors], [false, diagnostics.filter(({ level }) => level === 'error').length], String(command));
        assert.deepEqual(diagnostics.map((diagnostic) => diagnostic.code), codes, String(command));
        const text = dsl([...command, ...args]);
        assert.equal(text.code, code, String(command));
        if (code === 1) assert.deepEqual((text.out + text.err).split('\n').filter((line) => line.endsWith(']')), lines, String(command));
        else assert.match(text.err, /cannot (read|find) ".*": |is a directory/, String(command));
      }
    });

  test('--json is JSON: what only loading refuses, and configurations', () => {
    const base = file('wrong/base.yaml', YAML.stringify(broken));
    const config = file('wrong/whole.yaml', YAML.stringify({ ...broken, routing: {} }));
    for (const command of loading.filter(([name, , runner]) => name !== 'test' || runner)) {
      const said = dsl([...command, '--json', '--base', base, file('wrong/tested.dsl', `${good}TEST t { "x" -> rest }\n`)]);
      assert.deepEqual([said.code, said.err], [1, ''], String(command));
      const [{ level, code, line, column, file: about }] = said.json().diagnostics;
      assert.deepEqual([level, code, line, column, about], ['error', 'E_TYPE', 5, 11, base], String(command));
    }
    for (const command of loading.filter(([name]) => name !== 'test')) {
      const said = dsl([...command, '--json', config]);
      assert.deepEqual([said.code, said.err], [1, ''], String(command));
      assert.deepEqual([said.json().file, said.json().diagnostics[0].code], [config, 'E_TYPE']);
      assert.match(dsl([...command, config]).err, /whole\.yaml:5:11: error: listeners\[http\]\.port: .* \[E_TYPE\]\n$/);
    }
  });

  test('--json is JSON: facts, and files that cannot be written', () => {
    const facts = file('wrong/facts.json', '{"keyword": ["urgnt"]}');
    const said = dsl(['explain', '--json', '--facts', facts, 'wrong/good.dsl']);
    const [{ code, line, column, message }] = said.json().diagnostics;
    assert.deepEqual([said.code, said.json().file, code, line, column], [1, facts, 'E_FACT', 1, 14]);
    assert.equal(message, 'keyword("urgnt") is no signal of this profile; did you mean keyword:urgent?');
    assert.equal(dsl(['explain', '--json', '--facts', file('wrong/broken.json', '{'), 'wrong/good.dsl']).json().diagnostics[0].code, 'E_YAML');
    assert.equal(dsl(['explain', '--json', '--facts', 'wrong/none.json', 'wrong/good.dsl']).json().diagnostics[0].code, 'E_IO');
    const unwritten = dsl(['test', '--json', '--junit', 'wrong/no/where.xml', 'wrong/good.dsl']);
    assert.deepEqual([unwritten.code, unwritten.err, unwritten.json().diagnostics[0].code], [3, '', 'E_IO']);
  });

  test('vsr-dsl is the same program', () => {
    const link = path.join(scratch, 'vsr-dsl');
    rmSync(link, { force: true });
    symlinkSync(program, link);
    assert.equal(dsl(['check', 'good.dsl'], { command: [link] }).out, 'No issues found.\n');
    assert.match(dsl(['--help'], { command: [link] }).out, /vsr dsl - /);
    assert.equal(dsl([], { command: [link] }).code, 2);
    assert.ok(existsSync(link));
  });

  test('a program that is too large is refused, whatever it holds', () => {
    const run = dsl(['check', '-'], { input: `# ${'x'.repeat(8 << 20)}` });
    assert.equal(run.code, 1);
    assert.match(run.out, /\[E106\]/);
  });
});
