// `vsr probe`: a suite against the engine in the process and against a running router; reports, exit codes, operands.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { freePort, lane, otherwise, policy, program, sanitizerReport, seconds, startVsr, test } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-probe-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Runs `vsr probe ARGS` where nothing is a terminal. `{code, out, err}`; `json()` parses stdout. */
function probe(...args) {
  const run = spawnSync(program, ['probe', ...args], { encoding: 'utf8', timeout: seconds(80), maxBuffer: 64 << 20, cwd: scratch });
  assert.equal(run.signal, null, `vsr probe ${args.join(' ')} was ended by ${run.signal}: ${run.stderr}`);
  assert.equal(sanitizerReport(run.stderr), '', 'sanitizer report');
  return { code: run.status, out: run.stdout, err: run.stderr, json: () => JSON.parse(run.stdout) };
}

const profile = (port = 8080) =>
  policy({
    default_model: 'small',
    listener: { port },
    models: { small: { endpoint: '127.0.0.1:1' }, big: { endpoint: '127.0.0.1:1' } },
    signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['segmentation fault'] }] },
    decisions: [lane('coding', 'keyword', 'code', 'big'), otherwise('small')],
  });

const good = {
  id: 'coding',
  expected_decision: 'coding',
  expected_alias: 'big',
  expected_signals: { keywords: ['code'] },
  variants: [
    { id: 'plain', query: 'Why a segmentation fault?', tags: ['en'] },
    { id: 'padded', query: 'a segmentation fault', padding: { text: 'Some words.', repeat: 9, placement: 'around' } },
    { id: 'talk', messages: [{ role: 'user', content: 'It says segmentation fault.' }] },
  ],
};
const rest = { id: 'rest', expected_decision: 'otherwise', variants: [{ id: 'hello', query: 'Hello' }, { id: 'twice', query: 'Hi', repeat: 2 }] };
const bad = { id: 'bad', expected_decision: 'coding', robustness: { min_pass_rate: 50 }, variants: [{ id: 'wrong', query: 'Hello' }, { id: 'right', query: 'segmentation fault' }] };
const broken = {
  id: 'broken',
  expected_decision: 'otherwise',
  variants: [{ id: 'picture', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'a' } }] }] }],
};

/** A directory with a profile and its suite, both JSON (which is YAML). */
function directory(name, decisions, more = {}) {
  const dir = path.join(scratch, name);
  mkdirSync(dir, { recursive: true });
  const routing_assets = { yaml: 'config.yaml', dsl: 'recipe.dsl' };
  const suite = { schema_version: 'v1', name, routing_assets, coverage: {}, decisions, ...more };
  writeFileSync(path.join(dir, 'config.yaml'), JSON.stringify(profile()));
  writeFileSync(path.join(dir, 'probes.yaml'), JSON.stringify(suite));
  return dir;
}

const passing = directory('passing', [good, rest]);
const failing = directory('failing', [good, rest, bad, broken]);

const states = (report) => report.probes.map((one) => [one.id, one.state]);

