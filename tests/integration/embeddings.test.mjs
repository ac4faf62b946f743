// /v1/embeddings: the built-in embedder as a model, and backends that have their own.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import { assertError } from './lib/asserts.mjs';
import { Backend, jsonAnswer } from './lib/backend.mjs';
import { chat, get, post, request } from './lib/http.mjs';
import { otherwise, policy, program, startVsr, test, Vsr } from './lib/harness.mjs';

const model = 'builtin/embedding';
const texts = ['a cat on a mat', 'Stock prices fell.', 'ein Wörterbuch 🌍', 'a cat on a mat'];

describe('embeddings', () => {
  let backend, vsr, client;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(
      policy({ default_model: 'small', models: { small: backend }, decisions: [otherwise('small')] }),
    );
    client = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const ask = (body, headers) => request(vsr.port, { path: '/v1/embeddings', body, headers });

  test('the same vectors as the command', async () => {
    const run = spawnSync(program, ['model', 'embed', model, ...texts, '--json'], { encoding: 'utf8' });
    const wanted = JSON.parse(run.stdout);
    const answer = await client.embeddings.create({ model, input: texts, encoding_format: 'float' });
    assert.equal(answer.data.length, texts.length);
    for (const [i, one] of answer.data.entries()) {
      assert.equal(one.index, i);
      assert.deepEqual(one.embedding, wanted[i].embedding);
    }
    assert.equal(answer.usage.prompt_tokens, wanted.reduce((sum, one) => sum + one.tokens, 0));
    assert.equal(answer.model, model);
  });

  test('base64, as the official client asks by itself', async () => {
    const [floats, packed] = await Promise.all([
      client.embeddings.create({ model, input: texts[0], encoding_format: 'float' }),
      client.embeddings.create({ model, input: texts[0] }),
    ]);
    assert.deepEqual([...packed.data[0].embedding], floats.data[0].embedding);
    assert.equal(typeof (await ask({ model, input: 'x', encoding_format: 'base64' })).json().data[0].embedding, 'string');
  });

  test('fewer dimensions are the first ones, of length 1 again', async () => {
    const whole = (await client.embeddings.create({ model, input: texts[1], encoding_format: 'float' })).data[0].embedding;
    const cut = (await client.embeddings.create({ model, input: texts[1], dimensions: 64, encoding_format: 'float' }))
      .data[0].embedding;
    assert.equal(cut.length, 64);
    const norm = Math.hypot(...whole.slice(0, 64));
    for (let i = 0; i < 64; i++) assert.ok(Math.abs(cut[i] - whole[i] / norm) < 1e-6);
    assertError(await ask({ model, input: 'x', dimensions: whole.length + 1 }), 400, { type: 'invalid_request_error' });
  });

  test('what cannot be embedded is said', async () => {
    for (const [body, message] of [
      [{ model }, 'input field is required'],
      [{ model, input: '' }, 'input must not be an empty string'],
      [{ model, input: [[1, 2, 3]] }, 'input must be text'],
      [{ model, input: [1, 2, 3] }, 'input must be text'],
      [{ model, input: 'x', encoding_format: 'hex' }, 'encoding_format must be'],
      [{ model, input: 'word '.repeat(4000) }, 'input 0 is longer than the 2048 tokens'],
      [{ input: 'x' }, 'model field is required'],
    ]) {
      assertError(await ask(body), 400, { message, type: 'invalid_request_error' });
    }
    for (const [name, why] of [
      ['auto', ' here: it routes conversations; name a model that makes embeddings, such as builtin/embedding'],
      ['builtin/domain', ' here: the built-in model for embeddings is builtin/embedding'],
      ['builtin/embeding', ' here: the built-in model for embeddings is builtin/embedding'],
      ['nobody', ''],
    ]) {
      const message = `model "${name}" is not available${why}`;
      assertError(await ask({ model: name, input: 'x' }), 404, { code: 'model_not_found', message, what: name });
    }
    assertError(await request(vsr.port, { method: 'GET', path: '/v1/embeddings' }), 405, {});
  });

  test('a long list does not hold up others', async () => {
    const list = Array.from({ length: 2048 }, (_, i) => `text number ${i} `.repeat(8));
    let done = false;
    const long = ask({ model, input: list, encoding_format: 'base64' }).finally(() => (done = true));
    let n = 0;
    while (!done) {
      assert.equal((await get(vsr.port, '/health')).status, 200);
      n += 1;
    }
    const answer = await long;
    assert.equal(answer.status, 200, answer.text().slice(0, 300));
    assert.equal(answer.json().data.length, 2048);
    assert.ok(n > 2, `${n} answers meanwhile`);
  });

  test("a backend's model: everything passes through, the name is the backend's", async () => {
    const given = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }], model: 'x', usage: {} };
    backend.behaviour = jsonAnswer(JSON.stringify(given));
    backend.forget();
    const answer = await ask({ model: 'small', input: [[1, 2]], more: { a: 1.0 } });
    assert.equal(answer.status, 200, answer.text());
    assert.deepEqual(answer.json(), given);
    assert.equal(backend.last.path, '/v1/embeddings');
    assert.deepEqual(backend.last.json(), { model: 'small', input: [[1, 2]], more: { a: 1.0 } });
  });

  test('it counts for rate limits, to the token', async (t) => {
    const rules = [{ name: 'r', tokens_per_unit: 100, unit: 'month' }];
    const limited = await startVsr(
      t,
      policy({
        models: { small: backend },
        default_model: 'small',
        global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } },
      }),
    );
    const once = () => request(limited.port, { path: '/v1/embeddings', body: { model, input: 'one two three four' } });
    const { usage } = (await once()).json();
    const second = await once();
    // What is left is what the first took, and the estimate of the second.
    const estimate = Math.ceil('one two three four'.length / 4);
    assert.equal(Number(second.headers.get('x-ratelimit-remaining')), 100 - usage.total_tokens - estimate);
    const third = await once();
    assert.equal(Number(third.headers.get('x-ratelimit-remaining')), 100 - 2 * usage.total_tokens - estimate);
    assert.equal((await post(limited.port, chat('hi', { model: 'small' }))).status, 200);
  });
});
