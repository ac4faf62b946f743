// Reasoning switched on and off in each dialect that a backend may speak.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { Backend } from './lib/backend.mjs';
import { post } from './lib/http.mjs';
import { lane, policy, test, Vsr } from './lib/harness.mjs';

describe('reasoning', () => {
  // One model per family and per kind of endpoint; a lane for each, with reasoning on and off.
  const families = {
    qwen: { type: 'chat_template_kwargs', parameter: 'enable_thinking' },
    oss: { type: 'reasoning_effort', parameter: 'reasoning_effort' },
    mistral: { type: 'top_level_reasoning_effort', parameter: 'reasoning_effort' },
  };
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    const models = { none: backend };
    const signals = { keywords: [{ name: 'none_on', operator: 'OR', keywords: ['none on'] }] };
    const on = (model, effort) => ({ model, use_reasoning: true, ...(effort ? { reasoning_effort: effort } : {}) });
    const decisions = [lane('none_on', 'keyword', 'none_on', 'none', { modelRefs: [on('none')] })];
    for (const family of Object.keys(families)) {
      for (const [kind, ref] of [
        ['vllm', backend],
        ['generic', { base_url: `http://${backend.address}/v1`, provider: 'openai' }],
      ]) {
        const name = `${family}-${kind}`;
        models[name] = { reasoning_family: family, backend_refs: [ref] };
        for (const [mode, modelRef] of [
          ['on', on(name)],
          ['high', on(name, 'high')],
          ['off', { model: name, use_reasoning: false }],
        ]) {
          const words = `${family} ${kind} ${mode}`;
          signals.keywords.push({ name: words, operator: 'OR', keywords: [words] });
          decisions.push(lane(words, 'keyword', words, name, { modelRefs: [modelRef] }));
        }
      }
    }
    vsr = await Vsr.start(policy({ default_model: 'none', families, effort: 'low', models, signals, decisions }));
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const route = async (words, extra = '') => {
    const body = `{"model":"auto","messages":[{"role":"user","content":"${words}"}],"seed":1.0${extra}}`;
    const answer = await post(vsr.port, body, { 'x-vsr-debug': 'true' });
    assert.equal(answer.status, 200, answer.text());
    if (/^(qwen|oss|mistral)/.test(words)) {
      assert.equal(answer.headers.get('x-vsr-selected-reasoning'), / (on|high)$/.test(words) ? 'on' : 'off', words);
    }
    const sent = backend.last.text();
    assert.ok(sent.includes('"seed":1.0'), sent);
    const { model, messages, seed, ...rest } = JSON.parse(sent);
    return { rest, sent };
  };

  const kwargs = (value) => ({ chat_template_kwargs: value });
  const table = [
    ['qwen', 'on', '', kwargs({ enable_thinking: true })],
    ['qwen', 'off', '', kwargs({ enable_thinking: false })],
    [
      'qwen',
      'on',
      ',"chat_template_kwargs":{"a":1.0,"enable_thinking":false}',
      kwargs({ a: 1, enable_thinking: true }),
    ],
    ['qwen', 'on', ',"reasoning_effort":"high"', kwargs({ enable_thinking: true })],
    ['oss', 'on', '', kwargs({ reasoning_effort: 'low' })],
    ['oss', 'high', '', kwargs({ reasoning_effort: 'high' })],
    ['oss', 'off', '', kwargs({ reasoning_effort: 'low' })],
    ['oss', 'off', ',"reasoning_effort":"medium"', kwargs({ reasoning_effort: 'medium' })],
    [
      'oss',
      'high',
      ',"chat_template_kwargs":{"a":1.0},"reasoning_effort":"medium"',
      kwargs({ a: 1, reasoning_effort: 'high' }),
    ],
    ['mistral', 'on', '', { reasoning_effort: 'low' }],
    ['mistral', 'high', ',"reasoning_effort":"none"', { reasoning_effort: 'high' }],
    ['mistral', 'high', ',"chat_template_kwargs":{"reasoning_effort":"x"}', { reasoning_effort: 'high' }],
    ['mistral', 'off', '', {}],
    ['mistral', 'off', ',"reasoning_effort":"none"', { reasoning_effort: 'none' }],
  ];
  for (const kind of ['vllm', 'generic']) {
    for (const [family, mode, extra, expected] of table) {
      test(`${family} on a ${kind} endpoint, ${mode}${extra && `, client sends ${extra.slice(1)}`}`, async () => {
        const { rest, sent } = await route(`${family} ${kind} ${mode}`, extra);
        assert.deepEqual(rest, expected);
        if (extra.includes('"a":1.0')) assert.ok(sent.includes('"a":1.0'), sent);
      });
    }
  }

  test("without a family the client's effort stays", async () => {
    assert.deepEqual((await route('none on', ',"reasoning_effort":"high"')).rest, { reasoning_effort: 'high' });
    assert.deepEqual((await route('hello', ',"reasoning_effort":"high"')).rest, { reasoning_effort: 'high' });
  });

  test('without a decision nothing is touched', async () => {
    const body =
      '{"model":"qwen-vllm","messages":[{"role":"user","content":"qwen vllm on"}],"reasoning_effort":"high"}';
    assert.equal((await post(vsr.port, body)).status, 200);
    assert.equal(backend.last.text(), body);
  });
});
