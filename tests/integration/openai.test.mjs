// The official client, unchanged but for `baseURL`, through vsr: chat, streams, tools, errors, models; and that the
// model which answers differs by prompt as the policy says.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import {
  Backend,
  chunk,
  completion,
  jsonAnswer,
  openaiAnswer,
  responseBytes,
  sseHead,
  streamEvents,
} from './lib/backend.mjs';
import { chat, post } from './lib/http.mjs';
import { eventually, lane, otherwise, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';

const connect = (vsr, options = {}) => new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', ...options });
const patient = { maxRetries: 0 }; // errors are to be seen, not retried away

const say = (content) => [{ role: 'user', content }];

/** The policy of this file: six lanes, one per kind of heuristic signal. */
const lanes = (backend) =>
  policy({
    default_model: 'small',
    models: Object.fromEntries(
      ['small', 'coder', 'reader', 'thinker', 'linguist', 'talker', 'gold'].map((name) => [
        name,
        { provider_model_id: `prov/${name}-v1`, backend_refs: [backend] },
      ]),
    ),
    signals: {
      keywords: [
        { name: 'code_words', operator: 'OR', keywords: ['stack trace', 'segmentation fault', 'c++'] },
        { name: 'bug_words', operator: 'OR', method: 'regex', keywords: ['bugs?\\b'] },
      ],
      context: [{ name: 'long_input', min_tokens: '2K' }],
      structure: [
        {
          name: 'many_questions',
          predicate: { gte: 3 },
          feature: { type: 'count', source: { type: 'regex', pattern: '\\?' } },
        },
      ],
      language: [{ name: 'de' }],
      conversation: [
        {
          name: 'long_talk',
          predicate: { gte: 3 },
          feature: { type: 'count', source: { type: 'message', role: 'user' } },
        },
      ],
      metadata: [{ name: 'gold_customer', key: 'plan', predicate: { equals: 'gold' } }],
    },
    decisions: [
      lane('gold_lane', 'metadata', 'gold_customer', 'gold', { priority: 900 }),
      {
        name: 'code_lane',
        priority: 800,
        modelRefs: [{ model: 'coder' }],
        rules: {
          operator: 'OR',
          conditions: [
            { type: 'keyword', name: 'code_words' },
            {
              operator: 'AND',
              conditions: [
                { type: 'keyword', name: 'bug_words' },
                { operator: 'NOT', conditions: [{ type: 'language', name: 'de' }] },
              ],
            },
          ],
        },
      },
      lane('long_lane', 'context', 'long_input', 'reader', { priority: 700 }),
      lane('question_lane', 'structure', 'many_questions', 'thinker', { priority: 600 }),
      lane('talk_lane', 'conversation', 'long_talk', 'talker', { priority: 500 }),
      lane('german_lane', 'language', 'de', 'linguist', { priority: 400 }),
    ],
  });

describe('through the official client', () => {
  let backend, vsr, client;

  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(lanes(backend));
    client = connect(vsr);
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  test('chat', async () => {
    const answer = await client.chat.completions.create({ model: 'auto', messages: say('hello there') });
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.choices[0].message.content, 'model=prov/small-v1');
    assert.equal(answer.usage.total_tokens, 18);
    assert.equal(backend.last.path, '/v1/chat/completions');
    assert.equal(backend.last.json().model, 'prov/small-v1');
  });

  test('every automatic name routes', async () => {
    for (const model of ['auto', 'vllm-sr/auto', 'MoM', '  auto ']) {
      const answer = await client.chat.completions.create({ model, messages: say('a stack trace') });
      assert.equal(answer.choices[0].message.content, 'model=prov/coder-v1', model);
    }
  });

  test('streaming chat', async () => {
    const stream = await client.chat.completions.create({ model: 'auto', messages: say('hello'), stream: true });
    let text = '';
    let finish = null;
    for await (const part of stream) {
      assert.notEqual(part.choices.length, 0, 'a usage-only chunk reached a client that did not ask');
      assert.ok(!part.usage, 'usage nobody asked for');
      text += part.choices[0].delta.content ?? '';
      finish = part.choices[0].finish_reason ?? finish;
    }
    assert.equal(text, 'model=prov/small-v1 Hello wörld 🌍');
    assert.equal(finish, 'stop');
    assert.equal(backend.last.json().stream, true);
    assert.equal(backend.last.json().stream_options.include_usage, true, 'vsr asks for the usage itself');
  });

  test('streaming chat with usage', async () => {
    const stream = await client.chat.completions.create({
      model: 'auto',
      messages: say('hello'),
      stream: true,
      stream_options: { include_usage: true },
    });
    const parts = [];
    for await (const part of stream) parts.push(part);
    const usage = parts.filter((part) => part.choices.length === 0);
    assert.equal(usage.length, 1);
    assert.deepEqual(usage[0].usage, { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 });
    assert.equal(parts.at(-1), usage[0]);
  });

  test('usage explicitly not wanted', async () => {
    const stream = await client.chat.completions.create({
      model: 'auto',
      messages: say('hello'),
      stream: true,
      stream_options: { include_usage: false },
    });
    for await (const part of stream) assert.equal(part.choices.length, 1);
    assert.equal(backend.last.json().stream_options.include_usage, true);
  });

  test('the helper that collects a stream', async () => {
    const runner = client.chat.completions.stream({ model: 'auto', messages: say('segmentation fault') });
    const final = await runner.finalChatCompletion();
    assert.equal(final.choices[0].message.content, 'model=prov/coder-v1 Hello wörld 🌍');
  });

  test('many streams at once', async () => {
    const words = ['hello', 'stack trace', 'one? two? three?', 'a bug'];
    const models = ['small', 'coder', 'thinker', 'coder'];
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const runner = client.chat.completions.stream({ model: 'auto', messages: say(words[i % 4]) });
        const final = await runner.finalChatCompletion();
        assert.equal(final.choices[0].message.content, `model=prov/${models[i % 4]}-v1 Hello wörld 🌍`);
      }),
    );
  });

  const german =
    'Bitte erkläre mir ausführlich, warum der Himmel am Abend rot wird und welche Rolle die Luft dabei spielt.';
  const talk = [
    { role: 'user', content: 'first' },
    { role: 'assistant', content: 'yes' },
    { role: 'user', content: 'second' },
    { role: 'assistant', content: 'yes' },
    { role: 'user', content: 'third' },
  ];
  const cases = [
    ['a greeting', say('hello'), 'small', null],
    ['a keyword', say('I get a Segmentation Fault here'), 'coder', 'code_lane'],
    ['a keyword that ends in symbols', say('teach me C++17 please'), 'coder', 'code_lane'],
    ['a keyword inside a word', say('retaliatory: mystack traces'), 'small', null],
    ['a pattern', say('please fix these bugs'), 'coder', 'code_lane'],
    [
      'a keyword in a part of a list',
      say([
        { type: 'text', text: 'a stack' },
        { type: 'text', text: 'trace' },
      ]),
      'coder',
      'code_lane',
    ],
    [
      'a keyword only in an earlier turn',
      [...say('stack trace'), { role: 'assistant', content: 'ok' }, ...say('thanks')],
      'small',
      null,
    ],
    ['a long text', say('lorem ipsum '.repeat(1000)), 'reader', 'long_lane'],
    ['many questions', say('What is it? Where is it? Who did it?'), 'thinker', 'question_lane'],
    ['German', say(german), 'linguist', 'german_lane'],
    [
      'a NOT over the language',
      say(`${german} Es gibt da einige bugs in meinem Verständnis der Sache.`),
      'linguist',
      'german_lane',
    ],
    ['a long conversation', talk, 'talker', 'talk_lane'],
    ['metadata, which wins by priority', say('a stack trace'), 'gold', 'gold_lane', { metadata: { plan: 'gold' } }],
    ['metadata of another value', say('a stack trace'), 'coder', 'code_lane', { metadata: { plan: 'Gold' } }],
  ];
  // A structure rule hit exactly at its bound is as unsure as can be; the language's confidence is the detector's.
  const confidences = { question_lane: /^0\.5000$/, german_lane: /^(0\.\d{4}|1\.0000)$/ };
  for (const [what, messages, model, decision, extra] of cases) {
    test(`routes ${what} to ${model}`, async () => {
      const { data, response } = await client.chat.completions
        .create({ model: 'auto', messages, ...extra })
        .withResponse();
      assert.equal(data.choices[0].message.content, `model=prov/${model}-v1`);
      const header = (name) => response.headers.get(`x-vsr-${name}`);
      assert.equal(header('selected-model'), model);
      assert.equal(header('selected-decision'), decision);
      assert.equal(header('selected-recipe'), 'default');
      assert.equal(header('schema-version'), '2');
      assert.equal(header('response-path'), 'upstream');
      if (decision === null) {
        assert.equal(header('selected-confidence'), null);
        assert.equal(header('selected-algorithm'), 'default');
      } else {
        assert.match(header('selected-confidence'), confidences[decision] ?? /^1\.0000$/);
        assert.equal(header('selected-algorithm'), 'single');
      }
    });
  }

  test('a concrete model name passes through', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'thinker', messages: say('a stack trace') }, { headers: { 'x-vsr-debug': 'true' } })
      .withResponse();
    assert.equal(data.choices[0].message.content, 'model=prov/thinker-v1');
    assert.equal(response.headers.get('x-vsr-selected-model'), 'thinker');
    assert.equal(response.headers.get('x-vsr-selected-recipe'), null);
    assert.equal(response.headers.get('x-vsr-selected-decision'), null);
    assert.equal(response.headers.get('x-vsr-selected-reasoning'), 'off');
  });

  test('headers on a stream', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'auto', messages: say('stack trace'), stream: true })
      .withResponse();
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    assert.equal(response.headers.get('x-vsr-selected-model'), 'coder');
    assert.equal(response.headers.get('x-vsr-selected-decision'), 'code_lane');
    assert.equal(response.headers.get('x-vsr-response-path'), 'upstream');
    for await (const part of data) assert.ok(part);
  });

  test('debug headers come only on request', async () => {
    const ask = (headers) =>
      client.chat.completions
        .create({ model: 'auto', messages: say('stack trace? why? how?') }, { headers })
        .withResponse();
    const loud = (await ask({ 'x-vsr-debug': 'true' })).response.headers;
    assert.equal(loud.get('x-vsr-matched-keywords'), 'code_words');
    assert.equal(loud.get('x-vsr-matched-language'), null);
    assert.equal(loud.get('x-vsr-selected-reasoning'), 'off');
    for (const headers of [{}, { 'x-vsr-debug': 'false' }]) {
      const names = [...(await ask(headers)).response.headers.keys()].filter((name) => name.startsWith('x-vsr-'));
      const surface =
        /^x-vsr-(selected-(recipe|decision|confidence|algorithm|model)|schema-version|response-path|replay-id|config-generation)$/;
      assert.deepEqual(
        names.filter((name) => !surface.test(name)),
        [],
      );
    }
  });

  test('the model list', async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    assert.deepEqual(
      models.map((model) => model.id),
      ['vllm-sr/auto', 'auto', 'MoM'],
    );
    for (const model of models) {
      assert.equal(model.object, 'model');
      assert.equal(typeof model.created, 'number');
      assert.equal(model.owned_by, 'vllm-semantic-router');
      assert.equal(model.routing.resolution, 'virtual');
      assert.equal(model.routing.selectable, true);
    }
    assert.equal(models[0].routing.default_route, true);
    assert.equal(models[0].routing.recipe, 'default');
  });

  test('one model', async () => {
    for (const id of ['auto', 'vllm-sr/auto']) {
      const model = await client.models.retrieve(id);
      assert.equal(model.id, id);
      assert.equal(model.object, 'model');
    }
    await assert.rejects(client.models.retrieve('nope'), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
      return true;
    });
  });

  test('an unknown model', async () => {
    const ask = connect(vsr, patient).chat.completions.create({ model: 'vllm-sr/autto', messages: say('hi') });
    await assert.rejects(ask, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.status, 404);
      assert.equal(error.code, 'model_not_found');
      assert.equal(error.type, 'not_found_error');
      assert.match(error.message, /model "vllm-sr\/autto" is not available/);
      assert.match(error.message, /vllm-sr\/auto\b/);
      assert.equal(error.headers.get('x-vsr-response-path'), 'error');
      return true;
    });
  });

  test('bad requests', async () => {
    const strict = connect(vsr, patient);
    const bad = [
      [{ model: 'auto' }, /messages field is required/],
      [{ model: 'auto', messages: 'hi' }, /messages field must be an array/],
      [{ messages: say('hi') }, /model field is required/],
      [{ model: 'auto', messages: say('hi'), metadata: { a: 1 } }, /metadata/],
    ];
    const seen = backend.requests.length;
    for (const [body, message] of bad) {
      await assert.rejects(strict.chat.completions.create(body), (error) => {
        assert.ok(error instanceof OpenAI.BadRequestError, `${JSON.stringify(body)}: ${error}`);
        assert.equal(error.type, 'invalid_request_error');
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(backend.requests.length, seen, 'a refused request reached the backend');
  });

  test('a stream refused before its head is a plain error', async () => {
    const ask = connect(vsr, patient).chat.completions.create({ model: 'nope', messages: say('hi'), stream: true });
    await assert.rejects(ask, OpenAI.NotFoundError);
    const raw = await post(vsr.port, chat('hi', { model: 'nope', stream: true }));
    assert.match(raw.headers.get('content-type'), /^application\/json/);
  });
});

test('tool calls, buffered: call, result, answer', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const client = connect(vsr);
  const tools = [
    {
      type: 'function',
      function: {
        name: 'weather',
        description: 'Weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    },
  ];
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Zürich"}' } };
  backend.behaviour = async (exchange) => {
    const { messages, tools: offered } = exchange.request.json();
    const result = messages.find((message) => message.role === 'tool');
    const message = result
      ? { role: 'assistant', content: `It is ${result.content}.` }
      : { role: 'assistant', content: null, tool_calls: [call] };
    const body = completion('small', '', {
      choices: [{ index: 0, message, finish_reason: result ? 'stop' : 'tool_calls' }],
    });
    assert.deepEqual(offered, tools);
    await jsonAnswer(JSON.stringify(body))(exchange);
  };
  const messages = say('weather in Zürich?');
  const first = await client.chat.completions.create({ model: 'auto', messages, tools, tool_choice: 'auto' });
  assert.equal(first.choices[0].finish_reason, 'tool_calls');
  assert.deepEqual(first.choices[0].message.tool_calls, [call]);
  messages.push(first.choices[0].message, { role: 'tool', tool_call_id: 'call_1', content: 'sunny' });
  const second = await client.chat.completions.create({ model: 'auto', messages, tools });
  assert.equal(second.choices[0].message.content, 'It is sunny.');
  assert.deepEqual(backend.last.json().messages, messages);
  assert.equal(backend.failure, undefined);

  const runner = client.chat.completions.runTools({
    model: 'auto',
    messages: say('weather in Zürich?'),
    tools: [
      {
        type: 'function',
        function: { ...tools[0].function, parse: JSON.parse, function: ({ city }) => `grey in ${city}` },
      },
    ],
  });
  backend.behaviour = async (exchange) => {
    const result = exchange.request.json().messages.find((message) => message.role === 'tool');
    const message = result
      ? { role: 'assistant', content: `It is ${result.content}.` }
      : { role: 'assistant', content: null, tool_calls: [call] };
    const choices = [{ index: 0, message, finish_reason: result ? 'stop' : 'tool_calls' }];
    await jsonAnswer(JSON.stringify(completion('small', '', { choices })))(exchange);
  };
  assert.equal(await runner.finalContent(), 'It is grey in Zürich.');
});

test('tool calls, streamed: two calls in fragments', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const client = connect(vsr);
  const part = (index, fields) => ({ tool_calls: [{ index, ...fields }] });
  backend.behaviour = async (exchange) => {
    const pieces = [
      part(0, { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }),
      part(0, { function: { arguments: '{"city":' } }),
      part(1, { id: 'call_b', type: 'function', function: { name: 'time', arguments: '{"zo' } }),
      part(0, { function: { arguments: '"Bern"}' } }),
      part(1, { function: { arguments: 'ne":"CET"}' } }),
    ];
    const usage = exchange.request.json().stream_options?.include_usage;
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    for (const event of streamEvents('small', pieces, { finish: 'tool_calls', usage }))
      await exchange.write(chunk(event));
    await exchange.write('0\r\n\r\n');
  };
  const runner = client.chat.completions.stream({ model: 'auto', messages: say('weather?') });
  const final = await runner.finalChatCompletion();
  assert.equal(final.choices[0].finish_reason, 'tool_calls');
  const calls = final.choices[0].message.tool_calls.map(({ id, function: f }) => [id, f.name, JSON.parse(f.arguments)]);
  assert.deepEqual(calls, [
    ['call_a', 'weather', { city: 'Bern' }],
    ['call_b', 'time', { zone: 'CET' }],
  ]);
});

test('errors of the backend come through unchanged', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const client = connect(vsr, patient);
  const cases = [
    [400, OpenAI.BadRequestError, { type: 'invalid_request_error', param: 'temperature', code: 'bad_value' }],
    [401, OpenAI.AuthenticationError, { type: 'authentication_error', code: 'invalid_api_key' }],
    [403, OpenAI.PermissionDeniedError, { type: 'permission_error', code: null }],
    [404, OpenAI.NotFoundError, { type: 'not_found_error', code: 'no_such_thing' }],
    [422, OpenAI.UnprocessableEntityError, { type: 'invalid_request_error', code: null }],
    [429, OpenAI.RateLimitError, { type: 'rate_limit_error', code: 'slow_down' }],
    [500, OpenAI.InternalServerError, { type: 'server_error', code: 'oops' }],
    [503, OpenAI.InternalServerError, { type: 'server_error', code: 'busy' }],
  ];
  for (const [status, kind, fields] of cases) {
    const members = JSON.stringify(fields).slice(1, -1);
    const body = `{ "error" : {"message":"upstream said ${status} \\u00e9","extra":1.50,${members}} }`;
    backend.behaviour = jsonAnswer(body, {
      status,
      reason: 'Nope',
      headers: { 'Retry-After': '7', 'x-upstream': 'yes' },
    });
    for (const stream of [false, true]) {
      await assert.rejects(client.chat.completions.create({ model: 'auto', messages: say('hi'), stream }), (error) => {
        assert.ok(error instanceof kind, `${status}: ${error}`);
        assert.equal(error.status, status);
        assert.match(error.message, new RegExp(`upstream said ${status} é`));
        assert.equal(error.code, fields.code);
        assert.equal(error.headers.get('retry-after'), '7');
        return true;
      });
    }
    const raw = await post(vsr.port, chat('hi'));
    assert.equal(raw.status, status);
    assert.equal(raw.text(), body);
    assert.equal(raw.headers.get('x-upstream'), 'yes');
  }
});

