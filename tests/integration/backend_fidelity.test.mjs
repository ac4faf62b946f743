// The stand-in plays every provider well enough for the providers' own clients: they talk to it directly here, so that
// what passes through vsr later is measured against something true.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { AzureOpenAI } from 'openai';

import { get, request } from './lib/http.mjs';
import { program, test } from './lib/harness.mjs';
import { startStandIn, told } from './lib/standin.mjs';

let backend;
before(async () => {
  backend = await startStandIn(null, ['--name', 'left']);
});
after(() => backend.stop());

const anthropic = (options = {}) => new Anthropic({ baseURL: backend.url, apiKey: 'sk-ant', maxRetries: 0, ...options });
const openai = (options = {}) => new OpenAI({ baseURL: `${backend.url}/v1`, apiKey: 'sk', maxRetries: 0, ...options });
const headers = (behaviour) => ({ headers: told(behaviour) });
const say = (content) => [{ role: 'user', content }];
const weather = {
  name: 'weather',
  description: 'The weather somewhere',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['C', 'F'] } },
    required: ['city', 'days', 'unit'],
  },
};
const sampled = { city: 'city', days: 1, unit: 'C' };
const ask = (content, extra = {}) => ({ model: 'claude', max_tokens: 4000, messages: say(content), ...extra });

/** The events of a stream as they stand on the wire, `[name, data]`. */
function events(answer) {
  const all = [];
  for (const block of answer.text().split('\n\n').filter(Boolean)) {
    const name = /^event: (.*)$/m.exec(block)?.[1];
    all.push([name, JSON.parse(/^data: (.*)$/m.exec(block)[1])]);
  }
  return all;
}

