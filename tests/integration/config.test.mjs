// `vsr config`: documents printed, compared and explained; the contract as JSON Schema and as a page.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import Ajv from 'ajv/dist/2020.js';
import YAML from 'yaml';

import { program, seconds, test } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-config-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs `vsr config ARGS`. `{code, out, err}`; `json()` parses stdout. */
function config(args, env = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_') && name !== 'NO_COLOR');
  const options = { env: { ...Object.fromEntries(clean), ...env }, encoding: 'utf8', timeout: seconds(60), maxBuffer: 64 << 20 };
  const run = spawnSync(program, ['config', ...args], { ...options, cwd: scratch });
  assert.equal(run.signal, null, `vsr config ${args.join(' ')} was ended by ${run.signal}: ${run.stderr}`);
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

function file(name, text) {
  const full = path.join(scratch, name);
  writeFileSync(full, text);
  return full;
}

/** `{name, file}` of every DIR/NAME/config.yaml. */
function profiles(dir) {
  if (!existsSync(dir)) return [];
  const found = readdirSync(dir).map((name) => ({ name, file: path.join(dir, name, 'config.yaml') }));
  return found.filter((profile) => existsSync(profile.file));
}

const own = [{ name: 'broad', file: path.join(top, 'tests/fixtures/print/broad.yaml') }, ...profiles(path.join(top, 'recipes'))];
const foreign = profiles(path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'recipes'));

describe('print', () => {
  for (const { name, file: source } of [...own, ...foreign]) {
    for (const mode of [[], ['--effective']]) {
      test(`${name}: printing ${mode.join('')} what was printed changes nothing`, () => {
        const once = config(['print', ...mode, source]);
        assert.equal(once.code, 0, once.err);
        const again = config(['print', ...mode, file(`${name}.yaml`, once.out)]);
        assert.equal(again.code, 0, again.err);
        assert.equal(again.out, once.out);
      });
    }

    test(`${name}: what is printed means the same`, () => {
      const printed = file(`${name}.yaml`, config(['print', source]).out);
      const want = config(['print', '--effective', source]);
      assert.equal(want.code, 0, want.err);
      assert.equal(config(['print', '--effective', printed]).out, want.out);
      const others = [printed];
      if (!/: "?[^"]*\$\{VSR_/.test(readFileSync(source, 'utf8'))) others.push(file(`${name}.effective.yaml`, want.out));
      for (const other of others) {
        const diff = config(['diff', source, other]);
        assert.equal(diff.out, 'no difference\n', diff.err);
        assert.equal(diff.code, 0);
      }
    });
  }

  const secrets = `version: v0.3
listeners: [{name: l, address: 127.0.0.1, port: "\${PORT}", api_keys: ["\${CLIENT}", hunter2]}]
providers:
  models:
    - name: m
      backend_refs:
        - {endpoint: "h:1", api_key: "\${KEY:-hunter3}", extra_headers: {x-api-key: hunter4, x-team: "\${TEAM}"}}
routing: {modelCards: [{name: m}]}
`;
  const env = { PORT: '9000', CLIENT: 'hunter5', KEY: 'hunter6', TEAM: 'cash$flow' };

  test('references stay, secrets are masked', () => {
    const run = config(['print', file('secrets.yaml', secrets)], env);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /port: "\$\{PORT\}"/);
    assert.match(run.out, /api_keys: \["\$\{CLIENT\}", "\[REDACTED\]"\]/);
    assert.match(run.out, /api_key: "\[REDACTED\]"/);
    assert.match(run.out, /extra_headers: \{x-api-key: "\[REDACTED\]", x-team: "\$\{TEAM\}"\}/);
    assert.doesNotMatch(run.out, /hunter/);
  });

  test('effective values come from the environment, secrets do not', () => {
    const run = config(['print', '--effective', file('secrets.yaml', secrets)], env);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /port: 9000\n/);
    assert.match(run.out, /x-team: "cash\$\$flow"/);
    assert.match(run.out, /timeout: 300s\n/);
    assert.match(run.out, /api_keys: \["\$\{CLIENT\}", "\[REDACTED\]"\]/);
    assert.doesNotMatch(run.out, /hunter/);
  });

  test('an invalid document is not printed', () => {
    const run = config(['print', file('invalid.yaml', 'version: v0.3\nrouting: {decisons: []}\n')]);
    assert.equal(run.code, 1);
    assert.equal(run.out, '');
    assert.match(run.err, /invalid\.yaml:2:11: error\[E_UNKNOWN\] routing\.decisons: .*did you mean "decisions"\?/);
  });

  test('the defaults are a document', () => {
    const run = config(['defaults']);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /^ {2}- name: listener_0$/m);
    const printed = config(['print', '--effective', file('defaults.yaml', run.out)]);
    assert.equal(printed.code, 0, printed.err);
    assert.equal(printed.out, run.out);
  });
});