test('an error body that is not JSON comes through too', async (t) => {
  const backend = await Backend.start(t, async (exchange) => {
    const headers = { 'Content-Type': 'text/html' };
    await exchange.write(responseBytes({ status: 502, reason: 'Bad Gateway', headers, body: '<h1>Bad Gateway</h1>' }));
  });
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const raw = await post(vsr.port, chat('hi'));
  assert.equal(raw.status, 502);
  assert.equal(raw.text(), '<h1>Bad Gateway</h1>');
  assert.match(raw.headers.get('content-type'), /^text\/html/);
});

test('an error event inside a stream reaches the client as an error', async (t) => {
  const backend = await Backend.start(t, async (exchange) => {
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    await exchange.write(chunk(streamEvents('small', ['half'])[1]));
    await exchange.write(chunk('data: {"error":{"message":"model fell over","type":"server_error","code":"oom"}}\n\n'));
    await exchange.write('0\r\n\r\n');
  });
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const stream = await connect(vsr).chat.completions.create({ model: 'auto', messages: say('hi'), stream: true });
  const parts = [];
  await assert.rejects(async () => {
    for await (const part of stream) parts.push(part);
  }, /model fell over/);
  assert.equal(parts[0].choices[0].delta.content, 'half');
});

test('an error event is a failure, whatever comes behind it', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const failed = 'data: {"error":{"message":"model fell over","type":"server_error","code":"oom"}}\n\n';
  const failures = async () =>
    Number((await vsr.metrics()).text().match(/^llm_request_errors_total\{model="small",reason="stream_aborted"\} (\d+)$/m)?.[1] ?? 0);
  const ENDS = { 'the end': ['', '0\r\n\r\n'], '[DONE]': ['data: [DONE]\n\n', '0\r\n\r\n'], '[DONE], and a cut': ['data: [DONE]\n\n', ''] };
  let n = 0;
  for (const [what, [more, end]] of Object.entries(ENDS)) {
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      await exchange.write(chunk(streamEvents('small', ['half'])[1]) + chunk(failed + more));
      if (end) await exchange.write(end);
      else exchange.end();
    };
    const answer = await post(vsr.port, chat('hi', { model: 'small', stream: true }));
    assert.ok(answer.text().endsWith(failed + more), `${what}: ${answer.text()}`);
    n += 1;
    await eventually(`${n} failures, behind ${what}`, async () => (await failures()) === n);
  }
});

