// How many bytes make a token: learned from answers, by all workers together, over reloads, and shown as metrics.

import assert from 'node:assert/strict';

import { Backend, completion, responseBytes } from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { eventually, policy, startVsr, test } from './lib/harness.mjs';

const PROMPT = 'x'.repeat(96); // with the role 100 bytes of text

/** A backend that reports `tokens` prompt tokens. */
const reporting = (tokens) => async (exchange) => {
  const usage = { prompt_tokens: tokens, completion_tokens: 1, total_tokens: tokens + 1 };
  const body = JSON.stringify(completion('m', 'ok', { usage }));
  await exchange.write(responseBytes({ headers: { 'Content-Type': 'application/json' }, body }));
};

const document = (backend, more = {}) =>
  policy({
    default_model: 'm',
    models: { m: backend },
    signals: { context: [{ name: 'small', max_tokens: 45 }, { name: 'large', min_tokens: 46 }] },
    decisions: [
      { name: 'big_lane', priority: 5, rules: { type: 'context', name: 'large' }, modelRefs: [{ model: 'm' }] },
      { name: 'others', modelRefs: [{ model: 'm' }] },
    ],
    ...more,
  });

async function gauges(vsr) {
  const values = {};
  for (const line of (await vsr.metrics()).text().split('\n')) {
    const match = /^vsr_token_(\w+)\{category="([^"]*)"(?:,le="([^"]*)")?\} (\S+)$/.exec(line);
    if (match) values[`${match[1]} ${match[2]}${match[3] ? ` ${match[3]}` : ''}`] = Number(match[4]);
  }
  return values;
}

const learned = (vsr, category, samples) =>
  eventually(`${samples} samples of ${category}`, async () => {
    const values = await gauges(vsr);
    return values[`calibration_samples ${category}`] === samples && values;
  });

test('tokens are learned from answers', async (t) => {
  const backend = await Backend.start(t, reporting(50));
  const vsr = await startVsr(t, document(backend));
  const ask = async (prompt = PROMPT, extra = {}) => {
    const answer = await post(vsr.port, chat(prompt, extra), { 'x-vsr-debug': 'true' });
    assert.equal(answer.status, 200, answer.text());
    return answer.headers;
  };
  const count = async (...args) => Number((await ask(...args)).get('x-vsr-context-token-count'));

  assert.equal((await learned(vsr, '_default', 0))['calibration_ratio _default'], 4);
  for (let i = 0; i < 9; i++) assert.equal(await count(), 29, `answer ${i}: 100 bytes by 4, and framing`);
  // These teach nothing: tools, images, structured content, and an answer of a model that was named.
  await ask(PROMPT, { tools: [{ type: 'function', function: { name: 'f' } }] });
  await ask(PROMPT, { response_format: { type: 'json_object' } });
  await ask([{ type: 'text', text: PROMPT }, { type: 'image_url', image_url: { url: 'https://x.test/a.png' } }]);
  let values = await learned(vsr, '_default', 9);
  assert.equal(values['calibration_samples small'], 9);
  assert.equal(values['calibration_ratio _default'], 2, '100 bytes in 50 tokens');
  assert.equal(values['estimation_error_pct_bucket _default -50'], 9, '25 estimated, 50 reported');
  assert.equal(values['estimation_error_pct_bucket small -30'], 9);

  assert.equal(await count(), 29, 'the tenth answer has not come yet');
  await learned(vsr, '_default', 10);
  const headers = await ask();
  assert.equal(headers.get('x-vsr-context-token-count'), '48', '96 bytes by 2');
  assert.equal(headers.get('x-vsr-selected-decision'), 'big_lane');
  values = await learned(vsr, 'large', 1);
  assert.equal(values['estimation_error_pct_bucket large -5'], 0, 'exact: 100 bytes by 2');
  assert.equal(values['estimation_error_pct_bucket large 0'], 1);

  // A reload keeps what was learned.
  const from = vsr.log.length;
  vsr.write(document(backend, { default_model: 'm' }));
  vsr.signal('SIGHUP');
  await vsr.says(/configuration reloaded/, from);
  assert.equal(await count(), 48);
});

test('categories are bounded', async (t) => {
  const backend = await Backend.start(t, reporting(50));
  const n = 300;
  const key = (i) => `lane_${i}`;
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'm',
      models: { m: backend },
      signals: {
        metadata: Array.from({ length: n }, (_, i) => ({ name: key(i), key: 'lane', predicate: { equals: key(i) } })),
      },
      decisions: Array.from({ length: n }, (_, i) => ({
        name: key(i),
        priority: n - i,
        rules: { type: 'metadata', name: key(i) },
        modelRefs: [{ model: 'm' }],
      })),
    }),
  );
  for (let i = 0; i < n; i++) {
    const answer = await post(vsr.port, chat(PROMPT, { metadata: { lane: key(i) } }));
    assert.equal(answer.headers.get('x-vsr-selected-decision'), key(i));
  }
  const values = await learned(vsr, '_default', n);
  const names = Object.keys(values).filter((name) => /^calibration_samples lane_/.test(name));
  assert.equal(names.length, 256);
  assert.equal(values['estimation_error_pct_count _default'], n);
  // Which ones is up to the workers: an answer is recorded after it was sent, and there are two of them.
  const errors = Object.entries(values).filter(([name]) => /^estimation_error_pct_count lane_/.test(name));
  const lanes = (list) => list.map((name) => name.split(' ')[1]).sort();
  assert.deepEqual(lanes(errors.map(([name]) => name)), lanes(names));
  assert.ok(errors.every(([, count]) => count === 1));
});
