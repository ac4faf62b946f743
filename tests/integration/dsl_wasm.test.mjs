// The routing language in WebAssembly, as a page runs it: the same answers as natively, to the byte, whatever comes in.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as YAML from 'yaml';

import { loadVsrDsl } from '../../wasm/vsr_dsl.mjs';
import { yamlTree } from '../../wasm/yaml_tree.mjs';
import { program, seconds, test } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const wasmFile = path.join(top, 'build/wasm/vsr-dsl.wasm');
const bytes = readFileSync(wasmFile); // tools/build-wasm makes it
const compiled = new WebAssembly.Module(bytes);
const language = await loadVsrDsl(compiled);

const OF_PROGRAMS = ['signalCompile', 'signalValidate', 'signalParseAST', 'signalFormat'];
const PROGRAM_LEN_MAX = 1 << 20;
const TREE_LEN_MAX = 16 << 20;
const PAGE = 1 << 20;

// ---- the two sides, as texts

/** Calls the module itself: `[[function, text]]` -> answers. */
function wasmAnswers(calls) {
  let memory;
  const wasi = { fd_write: () => 0, fd_seek: () => 70, fd_close: () => 0, random_get: () => 0 };
  const { exports } = new WebAssembly.Instance(compiled, { wasi_snapshot_preview1: wasi });
  exports._initialize();
  ({ memory } = exports);
  return calls.map(([name, text]) => {
    const input = Buffer.from(text);
    const room = exports.vsrInput(input.length);
    new Uint8Array(memory.buffer).set(input, room);
    const length = exports[name](input.length);
    const answer = Buffer.from(memory.buffer, exports.vsrAnswer(), length).toString();
    exports.vsrRelease();
    return answer;
  });
}

/** The same by tests/tools/dsl_editor.c. */
function nativeAnswers(calls) {
  const input = calls.flatMap(([name, text]) => [`${name} ${Buffer.byteLength(text)}\n`, text]).map((part) => Buffer.from(part));
  const run = spawnSync(path.join(path.dirname(program), 'dsl_editor'), { input: Buffer.concat(input), maxBuffer: 1 << 30, timeout: seconds(80) });
  assert.equal(run.status, 0, `dsl_editor: ${run.error ?? run.stderr}`);
  const answers = [];
  for (let at = 0; at < run.stdout.length; ) {
    const end = run.stdout.indexOf('\n', at);
    const length = Number(run.stdout.subarray(at, end));
    answers.push(run.stdout.subarray(end + 1, end + 1 + length).toString());
    at = end + 1 + length;
  }
  return answers;
}

function assertSame(calls, names) {
  const native = nativeAnswers(calls);
  const wasm = wasmAnswers(calls);
  assert.equal(native.length, calls.length);
  calls.forEach(([name], i) => assert.ok(wasm[i] === native[i], `${name} of ${names[i]}:\nwasm   ${wasm[i].slice(0, 2000)}\nnative ${native[i].slice(0, 2000)}`));
  return wasm.map((answer) => JSON.parse(answer));
}

// ---- programs and configurations

function filesIn(dir, suffix) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true }).filter((name) => name.endsWith(suffix)).sort().map((name) => path.join(dir, name));
}

const fixtures = path.join(top, 'tests/fixtures/dsl');
const published = path.join(top, '../shared/recipes');
const programs = [fixtures, path.join(top, 'recipes'), published].flatMap((dir) => filesIn(dir, '.dsl'));
const configurations = [fixtures, path.join(top, 'recipes'), published].flatMap((dir) => filesIn(dir, '.yaml')).filter((file) => !/probes|metadata/.test(file));