test('a listener with keys', async (t) => {
  const backend = await Backend.start(t);
  const keys = ['listener-key-one', 'listener-key-two', ''];
  const vsr = await startVsr(
    t,
    policy({ default_model: 'small', models: { small: backend }, listener: { api_keys: keys } }),
  );
  for (const apiKey of keys.slice(0, 2)) {
    const answer = await connect(vsr, { apiKey }).chat.completions.create({ model: 'auto', messages: say('hi') });
    assert.equal(answer.choices[0].message.content, 'model=small');
  }
  const strangers = [
    connect(vsr, { ...patient, apiKey: 'listener-key-three' }),
    connect(vsr, { ...patient, apiKey: 'listener-key' }),
  ];
  for (const stranger of strangers) {
    await assert.rejects(stranger.chat.completions.create({ model: 'auto', messages: say('hi') }), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError);
      assert.equal(error.code, 'invalid_api_key');
      assert.equal(error.type, 'authentication_error');
      return true;
    });
    await assert.rejects(async () => {
      for await (const model of stranger.models.list()) assert.fail(`listed ${model.id} to a stranger`);
    }, OpenAI.AuthenticationError);
  }
  assert.equal(backend.requests.length, 2);

  const wrong = [
    {},
    { Authorization: 'listener-key-one' },
    { Authorization: 'Bearer' },
    { Authorization: 'Bearer ' },
    { Authorization: 'Basic listener-key-one' },
    { Authorization: 'Bearer listener-key-one listener-key-two' },
  ];
  for (const headers of wrong) {
    const answer = await post(vsr.port, chat('hi'), headers);
    assert.equal(answer.status, 401, JSON.stringify(headers));
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="vsr"');
    const { error } = answer.json();
    assert.equal(error.message, 'Unauthorized: missing or invalid API key');
    assert.equal(error.type, 'authentication_error');
    assert.equal(error.code, 'invalid_api_key');
  }
  assert.equal((await post(vsr.port, chat('hi'), { authorization: 'bEARER listener-key-two' })).status, 200);
  assert.equal(backend.requests.length, 3);
});