// Documents that a table alone refuses: the program says `code`, the schema says no.
const refused = [
  ['E_UNKNOWN', 'routing: {decisons: []}'],
  ['E_UNKNOWN', 'routing: {signals: {keywords: [{name: k, operator: OR, keywords: [a], thresh: 1}]}}'],
  ['E_UNKNOWN', 'providers: {models: [{name: m, backend_refs: [{endpoint: "h:1", wieght: 1}]}]}\nrouting: {modelCards: [{name: m}]}'],
  ['E_UNKNOWN', 'global: {router: {auto_model: x}}'],
  ['E_TYPE', 'routing: []'],
  ['E_TYPE', 'routing: {modelCards: {name: m}}'],
  ['E_TYPE', 'routing: {modelCards: [m]}'],
  ['E_TYPE', 'routing: {modelCards: [{name: m, tags: fast}]}'],
  ['E_TYPE', 'routing: {modelCards: [{name: m, context_window_size: large}]}'],
  ['E_TYPE', 'routing: {decisions: [{name: d, priority: 1.5}]}'],
  ['E_TYPE', 'routing: {decisions: [{name: d, priority: [1]}]}'],
  ['E_TYPE', 'routing: {signals: {context: [{name: c, min_tokens: 3 thousand}]}}'],
  ['E_TYPE', 'listeners: [{name: l, address: "::", port: 1, timeout: 30}]\nrouting: {}'],
  ['E_TYPE', 'listeners: [{name: l, address: "::", port: 1, timeout: 3 days}]\nrouting: {}'],
  ['E_TYPE', 'global: {router: {include_config_models_in_list: maybe}}'],
  ['E_TYPE', 'global: {router: {include_config_models_in_list: 1}}'],
  ['E_ENUM', 'routing: {strategy: random}'],
  ['E_ENUM', 'routing: {signals: {keywords: [{name: k, operator: or, keywords: [a]}]}}'],
  ['E_ENUM', 'routing: {decisions: [{name: d, rules: {operator: XOR, conditions: []}}]}'],
  ['E_RANGE', 'listeners: [{name: l, address: "::", port: 65536}]\nrouting: {}'],
  ['E_RANGE', 'listeners: [{name: l, address: "::", port: 1, timeout: 0s}]\nrouting: {}'],
  ['E_RANGE', 'routing: {modelCards: [{name: m, quality_score: 1.01}]}'],
  ['E_RANGE', 'global: {router: {context_estimate: {structured_bytes_per_token: 0.5}}}'],
  ['E_REQUIRED', 'listeners: [{name: l, address: "::"}]\nrouting: {}'],
  ['E_REQUIRED', 'routing: {modelCards: [{name: " "}]}'],
  ['E_REQUIRED', 'routing: {signals: {keywords: [{name: k, operator: OR, keywords: []}]}}'],
];