const everything = `# a comment
ROUTING { strategy: confidence }
MODEL "a b" { param_size: "7B" quality_score: 1e-05 }
SIGNAL keyword "k é 😀" { operator: "any" keywords: ["\\d+", "ü\\u00a0", "a\\"b"] }
SIGNAL context long { min_tokens: 8K max_tokens: "1.5M" }
SIGNAL complexity hard { threshold: 0.1 hard: { candidates: ["x"] } easy: { candidates: ["y"] } }
PROJECTION score s { inputs: [{ type: "context" name: "long" weight: -0.5 }] }
PROJECTION mapping m { source: "s" outputs: [{ name: "low" lt: 0 }, { name: "high" gte: 0 }] }
PLUGIN say system_prompt { enabled: true system_prompt: "x" }
ROUTE one (description = "d") {
  PRIORITY 10
  WHEN NOT (keyword("k é 😀") AND projection("high")) OR complexity("hard:hard")
  MODEL "a b" (reasoning = true, effort = "high"), c
  ALGORITHM confidence { threshold: 0.72 on_error: "skip" }
  PLUGIN say {}
  EMIT retention { ttl_turns: 3 }
}
ENTRYPOINT { model_names: ["fast"] recipe: "fast" }
RECIPE fast (description = "quick") {
  SIGNAL domain law {}
  DECISION_TREE t { IF domain("law") { NAME lawyer MODEL "a b" } ELSE { FOR v IN ["a b"] { MODEL v } } }
  TEST local { "sue" -> lawyer }
}
TEST all { "hello" -> one }
`;

// ---- the same as natively

