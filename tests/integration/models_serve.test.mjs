// Models of a serving process: which ones a policy needs, what is said of them, what a reload does to them.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually, freePort, lane, otherwise, policy, startVsr, test } from './lib/harness.mjs';
import { request } from './lib/http.mjs';

const fixtures = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../fixtures/nn');

const document = ({ inference = {}, domain = {}, feedback = true, ...more } = {}) =>
  policy({
    default_model: 'small',
    models: { small: { endpoint: '127.0.0.1:1' }, big: { endpoint: '127.0.0.1:1' } },
    signals: {
      domains: [{ name: 'math' }],
      user_feedbacks: [{ name: 'wrong_answer' }],
      fact_check: [{ name: 'needs_fact_check' }], // used by no decision
    },
    decisions: [
      lane('sums', 'domain', 'math', 'big', { priority: 200 }),
      ...(feedback ? [lane('again', 'user_feedback', 'wrong_answer', 'big')] : []),
      otherwise('small'),
    ],
    global: {
      model_catalog: {
        inference: { threads: 2, precision: 'f32', ...inference },
        modules: {
          classifier: { domain: { enabled: true, model_id: 'models/subjects', ...domain } },
          feedback_detector: { enabled: true, model_id: 'models/feelings' },
        },
      },
    },
    ...more,
  });

/** Until nothing in `check` fails any more; its result. */
const until = (check) =>
  eventually('it', async () => {
    try {
      return { value: await check() };
    } catch (error) {
      if (error.code !== 'ERR_ASSERTION') throw error;
      until.last = error;
      return null;
    }
  }).then(
    ({ value }) => value,
    (error) => Promise.reject(until.last ?? error),
  );