// Spellings that a table accepts, however strange: the schema must not be stricter.
const accepted = [
  'routing: {modelCards: [{name: 7, description: true, tags: [1, 2.5, no, null]}]}',
  'routing: {decisions: [{name: d, priority: 1_000}, {name: e, priority: 0x1F}, {name: f, priority: 300.0}]}',
  'routing: {decisions: [{name: d, priority: "${P:-5}", rules: {operator: and, conditions: []}}]}',
  'routing:\n  strategy:\n  decisions: ~\n  modelCards: null\n',
  'listeners: [{name: l, address: "::", port: "${PORT:-1}", timeout: "${T:-1h30m}", trust_identity_headers: $TRUST}]\nrouting: {}',
  'listeners: [{name: l, address: "::", port: 1, timeout: 1.5s, trust_identity_headers: yes}]\nrouting: {}',
  'routing: {signals: {context: [{name: c, min_tokens: 24K, max_tokens: 1.5m}, {name: d, min_tokens: 8000}]}}',
  'x-anything: {goes: here}\nrouting: {x-note: "kept out", decisions: [{name: d, x-: [1]}]}',
  'routing: {decisions: [{name: d, annotations: {team: [a, {b: c}], n: 1}}]}',
];

describe('schema', async () => {
  const schema = config(['schema']).json();
  const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
  const parse = (text) => YAML.parse(text, { merge: true, maxAliasCount: -1 });
  const complaints = () => validate.errors?.map((e) => `${e.instancePath} ${e.message}`).join('\n');

  test('it is of the draft that it says, and every table is in it', () => {
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.equal(schema.additionalProperties, false);
    assert.deepEqual(schema.required, ['version']);
    for (const [name, written] of Object.entries(schema.$defs)) {
      if (name === 'environment_reference') continue;
      const table = written.anyOf ? written.anyOf[0] : written; // the rest of it is a short form
      assert.equal(table.additionalProperties, false, name);
      assert.deepEqual(table.patternProperties, { '^x-': true }, name);
      for (const [key, property] of Object.entries(table.properties)) assert.ok(property.description, `${name}.${key}`);
    }
    assert.equal(schema.$defs.listener.properties.timeout.default, '300s');
    assert.equal(schema.$defs.backend_reference.properties.weight.default, 1);
  });

  for (const { name, file: source } of [...own, ...foreign]) {
    test(`${name} is valid`, () => assert.ok(validate(parse(readFileSync(source, 'utf8'))), complaints()));
  }

  for (const [code, text] of refused) {
    test(`${code}: ${text.split('\n')[0]}`, () => {
      const document = `version: v0.3\n${text}\n`;
      const run = config(['print', file('refused.yaml', document)]);
      assert.equal(run.code, 1, document);
      assert.match(run.err, new RegExp(`error\\[${code}\\]`));
      assert.equal(validate(parse(document)), false, document);
    });
  }

  for (const text of accepted) {
    test(`accepted: ${text.split('\n')[0]}`, () => {
      const document = `version: v0.3\n${text}\n`;
      const run = config(['print', file('accepted.yaml', document)]);
      assert.equal(run.code, 0, run.err);
      assert.ok(validate(parse(document)), complaints());
    });
  }

  // What loading refuses or accepts with the real families, in the documents of the unit tests.
  const fixtures = path.join(top, 'tests/fixtures/config');
  for (const kind of ['good', 'bad']) {
    test(`${kind} fixtures`, () => {
      let n = 0;
      for (const name of readdirSync(path.join(fixtures, kind)).filter((entry) => entry.endsWith('.yaml'))) {
        const source = path.join(fixtures, kind, name);
        const run = config(['print', source]);
        if (run.code === 0) {
          assert.ok(validate(parse(readFileSync(source, 'utf8'))), `${name}: ${complaints()}`);
          n++;
        } else if (/^unknown_/.test(name) && /error\[E_UNKNOWN\]/.test(run.err)) {
          assert.equal(validate(parse(readFileSync(source, 'utf8'))), false, name);
          n++;
        }
      }
      assert.ok(n >= 3, `${n} documents looked at`);
    });
  }

  test('what the program prints of itself is valid', () => {
    assert.ok(validate(parse(config(['defaults']).out)), complaints());
  });
});

