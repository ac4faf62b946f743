// Policies written in the routing language: served, reloaded, refused with the place of the mistake, and read by every
// command that reads policies.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { eventually, policy, program, seconds, startVsr, test } from './lib/harness.mjs';

/** Everything but routing. */
const base = (backend, extra = {}) => {
  const document = policy({ models: { small: backend, large: backend }, default_model: 'small', ...extra });
  delete document.routing;
  return document;
};

const routes = (keyword, large = 'large') => `MODEL small {}
MODEL large {}
SIGNAL keyword hard { operator: "OR" keywords: ["${keyword}"] }
ROUTE hard { PRIORITY 9 WHEN keyword("hard") MODEL "${large}" }
ROUTE rest { PRIORITY 1 MODEL "small" }
`;

const decisionOf = async (vsr, prompt) => (await post(vsr.port, chat(prompt))).headers.get('x-vsr-selected-decision');
const becomes = (vsr, prompt, decision) => eventually(`${prompt} -> ${decision}`, async () => (await decisionOf(vsr, prompt)) === decision);

describe('serve', () => {
  test('a program beside its configuration, and every edit of both', { timeout: seconds(120) }, async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(t, base(backend), { policy: 'policy.dsl', beside: { 'policy.dsl': routes('prove') } });
    assert.equal(await decisionOf(vsr, 'please prove it'), 'hard');
    assert.equal(await decisionOf(vsr, 'hello'), 'rest');

    await t.test('an edit of the program', async () => {
      vsr.writeBeside('policy.dsl', routes('lemma'));
      await becomes(vsr, 'a lemma', 'hard');
      assert.equal(await decisionOf(vsr, 'please prove it'), 'rest');
    });

    await t.test('an edit of the base', async () => {
      const other = await Backend.start(t);
      vsr.write(base(other));
      await eventually('the other backend to be asked', async () => {
        await post(vsr.port, chat('hello'));
        return other.requests.length > 0;
      });
      assert.equal(await decisionOf(vsr, 'a lemma'), 'hard');
    });

    const refuses = async (what, change, place) => {
      await t.test(what, async () => {
        const from = vsr.log.length;
        change();
        await vsr.says(place, from);
        for (let i = 0; i < 5; i++) assert.equal(await decisionOf(vsr, 'a lemma'), 'hard');
      });
    };
    await refuses('a syntax error', () => vsr.writeBeside('policy.dsl', routes('x').replace('PRIORITY 9', 'PRIORITY nine')), /policy\.dsl:4:23: error\[E101\].*unexpected "nine"/);
    await refuses('an unknown type', () => vsr.writeBeside('policy.dsl', routes('x').replace('SIGNAL keyword', 'SIGNAL keywrd')), /policy\.dsl:3:8: error\[E201\]/);
    await refuses('a signal that is not declared', () => vsr.writeBeside('policy.dsl', routes('x').replace('("hard")', '("hrad")')), /policy\.dsl:4:\d+: error\[E_REF\]/);
    await refuses('a model without a backend', () => vsr.writeBeside('policy.dsl', routes('x', 'huge')), /policy\.dsl:4:\d+: error\[E_NO_BACKEND\].*huge/);
    vsr.writeBeside('policy.dsl', routes('lemma'));
    await becomes(vsr, 'a lemma', 'hard');
    await refuses('a mistake in the base', () => vsr.write('version: v0.3\nlisteners: []\nsurprise: 1\n'), /reload_failed.*config\.yaml:3:1: E_UNKNOWN surprise/);

    await refuses('a base that is gone', () => rmSync(path.join(vsr.dir, 'config.yaml')), /reload_failed.*E_BASE: nothing says where to listen/);

    await t.test('and good ones are taken again', async () => {
      vsr.write(base(backend));
      vsr.writeBeside('policy.dsl', routes('axiom'));
      await becomes(vsr, 'an axiom', 'hard');
    });
  });

  test('--base names the configuration, which may be elsewhere', async (t) => {
    const backend = await Backend.start(t);
    const vsr = await startVsr(t, base(backend), {
      policy: 'deep/policy.dsl',
      args: ['--base', 'config.yaml'],
      beside: { 'deep/policy.dsl': routes('prove') },
    });
    assert.equal(await decisionOf(vsr, 'please prove it'), 'hard');
    const from = vsr.log.length;
    vsr.write('version: v0.3\nlisteners: 7\n');
    await vsr.says(/config\.yaml:2:12: error\[E_TYPE\]/, from);
    assert.equal(await decisionOf(vsr, 'please prove it'), 'hard');
  });

  test('a base that cannot be read, or is not needed, is told at once', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-base-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(path.join(dir, 'policy.dsl'), routes('x'));
    writeFileSync(path.join(dir, 'policy.yaml'), 'version: v0.3\n');
    for (const [args, said] of [
      [['-c', 'policy.dsl', '--base', 'nowhere.yaml'], /cannot read "nowhere\.yaml"/],
      [['-c', 'policy.yaml', '--base', 'policy.yaml'], /--base goes with a policy in the routing language/],
      [['--base', 'policy.yaml'], /--base goes with a policy in the routing language/],
    ]) {
      for (const command of ['serve', 'route']) {
        const run = spawnSync(program, [command, ...args, ...(command === 'route' ? ['hello'] : [])], { cwd: dir, encoding: 'utf8', timeout: seconds(60) });
        assert.equal(run.status, 2, run.stderr);
        assert.match(run.stderr, said);
      }
    }
  });

  test('a program without a base is not served', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'vsr-lonely-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(path.join(dir, 'lonely.dsl'), routes('x'));
    const run = spawnSync(program, ['serve', '-c', 'lonely.dsl'], { cwd: dir, encoding: 'utf8', timeout: seconds(60) });
    assert.equal(run.status, 1, run.stderr);
    assert.match(run.stderr, /lonely\.dsl: error\[E_BASE\] nothing says where to listen.*--base/);
  });
});