function modelsDir(t, links) {
  const dir = mkdtempSync(path.join(tmpdir(), 'vsr-models-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, of] of Object.entries(links)) symlinkSync(path.join(fixtures, of), path.join(dir, name));
  return dir;
}

async function start(t, doc, dir, options = {}) {
  const port = await freePort();
  const vsr = await startVsr(t, doc, { args: ['--management-listen', `127.0.0.1:${port}`, '--models-dir', dir], ...options });
  const get = async (target) => {
    const answer = await request(port, { method: 'GET', path: target });
    return { status: answer.status, text: answer.text(), json: () => JSON.parse(answer.text()) };
  };
  const info = async () => (await get('/info/models')).json();
  const settled = () =>
    until(async () => {
      const all = await info();
      assert.ok(!['initializing_models', 'checking'].includes(all.summary.phase), all.summary.phase);
      return all;
    });
  return { vsr, get, info, settled };
}

const byName = ({ models }) => Object.fromEntries(models.map((model) => [model.name, model]));

test('what decisions need is loaded, what they do not is not', async (t) => {
  const { get, settled } = await start(t, document(), modelsDir(t, { subjects: 'bert-sequence', feelings: 'bert-token' }));
  const all = await settled();
  const models = byName(all);
  assert.deepEqual(Object.keys(models).sort(), ['models/feelings', 'models/subjects']);
  assert.deepEqual(
    [all.summary.ready, all.summary.phase, all.summary.loaded_models, all.summary.total_models, all.summary.pending_models],
    [true, 'ready', 2, 2, []],
  );
  const subjects = models['models/subjects'];
  assert.deepEqual([subjects.type, subjects.loaded, subjects.state, subjects.mandatory], ['domain-classification', true, 'ready', false]);
  assert.deepEqual(subjects.categories, ['benign', 'jailbreak', 'other']);
  assert.deepEqual([subjects.metadata.task, subjects.metadata.architecture, subjects.metadata.precision], ['classify', 'bert', 'f32']);
  assert.ok(subjects.memory_usage_bytes > 0 && subjects.metadata.self_test_us > 0);
  assert.match(subjects.resolved_model_path, /\/subjects$/);
  assert.equal(models['models/feelings'].metadata.task, 'tag');
  const ready = await get('/ready');
  assert.equal(ready.status, 200);
  assert.deepEqual([ready.json().phase, ready.json().ready_models, ready.json().status], ['ready', 2, 'ready']);
  await until(async () => {
    const { text } = await get('/metrics');
    assert.match(text, /^vsr_models\{state="ready"\} 2$/m);
    assert.match(text, /^vsr_model_loads_total 2$/m);
    assert.match(text, /^vsr_models_bytes [1-9]/m);
    assert.match(text, /^vsr_inference_inputs_total\{outcome="run"\} 4$/m, 'self-tests');
    assert.match(text, /^vsr_inference_batch_size_count [1-9]/m);
    assert.match(text, /^vsr_inference_queue_seconds_count 4$/m);
    assert.match(text, /^vsr_inference_seconds_count\{model="models\/subjects"\} [12]$/m);
    assert.match(text, /^vsr_inference_queue_depth 0$/m);
  });
});

test('a model that is not there: where it was looked for, how to get it, and everything else goes on', async (t) => {
  const doc = document({ domain: { model_id: 'models/mmbert32k-intent-classifier-merged' } });
  const { get, settled, vsr } = await start(t, doc, modelsDir(t, { feelings: 'bert-token' }));
  const all = await settled();
  const subjects = byName(all)['models/mmbert32k-intent-classifier-merged'];
  assert.deepEqual([subjects.loaded, subjects.state], [false, 'absent']);
  assert.match(subjects.message, /mmbert32k-intent-classifier-merged.*vsr model pull/);
  assert.equal(subjects.registry.num_classes, 14);
  assert.equal(byName(all)['models/feelings'].state, 'ready');
  assert.equal((await get('/ready')).status, 200);
  assert.match(vsr.log, /model unavailable.*absent/);
});

test('a mandatory model is waited for', async (t) => {
  const doc = document({ inference: { models: [{ model: 'subjects', mandatory: true }] } });
  const dir = modelsDir(t, { feelings: 'bert-token' });
  const { get, vsr, settled } = await start(t, doc, dir, { ready: false });
  const data = async () => {
    const answer = await request(vsr.port, { method: 'GET', path: '/ready' });
    return [answer.status, answer.text()];
  };
  await until(async () => assert.deepEqual(await data().catch(({ message }) => assert.fail(message)), [503, 'starting\n']));
  assert.equal((await settled()).summary.message, 'models/subjects');
  const before = await get('/ready');
  assert.deepEqual([before.status, before.json().status, before.json().phase], [503, 'starting', 'failed']);
  symlinkSync(path.join(fixtures, 'bert-sequence'), path.join(dir, 'subjects'));
  vsr.signal('SIGHUP');
  await until(async () => assert.equal((await get('/ready')).status, 200));
  assert.deepEqual(await data(), [200, 'ready\n']);
});

test('a reload keeps what did not change, replaces what did, and forgets what is not needed', async (t) => {
  const dir = modelsDir(t, { subjects: 'bert-sequence', feelings: 'bert-token' });
  const { vsr, get, settled, info } = await start(t, document(), dir);
  const loads = async () => Number(/^vsr_model_loads_total (\d+)$/m.exec((await get('/metrics')).text)?.[1]);
  await settled();
  await until(async () => assert.equal(await loads(), 2));
  vsr.write(document({ inference: { models: [{ model: 'models/subjects', precision: 'int8' }] } }));
  await until(async () => assert.equal(byName(await info())['models/subjects'].metadata.precision, 'int8'));
  await until(async () => assert.equal(await loads(), 3));
  vsr.write(document({ inference: { models: [{ model: 'models/subjects', precision: 'int8' }] }, feedback: false }));
  await until(async () => assert.deepEqual(Object.keys(byName(await info())), ['models/subjects']));
  assert.equal(await loads(), 3);
  cpSync(path.join(fixtures, 'bert-token'), path.join(dir, 'new'), { recursive: true });
  rmSync(path.join(dir, 'subjects'));
  renameSync(path.join(dir, 'new'), path.join(dir, 'subjects'));
  vsr.signal('SIGHUP');
  await until(async () => assert.equal(byName(await info())['models/subjects'].metadata.task, 'tag'));
});

test('lazy models wait; a policy without any has none', async (t) => {
  const dir = modelsDir(t, { subjects: 'bert-sequence', feelings: 'bert-token' });
  const lazy = await start(t, document({ inference: { load: 'lazy' } }), dir);
  const all = await lazy.settled();
  assert.deepEqual(all.models.map(({ state }) => state), ['waiting', 'waiting']);
  assert.equal((await lazy.get('/ready')).status, 200);
  const none = await start(t, policy({ default_model: 'small', models: { small: { endpoint: '127.0.0.1:1' } }, decisions: [otherwise('small')] }), dir);
  const { models, summary } = await none.info();
  assert.deepEqual([models, summary.phase, summary.ready], [[], 'skipped', true]);
  assert.doesNotMatch((await none.get('/metrics')).text, /vsr_inference/);
});
