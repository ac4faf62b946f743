// `vsr config`: documents printed, compared and explained; the contract as JSON Schema and as a page.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

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

const own = profiles(path.join(top, 'recipes'));

describe('print', () => {
  for (const { name, file: source } of own) {
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