test('a list of empty keys refuses every request', async (t) => {
  const backend = await Backend.start(t);
  const document = policy({
    default_model: 'small',
    models: { small: backend },
    listener: { api_keys: ['${VSR_TEST_UNSET_KEY}'] },
  });
  const vsr = await Vsr.start(document, { ready: false });
  t.after(() => vsr.stop());
  const answer = await eventually('an answer', () =>
    post(vsr.port, chat('hi'), { Authorization: 'Bearer ' }).catch(() => null),
  );
  assert.equal(answer.status, 401);
});

test('a client that stops reading a stream ends the backend call', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const events = streamEvents('small', ['one', 'two']);
  backend.behaviour = async (exchange) => {
    await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
    for (const event of events.slice(0, 3)) await exchange.write(chunk(event));
    await exchange.request.gone;
  };
  const stream = await connect(vsr).chat.completions.create({ model: 'auto', messages: say('hi'), stream: true });
  for await (const part of stream) {
    if (part.choices[0].delta.content === 'two') break;
  }
  await within('the backend to see its caller leave', backend.last.gone);
  backend.behaviour = openaiAnswer();
  const next = await connect(vsr).chat.completions.create({ model: 'auto', messages: say('hi') });
  assert.equal(next.choices[0].message.content, 'model=small');
});