describe('Anthropic Messages', () => {
  const key = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };
  const send = (body, extra = {}) => request(backend.port, { method: 'POST', path: '/v1/messages', body: JSON.stringify(body), headers: { ...key, ...extra } });

  test('whole', async () => {
    const message = await anthropic().messages.create(ask('Good morning'));
    assert.equal(message.type, 'message');
    assert.equal(message.role, 'assistant');
    assert.equal(message.model, 'claude');
    assert.match(message.id, /^msg_/);
    assert.deepEqual(message.content, [{ type: 'text', text: 'model claude answering: Good morning' }]);
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.stop_sequence, null);
    assert.equal(message.usage.output_tokens, 5);
    assert.ok(message.usage.input_tokens > 0);
  });

  test('streamed: the helper gathers the same', async () => {
    const stream = anthropic().messages.stream(ask('Good morning'));
    const words = [];
    stream.on('text', (word) => words.push(word));
    const message = await stream.finalMessage();
    assert.equal(words.join(''), 'model claude answering: Good morning');
    assert.equal(await stream.finalText(), words.join(''));
    assert.equal(message.stop_reason, 'end_turn');
    assert.equal(message.usage.output_tokens, 5);
  });

  test('the events and their order', async () => {
    const got = events(await send(ask('Hi', { stream: true }), told('thinking=2')));
    assert.deepEqual(got.map(([name]) => name), [
      'message_start',
      'content_block_start', 'ping', 'content_block_delta', 'content_block_delta', 'content_block_delta', 'content_block_stop',
      'content_block_start', ...Array(4).fill('content_block_delta'), 'content_block_stop',
      'message_delta', 'message_stop',
    ]);
    for (const [name, data] of got) assert.equal(data.type, name);
    assert.deepEqual(got[1][1].content_block, { type: 'thinking', thinking: '', signature: '' });
    assert.deepEqual(got[3][1].delta.type, 'thinking_delta');
    assert.equal(got[5][1].delta.type, 'signature_delta');
    assert.equal(got[7][1].index, 1);
    assert.deepEqual(got.at(-2)[1].delta, { stop_reason: 'end_turn', stop_sequence: null });
    assert.equal(got.at(-2)[1].usage.output_tokens, 6);
  });

  test('tools: one, several, and what comes back', async () => {
    const first = await anthropic().messages.create(ask('Use the tool', { tools: [weather] }));
    assert.equal(first.stop_reason, 'tool_use');
    const [call] = first.content;
    assert.equal(call.type, 'tool_use');
    assert.match(call.id, /^toolu_/);
    assert.deepEqual(call.input, sampled);

    const stream = anthropic().messages.stream(ask('Go', { tools: [weather] }), headers('parallel-tools=3'));
    const many = await stream.finalMessage();
    assert.deepEqual(many.content.map((block) => [block.type, block.name, block.input]), Array(3).fill(['tool_use', 'weather', sampled]));
    assert.equal(new Set(many.content.map((block) => block.id)).size, 3);

    const results = many.content.map((block) => ({ type: 'tool_result', tool_use_id: block.id, content: 'rain' }));
    const messages = [...say('Go'), { role: 'assistant', content: many.content }, { role: 'user', content: results }];
    const after = await anthropic().messages.create(ask('', { tools: [weather], messages }), headers('parallel-tools=3'));
    assert.equal(after.content[0].text, "model claude answering with the tool's result: rain rain rain");

    const one = await anthropic().messages.create(ask('Go', { tools: [weather], tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true } }), headers('parallel-tools=3'));
    assert.equal(one.content.length, 1);
    const none = await anthropic().messages.create(ask('tool', { tools: [weather], tool_choice: { type: 'none' } }));
    assert.equal(none.content[0].type, 'text');
  });

  test('thinking: asked for, told, redacted, and its signature on the way back', async () => {
    const thinking = { type: 'enabled', budget_tokens: 1024 };
    const message = await anthropic().messages.create(ask('Hi', { thinking }), headers('redacted'));
    assert.deepEqual(message.content.map((block) => block.type), ['redacted_thinking', 'thinking', 'text']);
    const streamed = await anthropic().messages.stream(ask('Hi', { thinking })).finalMessage();
    assert.equal(streamed.content[0].thinking, message.content[1].thinking);
    assert.equal(streamed.content[0].signature, message.content[1].signature);

    const back = (content) => ask('', { thinking, messages: [...say('Hi'), { role: 'assistant', content }, ...say('And?')] });
    assert.equal((await anthropic().messages.create(back(message.content))).stop_reason, 'end_turn');
    const changed = structuredClone(message.content);
    changed[1].thinking += ' no';
    await assert.rejects(anthropic().messages.create(back(changed)), (error) => error instanceof Anthropic.BadRequestError && /messages\.1\.content\.1: Invalid `signature`/.test(error.message));
  });

  test('images, stop sequences, length, refusal, finish reasons', async () => {
    const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
    const seen = await anthropic().messages.create(ask([picture, { type: 'text', text: 'What is it?' }]));
    assert.equal(seen.content[0].text, 'model claude answering about 1 image: What is it?');
    const stopped = await anthropic().messages.create(ask('one STOP two', { stop_sequences: ['STOP'] }));
    assert.deepEqual([stopped.stop_reason, stopped.stop_sequence, stopped.content[0].text], ['stop_sequence', 'STOP', 'model claude answering: one ']);
    assert.equal((await anthropic().messages.create(ask('a b c d', { max_tokens: 2 }))).stop_reason, 'max_tokens');
    assert.equal((await anthropic().messages.create(ask('Hi'), headers('refusal'))).stop_reason, 'refusal');
    assert.equal((await anthropic().messages.create(ask('Hi'), headers('finish=pause_turn'))).stop_reason, 'pause_turn');
    const { usage } = await anthropic().messages.create(ask('Hi'), headers('cached=10,cache-write=4'));
    assert.deepEqual([usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens], [1, 10, 4]);
  });

  test('counts tokens', async () => {
    const { input_tokens } = await anthropic().messages.countTokens({ model: 'claude', messages: say('x'.repeat(400)), system: 'Be kind', tools: [weather] });
    assert.ok(input_tokens > 100 && input_tokens < 110, `${input_tokens}`);
    const refused = await request(backend.port, { method: 'POST', path: '/v1/messages/count_tokens', body: JSON.stringify(ask('x')), headers: key });
    assert.match(refused.json().error.message, /max_tokens: Extra inputs/);
  });

  test('errors are the typed ones of the client', async () => {
    const client = anthropic();
    const failing = (behaviour) => client.messages.create(ask('Hi'), headers(behaviour));
    await assert.rejects(failing('status=429'), Anthropic.RateLimitError);
    await assert.rejects(failing('status=404'), Anthropic.NotFoundError);
    await assert.rejects(failing('status=500'), Anthropic.InternalServerError);
    await assert.rejects(failing('overloaded'), (error) => error.status === 529 && error.error.error.type === 'overloaded_error' && /^req_/.test(error.requestID));
    const keyless = await request(backend.port, { method: 'POST', path: '/v1/messages', body: JSON.stringify(ask('Hi')), headers: { 'anthropic-version': '2023-06-01' } });
    assert.equal(keyless.status, 401);
    assert.equal(keyless.json().error.type, 'authentication_error');
    const versionless = await request(backend.port, { method: 'POST', path: '/v1/messages', body: JSON.stringify(ask('Hi')), headers: { 'x-api-key': 'k' } });
    assert.equal(versionless.json().error.message, 'anthropic-version: header is required');
  });

  test('a stream that fails, is overloaded, or just ends', async () => {
    const failing = anthropic().messages.stream(ask('one two three'), headers('error-event=2'));
    await assert.rejects(failing.finalMessage(), /overloaded_error/);
    const cut = events(await send(ask('Hi', { stream: true }), told('no-done')));
    assert.equal(cut.at(-1)[0], 'message_delta');
    const bare = events(await send(ask('Hi', { stream: true }), told('no-terminal')));
    assert.equal(bare.at(-1)[0], 'content_block_delta');
    const silent = events(await send(ask('Hi', { stream: true }), told('usage=none')));
    assert.equal(silent.at(-2)[1].usage, undefined);
  });

  const call = { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: {} }] };
  const result = (id) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }] });
  const refused = [
    ['no JSON', '{', /./],
    ['no model', { max_tokens: 1, messages: say('x') }, /^model: Field required/],
    ['no ceiling', { model: 'm', messages: say('x') }, /^max_tokens: Field required/],
    ['a ceiling of nothing', { model: 'm', max_tokens: 0, messages: say('x') }, /^max_tokens: /],
    ['no messages', { model: 'm', max_tokens: 1 }, /^messages: Field required/],
    ['no message', ask('', { messages: [] }), /at least one message/],
    ['a member of another protocol', ask('x', { stream_options: { include_usage: true } }), /^stream_options: Extra inputs/],
    ['a system message', ask('', { messages: [{ role: 'system', content: 'x' }] }), /^messages\.0\.role/],
    ['the model speaks first', ask('', { messages: [{ role: 'assistant', content: 'x' }] }), /first message/],
    ['nothing said', ask(''), /non-empty content/],
    ['an empty text', ask([{ type: 'text', text: ' ' }]), /must be non-empty/],
    ['an empty system text', ask('x', { system: [{ type: 'text', text: '' }] }), /must be non-empty/],
    ['an unknown block', ask([{ type: 'input_text', text: 'x' }]), /does not belong here/],
    ['a call without a result', ask('', { messages: [...say('x'), call, ...say('y')] }), /`tool_use` ids were found without/],
    ['a call at the end', ask('', { messages: [...say('x'), call] }), /`tool_use` ids were found without/],
    ['a result without a call', ask('', { messages: [...say('x'), result('t1')] }), /unexpected `tool_use_id`/],
    ['a result of another call', ask('', { messages: [...say('x'), call, result('t2')] }), /found without|unexpected/],
    ['a tool without a schema', ask('x', { tools: [{ name: 'a', input_schema: {} }] }), /input_schema\.type/],
    ['a choice without tools', ask('x', { tool_choice: { type: 'auto' } }), /while providing tools/],
    ['too small a budget', ask('x', { thinking: { type: 'enabled', budget_tokens: 100 } }), /greater than or equal to 1024/],
    ['a budget above the ceiling', ask('x', { thinking: { type: 'enabled', budget_tokens: 4000 } }), /must be greater than/],
    ['thinking at a temperature', ask('x', { temperature: 0.5, thinking: { type: 'enabled', budget_tokens: 1024 } }), /temperature/],
    ['thinking with top_k', ask('x', { top_k: 5, thinking: { type: 'enabled', budget_tokens: 1024 } }), /top_k/],
    ['thinking with a forced tool', ask('x', { tools: [weather], tool_choice: { type: 'any' }, thinking: { type: 'enabled', budget_tokens: 1024 } }), /forces tool use/],
  ];
  for (const [name, body, message] of refused) {
    test(`refuses: ${name}`, async () => {
      const answer = typeof body === 'string' ? await request(backend.port, { method: 'POST', path: '/v1/messages', body, headers: key }) : await send(body);
      assert.equal(answer.status, 400, answer.text());
      const { type, error, request_id } = answer.json();
      assert.equal(type, 'error');
      assert.equal(error.type, 'invalid_request_error');
      assert.match(error.message, message);
      assert.match(request_id, /^req_/);
    });
  }
});

