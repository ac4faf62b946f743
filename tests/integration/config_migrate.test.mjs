// `vsr config migrate`: the file it writes and those it leaves alone, what it says, and that other YAML readers agree.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import YAML from 'yaml';

import { program, seconds, test } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const layouts = path.join(top, 'tests/fixtures/migrate/in');

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-migrate-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const old = `# mine
keyword_rules:
  - {name: code, operator: OR, keywords: [compile]} # words
decisions:
  - {name: d, rules: {operator: OR, conditions: [{type: keyword, name: code}]}}
`;
const fresh = `# mine
version: v0.3

routing:
  signals:
    keywords:
      - {name: code, operator: OR, keywords: [compile]} # words
  decisions:
    - {name: d, rules: {operator: OR, conditions: [{type: keyword, name: code}]}}
`;

function vsr(args) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_') && name !== 'NO_COLOR');
  const options = { env: Object.fromEntries(clean), encoding: 'utf8', timeout: seconds(60), maxBuffer: 64 << 20 };
  const run = spawnSync(program, args, { ...options, cwd: scratch });
  assert.equal(run.signal, null, `vsr ${args.join(' ')} was ended by ${run.signal}: ${run.stderr}`);
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

const migrate = (...args) => vsr(['config', 'migrate', ...args]);
const at = (name) => path.join(scratch, name);
const read = (name) => readFileSync(at(name), 'utf8');