describe('the same answers as natively', () => {
  test('programs: those of the specification, published ones, ours', () => {
    const texts = [...programs.map((file) => [path.relative(top, file), readFileSync(file, 'utf8')]), ['everything', everything]];
    const calls = texts.flatMap(([name, text]) => OF_PROGRAMS.map((fn) => [name, fn, text]));
    assert.ok(texts.length >= 41, `only ${texts.length} programs`);
    assertSame(calls.map(([, fn, text]) => [fn, text]), calls.map(([name]) => name));
  });

  test('texts that are no programs', () => {
    const texts = ['', '\ufeff', '\r\n# x', '\0', '}'.repeat(500), 'ROUTE '.repeat(500), `${'('.repeat(70)}`, '"\\xff" "\\u'.repeat(9), `ROUTE r { WHEN ${'NOT '.repeat(70)}a(b) }`, '🦊'.repeat(99)];
    const damaged = Array.from({ length: 60 }, (_, i) => everything.slice(0, i * 29) + '@'.repeat(i % 3) + everything.slice(i * 31));
    const calls = [...texts, ...damaged].flatMap((text) => OF_PROGRAMS.map((fn) => [fn, text]));
    assertSame(calls, calls.map(([, text]) => JSON.stringify(text)));
  });

  test('headers that cannot be sent; patterns, which need the engine, are judged natively alone', () => {
    const headers = 'ROUTE r { MODEL m PLUGIN header_mutation { add: [{ name: "bad header", value: "x\\ny" }] } }\n';
    const [answer] = assertSame([['signalValidate', headers]], ['headers']);
    assert.deepEqual(answer.diagnostics.map(({ code }) => code), ['C316', 'C316']);
    const pattern = 'SIGNAL keyword k { operator: "OR" keywords: ["("] method: "regex" }\nROUTE r { WHEN keyword(k) MODEL m }\n';
    assert.ok(JSON.parse(nativeAnswers([['signalValidate', pattern]])[0]).diagnostics.some(({ code }) => code === 'C312'));
    assert.ok(!JSON.parse(wasmAnswers([['signalValidate', pattern]])[0]).diagnostics.some(({ code }) => code === 'C312'));
  });

  test('configurations: one tree from the native parser, one from JavaScript, one program', () => {
    assert.ok(configurations.length >= 10, `only ${configurations.length} configurations`);
    const texts = configurations.map((file) => readFileSync(file, 'utf8'));
    const trees = nativeAnswers(texts.map((text) => ['tree', text]));
    const answers = assertSame(trees.map((tree) => ['signalDecompile', tree]), configurations);
    texts.forEach((text, i) => {
      assert.deepEqual(language.signalDecompile(yamlTree(YAML, text)), answers[i], configurations[i]);
      const native = spawnSync(program, ['dsl', 'decompile', configurations[i]], { encoding: 'utf8', timeout: seconds(60) });
      assert.equal(answers[i].dsl ?? '', native.stdout, configurations[i]);
    });
  });

  test('YAML in all its styles', () => {
    const text = `base: &base { description: "x" }
routing:
  signals:
    domains: [ {name: law, <<: *base}, {name: 'it''s', description: "~"}, {name: plain, description: ~} ]
    keywords:
      - name: k
        operator: OR
        case_sensitive: ~
        keywords: [plain, "quo\\ted", 'sin''gle', 07, true, 1e3, null]
        description: |
          two
          lines
    context:
    - {name: "c", min_tokens: 0, max_tokens: 8K}
    structure:
    - name: s
      description: >-
        folded
        text
      feature: {type: count, source: {type: text_bytes}}
  decisions:
  - name: r
    priority: 1_0
    rules: {operator: AND, conditions: [{type: domain, name: law}]}
    modelRefs: [{model: a}]
    annotations: {}
`.replace('1_0', '10').replace('\\ted', '\\"ted');
    const [tree] = nativeAnswers([['tree', text]]);
    const answer = language.signalDecompile(JSON.parse(tree));
    assert.equal(answer.error, null);
    assert.match(answer.dsl, /SIGNAL domain law \{\n {2}description: "x"\n\}/);
    assert.match(answer.dsl, /keywords: \["plain", "quo\\"ted", "sin'gle", "07", "true", "1e3", "null"\]/);
    assert.match(answer.dsl, /SIGNAL domain "it's" \{\n {2}description: "~"\n\}\n\nSIGNAL domain plain \{\n\}/);
    assert.match(answer.dsl, /description: "two\\nlines\\n"/);
    assert.deepEqual(language.signalDecompile(yamlTree(YAML, text)), answer);
  });

  test('edits', () => {
    const ops = [
      { op: 'add', text: 'MODEL new {} # x' },
      { op: 'add', recipe: 'fast', text: 'SIGNAL pii p {}' },
      { op: 'replace', kind: 'ROUTE', name: 'one', text: 'ROUTE one { MODEL c }' },
      { op: 'delete', kind: 'SIGNAL', type: 'keyword' },
      { op: 'rename', kind: 'SIGNAL', name: 'k é 😀', newName: 'ключ' },
      { op: 'rename', kind: 'MODEL', name: 'a b', newName: 'a' },
      { op: 'rename', kind: 'SIGNAL', recipe: 'fast', name: 'law', newName: 'math' },
      { op: 'rename', kind: 'SIGNAL', name: 'law', newName: 'math' },
      { op: 'set', kind: 'SIGNAL', name: 'hard', field: 'threshold', value: '0.25' },
      { op: 'set', kind: 'SIGNAL', name: 'hard', field: 'threshold', value: '0.25 }' },
      { op: 'set', kind: 'ROUTE', name: 'one', field: 'TIER', value: '3' },
      { op: 'remove', kind: 'ROUTE', name: 'one', field: 'WHEN' },
      { op: 'remove', kind: 'ROUTING', field: 'x' },
    ];
    const answers = assertSame(ops.map((op) => ['signalEdit', JSON.stringify({ dsl: everything, op })]), ops.map((op) => JSON.stringify(op)));
    ops.forEach((op, i) => assert.deepEqual(language.signalEdit(everything, op), answers[i]));
    assert.deepEqual(answers.flatMap(({ error }, i) => (error ? [i] : [])), [7, 9, 12]);
    for (const { dsl, error } of answers) assert.ok(error || language.signalValidate(dsl).errorCount === 0);
  });

  test('the description of the language', () => {
    const [schema] = assertSame([['signalSchema', '']], ['nothing']);
    assert.deepEqual(language.signalSchema(), schema);
    assert.equal(schema.error, null);
  });
});

// ---- what is answered

describe('answers', () => {
  test('compiling: YAML, a resource, and the tree', () => {
    const answer = language.signalCompile('ROUTE r { PRIORITY 1 MODEL "m" }');
    assert.deepEqual(Object.keys(answer), ['yaml', 'crd', 'diagnostics', 'ast', 'error']);
    assert.equal(answer.error, null);
    assert.deepEqual(YAML.parse(answer.yaml).routing.decisions[0].modelRefs, [{ model: 'm', use_reasoning: false }]);
    assert.deepEqual(YAML.parse(answer.crd).metadata, { name: 'router', namespace: 'default' });
    assert.equal(answer.ast.routes[0].name, 'r');
  });

  test('errors of compiling come with the tree and all findings', () => {
    const answer = language.signalCompile('ROUTE r { MODEL "m" ALGORITHM confidnce }\nSIGNAL @ {}\n');
    assert.equal(answer.yaml, null);
    assert.equal(answer.crd, null);
    assert.deepEqual(answer.ast.routes.map(({ name }) => name), ['r']);
    assert.equal(answer.error.length, 2);
    assert.match(answer.error[0], /^1:31: unknown algorithm type "confidnce"\..*\[E204\]$/);
    const [first] = answer.diagnostics;
    assert.deepEqual([first.level, first.code, first.line, first.column, first.endLine, first.endColumn], ['error', 'E204', 1, 31, 1, 40]);
    assert.deepEqual(first.fixes, [{ description: 'change to "confidence"', newText: 'confidence', range: { line: 1, column: 31, endLine: 1, endColumn: 40 } }]);
  });

  test('names of all scopes, sorted, each once', () => {
    const { symbols, errorCount } = language.signalValidate(everything);
    assert.equal(errorCount, 0);
    assert.deepEqual(symbols, {
      signals: [
        { name: 'hard', type: 'complexity' },
        { name: 'high', type: 'projection' },
        { name: 'k é 😀', type: 'keyword' },
        { name: 'law', type: 'domain' },
        { name: 'long', type: 'context' },
        { name: 'low', type: 'projection' },
      ],
      models: ['a b'],
      plugins: ['say'],
      routes: ['lawyer', 'one', 't__branch_02'],
    });
  });

  test('one warning says that tests do not run here, at the first of them', () => {
    const warnings = language.signalValidate(everything).diagnostics.filter(({ code }) => code === 'W222');
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0].level, 'warning');
    assert.equal(warnings[0].line, everything.split('\n').findIndex((line) => line.includes('TEST local')) + 1);
    assert.match(warnings[0].message, /not executed in the browser/);
    assert.deepEqual(language.signalValidate('ROUTE r { PRIORITY 1 MODEL "m" }').diagnostics, []);
  });

  test('formatting is what `vsr dsl fmt` does, and leaves errors alone', () => {
    const native = spawnSync(program, ['dsl', 'fmt', '-o', '-', '-'], { input: everything, encoding: 'utf8' });
    const { dsl, error } = language.signalFormat(everything);
    assert.equal(error, null);
    assert.equal(dsl, native.stdout);
    assert.equal(language.signalFormat(dsl).dsl, dsl);
    assert.deepEqual(language.signalFormat('ROUTE {'), { dsl: null, error: ['1:7: unexpected "{" (expected name) [E101]'] });
  });

  test('decompiling tells what the language cannot say, at its place', () => {
    const answer = language.signalDecompile(yamlTree(YAML, 'routing:\n  decisions:\n  - name: r\n    output_contract: x\n    foo: 1\n    modelRefs: [{model: a}]\n'));
    assert.equal(answer.error, null);
    assert.deepEqual(answer.diagnostics.map(({ code, line, column }) => [code, line, column]), [['W501', 5, 5]]);
  });

  test('declarations of profiles renamed, and back: the text as it was', () => {
    const KINDS = { signals: 'SIGNAL', models: 'MODEL', routes: 'ROUTE', plugins: 'PLUGIN', projectionScores: 'PROJECTION' };
    let n = 0;
    let turn = 0;
    for (const file of programs.filter((name) => !name.includes('erroneous'))) {
      const text = readFileSync(file, 'utf8');
      const { ast, diagnostics } = language.signalParseAST(text);
      for (const [list, kind] of Object.entries(KINDS))
        for (const { name, signalType } of ast[list]) {
          if (turn++ % 6 !== 0) continue; // each means four times all checks
          const there = language.signalEdit(text, { op: 'rename', kind, type: signalType, name, newName: `${name}-z` });
          if (signalType === 'domain' && there.error) continue; // domains are called like fields of knowledge
          assert.equal(there.error, null, `${file}: ${kind} ${name}`);
          assert.notEqual(there.dsl, text);
          assert.equal(language.signalValidate(there.dsl).diagnostics.length, diagnostics.length, `${file}: ${kind} ${name}`);
          assert.deepEqual(language.signalEdit(there.dsl, { op: 'rename', kind, type: signalType, name: `${name}-z`, newName: name }), { dsl: text, error: null }, `${file}: ${kind} ${name}`);
          n++;
        }
    }
    assert.ok(n >= (existsSync(published) ? 20 : 1), `${n} declarations`);
  });

  test('the words and types of the language, for editors', () => {
    const schema = language.signalSchema();
    const words = Object.values(schema.keywords).flat();
    for (const word of ['ROUTING', 'ENTRYPOINT', 'RECIPE', 'FOR', 'EMIT', 'NOT', 'IN', 'DECISION_TREE']) assert.ok(words.includes(word), word);
    assert.equal(schema.signals.length, 20);
    assert.equal(schema.algorithms.length, 16);
    for (const type of ['metadata', 'classifier']) assert.ok(schema.signals.some((signal) => signal.type === type), type);
    assert.ok(schema.plugins.some(({ type }) => type === 'context_compression'));
    assert.ok(schema.algorithms.some(({ type }) => type === 'prompt'));
    const embedding = schema.blocks[schema.signals.find(({ type }) => type === 'embedding').block];
    const threshold = embedding.fields.find(({ name }) => name === 'threshold');
    assert.equal(threshold.kind, 'number');
    assert.equal(threshold.greatest, 1);
    assert.ok(threshold.help.length > 0);
    for (const { fields } of schema.blocks) for (const { block = 0 } of fields) assert.ok(block < schema.blocks.length);
    for (const word of words) assert.ok(schema.help[word] || ['true', 'false', 'null'].includes(word), word);
  });
});

