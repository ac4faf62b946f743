// The project's own profiles: each is valid without a warning, passes its probes, prints as a fixed point, and serves.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { eventually, freePort, program, test } from './lib/harness.mjs';
import { get } from './lib/http.mjs';

const recipes = path.resolve(import.meta.dirname, '../../recipes');
const names = readdirSync(recipes).filter((name) => existsSync(path.join(recipes, name, 'config.yaml')));
const wanted = ['starter', 'coding', 'cost-saver', 'privacy-first', 'long-context', 'demo'];

const vsr = (...args) => spawnSync(program, args, { encoding: 'utf8', maxBuffer: 64 << 20, env: { ...process.env, NO_COLOR: '1' } });

test('the recipes are there, and listed', () => {
  for (const name of wanted) assert.ok(names.includes(name), name);
  const list = readFileSync(path.join(recipes, 'README.md'), 'utf8');
  for (const name of names) {
    assert.ok(list.includes(`(${name}/README.md)`), `${name} is not listed`);
    assert.ok(existsSync(path.join(recipes, name, 'README.md')), `${name} has no page`);
  }
});

for (const name of names) {
  const file = path.join(recipes, name, 'config.yaml');

  test(`${name} is valid, without a warning`, () => {
    const run = vsr('validate', '--json', file);
    const { errors, warnings } = JSON.parse(run.stdout);
    assert.deepEqual([errors, warnings], [[], []]);
  });

  test(`${name} passes its probes`, () => {
    const run = vsr('probe', '--json', path.join(recipes, name));
    const report = JSON.parse(run.stdout);
    assert.deepEqual(report.complaints, [], run.stdout);
    assert.deepEqual(report.probes.filter((probe) => probe.state !== 'passed'), []);
    assert.equal(run.status, 0);
  });

  test(`${name} prints as a fixed point`, (t) => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-recipe-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const once = vsr('config', 'print', file);
    assert.equal(once.status, 0, once.stderr);
    const copy = path.join(dir, 'config.yaml');
    writeFileSync(copy, once.stdout);
    assert.equal(vsr('config', 'print', copy).stdout, once.stdout);
  });

  test(`${name} serves`, async (t) => {
    const port = await freePort();
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-recipe-'));
    const own = { VSR_PORT: String(port), VSR_DEMO_PORT: String(port), VSR_STATE_DIR: dir };
    const env = { ...process.env, NO_COLOR: '1', ...own };
    const child = spawn(program, ['serve', '-c', file, '--metrics-listen', 'off', '--management-listen', 'off'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (bytes) => (log += bytes));
    t.after(() => {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true });
    });
    await eventually(`${name} is ready`, async () => {
      if (child.exitCode !== null) throw new Error(log);
      return (await get(port, '/ready').catch(() => null))?.status === 200;
    });
    assert.ok(!/W_|E_/.test(log), log);
  });
}