describe('exit codes', () => {
  test('0: accepted', () => {
    const run = probe(passing);
    assert.equal(run.code, 0, run.err);
    assert.match(run.out, /^coding +3\/3 +100\.0$/m);
    assert.match(run.out, /^5 of 5 probes pass$/m);
    assert.doesNotMatch(run.out, /not accepted/);
  });

  test('1: not accepted, and why', () => {
    const run = probe(failing);
    assert.equal(run.code, 1);
    assert.match(run.out, /^ {2}bad:wrong\n {4}decision +expected coding, got otherwise$/m);
    assert.match(run.out, /^ {2}broken:picture\n {4}a part of type image_url is not allowed; use image_fixture$/m);
    assert.match(run.out, /^coding +otherwise +1$/m);
    assert.match(run.out, /^not accepted: 75\.0 % of the probes pass, 100\.0 % are asked for$/m);
    assert.match(run.out, /^not accepted: 0\.0 % of the probes of broken pass, 100\.0 % are asked for$/m);
    assert.doesNotMatch(run.out, /probes of bad pass/);
  });

  test('1: the suite is wrong', () => {
    const run = probe(directory('wrong', [good], { coverage: undefined, extra: 1 }));
    assert.equal(run.code, 1);
    assert.equal(run.out, '');
    assert.match(run.err, /probes\.yaml:1:1: error\[E_REQUIRED\] coverage: missing/);
    assert.match(run.err, /error\[E_UNKNOWN\] extra: unknown key/);
  });

  test('1: the profile is wrong', () => {
    const dir = directory('profile', [good]);
    writeFileSync(path.join(dir, 'config.yaml'), 'version: v9\n');
    const run = probe(dir);
    assert.equal(run.code, 1);
    assert.match(run.err, /config\.yaml:1:.*error\[E_VERSION\]/);
  });

  test('2: files that cannot be read, options that are not understood', () => {
    const lonely = path.join(scratch, 'lonely');
    mkdirSync(lonely);
    writeFileSync(path.join(lonely, 'probes.yaml'), readFileSync(path.join(passing, 'probes.yaml')));
    const cases = [
      [['nowhere'], /cannot read "nowhere"/],
      [[scratch], /cannot read ".*\/probes\.yaml"/],
      [[path.join(lonely, 'probes.yaml')], /cannot read ".*lonely\/config\.yaml"/],
      [['--config', scratch, passing], /is a directory/],
      [[], /an argument is missing/],
      [['--jobs', '0', passing], /--jobs/],
      [['--jobs', '65', passing], /--jobs/],
      [['--independent', '--router', 'http://127.0.0.1:1', passing], /exclude each other/],
    ];
    for (const [args, message] of cases) {
      const run = probe(...args);
      assert.equal(run.code, 2, `${args.join(' ')}: ${run.err}`);
      assert.match(run.err, message);
      assert.equal(run.out, '');
    }
  });

  test('1: reports that cannot be written', () => {
    for (const option of ['--junit', '--report']) {
      const run = probe(option, path.join(scratch, 'nowhere/report'), passing);
      assert.equal(run.code, 1);
      assert.match(run.err, /cannot write ".*nowhere\/report": No such file/);
    }
  });
});

describe('operands', () => {
  test('a directory, a file, another profile', () => {
    for (const args of [[passing], [`${passing}//`], [path.join(passing, 'probes.yaml')], ['passing']]) {
      assert.equal(probe(...args).code, 0, args.join(' '));
    }
    const alone = path.join(scratch, 'alone.yaml');
    writeFileSync(alone, readFileSync(path.join(passing, 'probes.yaml')));
    assert.equal(probe('-c', path.join(passing, 'config.yaml'), alone).code, 0);
  });

  test('a directory has the name of its suite', () => {
    const dir = directory('misnamed', [good, rest], { name: 'other' });
    const run = probe(dir);
    assert.equal(run.code, 1);
    assert.match(run.err, /error\[E_CONFLICT\] name: found "other", expected "misnamed"/);
    assert.equal(probe(path.join(dir, 'probes.yaml')).code, 0, 'a file may lie anywhere');
  });

  test('--probe-id asks only those', () => {
    const run = probe('--json', '--probe-id', 'bad:right', '--probe-id', 'coding:plain', failing);
    assert.equal(run.code, 0, run.out);
    assert.deepEqual(states(run.json()), [['coding:plain', 'passed'], ['bad:right', 'passed']]);
    assert.equal(probe('--probe-id', 'bad:wrong', failing).code, 1);
    const unknown = probe('--probe-id', 'bad:nobody', failing);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /the suite has no probe "bad:nobody"/);
  });
});

describe('reports', () => {
  test('--json and --report say the same', () => {
    const file = path.join(scratch, 'report.json');
    const run = probe('--json', '--report', file, failing);
    assert.equal(run.code, 1);
    const report = run.json();
    assert.deepEqual(states(JSON.parse(readFileSync(file, 'utf8'))), states(report));
    assert.deepEqual(
      [report.suite, report.accepted, report.passed, report.total, report.pass_rate, report.errors],
      ['failing', false, 6, 8, 75, 1],
    );
    assert.deepEqual(report.decisions.map((one) => [one.id, one.pass_rate]), [['coding', 100], ['rest', 100], ['bad', 50], ['broken', 0]]);
    assert.deepEqual(report.tags.language, { passed: 1, total: 1, pass_rate: 100 });
    const wrong = report.probes.find((one) => one.id === 'bad:wrong');
    assert.deepEqual(wrong.failures[0], { check: 'decision', expected: 'coding', got: 'otherwise' });
    assert.equal(report.probes.at(-1).state, 'not_asked');
    assert.match(report.probes.at(-1).error, /image_fixture/);
  });

  test('--junit', () => {
    const file = path.join(scratch, 'junit.xml');
    assert.equal(probe('--junit', file, failing).code, 1);
    const text = readFileSync(file, 'utf8');
    assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="failing">/);
    assert.match(text, /<testsuite name="bad" tests="2" failures="1" errors="0" skipped="0">/);
    assert.match(text, /<testsuite name="broken" tests="1" failures="0" errors="1" skipped="0">/);
    assert.equal(text.match(/<testcase /g).length, 8);
    assert.equal(text.match(/<\/testcase>/g).length, 8);
    assert.ok(text.endsWith('</testsuites>\n'));
  });

  test('jobs change neither order nor states', () => {
    const one = probe('--json', '--jobs', '1', failing).json();
    const four = probe('--json', '--jobs', '4', failing).json();
    assert.deepEqual(states(four), states(one));
    assert.deepEqual(four.complaints, one.complaints);
  });

  test('no progress bar and no colour where nobody looks', () => {
    const run = probe(failing);
    assert.equal(run.err, '');
    assert.ok(!run.out.includes('\x1b'));
  });
});