// ---- whatever comes in

const mapping = (entries) => ({ kind: 'mapping', entries });
const entry = (value, node) => ({ key: { value }, ...node });

describe('hostile input', () => {
  test('no text at all', () => {
    for (const fn of OF_PROGRAMS) for (const nothing of [undefined, null, 7, {}, []]) assert.deepEqual(language[fn](nothing), { error: [`${fn} takes a program, which is a text`] });
    assert.deepEqual(language.signalEdit(), { error: ['signalEdit takes a program, which is a text'] });
    assert.deepEqual(language.signalDecompile(), { error: ['signalDecompile takes a YAML tree'] });
    const circle = {};
    circle.circle = circle;
    assert.match(language.signalDecompile(circle).error[0], /no JSON/);
  });

  test('bytes that are no UTF-8, halves of pairs, zeros', () => {
    assert.ok(language.signalValidate(Uint8Array.of(0x52, 0xff, 0xc0, 0x80)).diagnostics.some(({ code }) => code === 'E103'));
    for (const text of ['\ud800', 'ROUTE "\udc00" {}', '\0\0', 'ROUTE r { MODEL "\0" }']) for (const fn of OF_PROGRAMS) assert.ok('error' in language[fn](text));
  });

  test('a program at the limit is read, one byte more is not', () => {
    const line = 'SIGNAL domain law {}\n';
    const text = line.repeat(PROGRAM_LEN_MAX / line.length) + '#'.repeat(PROGRAM_LEN_MAX % line.length);
    assert.equal(text.length, PROGRAM_LEN_MAX);
    assert.equal(language.signalValidate(text).error, null);
    assert.deepEqual(language.signalValidate(`${text} `), { error: [`the input is too large: ${PROGRAM_LEN_MAX + 1} bytes, at most ${PROGRAM_LEN_MAX} are taken`] });
    assert.match(language.signalDecompile(' '.repeat(TREE_LEN_MAX + 1)).error[0], /too large/);
    assert.deepEqual(language.signalValidate('ROUTE r { PRIORITY 1 MODEL "m" }').diagnostics, []);
  });

  test('memory of a large program is given back', () => {
    assert.ok(language.memoryBytes() <= 64 * PAGE, `${language.memoryBytes() / PAGE} MiB`);
  });

  test('nesting at the limit needs no more stack than there is; past it is a finding', () => {
    const nested = (open, close, n, inner = '') => open.repeat(n) + inner + close.repeat(n);
    const shapes = (n) => [
      `SIGNAL keyword k { keywords: ${nested('[', ']', n)} }`,
      `SIGNAL keyword k { keywords: ${nested('{ a: ', ' }', n, '1')} }`,
      `ROUTE r { WHEN ${nested('(', ')', n, 'domain("a")')} MODEL "m" }`,
      `ROUTE r { WHEN ${nested('NOT ', '', n, 'domain("a")')} MODEL "m" }`,
      `ROUTE r { WHEN ${nested('NOT (domain("a") AND ', ')', n / 2, 'domain("b")')} MODEL "m" PLUGIN rag { backend_config: ${nested('{ a: ', ' }', n - 1, '1')} } }`,
      `SIGNAL complexity c { composer: ${nested('{ operator: "AND" conditions: [', '] }', n / 2)} }`,
    ];
    const told = (text) => language.signalValidate(text).diagnostics.some(({ code }) => code === 'E105');
    for (const text of [...shapes(60), ...shapes(64)]) for (const fn of OF_PROGRAMS) assert.ok(!JSON.stringify(language[fn](text)).includes('failed'), text);
    for (const text of shapes(60).slice(0, 3)) assert.ok(!told(text), text);
    for (const n of [66, 1000, 20000]) assert.ok(shapes(n).every(told), `${n}`);
  });

  test('edits that are none', () => {
    const text = 'MODEL m {}\n';
    for (const op of [undefined, null, 7, 'add', {}, { op: 'x' }, { op: 7 }, { op: 'add' }, { op: 'add', text: 7 }, { op: 'delete' }, { op: 'delete', kind: 'MODEL', line: 0 }, { op: 'delete', kind: 'MODEL', colour: 'red' }, { op: 'delete', kind: 'ROUTE' }, { op: 'set', kind: 'MODEL', field: 'x', value: '1 } MODEL n {' }]) {
      const { dsl, error } = language.signalEdit(text, op);
      assert.equal(dsl, null, JSON.stringify(op));
      assert.equal(error.length, 1, JSON.stringify(op));
      assert.ok(!/failed/.test(error[0]), error[0]);
    }
    assert.match(language.signalEdit(text, { n: 1n }).error[0], /no JSON/);
    assert.match(language.signalEdit(' '.repeat(PROGRAM_LEN_MAX + 1), { op: 'add', text }).error[0], /too large/);
    assert.match(language.signalEdit(' '.repeat(PROGRAM_LEN_MAX), { op: 'add', text }).error[0], /too large/);
    assert.equal(language.signalEdit(text, { op: 'delete', kind: 'MODEL', name: null }).dsl, '');
  });

  test('trees that are none', () => {
    const none = ['', '7', '[]', '{', '{}', '{"kind":"x"}', '{"kind":"scalar"}', '{"kind":"scalar","value":7}', '{"kind":"mapping"}', '{"kind":"mapping","entries":{}}', '{"kind":"mapping","entries":[1]}', '{"kind":"mapping","entries":[{"kind":"null"}]}', '{"kind":"sequence","items":[[]]}', '{"kind":"null","line":-1}', '{"kind":"null","column":1e99}', '{"kind":"scalar","value":"a","quoted":1}', '{"kind":"null"}x'];
    for (const text of none) {
      const { dsl, error } = language.signalDecompile(text);
      assert.equal(dsl, null, text);
      assert.equal(error.length, 1, text);
    }
    assert.match(language.signalDecompile(mapping([entry('a', { kind: 'null' }), entry('a', { kind: 'null' })])).error[0], /twice/);
    const many = Array.from({ length: 20 }, (_, i) => entry(`k${i}`, { kind: 'null' }));
    assert.match(language.signalDecompile(mapping([...many, entry('k13', { kind: 'null' })])).error[0], /twice/);
  });

  test('deep trees, and trees in every place of a configuration', () => {
    const deep = (n) => Array.from({ length: n }).reduce((inner) => ({ kind: 'sequence', items: [inner] }), { kind: 'null' });
    assert.ok(!/failed/.test(language.signalDecompile(deep(63)).error));
    assert.match(language.signalDecompile(deep(64)).error[0], /deep|nest|limit/);
    const parts = [{ kind: 'null' }, { kind: 'scalar', value: '\u0000', quoted: true }, { kind: 'scalar', value: '-1e999' }, { kind: 'sequence', items: [] }, mapping([]), deep(40), mapping([entry('name', deep(3)), entry('type', { kind: 'scalar', value: '' })])];
    const places = [['routing'], ['routing', 'signals'], ['routing', 'signals', 'keywords'], ['routing', 'decisions'], ['routing', 'projections', 'scores'], ['recipes'], ['entrypoints'], ['routing', 'modelCards']];
    for (const place of places)
      for (const part of parts)
        for (const put of [part, { kind: 'sequence', items: [part, part] }]) {
          const tree = place.reduceRight((inner, key) => mapping([entry(key, inner)]), put);
          assert.ok(!/failed/.test(language.signalDecompile(tree).error), JSON.stringify(tree).slice(0, 300));
        }
  });

  test('thousands of calls take no more memory than the first', async () => {
    const fresh = await loadVsrDsl(compiled);
    const tree = yamlTree(YAML, readFileSync(path.join(top, 'recipes/demo/config.yaml'), 'utf8'));
    const all = () => {
      for (const fn of OF_PROGRAMS) for (const text of [everything, 'ROUTE {', '']) fresh[fn](text);
      fresh.signalDecompile(tree);
      fresh.signalDecompile('{');
      fresh.signalEdit(everything, { op: 'rename', kind: 'ROUTE', name: 'one', newName: 'two' });
    };
    for (let i = 0; i < 20; i++) all();
    const before = fresh.memoryBytes();
    for (let i = 0; i < 250; i++) all();
    assert.equal(fresh.memoryBytes(), before);
    assert.ok(before <= 16 * PAGE, `${before / PAGE} MiB`);
  });
});