describe('Chat Completions', () => {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: weather.input_schema } }];
  const question = (content, extra = {}) => ({ model: 'gpt', messages: say(content), ...extra });
  const chat = (content, extra, behaviour = '') => openai().chat.completions.create(question(content, extra), headers(behaviour));

  test('several choices, log probabilities, stop, structured answers', async () => {
    const many = await chat('one END two', { n: 3, stop: 'END', logprobs: true });
    assert.deepEqual(many.choices.map((choice) => [choice.index, choice.message.content, choice.finish_reason]), [0, 1, 2].map((i) => [i, 'model gpt answering: one ', 'stop']));
    assert.equal(many.choices[0].logprobs.content[0].token, many.choices[0].message.content);
    assert.equal(many.usage.completion_tokens, 12);
    const json = await openai().chat.completions.parse(question('x', { response_format: { type: 'json_schema', json_schema: { name: 'w', schema: weather.input_schema } } }));
    assert.deepEqual(json.choices[0].message.parsed ?? JSON.parse(json.choices[0].message.content), sampled);
    assert.deepEqual(JSON.parse((await chat('x', { response_format: { type: 'json_object' } })).choices[0].message.content), { answer: true });
  });

  test('the stream helper gathers choices, calls, thoughts and refusals', async () => {
    const gather = (content, extra, behaviour = '') => openai().chat.completions.stream(question(content, extra), headers(behaviour)).finalChatCompletion();
    assert.deepEqual((await gather('Hi', { n: 2 })).choices.map((choice) => choice.message.content), Array(2).fill('model gpt answering: Hi'));
    const called = await gather('Go', { tools }, 'parallel-tools=2');
    assert.equal(called.choices[0].finish_reason, 'tool_calls');
    assert.deepEqual(called.choices[0].message.tool_calls.map((one) => JSON.parse(one.function.arguments)), [sampled, sampled]);
    assert.equal(new Set(called.choices[0].message.tool_calls.map((one) => one.id)).size, 2);
    const refused = await gather('Hi', {}, 'refusal');
    assert.equal(refused.choices[0].message.refusal, 'I will not answer that.');
    let thought = '';
    for await (const one of await chat('Hi', { stream: true }, 'thinking=5')) thought += one.choices[0]?.delta.reasoning_content ?? '';
    const whole = await chat('Hi', {}, 'thinking=5');
    assert.equal(thought, whole.choices[0].message.reasoning_content);
    assert.equal(whole.usage.completion_tokens_details.reasoning_tokens, 5);
  });

  const usages = async (behaviour) => {
    const seen = [];
    for await (const one of await chat('Hi', { stream: true }, behaviour)) seen.push([one.choices.length, one.usage?.completion_tokens ?? null]);
    return seen;
  };
  test('where usage stands', async () => {
    assert.deepEqual(await usages('usage=none'), Array(6).fill([1, null]));
    assert.deepEqual((await usages('usage=same')).slice(-2), [[1, null], [1, 4]]);
    assert.deepEqual((await usages('usage=after')).slice(-2), [[1, null], [0, 4]]);
    assert.deepEqual(await usages('usage=every'), [0, 1, 2, 3, 4, 4].map((n) => [1, n]));
    const preview = await usages('usage=preview');
    assert.deepEqual([preview[0], preview.at(-1)], [[0, 0], [0, 4]]);
  });

  test('finish reasons, errors in a stream, overload', async () => {
    assert.equal((await chat('Hi', {}, 'finish=content_filter')).choices[0].finish_reason, 'content_filter');
    assert.equal((await chat('Hi', {}, 'cached=7')).usage.prompt_tokens_details.cached_tokens, 7);
    await assert.rejects(async () => {
      for await (const one of await chat('Hi', { stream: true }, 'error-event=2')) void one;
    }, /had an error while answering/);
    await assert.rejects(chat('Hi', {}, 'overloaded'), (error) => error.status === 503);
  });

  test('completions', async () => {
    const whole = await openai().completions.create({ model: 'old', prompt: ['Once upon', 'x'] });
    assert.equal(whole.object, 'text_completion');
    assert.equal(whole.choices[0].text, 'model old answering: Once upon');
    let text = '';
    let usage;
    for await (const one of await openai().completions.create({ model: 'old', prompt: 'Once upon', stream: true, stream_options: { include_usage: true } })) {
      text += one.choices[0]?.text ?? '';
      usage = one.usage ?? usage;
    }
    assert.equal(text, whole.choices[0].text);
    assert.equal(usage.completion_tokens, 5);
    assert.equal((await request(backend.port, { path: '/v1/completions', body: '{"model":"m"}' })).status, 400);
  });

  test('Azure: the deployment is the model, a version and a key are asked for', async () => {
    const azure = new AzureOpenAI({ endpoint: backend.url, apiKey: 'sk', apiVersion: '2024-10-21', deployment: 'my-gpt', maxRetries: 0 });
    const answer = await azure.chat.completions.create({ messages: say('Hi') });
    assert.equal(answer.choices[0].message.content, 'model my-gpt answering: Hi');
    const at = (path, extra) => request(backend.port, { method: 'POST', path, body: JSON.stringify({ messages: say('Hi') }), headers: extra });
    assert.equal((await at('/openai/deployments/d/chat/completions?api-version=1', {})).status, 401);
    assert.equal((await at('/openai/deployments/d/chat/completions', { 'api-key': 'k' })).status, 404);
  });
});