test('a running router is judged like the engine in the process', async (t) => {
  const port = await freePort();
  await startVsr(t, profile(0), { args: ['--management-listen', `127.0.0.1:${port}`] });
  const local = probe('--json', failing).json();
  const remote = probe('--json', '--jobs', '2', '--router', `http://127.0.0.1:${port}`, failing);
  assert.equal(remote.code, 1, remote.err);
  assert.deepEqual(states(remote.json()), states(local));
  assert.deepEqual(remote.json().probes.map((one) => one.failures), local.probes.map((one) => one.failures));
  const nobody = probe('--json', '--router', `http://127.0.0.1:${await freePort()}`, passing);
  assert.equal(nobody.code, 1);
  assert.deepEqual(new Set(nobody.json().probes.map((one) => one.state)), new Set(['not_asked']));
});

test('probes that depend on a model that is not there are counted apart', () => {
  const doc = policy({
    default_model: 'small',
    listener: { port: 8080 },
    models: { small: { endpoint: '127.0.0.1:1' }, big: { endpoint: '127.0.0.1:1' } },
    signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['segmentation fault'] }], domains: [{ name: 'law' }] },
    decisions: [lane('coding', 'keyword', 'code', 'big'), { ...lane('legal', 'domain', 'law', 'big'), priority: 50 }, otherwise('small')],
  });
  const law = { id: 'law', expected_decision: 'legal', variants: [{ id: 'contract', query: 'a contract' }] };
  const dir = directory('dependent', [good, rest, law]);
  writeFileSync(path.join(dir, 'config.yaml'), JSON.stringify(doc));
  const strict = probe('--json', '--no-models', dir);
  assert.equal(strict.code, 1);
  assert.equal(strict.json().passed, 0, 'signal errors fail every probe');
  const run = probe('--json', '--no-models', '--independent', dir);
  assert.equal(run.code, 0, run.out);
  const report = run.json();
  assert.deepEqual([report.passed, report.total, report.dependent], [3, 3, 3]);
  assert.deepEqual(
    states(report),
    [...good.variants.map((one) => [`coding:${one.id}`, 'passed']), ['rest:hello', 'dependent'], ['rest:twice', 'dependent'], ['law:contract', 'dependent']],
  );
});

describe('profiles', () => {
  const withProbes = (dir) =>
    existsSync(dir) ? readdirSync(dir).map((name) => path.join(dir, name)).filter((one) => existsSync(path.join(one, 'probes.yaml'))) : [];

  for (const dir of withProbes(path.join(top, 'recipes'))) {
    test(`${path.basename(dir)} passes`, () => {
      const run = probe(dir);
      assert.equal(run.code, 0, run.out + run.err);
    });
  }

  const shared = path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'recipes');
  const published = withProbes(shared).map((dir) => path.basename(dir));
  for (const name of ['accuracy', 'balance', 'feedback', 'privacy']) {
    test(`published ${name} passes`, { skip: !published.includes(name) }, () => {
      const args = name === 'accuracy' ? [] : ['--independent', '--no-models'];
      const run = probe(...args, '--json', path.join(shared, name));
      assert.equal(run.code, 0, run.out + run.err);
      const report = run.json();
      assert.equal(report.errors, 0);
      assert.ok(report.probes.length > 10);
      if (name === 'accuracy') assert.ok(report.probes.every((one) => one.state === 'passed'));
    });
  }
});