describe('the tree of a YAML text', () => {
  const chain = (first, next, n) => `x0: &x0 ${first}\n${Array.from({ length: n }, (_, i) => `x${i + 1}: &x${i + 1} ${next(`*x${i}`)}\n`).join('')}`;

  test('merge keys of merge keys are what they are natively', () => {
    const text = 'x: &x {a: 1, d: 4}\nb: &b {<<: *x, a: 2, c: 3}\nt: {z: 0, <<: [*b, *x, {e: 5}], d: 6}\nu: {"<<": *x}\n';
    assert.deepEqual(yamlTree(YAML, text), JSON.parse(nativeAnswers([['tree', text]])[0]));
  });

  test('merge keys cost no more than what they stand for', () => {
    const { entries } = yamlTree(YAML, chain('{a: 1}', (x) => `{<<: [${x}, ${x}]}`, 40));
    assert.deepEqual(entries.map(({ entries: [{ key, value }] }) => key.value + value), Array(41).fill('a1'));
    const wide = `{${Array.from({ length: 2000 }, (_, i) => `k${i}: 1`)}}`;
    assert.throws(() => yamlTree(YAML, chain(wide, (x) => `{<<: [${`${x}, `.repeat(100)}]}`, 10)), /too large/);
    assert.throws(() => yamlTree(YAML, chain('[1]', (x) => `[${x}, ${x}]`, 30)), /too large/);
  });

  test('aliases and merge keys that mean nothing are told at their place', () => {
    const merge = 'a merge key takes a mapping or a list of mappings';
    const cases = [
      ['a: {<<: 5}', `1:5: ${merge}`],
      ['a: {<<: ~}', `1:5: ${merge}`],
      ['b: &b {c: 1}\na: {<<: [*b, [*b]]}', `2:5: ${merge}`],
      ['a: &x [*x]', /^\d+:\d+: an alias must not refer to a block that it is part of$/],
      ['a: &x {b: {c: *x}}', /an alias must not refer to a block that it is part of$/],
      ['a: &x {<<: *x}', /an alias must not refer to a block that it is part of$/],
      ['a: *q', '1:4: alias "*q" has no anchor before it'],
      ['{a: 1}: 2', '1:1: a mapping key must be plain or quoted text'],
      [`a: ${'['.repeat(300)}${']'.repeat(300)}`, /nested too deeply/],
    ];
    for (const [text, message] of cases) assert.throws(() => yamlTree(YAML, text), { message }, text);
  });
});