describe('Responses', () => {
  const tool = { type: 'function', name: 'weather', parameters: weather.input_schema, strict: true };
  const create = (params, behaviour = '') => openai().responses.create({ model: 'gpt', ...params }, headers(behaviour));
  const gather = (params, behaviour = '') => openai().responses.stream({ model: 'gpt', ...params }, headers(behaviour)).finalResponse();
  /** What does not differ between a whole answer and a streamed one. */
  const bare = (response) => ({ ...response, id: 0, created_at: 0, stream: 0, output: response.output.map((item) => ({ ...item, id: 0, call_id: 0, parsed_arguments: 0, content: item.content?.map((part) => ({ ...part, parsed: 0 })) })), output_parsed: 0 });

  test('whole', async () => {
    const response = await create({ input: 'Good morning', instructions: 'Be kind', metadata: { a: 'b' } });
    assert.match(response.id, /^resp_/);
    assert.equal(response.object, 'response');
    assert.equal(response.status, 'completed');
    assert.equal(response.output_text, 'model gpt answering: Good morning');
    assert.equal(response.instructions, 'Be kind');
    assert.deepEqual(response.metadata, { a: 'b' });
    assert.equal(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens);
  });

  for (const [name, params, behaviour] of [
    ['text', { input: 'Good morning' }, ''],
    ['a tool', { input: 'Use the tool', tools: [tool] }, ''],
    ['tools at once', { input: 'Go', tools: [tool] }, 'parallel-tools=3'],
    ['a refusal', { input: 'Hi' }, 'refusal'],
    ['thoughts told', { input: 'Hi' }, 'thinking=5'],
    ['thoughts summed up', { input: 'Hi', reasoning: { effort: 'high', summary: 'auto' } }, ''],
    ['thoughts sealed', { input: 'Hi', reasoning: { effort: 'low' }, include: ['reasoning.encrypted_content'] }, ''],
    ['cut by length', { input: 'a b c', max_output_tokens: 2 }, ''],
    ['filtered', { input: 'Hi' }, 'finish=content_filter'],
  ]) {
    test(`streamed as whole: ${name}`, async () => {
      const whole = await create(params, behaviour);
      assert.deepEqual(bare(await gather(params, behaviour)), bare(whole));
    });
  }

  test('the events, their order, their numbers', async () => {
    const answer = await request(backend.port, { path: '/v1/responses', body: JSON.stringify({ model: 'm', input: 'Go', stream: true, tools: [tool], metadata: { a: 'b' } }, null, 1), headers: told('parallel-tools=1,thinking=2') });
    const got = events(answer);
    assert.deepEqual(got.map(([, data]) => data.sequence_number), got.map((_, index) => index));
    for (const [name, data] of got) assert.equal(data.type, name);
    assert.deepEqual(got.map(([name]) => name.replace('response.', '')), [
      'created', 'in_progress',
      'output_item.added', 'content_part.added', 'reasoning_text.delta', 'reasoning_text.delta', 'reasoning_text.done', 'content_part.done', 'output_item.done',
      'output_item.added', ...Array(2).fill('function_call_arguments.delta'), 'function_call_arguments.done', 'output_item.done',
      'completed',
    ]);
    assert.equal(got[0][1].response.status, 'in_progress');
    assert.equal(got.at(-1)[1].response.output.length, 2);
    const failed = events(await request(backend.port, { path: '/v1/responses', body: '{"model":"m","input":"Hi","stream":true}', headers: told('error-event=1') }));
    assert.equal(failed.at(-1)[0], 'response.failed');
    assert.equal(failed.at(-1)[1].response.error.code, 'server_error');
  });

  test('a structured answer', async () => {
    const text = { format: { type: 'json_schema', name: 'w', schema: weather.input_schema } };
    const parsed = await openai().responses.parse({ model: 'gpt', input: 'x', text });
    assert.deepEqual(JSON.parse(parsed.output_text), sampled);
  });

  test('kept: retrieved, gone on from, its input listed, deleted', async () => {
    const client = openai();
    const first = await create({ input: 'Use the tool', tools: [tool] });
    assert.deepEqual({ ...(await client.responses.retrieve(first.id)), output_text: 0 }, { ...first, output_text: 0 });
    const output = [{ type: 'function_call_output', call_id: first.output[0].call_id, output: 'rain' }];
    const second = await create({ input: output, previous_response_id: first.id });
    assert.equal(second.output_text, "model gpt answering with the tool's result: rain");
    const whole = await create({ input: [{ role: 'user', content: 'Go' }, ...first.output, ...output], store: false });
    assert.equal(whole.output_text, second.output_text);
    await assert.rejects(client.responses.retrieve(whole.id), OpenAI.NotFoundError);

    const many = await create({ input: Array.from({ length: 5 }, (_, i) => ({ role: 'user', content: [{ type: 'input_text', text: `${i}` }] })) });
    const texts = [];
    for await (const item of client.responses.inputItems.list(many.id, { limit: 2, order: 'asc' })) texts.push(item.content[0].text);
    assert.deepEqual(texts, ['0', '1', '2', '3', '4']);
    await client.responses.delete(many.id);
    await assert.rejects(client.responses.retrieve(many.id), OpenAI.NotFoundError);
  });

  test('in the background: polled, cancelled, followed', async () => {
    const client = openai();
    const begun = await create({ input: 'Hi', background: true }, 'work=300');
    assert.equal(begun.status, 'queued');
    const seen = new Set();
    let now = begun;
    while (now.status === 'queued' || now.status === 'in_progress') {
      seen.add(now.status);
      now = await client.responses.retrieve(begun.id);
    }
    assert.deepEqual([...seen], ['queued', 'in_progress']);
    assert.equal(now.output_text, 'model gpt answering: Hi');
    const slow = await create({ input: 'Hi', background: true }, 'work=60000');
    assert.equal((await client.responses.cancel(slow.id)).status, 'cancelled');
    assert.equal((await client.responses.cancel(slow.id)).status, 'cancelled');
    await assert.rejects(client.responses.cancel((await create({ input: 'x' })).id), OpenAI.BadRequestError);
    const followed = await create({ input: 'Hi', background: true }, 'work=100');
    const all = events(await get(backend.port, `/v1/responses/${followed.id}?stream=true`));
    const rest = events(await get(backend.port, `/v1/responses/${followed.id}?stream=true&starting_after=3`));
    assert.equal(all.at(-1)[0], 'response.completed');
    assert.deepEqual(rest, all.slice(4));
  });

  for (const [name, body, code, message] of [
    ['no input', { model: 'm' }, 'missing_required_parameter', /'input'/],
    ['no model', { input: 'x' }, 'missing_required_parameter', /'model'/],
    ['a parameter of another protocol', { model: 'm', input: 'x', messages: [] }, 'unknown_parameter', /'messages'/],
    ['a tool of the other form', { model: 'm', input: 'x', tools: [{ type: 'function', function: { name: 'a' } }] }, 'missing_required_parameter', /tools\[0\]\.name/],
    ['an unknown item', { model: 'm', input: [{ type: 'tool' }] }, 'invalid_value', /'tool'/],
    ['an unknown part', { model: 'm', input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }, 'invalid_value', /'text'/],
    ['an unknown response before', { model: 'm', input: 'x', previous_response_id: 'resp_none' }, 'previous_response_not_found', /not found/],
    ['a result of no call', { model: 'm', input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] }, null, /No tool call found/],
    ['background without a store', { model: 'm', input: 'x', background: true, store: false }, null, /stored/],
    ['a broken seal', { model: 'm', input: [{ type: 'reasoning', summary: [], encrypted_content: 'x' }] }, 'invalid_encrypted_content', /verified/],
  ]) {
    test(`refuses: ${name}`, async () => {
      const answer = await request(backend.port, { path: '/v1/responses', body: JSON.stringify(body) });
      assert.equal(answer.status, 400, answer.text());
      assert.equal(answer.json().error.type, 'invalid_request_error');
      assert.equal(answer.json().error.code, code);
      assert.match(answer.json().error.message, message);
    });
  }
});