test('a client that gives up waiting ends the backend call', async (t) => {
  const backend = await Backend.start(t, async (exchange) => void (await exchange.request.gone));
  const vsr = await startVsr(t, policy({ default_model: 'small', models: { small: backend } }));
  const controller = new AbortController();
  const ask = connect(vsr, patient).chat.completions.create(
    { model: 'auto', messages: say('hi') },
    { signal: controller.signal },
  );
  const outcome = assert.rejects(ask, OpenAI.APIUserAbortError);
  const seen = await within('the request to arrive', backend.received(1));
  controller.abort();
  await outcome;
  await within('the backend to see its caller leave', seen.gone);
});

test('the first of several candidates is the static choice', async (t) => {
  const backend = await Backend.start(t);
  const modelRefs = [{ model: 'b' }, { model: 'a' }];
  const decisions = [{ name: 'pair', priority: 1, modelRefs }];
  const vsr = await startVsr(t, policy({ models: { a: backend, b: backend }, decisions }));
  const answer = await post(vsr.port, chat('hi'));
  assert.equal(answer.headers.get('x-vsr-selected-model'), 'b');
  assert.equal(answer.headers.get('x-vsr-selected-algorithm'), 'static');
});

test('the unconditional decision matches with confidence 0', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ models: { small: backend }, decisions: [otherwise('small', 'rest')] }));
  const answer = await post(vsr.port, chat('hi'));
  assert.equal(answer.headers.get('x-vsr-selected-decision'), 'rest');
  assert.equal(answer.headers.get('x-vsr-selected-confidence'), '0.0000');
});