describe('explain', () => {
  const policy = `version: v0.3
providers:
  defaults: {reasoning_families: {q: {type: reasoning_effort, parameter: effort}}}
  models: [{name: m, backend_refs: [{name: b, endpoint: "h:1", api_key: hunter2}]}]
routing:
  modelCards: [{name: m}]
  decisions:
    - {name: a, priority: 7, modelRefs: [{model: m}]}
    - {name: b}
`;
  const cases = [
    [['routing.decisions[].priority'], [/^routing\.decisions\[\]\.priority\n {2}integer, default 0\n {2}\S/]],
    [['routing.decisions.priority'], [/integer, default 0/]],
    [['routing.decisions'], [/list of blocks/, /^ {4}name +.*\(text, required\)$/m, /^ {4}rules +.*\(block\)$/m]],
    [['routing.decisions[].rules.conditions.conditions.type'], [/^ {2}text/m]],
    [['providers.defaults.reasoning_families.anything.type'], [/chat_template_kwargs/]],
    [['providers.defaults.reasoning_families.anything'], [/blocks by name/, /parameter/]],
    [['providers.models.external_model_ids.vllm'], [/texts by name/]],
    [['listeners.api_keys'], [/secret/]],
    [['routing.decisions.plugins[fast_response].configuration'], [/keys of fast_response:\n {4}message /]],
    [['routing.decisions[].plugins[].configuration.message'], [/of fast_response\n {2}text, required/]],
    [[], [/^the document$/m, /^ {4}global /m]],
  ];
  for (const [args, wanted] of cases) {
    test(`explain ${args.join(' ')}`, () => {
      const run = config(['explain', ...args]);
      assert.equal(run.code, 0, run.err);
      for (const want of wanted) assert.match(run.out, want);
    });
  }

  const values = [
    ['routing.decisions[].priority', ['routing.decisions[a].priority = 7  FILE:8:17', 'routing.decisions[b].priority = 0  default']],
    ['routing.decisions[a].priority', ['routing.decisions[a].priority = 7  FILE:8:17']],
    ['routing.decisions[1].priority', ['routing.decisions[b].priority = 0  default']],
    ['routing.decisions.modelRefs.model', ['routing.decisions[a].modelRefs[0].model = m  FILE:8:43']],
    ['providers.models.backend_refs.api_key', ['providers.models[m].backend_refs[b].api_key = "[REDACTED]"  FILE:4:64']],
    ['providers.defaults.reasoning_families.q.parameter', ['providers.defaults.reasoning_families.q.parameter = effort  FILE:3:63']],
    ['providers.defaults.default_model', ['providers.defaults.default_model = not set  default']],
    ['global.router.streamed_body.timeout_sec', ['global.router.streamed_body.timeout_sec = 60  default']],
    ['entrypoints.recipe', ['FILE has no such place']],
  ];
  for (const [where, want] of values) {
    test(`the value of ${where}`, () => {
      const source = file('policy.yaml', policy);
      const run = config(['explain', where, '--config', source]);
      assert.equal(run.code, 0, run.err);
      const found = run.out.split('\n\n').at(-1).replaceAll(source, 'FILE').trimEnd().split('\n').map((line) => line.trim());
      assert.deepEqual(found, want);
    });
  }

  const mistakes = [
    ['routing.decisons', 1, /no key "decisons" in routing; did you mean "decisions"\?/],
    ['priority', 1, /did you mean routing\.decisions\[\]\.priority, entrypoints\[\]\.priority\?/],
    ['providers.defaults.reasoning_families.q.name', 1, /no key "name"/],
    ['global.stores.semantic_cache', 1, /no key "semantic_cache" in global\.stores/],
    ['routing.decisions.priority.x', 1, /no key "x" in routing\.decisions\.priority/],
    ['a..b', 2, /is no path/],
    ['a[b', 2, /is no path/],
    ['routing.', 2, /is no path/],
  ];
  for (const [where, code, message] of mistakes) {
    test(`explain ${where} is a mistake`, () => {
      const run = config(['explain', where]);
      assert.equal(run.code, code, run.err);
      assert.match(run.err, message);
      assert.equal(run.out, '');
    });
  }
});