describe('files', () => {
  beforeEach(() => {
    for (const name of readdirSync(scratch)) rmSync(at(name), { recursive: true });
    writeFileSync(at('old.yaml'), old);
  });

  test('writes beside the document and leaves it alone', () => {
    const run = migrate('old.yaml');
    assert.equal(run.code, 0, run.err);
    assert.equal(read('old.migrated.yaml'), fresh);
    assert.equal(read('old.yaml'), old);
    assert.deepEqual(readdirSync(scratch).sort(), ['old.migrated.yaml', 'old.yaml'], 'nothing else is left');
    assert.match(run.out, /^old\.migrated\.yaml: 2 moved, 0 dropped, 0 to look at; the new document is valid$/m);
    assert.equal(vsr(['validate', 'old.migrated.yaml']).code, 0);
  });

  test('the name without an extension, in a folder with a dot, and hidden', () => {
    for (const [name, want] of [['plain', 'plain.migrated'], ['a.b/plain', 'a.b/plain.migrated'], ['.hidden', '.hidden.migrated'], ['x.y.yml', 'x.y.migrated.yml']]) {
      spawnSync('mkdir', ['-p', at('a.b')]);
      writeFileSync(at(name), old);
      assert.equal(migrate('--config', name).code, 0);
      assert.equal(read(want), fresh);
    }
  });

  test('a file that is there stays, unless --force', () => {
    writeFileSync(at('old.migrated.yaml'), 'mine');
    const run = migrate('old.yaml');
    assert.equal(run.code, 1);
    assert.match(run.err, /"old\.migrated\.yaml" exists; replace it with --force/);
    assert.equal(read('old.migrated.yaml'), 'mine');
    assert.equal(migrate('--force', 'old.yaml').code, 0);
    assert.equal(read('old.migrated.yaml'), fresh);
  });

  test('the document itself is never written, under no name', () => {
    symlinkSync(at('old.yaml'), at('link.yaml'));
    linkSync(at('old.yaml'), at('hard.yaml'));
    for (const name of ['old.yaml', './old.yaml', 'link.yaml', 'hard.yaml']) {
      const run = migrate('old.yaml', '--force', '--output', name);
      assert.equal(run.code, 1);
      assert.match(run.err, /is the document itself/);
      assert.equal(read('old.yaml'), old);
    }
  });

  test('a private document has a private successor', () => {
    for (const mode of [0o600, 0o640, 0o644]) {
      chmodSync(at('old.yaml'), mode);
      assert.equal(migrate('-f', 'old.yaml').code, 0);
      assert.equal(statSync(at('old.migrated.yaml')).mode & 0o777, mode);
    }
  });

  test('a dry run writes nothing and shows the difference', () => {
    const run = migrate('--dry-run', 'old.yaml');
    assert.equal(run.code, 0);
    assert.equal(existsSync(at('old.migrated.yaml')), false);
    assert.match(run.out, /^--- old\.yaml\n\+\+\+ old\.migrated\.yaml\n@@ -1,5 \+1,9 @@\n # mine\n/);
    assert.match(run.err, /not written, 2 moved/);
    writeFileSync(at('patch'), run.out);
    const patched = spawnSync('patch', ['-s', '-o', '-', 'old.yaml', 'patch'], { cwd: scratch, encoding: 'utf8' });
    if (!patched.error) assert.equal(patched.stdout, fresh, 'patch(1) makes the new one of the old one');
  });

  test('a folder that does not exist, a document that does not, one that is no YAML', () => {
    assert.equal(migrate('old.yaml', '-o', 'nowhere/new.yaml').code, 1);
    assert.equal(migrate('missing.yaml').code, 2);
    assert.equal(migrate(scratch).code, 2);
    assert.equal(migrate().code, 2);
    writeFileSync(at('bad.yaml'), 'a: [1\nb: 2\n');
    const run = migrate('bad.yaml');
    assert.equal(run.code, 1);
    assert.match(run.err, /^bad\.yaml:\d+:\d+: error\[E_YAML\]/);
    assert.equal(existsSync(at('bad.migrated.yaml')), false);
  });

  test('what still needs a human is listed, and the exit code says so', () => {
    writeFileSync(at('old.yaml'), 'default_model: m\nlatency_rules: [{name: fast}]\n');
    const run = migrate('old.yaml');
    assert.equal(run.code, 1);
    assert.match(run.out, /^old\.yaml:2:1: check latency_rules -> x-unplaced\[latency_rules\]: latency is no signal/m);
    assert.match(run.out, /^old\.migrated\.yaml:\d+:\d+: error\[E_NO_BACKEND\] providers\.defaults\.default_model: /m);
    assert.match(run.out, /1 to look at; the new document does not load yet$/m);
    assert.ok(existsSync(at('old.migrated.yaml')));
  });

  test('--json', () => {
    const report = migrate('--json', 'old.yaml').json();
    assert.equal(report.written, true);
    assert.equal(report.valid, true);
    assert.deepEqual(report.changes[0], { kind: 'moved', path: 'keyword_rules', to: 'routing.signals.keywords', line: 2, column: 1, message: '' });
    assert.deepEqual(report.validation.errors, []);
    assert.equal(report.document, undefined);
    assert.equal(migrate('--json', '--dry-run', 'old.yaml').json().document, fresh);
  });

  test('serving an old document names the command that converts it', () => {
    const run = vsr(['validate', 'old.yaml']);
    assert.equal(run.code, 1);
    const command = /`vsr (config migrate --config old\.yaml)` converts it/.exec(run.out + run.err)[1];
    assert.equal(vsr(command.split(' ')).code, 0);
    assert.equal(read('old.migrated.yaml'), fresh);
  });
});

describe('other readers of YAML', () => {
  // Strings only: what a plain scalar means is up to each reader.
  const options = { schema: 'failsafe', version: '1.2', maxAliasCount: -1, merge: true, logLevel: 'error' };

  for (const name of readdirSync(layouts)) {
    test(`${name}: the new document reads as vsr reads it`, () => {
      const report = migrate('--json', '--dry-run', path.join(layouts, name)).json();
      const once = YAML.parse(report.document, options);
      writeFileSync(at('again.yaml'), report.document);
      const again = migrate('--json', '--dry-run', at('again.yaml')).json();
      assert.deepEqual(YAML.parse(again.document, options), once);
      assert.equal(again.document, report.document);
      assert.ok(Object.keys(once).length > 1);
    });
  }

  test('difficult texts in every style survive', () => {
    const all = ['no', '0123', '12:30', '- x', '#', ' #', 'a #b', 'a: b', ':', 'x:', '?', '~', 'null', '', ' ', 'a\nb', 'a\n', '\na', 'a\n\n', '  a\n b\n',
      'tab\there', 'a\n\tb\n', "it's", '"q"', '\\', '[', '{a: b}', 'a, b', '&a', '*a', '!t', '%d', '@x', '`y`', '|', '>', '---', '...', '日本 é',
      '\u2028', '\u0085', '\u00a0x', '\ufeff', '🎉', 'x\r\ny', 'word '.repeat(80).trim(), `${'word '.repeat(60)}\n\n  more\nend`, '1e3', '.inf', '2020-01-01', '=', '<<', 'y'];
    const settings = [{ lineWidth: 0 }, { lineWidth: 40 }, { defaultStringType: 'QUOTE_SINGLE' }, { defaultStringType: 'BLOCK_LITERAL' }, { defaultStringType: 'BLOCK_FOLDED' }];
    for (const setting of settings) {
      // Blocks of nothing or of blanks are no blocks that readers agree on.
      const texts = setting.defaultStringType?.startsWith('BLOCK') ? all.filter((text) => text.trim()) : all;
      const document = { version: 'v0.3', routing: {}, 'x-texts': texts, 'x-pairs': Object.fromEntries(texts.map((text, i) => [`k${i}`, text])) };
      writeFileSync(at('texts.yaml'), YAML.stringify(document, setting));
      const report = migrate('--json', '--dry-run', at('texts.yaml')).json();
      assert.equal(report.changes.length, 0);
      assert.deepEqual(YAML.parse(report.document, options)['x-texts'], texts, JSON.stringify(setting));
      assert.deepEqual(YAML.parse(report.document, options)['x-pairs'], document['x-pairs'], JSON.stringify(setting));
    }
  });
});