describe('what is no text', () => {
  test('embeddings: of length one, the same for the same text, in both encodings', async () => {
    const client = openai();
    const floats = await client.embeddings.create({ model: 'e', input: ['one', 'two', 'one'], encoding_format: 'float' });
    const [one, two, again] = floats.data.map((item) => item.embedding);
    assert.equal(one.length, 64);
    assert.ok(Math.abs(one.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
    assert.deepEqual(one, again);
    assert.notDeepEqual(one, two);
    const coded = await client.embeddings.create({ model: 'e', input: 'one' }); // base64 on the wire
    assert.deepEqual([...coded.data[0].embedding], one.map(Math.fround));
    assert.equal((await backend.last()).json().encoding_format, 'base64');
    assert.equal((await client.embeddings.create({ model: 'e', input: [[1, 2, 3]], dimensions: 8, encoding_format: 'float' })).data[0].embedding.length, 8);
    for (const input of ['', [], [true], undefined]) await assert.rejects(client.embeddings.create({ model: 'e', input }), OpenAI.BadRequestError);
  });

  test('pictures', async () => {
    const client = openai();
    const { data } = await client.images.generate({ model: 'gpt-image-1', prompt: 'a cat', n: 2, size: '1024x1024' });
    assert.equal(data.length, 2);
    const png = Buffer.from(data[0].b64_json, 'base64');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.deepEqual(inflateSync(png.subarray(41, -16)).length, 4, 'one pixel behind its filter');
    assert.equal(crc32(png.subarray(37, -16)), png.readUInt32BE(png.length - 16));
    const other = await client.images.generate({ model: 'dall-e-3', prompt: 'a dog', response_format: 'url' });
    assert.match(other.data[0].url, /^data:image\/png;base64,/);
    await assert.rejects(client.images.generate({ prompt: '' }), OpenAI.BadRequestError);
    const chat = await request(backend.port, { body: JSON.stringify({ model: 'omni', messages: say('a cat'), extra_body: { width: 1024 } }) });
    const [part] = chat.json().choices[0].message.content;
    assert.equal(part.image_url.url, `data:image/png;base64,${data[0].b64_json}`);
  });
});

test('what it saw last is there to look at', async () => {
  await anthropic().messages.create(ask('Remember'));
  const last = await backend.last();
  assert.equal(last.target, '/v1/messages');
  assert.equal(last.headers.get('authorization'), 'Bearer sk-ant');
  assert.equal(last.json().messages[0].content, 'Remember');
  assert.equal((await get(backend.port, '/health')).status, 200);
});

test('no second backend takes a share of the connections', () => {
  const second = spawnSync(program, ['backend', '--listen', `127.0.0.1:${backend.port}`], { encoding: 'utf8', timeout: 20000 });
  assert.equal(second.status, 1, second.stderr);
  assert.match(second.stderr, /the port is in use already/);
});

test('status says why a gateway cannot be asked', async () => {
  const status = (url) => spawnSync(program, ['status', '--url', url], { encoding: 'utf8', timeout: 20000 });
  const mistaken = status(`https://127.0.0.1:${backend.port}`);
  assert.equal(mistaken.status, 1);
  assert.match(mistaken.stdout, /cannot be asked: .*TLS/);
  assert.match(status('http://127.0.0.1:1').stdout, /not running: .*Connection refused/);
});