describe('docs', () => {
  const page = config(['docs']).out;

  test('every link leads to a heading', () => {
    const anchors = new Set();
    for (const [, title] of page.matchAll(/^#+ (.*)$/gm)) {
      const anchor = title.toLowerCase().replace(/[^a-z0-9_ -]/g, '').replaceAll(' ', '-');
      assert.ok(!anchors.has(anchor), `two headings: ${anchor}`);
      anchors.add(anchor);
    }
    for (const [, link] of page.matchAll(/\]\(#([^)]*)\)/g)) assert.ok(anchors.has(link), link);
  });

  test('every row has four cells and says what the key means', () => {
    for (const line of page.split('\n').filter((line) => line.startsWith('| `'))) {
      const cells = line.split(/(?<!\\)\|/);
      assert.equal(cells.length, 6, line);
      assert.notEqual(cells[4].trim(), '', line);
    }
  });
});

describe('diff', () => {
  const before = `version: v0.3
providers:
  models:
    - {name: m, backend_refs: [{name: b, endpoint: "h:1", api_key: hunter1}]}
    - {name: n, backend_refs: [{endpoint: "h:2"}]}
routing:
  modelCards: [{name: m, tags: [a, b]}, {name: n}]
  signals: {keywords: [{name: k, operator: OR, keywords: [x, y]}, {name: old, operator: OR, keywords: [z]}]}
  decisions:
    - name: a
      priority: 7
      modelRefs: [{model: m}]
      rules: {operator: AND, conditions: [{type: keyword, name: k}]}
      plugins: [{type: fast_response, configuration: {message: hi}}]
    - {name: b, rules: {operator: OR, conditions: [{type: keyword, name: old}]}}
    - {name: c}
recipes:
  - {name: eco, routing: {decisions: [{name: z, modelRefs: [{model: n}]}]}}
`;

  // [what is said otherwise, how, the changes]
  const cases = [
    ['nothing', (text) => text, []],
    ['comments, quotes and spellings', (text) => text.replace('v0.3', '"v0.3" # the contract').replace('priority: 7', 'priority: 0x7'), []],
    ['defaults that are written out', (text) => `${text.replace('{name: c}', '{name: c, priority: 0}')}global: {router: {auto_model_name: MoM}}\n`, []],
    ['a value', (text) => text.replace('priority: 7', 'priority: 8'), ['~ default routing.decisions[a].priority: 7 -> 8']],
    ['a value that was a default', (text) => text.replace('{name: c}', '{name: c, priority: 1}'), ['~ default routing.decisions[c].priority: 0 -> 1']],
    ['a value that was nothing', (text) => text.replace('{name: n}', '{name: n, quality_score: 0.5}'), ['+ document routing.modelCards[n].quality_score: 0.5']],
    ['a plugin', (text) => text.replace('message: hi', 'message: ho'), ['~ default routing.decisions[a].plugins[fast_response].configuration.message: hi -> ho']],
    ['a rule', (text) => text.replace('operator: AND, conditions', 'operator: OR, conditions'), [
      '~ default routing.decisions[a].rules: {operator: AND, conditions: [{type: keyword, name: k}]} -> {operator: OR, conditions: [{type: keyword, name: k}]}',
    ]],
    ['a rule that says the same', (text) => text.replace('operator: AND, conditions', 'operator: and, not: false, conditions'), []],
    ['keywords', (text) => text.replace('[x, y]', '[y, w]'), ['- default routing.signals.keywords[k].keywords: x', '+ default routing.signals.keywords[k].keywords: w']],
    ['the order of keywords', (text) => text.replace('[x, y]', '[y, x]'), ['> default routing.signals.keywords[k].keywords: x, y -> y, x']],
    ['a decision less', (text) => text.replace('    - {name: c}\n', ''), ['- default routing.decisions[c]: {name: c}']],
    ['a decision elsewhere', (text) => text.replace('    - {name: c}\n', '').replace('    - name: a', '    - {name: c}\n    - name: a'), ['> default routing.decisions: a, b, c -> c, a, b']],
    ['a secret', (text) => text.replace('hunter1', 'hunter2'), ['~ document providers.models[m].backend_refs[b].api_key: "[REDACTED]" -> "[REDACTED]"']],
    ['a recipe', (text) => text.replace('{model: n}', '{model: m}'), ['- eco recipes[eco].routing.decisions[z].modelRefs[n]: {model: n}', '+ eco recipes[eco].routing.decisions[z].modelRefs[m]: {model: m}']],
    ['another recipe', (text) => text.replace('eco', 'lite'), [
      '- eco recipes[eco].routing: {decisions: [{name: z, modelRefs: [{model: n}]}]}',
      '+ lite recipes[lite].routing: {decisions: [{name: z, modelRefs: [{model: n}]}]}',
    ]],
  ];
  const signs = { added: '+', removed: '-', changed: '~', reordered: '>' };
  const shown = ({ change, recipe, path: where, before: from, after: to }) =>
    `${signs[change]} ${recipe ?? 'document'} ${where}: ${[from, to].filter((text) => text !== null).join(' -> ')}`;

  for (const [what, edit, want] of cases) {
    test(`${what}`, () => {
      const [a, b] = [file('before.yaml', before), file('after.yaml', edit(before))];
      const run = config(['diff', '--json', a, b]);
      assert.deepEqual(run.json().changes.map(shown), want, run.err);
      assert.equal(run.json().same, want.length === 0);
      assert.equal(run.code, want.length === 0 ? 0 : 1);
      const text = config(['diff', a, b]);
      assert.equal(text.code, run.code);
      assert.equal(text.out.split('\n').filter((line) => /^ {2}[-+~>] /.test(line)).length, want.length);
      assert.doesNotMatch(text.out + run.out, /hunter/);
    });
  }

  test('secrets of entries without a name are compared', () => {
    const text = (key) => `version: v0.3
providers: {models: [{name: m, backend_refs: [{endpoint: "h:1", api_key: hunter1}, {endpoint: "h:2", api_key: ${key}}]}]}
routing: {modelCards: [{name: m}]}
`;
    const run = config(['diff', '--json', file('before.yaml', text('hunter2')), file('after.yaml', text('hunter3'))]);
    assert.deepEqual(run.json().changes.map(({ change, path: where }) => [change, where]), [
      ['changed', 'providers.models[m].backend_refs[backend-2].api_key'],
    ]);
    assert.doesNotMatch(run.out, /hunter/);
  });

  test('what is too long to be shown is compared', () => {
    const text = (last) => `version: v0.3\nrouting: {signals: {keywords: [{name: k, operator: OR, keywords: [${'abcdefghijklmnop, '.repeat(70000)}${last}]}]}}\n`;
    const run = config(['diff', file('before.yaml', text('x')), file('after.yaml', text('y'))]);
    assert.equal(run.code, 1, run.err);
  });

  test('the default recipe is the same wherever it is written', () => {
    const routing = 'decisions: [{name: a, priority: 1}, {name: b}]';
    const a = file('top.yaml', `version: v0.3\nrouting: {${routing}}\n`);
    const b = file('named.yaml', `version: v0.3\nrecipes: [{name: default, routing: {${routing}}}]\n`);
    assert.equal(config(['diff', a, b]).out, 'no difference\n');
  });

  test('what cannot be compared ends with 2', () => {
    const a = file('before.yaml', before);
    assert.equal(config(['diff', a, file('broken.yaml', 'version: v0.3\nrouting: 5\n')]).code, 2);
    assert.equal(config(['diff', a, 'nowhere.yaml']).code, 2);
    assert.equal(config(['diff', a]).code, 2);
  });
});

test('documents come from standard input and pipes, too', () => {
  const script = `"$0" config print - <recipe.yaml && cat recipe.yaml | "$0" config diff /dev/stdin recipe.yaml`;
  file('recipe.yaml', 'version: v0.3\nrouting: {}\n');
  const run = spawnSync('sh', ['-c', script, program], { cwd: scratch, encoding: 'utf8' });
  assert.equal(run.stdout, 'version: v0.3\nrouting: {}\nno difference\n', run.stderr);
});
