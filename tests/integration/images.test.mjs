// Pictures: by the modality signal in place of text or beside it, and directly.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import { assertError } from './lib/asserts.mjs';
import { Backend, completion, hang, jsonAnswer, openaiAnswer } from './lib/backend.mjs';
import { chat, Conn, parseSse, post, request, requestBytes } from './lib/http.mjs';
import { eventually, lane, otherwise, policy, startVsr, test } from './lib/harness.mjs';

const url = 'data:image/png;base64,iVBORw0KGgo=';
const omniAnswer = (text) =>
  jsonAnswer(
    JSON.stringify(
      completion('x', [...(text ? [{ type: 'text', text }] : []), { type: 'image_url', image_url: { url } }]),
    ),
  );
const detector = {
  enabled: true,
  method: 'keyword',
  keywords: ['draw', 'picture'],
  both_keywords: ['explain'],
  prompt_prefixes: ['draw me'],
};

describe('images', () => {
  let text, painter;
  before(async () => {
    text = await Backend.start();
    painter = await Backend.start();
  });
  after(async () => {
    await text?.close();
    await painter?.close();
  });

  const start = (t, { refs = ['writer', 'painter'], plugins, painterModel, kinds = ['DIFFUSION', 'BOTH'], more = {} } = {}) =>
    startVsr(
      t,
      policy({
        default_model: 'writer',
        models: { writer: text, painter: painterModel ?? painter, ...more.models },
        cards: { painter: { modality: more.modality ?? 'diffusion' } },
        signals: { modality: kinds.map((name) => ({ name })) },
        decisions: [
          ...kinds.map((name) =>
            lane(name.toLowerCase(), 'modality', name, 'writer', { modelRefs: refs.map((model) => ({ model })), plugins }),
          ),
          otherwise('writer'),
        ],
        global: { model_catalog: { modules: { modality_detector: detector } }, ...more.global },
      }),
    );
  const ask = (vsr, content, extra) => post(vsr.port, chat(content, extra));

  test('a picture in place of text', async (t) => {
    const vsr = await start(t);
    painter.behaviour = omniAnswer();
    text.forget();
    painter.forget();
    const answer = await ask(vsr, 'Draw me a cat on a mat');
    assert.equal(answer.status, 200, answer.text());
    const body = answer.json();
    assert.deepEqual(body.choices[0].message.content, [{ type: 'image_url', image_url: { url } }]);
    assert.equal(body.object, 'chat.completion');
    assert.equal(body.choices[0].finish_reason, 'stop');
    assert.equal(answer.headers.get('x-vsr-response-path'), 'image_generation');
    assert.equal(answer.headers.get('x-vsr-selected-modality'), 'DIFFUSION;keyword');
    assert.equal(answer.headers.get('x-vsr-selected-model'), 'painter');
    assert.equal(text.requests.length, 0);
    assert.equal(painter.last.path, '/v1/chat/completions');
    assert.deepEqual(painter.last.json(), {
      messages: [{ role: 'user', content: 'a cat on a mat' }],
      model: 'painter',
      extra_body: { width: 1024, height: 1024, num_inference_steps: 50, true_cfg_scale: 4 },
    });
    assert.match((await vsr.metrics()).text(), /^image_gen_requests_total\{backend="vllm_omni",status="success"\} 1$/m);
  });

  test('text goes on as text', async (t) => {
    const vsr = await start(t);
    text.behaviour = openaiAnswer();
    const answer = await ask(vsr, 'How do cats sleep?');
    assert.equal(answer.json().choices[0].message.content, 'model=writer');
    assert.equal(answer.headers.get('x-vsr-response-path'), 'upstream');
  });

  test('streamed: one delta with all of it, a finish, an end', async (t) => {
    const vsr = await start(t);
    painter.behaviour = omniAnswer();
    const answer = await ask(vsr, 'draw a cat', { stream: true });
    assert.match(answer.headers.get('content-type'), /^text\/event-stream/);
    const { events } = parseSse(answer.text());
    assert.equal(events.at(-1).data, '[DONE]');
    const chunks = events.slice(0, -1).map(({ data }) => JSON.parse(data));
    assert.deepEqual(chunks[0].choices[0].delta.content, [{ type: 'image_url', image_url: { url } }]);
    assert.equal(chunks[1].choices[0].finish_reason, 'stop');
  });

  test('both: text and picture at the same time, the text without tools', async (t) => {
    const vsr = await start(t);
    let under = 0;
    let most = 0;
    const together = (answer) => async (exchange) => {
      under += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 50));
      under -= 1;
      await answer(exchange);
    };
    text.behaviour = together(openaiAnswer());
    painter.behaviour = together(omniAnswer());
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const answer = await ask(vsr, 'Explain how cats sleep, with a picture', { tools, tool_choice: 'auto', seed: 7 });
    assert.equal(answer.status, 200, answer.text());
    assert.deepEqual(answer.json().choices[0].message.content, [
      { type: 'text', text: 'model=writer' },
      { type: 'image_url', image_url: { url } },
    ]);
    assert.equal(most, 2);
    assert.equal(text.last.json().tools, undefined);
    assert.equal(text.last.json().tool_choice, undefined);
    assert.equal(text.last.json().seed, 7);
    assert.deepEqual(answer.json().usage, { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
    assert.equal(answer.headers.get('x-vsr-selected-modality'), 'BOTH;keyword');
  });

  test('both: who does not speak chat is not asked for the text', async (t) => {
    const claude = await Backend.start(t);
    painter.behaviour = omniAnswer();
    text.behaviour = openaiAnswer();
    for (const [refs, wanted] of [[['claude', 'painter'], undefined], [['claude', 'painter', 'writer'], 'model=writer']]) {
      const vsr = await start(t, { refs, more: { models: { claude: { api_format: 'anthropic', backend_refs: [claude] } } } });
      const answer = await ask(vsr, 'Explain the picture');
      assert.equal(answer.status, 200, answer.text());
      assert.equal(answer.json().choices[0].message.content.find(({ type }) => type === 'text')?.text, wanted);
    }
    assert.equal(claude.requests.length, 0);
  });

  test('both: each side is counted by its own model', async (t) => {
    const vsr = await start(t, {
      more: { global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules: [{ name: 'r', tokens_per_unit: 1000, unit: 'day' }] }] } } } },
    });
    painter.behaviour = omniAnswer();
    text.behaviour = openaiAnswer();
    assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    const page = (await vsr.metrics()).text();
    for (const model of ['writer', 'painter'])
      assert.match(page, new RegExp(`^llm_model_completion_tokens_total\\{model="${model}"\\} 7$`, 'm'));
    const next = await ask(vsr, 'Draw a cat');
    const taken = 1000 - Number(next.headers.get('x-ratelimit-remaining'));
    assert.ok(taken >= 36 && taken < 50, `18 of each, and a prompt: ${taken}`);
    text.behaviour = jsonAnswer('{"error":{"message":"no"}}', { status: 500, reason: 'No' });
    const picture = await ask(vsr, 'Explain the picture');
    assert.equal(picture.headers.get('x-vsr-selected-model'), 'painter', 'who alone has answered');
  });

  test('both: who is asked is counted, whatever comes of it', async (t) => {
    const vsr = await start(t);
    const asked = async () => {
      const page = (await vsr.metrics()).text();
      return ['writer', 'painter'].map((model) => Number(page.match(new RegExp(`^llm_model_requests_total\\{model="${model}"\\} (\\d+)$`, 'm'))?.[1] ?? 0));
    };
    const image = [{ type: 'image_url', image_url: { url } }];
    const broken = jsonAnswer('{"error":{"message":"no"}}', { status: 500, reason: 'No' });
    text.behaviour = openaiAnswer();
    painter.behaviour = jsonAnswer(JSON.stringify(completion('x', image, { usage: undefined })));
    assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    assert.deepEqual(await asked(), [1, 1], 'a picture of which no usage is known');
    painter.behaviour = broken;
    assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    assert.deepEqual(await asked(), [2, 2], 'no picture');
    [text.behaviour, painter.behaviour] = [broken, omniAnswer()];
    assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    assert.deepEqual(await asked(), [3, 3], 'no text');
    painter.behaviour = broken;
    assert.equal((await ask(vsr, 'Explain the picture')).status, 503);
    assert.deepEqual(await asked(), [4, 4], 'neither');
    painter.behaviour = omniAnswer();
    assert.equal((await ask(vsr, 'Draw a cat')).status, 200);
    assert.deepEqual(await asked(), [4, 5], 'a picture alone');
  });

  test('both: each model has its own budgets, and its own price', async (t) => {
    const priced = (currency) => ({ pricing: { currency, prompt_per_1m: 1000, completion_per_1m: 1000 } });
    const rules = [
      { name: 'writer', tokens_per_unit: 1000, unit: 'day', match: { model: 'writer' } },
      { name: 'painter', requests_per_unit: 4, cost_per_unit: 0.4, currency: 'EUR', unit: 'day', match: { model: 'painter' } },
      { name: 'all', tokens_per_unit: 5000, unit: 'day' },
      { name: 'money', cost_per_unit: 0.2, currency: 'USD', unit: 'day' },
    ];
    const vsr = await start(t, {
      more: {
        models: {
          writer: { ...priced('USD'), backend_refs: [text] },
          painter: { ...priced('EUR'), backend_refs: [painter] },
        },
        global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } },
      },
    });
    const says = (prompt_tokens, completion_tokens) => ({ usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } });
    text.behaviour = jsonAnswer(JSON.stringify(completion('x', 'words', says(20, 30))));
    painter.behaviour = jsonAnswer(JSON.stringify(completion('x', [{ type: 'image_url', image_url: { url } }], says(40, 60))));
    const left = async () => Number((await ask(vsr, 'How do cats sleep?')).headers.get('x-ratelimit-remaining'));
    for (let i = 0; i < 3; i++) assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    const writer = 1000 - (await left());
    assert.ok(writer >= 150 && writer < 170, `three times 50 and a prompt, nothing of the painter's: ${writer}`);
    text.forget();
    painter.forget();
    const fourth = await ask(vsr, 'Explain the picture');
    assert.equal(fourth.status, 429, 'four answers of 0.05 USD; the 0.3 EUR of the painter are within its own budget');
    assert.equal(painter.requests.length + text.requests.length, 0);
  });

  test("both: the painter's budget is asked for, too, and a refusal takes nothing of the writer's", async (t) => {
    const rules = [
      { name: 'painter', requests_per_unit: 1, unit: 'day', match: { model: 'painter' } },
      { name: 'each', requests_per_unit: 10, unit: 'day' },
      { name: 'auto', requests_per_unit: 5, unit: 'day', match: { model: 'auto' } },
    ];
    const vsr = await start(t, {
      more: { global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } } },
    });
    painter.behaviour = omniAnswer();
    text.behaviour = openaiAnswer();
    assert.equal((await ask(vsr, 'Explain the picture')).status, 200);
    text.forget();
    assertError(await ask(vsr, 'Explain the picture'), 429, { type: 'rate_limit_error' });
    assert.equal(text.requests.length, 0);
    const plain = await ask(vsr, 'How do cats sleep?');
    assert.equal(plain.status, 200);
    assert.equal(plain.headers.get('x-ratelimit-remaining'), '3', 'one for the request of two models, none for the refused one');
  });

  test('a queue that is full says when to come again, and blames nobody', async (t) => {
    const vsr = await start(t, {
      kinds: ['DIFFUSION'],
      more: { models: { painter: { reliability: { circuit: { max_connections: 1, max_pending: 1 } }, backend_refs: [painter] } } },
    });
    const draw = omniAnswer();
    painter.behaviour = async (exchange) => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await draw(exchange);
    };
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask(vsr, 'draw a cat')));
    const refused = answers.filter(({ status }) => status === 503);
    assert.ok(refused.length > 0 && refused.length < 24, `${answers.map(({ status }) => status)}`);
    for (const one of refused) {
      assertError(one, 503, { code: 'overloaded' });
      assert.equal(one.headers.get('retry-after'), '1');
    }
    assert.match((await vsr.metrics()).text(), /^vsr_endpoint_failures_total\{model="painter".*\} 0$/m);
  });

  test('one side may fail, not both', async (t) => {
    const vsr = await start(t);
    const broken = jsonAnswer('{"error":{"message":"no"}}', { status: 500, reason: 'No' });
    text.behaviour = openaiAnswer();
    painter.behaviour = broken;
    const words = await ask(vsr, 'Explain the picture');
    assert.deepEqual(words.json().choices[0].message.content, [{ type: 'text', text: 'model=writer' }]);
    painter.behaviour = omniAnswer();
    text.behaviour = broken;
    const picture = await ask(vsr, 'Explain the picture');
    assert.deepEqual(picture.json().choices[0].message.content, [{ type: 'image_url', image_url: { url } }]);
    painter.behaviour = broken;
    assertError(await ask(vsr, 'Explain the picture'), 503, { type: 'server_error' });
    assertError(await ask(vsr, 'Draw a cat'), 503, { type: 'server_error' });
    painter.behaviour = jsonAnswer('{"choices":[{"message":{"content":"I cannot draw."}}]}');
    assertError(await ask(vsr, 'Draw a cat'), 503, {});
    painter.behaviour = jsonAnswer('no JSON');
    assertError(await ask(vsr, 'Draw a cat'), 503, {});
    assert.match((await vsr.metrics()).text(), /^image_gen_requests_total\{backend="vllm_omni",status="error"\} 5$/m);
  });

  test("the plugin's own backend, as OpenAI's images API", async (t) => {
    const plugins = [
      {
        type: 'image_gen',
        configuration: {
          enabled: true,
          backend: 'openai',
          backend_config: { api_key: 'secret-key', base_url: `http://${painter.address}/v1`, quality: 'hd' },
          default_width: 512,
          default_height: 768,
        },
      },
    ];
    const vsr = await start(t, { refs: ['writer'], plugins, kinds: ['DIFFUSION'] });
    painter.behaviour = jsonAnswer(JSON.stringify({ created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] }));
    const answer = await ask(vsr, 'draw a cat');
    assert.deepEqual(answer.json().choices[0].message.content, [{ type: 'image_url', image_url: { url } }]);
    assert.equal(painter.last.path, '/v1/images/generations');
    assert.equal(painter.last.headers.get('authorization'), 'Bearer secret-key');
    assert.deepEqual(painter.last.json(), {
      model: 'gpt-image-1',
      prompt: 'draw a cat',
      n: 1,
      size: '512x768',
      quality: 'hd',
      style: 'vivid',
    });
  });

  test('a model of a vendor with an images API', async (t) => {
    const painterModel = { backend_refs: [{ base_url: `http://${painter.address}/v1`, provider: 'openai', api_key: 'k' }] };
    const vsr = await start(t, { painterModel });
    painter.behaviour = jsonAnswer(JSON.stringify({ data: [{ url: 'https://pictures.test/1.png' }] }));
    const answer = await ask(vsr, 'draw a cat');
    assert.equal(answer.json().choices[0].message.content[0].image_url.url, 'https://pictures.test/1.png');
    assert.equal(painter.last.path, '/v1/images/generations');
    assert.equal(painter.last.headers.get('authorization'), 'Bearer k');
  });

  test('Responses clients get an image_generation_call', async (t) => {
    const vsr = await start(t, { more: { modality: 'omni' }, refs: ['painter'] });
    painter.behaviour = omniAnswer('Here it is.');
    const client = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'none', maxRetries: 0 });
    const response = await client.responses.create({ model: 'auto', input: 'draw a cat' });
    assert.equal(response.status, 'completed');
    const call = response.output.find((item) => item.type === 'image_generation_call');
    assert.ok(call, JSON.stringify(response.output));
    assert.match(call.id, /^ig_/);
    assert.equal(call.result, url.split(',')[1]);
    assert.equal(response.output_text, 'Here it is.');
  });

  test('a client that leaves gives up both calls', async (t) => {
    const vsr = await start(t);
    text.behaviour = hang();
    painter.behaviour = hang();
    text.forget();
    painter.forget();
    const conn = await Conn.open(vsr.port);
    await conn.write(requestBytes({ body: chat('explain the picture') }));
    const calls = await Promise.all([text.received(1), painter.received(1)]);
    conn.destroy();
    await Promise.all(calls.map((call) => call.gone));
    await eventually('nothing is under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
    text.behaviour = openaiAnswer();
  });

  test('pictures count for rate limits', async (t) => {
    const rules = [{ name: 'r', requests_per_unit: 1, unit: 'day', match: { model: 'painter' } }];
    const vsr = await start(t, {
      more: { global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } } },
    });
    painter.behaviour = omniAnswer();
    text.behaviour = openaiAnswer();
    assert.equal((await ask(vsr, 'draw a cat')).status, 200);
    assertError(await ask(vsr, 'draw a cat'), 429, { type: 'rate_limit_error' });
    assert.equal((await ask(vsr, 'How do cats sleep?')).status, 200);
  });

  test('/v1/images/generations goes to the model that is named', async (t) => {
    const vsr = await start(t);
    const given = { created: 5, data: [{ url: 'https://pictures.test/2.png' }] };
    painter.behaviour = jsonAnswer(JSON.stringify(given));
    const direct = (body) => request(vsr.port, { path: '/v1/images/generations', body });
    const answer = await direct({ model: 'painter', prompt: 'a cat', size: 'auto' });
    assert.deepEqual(answer.json(), given);
    assert.equal(painter.last.path, '/v1/images/generations');
    assert.deepEqual(painter.last.json(), { model: 'painter', prompt: 'a cat', size: 'auto' });
    const message = 'model "auto" is not available here: it routes conversations; name a model that makes pictures';
    assertError(await direct({ model: 'auto', prompt: 'a cat' }), 404, { code: 'model_not_found', message });
    assertError(await direct({ prompt: 'a cat' }), 400, { type: 'invalid_request_error' });
  });
});