// ---- the loader

/** A module with the exports of ours, whose functions trap. */
function trapping() {
  const text = (name) => [name.length, ...Buffer.from(name)];
  const section = (id, body) => [id, ...leb(body.length), ...body];
  const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
  const exported = ['vsrInput', ...OF_PROGRAMS, 'signalDecompile', 'signalSchema', 'signalEdit'];
  const types = [3, 0x60, 0, 0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, 1, 0x7f];
  const functions = [exported.length + 3, 0, 2, 0, ...exported.map(() => 1)];
  const names = ['_initialize', 'vsrAnswer', 'vsrRelease', ...exported];
  const exportsOf = [names.length + 1, ...text('memory'), 2, 0, ...names.flatMap((name, i) => [...text(name), 0, i])];
  const bodies = names.map((name) => (name === '_initialize' || name === 'vsrRelease' ? [2, 0, 0x0b] : name === 'vsrAnswer' || name === 'vsrInput' ? [4, 0, 0x41, 8, 0x0b] : [3, 0, 0x00, 0x0b]));
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, types), ...section(3, functions), ...section(5, [1, 0, 1]), ...section(7, exportsOf), ...section(10, [bodies.length, ...bodies.flat()])]);
}

describe('the loader', () => {
  test('takes a URL, a path, bytes, a response and a module', async () => {
    const url = new URL(`file://${wasmFile}`);
    for (const source of [url, url.href, bytes, new Response(bytes), Promise.resolve(compiled)]) assert.equal((await loadVsrDsl(source)).signalValidate('').errorCount, 0);
    await assert.rejects(loadVsrDsl(new Response('x', { status: 404, statusText: 'Not Found' })), /404 Not Found/);
  });

  test('a module that traps is an answer, and starts again', async () => {
    const broken = await loadVsrDsl(trapping());
    for (let i = 0; i < 3; i++) assert.match(broken.signalValidate('x').error[0], /the module failed: unreachable/);
  });

  test('no memory for another instance: the large one serves, a broken one is tried again, nothing is thrown', () => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { loadVsrDsl } from ${JSON.stringify(new URL('../../wasm/vsr_dsl.mjs', import.meta.url).href)};
      const { Instance, instantiate } = WebAssembly;
      const language = await loadVsrDsl(readFileSync(${JSON.stringify(wasmFile)}));
      const broken = await loadVsrDsl(Uint8Array.from(${JSON.stringify([...trapping()])}));
      WebAssembly.Instance = function () { throw new RangeError('no memory'); };
      WebAssembly.instantiate = async () => { throw new RangeError('no memory'); };
      const moment = () => new Promise((done) => setTimeout(done, 10));
      const line = 'SIGNAL domain law {}\\n';
      const said = [];
      for (let i = 0; i < 2; i++) {
        said.push(language.signalParseAST(line.repeat(49000)).error, language.memoryBytes() > 64 << 20);
        await moment();
        said.push(broken.signalValidate('').error[0]);
        await moment();
      }
      WebAssembly.instantiate = instantiate;
      said.push(broken.signalValidate('').error[0]);
      await moment();
      said.push(broken.signalValidate('').error[0]);
      WebAssembly.Instance = Instance;
      said.push(broken.signalValidate('').error[0], language.signalValidate('').error, language.memoryBytes() > 64 << 20);
      console.log(JSON.stringify(said));
    `;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: seconds(60) });
    assert.equal(run.stderr, '');
    const [failed, starting] = ['the module failed: unreachable', 'the module is starting again; ask once more'];
    assert.deepEqual(JSON.parse(run.stdout), [null, true, failed, null, true, starting, starting, failed, failed, null, false]);
  });

  test('the example of the documentation runs as it stands', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-wasm-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const [, example] = readFileSync(path.join(top, 'docs/dsl.md'), 'utf8').match(/```js\n(\/\/ check\.mjs[\s\S]*?)```/);
    for (const file of ['vsr_dsl.mjs', 'yaml_tree.mjs']) copyFileSync(path.join(top, 'wasm', file), path.join(dir, file));
    copyFileSync(wasmFile, path.join(dir, 'vsr-dsl.wasm'));
    writeFileSync(path.join(dir, 'check.mjs'), example);
    const run = spawnSync(process.execPath, ['check.mjs'], { cwd: dir, encoding: 'utf8' });
    assert.equal(run.stderr, '');
    assert.equal(run.stdout, '2:16: signal domain("mth") is not defined. Add SIGNAL domain mth { ... } -> change to "math"\n');
  });

  test('the tree that the documentation shows is one', () => {
    const [, tree] = readFileSync(path.join(top, 'docs/dsl.md'), 'utf8').match(/```json\n(\{ "kind"[\s\S]*?)```/);
    const { dsl, error } = language.signalDecompile(tree);
    assert.equal(error, null);
    assert.match(dsl, /ROUTING \{\n {2}strategy: priority\n\}/);
  });

  test('is small, and asks its host for nothing but what it says', () => {
    assert.ok(bytes.length <= 450_000, `${bytes.length} bytes`);
    assert.deepEqual(WebAssembly.Module.imports(compiled).map(({ name }) => name).sort(), ['fd_close', 'fd_seek', 'fd_write', 'random_get']);
  });
});
