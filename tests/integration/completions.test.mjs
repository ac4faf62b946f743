// Legacy completions through vsr: the prompt decides the route, the body goes on as it was written.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import { assertError } from './lib/asserts.mjs';
import { Backend, chunk, jsonAnswer, responseBytes, sendAndClose, sseHead } from './lib/backend.mjs';
import { request } from './lib/http.mjs';
import { eventually, lane, otherwise, policy, test, Vsr } from './lib/harness.mjs';

const object = (model, choice, extra = {}) => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1700000000,
  model,
  choices: [{ index: 0, logprobs: null, finish_reason: null, ...choice }],
  ...extra,
});

/** A server of legacy completions that says which model was asked. */
const answer = async (exchange) => {
  const body = exchange.request.json();
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (!body.stream) {
    const whole = object(body.model, { text: `model=${body.model}`, finish_reason: 'stop' }, { usage });
    await exchange.write(
      responseBytes({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(whole) }),
    );
    return;
  }
  await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
  const send = (value) => exchange.write(chunk(`data: ${JSON.stringify(value)}\n\n`));
  await send(object(body.model, { text: 'Hel' }));
  await send(object(body.model, { text: 'lo', finish_reason: 'stop' }));
  if (body.stream_options?.include_usage) await send({ ...object(body.model, {}), choices: [], usage });
  await exchange.write(chunk('data: [DONE]\n\n'));
  await exchange.write('0\r\n\r\n');
};

describe('completions', () => {
  let backend, anthropic, vsr, client;
  before(async () => {
    backend = await Backend.start(null, answer);
    anthropic = await Backend.start();
    vsr = await Vsr.start(
      policy({
        default_model: 'small',
        models: {
          small: { provider_model_id: 'prov/small', backend_refs: [backend] },
          coder: { provider_model_id: 'prov/coder', backend_refs: [backend] },
          claude: { api_format: 'anthropic', backend_refs: [anthropic] },
        },
        signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['segfault'] }] },
        decisions: [lane('coding', 'keyword', 'code', 'coder'), otherwise('small')],
      }),
    );
    client = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'k', maxRetries: 0 });
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
    await anthropic?.close();
  });

  for (const [prompt, model] of [
    ['why a segfault', 'prov/coder'],
    [['tell me', 'about a segfault'], 'prov/coder'],
    ['hello', 'prov/small'],
    [[1, 2, 3], 'prov/small'],
  ]) {
    test(`the prompt decides: ${JSON.stringify(prompt)}`, async () => {
      const said = await client.completions.create({ model: 'auto', prompt, max_tokens: 5, suffix: 'x' });
      assert.equal(said.choices[0].text, `model=${model}`);
      assert.equal(backend.last.path, '/v1/completions');
      assert.deepEqual(backend.last.json(), { model, prompt, max_tokens: 5, suffix: 'x' });
    });
  }

  test('bytes that vsr does not understand stay as they are', async () => {
    const body = '{ "model":"small",  "prompt" : "a\\u0062c", "x":1e400, "n": 12345678901234567890 }';
    const { status } = await request(vsr.port, { path: '/v1/completions', body });
    assert.equal(status, 200);
    assert.equal(backend.last.text(), body.replace('"small"', '"prov/small"'));
  });

  test('a stream, with usage counted and not shown', async () => {
    const counted = async () => {
      const page = (await vsr.metrics()).text();
      return Number(/^llm_model_completion_tokens_total\{model="small"\} (\d+)$/m.exec(page)?.[1] ?? 0);
    };
    const before = await counted();
    const stream = await client.completions.create({ model: 'small', prompt: 'x', stream: true });
    let text = '';
    for await (const event of stream) {
      assert.equal(event.choices.length, 1);
      text += event.choices[0].text;
    }
    assert.equal(text, 'Hello');
    assert.deepEqual(backend.last.json().stream_options, { include_usage: true });
    await eventually('usage', async () => (await counted()) === before + 2);
  });

  test('a stream that is cut ends in an error', async () => {
    backend.behaviour = sendAndClose(
      Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), chunk(`data: ${JSON.stringify(object('m', { text: 'a' }))}\n\n`)]),
    );
    const stream = await client.completions.create({ model: 'small', prompt: 'x', stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream);
    });
    backend.behaviour = answer;
  });

  test('errors', async () => {
    const ask = (body) => request(vsr.port, { path: '/v1/completions', body });
    assertError(await ask('{"model":"small"}'), 400, { message: 'prompt field is required' });
    assertError(await ask('{"prompt":"x"}'), 400, { message: 'model field is required' });
    assertError(await ask('{"model":"nobody","prompt":"x"}'), 404, { code: 'model_not_found' });
    assertError(await ask('{'), 400, { message: 'malformed JSON body' });
    backend.behaviour = jsonAnswer('{"error":{"message":"m","code":"c"}}', { status: 422, reason: 'No' });
    const refused = await ask('{"model":"small","prompt":"x"}');
    assert.equal(refused.status, 422);
    assert.equal(refused.text(), '{"error":{"message":"m","code":"c"}}');
    backend.behaviour = answer;
  });

  test('a backend without completions is not asked', async () => {
    const refused = await request(vsr.port, { path: '/v1/completions', body: '{"model":"claude","prompt":"x"}' });
    assertError(refused, 400, { code: 'unsupported_endpoint' });
    assert.equal(anthropic.requests.length, 0);
  });
});