describe('other commands', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-dsl-policies-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(path.join(dir, 'apart'));
  mkdirSync(path.join(dir, 'alone'));
  const yaml = JSON.stringify(base({ endpoint: '127.0.0.1:9' }), (key, value) => (key === 'port' ? 8801 : value), 2);
  writeFileSync(path.join(dir, 'policy.dsl'), routes('prove'));
  writeFileSync(path.join(dir, 'policy.yaml'), yaml);
  writeFileSync(path.join(dir, 'apart/base.yaml'), yaml);
  writeFileSync(path.join(dir, 'alone/policy.dsl'), routes('prove'));
  symlinkSync(path.join(dir, 'policy.dsl'), path.join(dir, 'apart/link.dsl'));
  mkdirSync(path.join(dir, 'near'));
  symlinkSync(path.join(dir, 'alone/policy.dsl'), path.join(dir, 'near/link.dsl'));
  writeFileSync(path.join(dir, 'near/link.yaml'), yaml);

  const vsr = (args, env = {}) => {
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_'));
    const run = spawnSync(program, args, { cwd: dir, env: { ...Object.fromEntries(clean), ...env }, encoding: 'utf8', timeout: seconds(60) });
    return { code: run.status, out: run.stdout, err: run.stderr };
  };

  for (const [what, args, env] of [
    ['the base beside it', ['policy.dsl']],
    ['--base', ['alone/policy.dsl', '--base', 'apart/base.yaml']],
    ['VSR_BASE', ['alone/policy.dsl'], { VSR_BASE: 'apart/base.yaml' }],
    ['a link: the base beside what it leads to', ['apart/link.dsl']],
    ['a link: the base beside the link', ['near/link.dsl']],
  ]) {
    test(`${what}: validate, print and explain`, () => {
      const valid = vsr(['validate', ...args], env);
      assert.equal(valid.code, 0, valid.err + valid.out);
      assert.match(valid.out, /models +2 on 2 endpoints, default small\n[^]*decisions +2\n/);
      const print = vsr(['config', 'print', ...args], env);
      assert.equal(print.code, 0, print.err);
      assert.match(print.out, /port: 8801/);
      assert.match(print.out, /keywords: \[prove\]/);
      const explain = vsr(['config', 'explain', 'routing.decisions[hard].priority', '-c', ...args], env);
      assert.equal(explain.code, 0, explain.err);
      assert.match(explain.out, /(policy|link)\.dsl:4:14$/m);
      assert.match(vsr(['config', 'explain', 'listeners[test].port', '-c', ...args], env).out, /= 8801 +\S*(policy|base|link)\.yaml:\d+:\d+$/m);
    });

    test(`${what}: route`, () => {
      const route = vsr(['route', '--json', '-c', ...args, 'prove it'], env);
      assert.equal(route.code, 0, route.err);
      assert.equal(JSON.parse(route.out).selected_model, 'large');
    });
  }

  test('a program of its own is a policy to evaluate', () => {
    const route = vsr(['route', '--json', '-c', 'alone/policy.dsl', 'prove it']);
    assert.equal(route.code, 0, route.err);
    assert.equal(JSON.parse(route.out).decision_result.decision_name, 'hard');
  });

  test('problems stand in the file that has them', () => {
    writeFileSync(path.join(dir, 'apart/wrong.yaml'), `${yaml.slice(0, -2)},\n"surprise": 1}\n`);
    const run = vsr(['validate', '--json', 'alone/policy.dsl', '--base', 'apart/wrong.yaml']);
    assert.equal(run.code, 1);
    const [error] = JSON.parse(run.out).errors;
    assert.deepEqual([error.code, error.path, error.line], ['E_UNKNOWN', 'surprise', yaml.split('\n').length]);
    assert.match(error.file, /apart\/wrong\.yaml$/);
    assert.match(vsr(['validate', 'alone/policy.dsl', '--base', 'apart/wrong.yaml']).out, /apart\/wrong\.yaml:\d+:1: error\[E_UNKNOWN\] surprise/);
  });

  test('a recipe of this project, as a program, passes its own probes', () => {
    const recipe = path.resolve(import.meta.dirname, '../../recipes/coding');
    const text = spawnSync(program, ['dsl', 'decompile', path.join(recipe, 'config.yaml')], { encoding: 'utf8' }).stdout;
    writeFileSync(path.join(dir, 'coding.dsl'), text);
    const run = vsr(['probe', '-c', 'coding.dsl', '--base', path.join(recipe, 'config.yaml'), recipe]);
    assert.equal(run.code, 0, run.out + run.err);
    assert.ok(readFileSync(path.join(dir, 'coding.dsl'), 'utf8').includes('ROUTE'));
  });
});