test('no decision and no default model', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({
      models: { small: backend },
      signals: { keywords: [{ name: 'code', operator: 'OR', keywords: ['code'] }] },
      decisions: [lane('code', 'keyword', 'code', 'small')],
    }),
  );
  const client = connect(vsr, patient);
  assert.ok(await client.chat.completions.create({ model: 'auto', messages: say('some code') }));
  await assert.rejects(client.chat.completions.create({ model: 'auto', messages: say('hello') }), (error) => {
    assert.equal(error.status, 400);
    assert.match(error.message, /unable to route request: no model selected and no default model configured/);
    return true;
  });
});

test("a list with the concrete models, and automatic names of one's own", async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'small',
      models: { small: backend, big: backend },
      global: { router: { include_config_models_in_list: true, auto_model_names: ['acme/auto'] } },
    }),
  );
  const client = connect(vsr, patient);
  const models = [];
  for await (const model of client.models.list()) models.push(model);
  assert.deepEqual(
    models.map((model) => model.id),
    ['acme/auto', 'small', 'big'],
  );
  assert.equal(models[1].owned_by, 'upstream-endpoint');
  assert.equal(models[1].routing.resolution, 'passthrough');
  assert.equal((await client.models.retrieve('big')).id, 'big');
  const answer = await client.chat.completions.create({ model: 'acme/auto', messages: say('hi') });
  assert.equal(answer.choices[0].message.content, 'model=small');
  await assert.rejects(client.chat.completions.create({ model: 'auto', messages: say('hi') }), OpenAI.NotFoundError);
});
