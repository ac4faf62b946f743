// Every pairing of a client's protocol with a backend's, with the official clients on one side and the strict stand-in
// on the other: whatever the pair, the client sees the same answers, and the backend only requests that it takes.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { request } from './lib/http.mjs';
import { eventually, policy, test, Vsr } from './lib/harness.mjs';
import { startStandIn, told } from './lib/standin.mjs';

const backends = ['gpt', 'claude'];
const key = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };
const picture = 'iVBORw0KGgo=';

let standin, vsr, anthropic, openai;
before(async () => {
  standin = await startStandIn(null);
  const ref = { endpoint: standin.addresses[0] };
  vsr = await Vsr.start(
    policy({
      models: {
        gpt: { backend_refs: [ref] },
        claude: { api_format: 'anthropic', backend_refs: [{ ...ref, api_key: 'sk-ant-static' }] },
        dead: { backend_refs: [{ endpoint: '127.0.0.1:1' }] },
        deadClaude: { api_format: 'anthropic', backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] },
      },
    }),
  );
  anthropic = new Anthropic({ baseURL: vsr.base, apiKey: 'sk-client', maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', maxRetries: 0 });
});
after(async () => {
  await vsr?.stop();
  await standin?.stop();
});

const headers = (behaviour) => ({ headers: told(behaviour) });
const say = (content) => [{ role: 'user', content }];
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['C', 'F'] } },
  required: ['city', 'days', 'unit'],
};
const sampled = { city: 'city', days: 1, unit: 'C' };

/*
 * Both clients behind one face. `ask` and `stream` give {text, thinking, refusal, calls: [{id, name, input}], finish,
 * usage: {input, output, cached}}; `turn` is what was said, to be put before the next message.
 */
const clients = {
  openai: {
    finish: { stop: 'stop', length: 'length', tools: 'tool_calls', refusal: 'content_filter' },
    body: ({ model, messages, tools, thinking, max = 4000, stop }) => ({
      model,
      messages,
      max_tokens: max,
      ...(stop && { stop }),
      ...(thinking && { reasoning_effort: 'low' }),
      ...(tools && { tools: [{ type: 'function', function: { name: 'weather', description: 'd', parameters: schema } }] }),
    }),
    read(completion) {
      const { message, finish_reason } = completion.choices[0];
      const { usage } = completion;
      return {
        model: completion.model,
        text: message.content ?? '',
        thinking: message.reasoning_content ?? message.reasoning ?? '',
        refusal: message.refusal ?? '',
        calls: (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, input: JSON.parse(c.function.arguments) })),
        finish: finish_reason,
        usage: { input: usage.prompt_tokens, output: usage.completion_tokens, cached: usage.prompt_tokens_details?.cached_tokens ?? 0 },
        turn: [message],
      };
    },
    async ask(options, behaviour = '') {
      return this.read(await openai.chat.completions.create(this.body(options), headers(behaviour)));
    },
    async stream(options, behaviour = '') {
      const stream = openai.chat.completions.stream({ ...this.body(options), stream_options: { include_usage: true } }, headers(behaviour));
      let thinking = '';
      for await (const chunk of stream) thinking += chunk.choices[0]?.delta.reasoning_content ?? '';
      const got = this.read(await stream.finalChatCompletion());
      return { ...got, thinking: got.thinking || thinking };
    },
    results: (calls) => calls.map((c) => ({ role: 'tool', tool_call_id: c.id, content: 'rain' })),
    image: { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
  },
  anthropic: {
    finish: { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use', refusal: 'refusal' },
    body: ({ model, messages, tools, thinking, max = 4000, stop }) => ({
      model,
      messages,
      max_tokens: max,
      ...(stop && { stop_sequences: [stop] }),
      ...(thinking && { thinking: { type: 'enabled', budget_tokens: 1024 } }),
      ...(tools && { tools: [{ name: 'weather', description: 'd', input_schema: schema }] }),
    }),
    read(message) {
      const blocks = (type) => message.content.filter((b) => b.type === type);
      const { usage } = message;
      const cached = usage.cache_read_input_tokens ?? 0;
      return {
        model: message.model,
        text: blocks('text').map((b) => b.text).join(''),
        thinking: blocks('thinking').map((b) => b.thinking).join(''),
        refusal: '',
        calls: blocks('tool_use').map((b) => ({ id: b.id, name: b.name, input: b.input })),
        finish: message.stop_reason,
        usage: { input: usage.input_tokens + cached + (usage.cache_creation_input_tokens ?? 0), output: usage.output_tokens, cached },
        turn: [{ role: 'assistant', content: message.content }],
      };
    },
    async ask(options, behaviour = '') {
      return this.read(await anthropic.messages.create(this.body(options), headers(behaviour)));
    },
    async stream(options, behaviour = '') {
      return this.read(await anthropic.messages.stream(this.body(options), headers(behaviour)).finalMessage());
    },
    results: (calls) => [{ role: 'user', content: calls.map((c) => ({ type: 'tool_result', tool_use_id: c.id, content: 'rain' })) }],
    image: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } },
  },
};

for (const [name, client] of Object.entries(clients))
  for (const model of backends)
    for (const way of ['ask', 'stream'])
      describe(`${name} client, ${model}, ${way}`, () => {
        const ask = (options, behaviour) => client[way]({ model, ...options }, behaviour);

        test('text and usage', async () => {
          const got = await ask({ messages: say('Good morning') });
          assert.equal(got.text, `model ${model} answering: Good morning`);
          assert.equal(got.finish, client.finish.stop);
          assert.equal(got.usage.output, 5);
          assert.ok(got.usage.input > 0);
          assert.equal(got.model, model);
        });

        test('tools, and their results', async () => {
          const first = await ask({ messages: say('Go'), tools: true }, 'parallel-tools=3');
          assert.deepEqual(first.calls.map((c) => [c.name, c.input]), Array(3).fill(['weather', sampled]));
          assert.equal(new Set(first.calls.map((c) => c.id)).size, 3);
          assert.equal(first.finish, client.finish.tools);
          const messages = [...say('Go'), ...first.turn, ...client.results(first.calls)];
          const second = await ask({ messages, tools: true }, 'parallel-tools=3');
          assert.match(second.text, /with the tool's result: rain/);
        });

        test('thinking, and on in the next turn', async () => {
          const first = await ask({ messages: say('Hi'), thinking: true }, 'thinking=3');
          assert.ok(first.thinking.length > 0, JSON.stringify(first));
          assert.ok(first.text.length > 0);
          const messages = [...say('Hi'), ...first.turn, ...say('And?')];
          const second = await ask({ messages, thinking: true });
          assert.match(second.text, /And\?/);
        });

        test('an image', async () => {
          const got = await ask({ messages: say([client.image, { type: 'text', text: 'What is it?' }]) });
          assert.equal(got.text, `model ${model} answering about 1 image: What is it?`);
        });

        test('why it ended', async () => {
          assert.equal((await ask({ messages: say('a b c d'), max: 2 })).finish, client.finish.length);
          const refused = model === 'claude' ? 'finish=refusal' : 'finish=content_filter';
          assert.equal((await ask({ messages: say('Hi') }, refused)).finish, client.finish.refusal);
          const stopped = await ask({ messages: say('one STOP two'), stop: 'STOP' });
          assert.equal(stopped.text, `model ${model} answering: one `);
        });

        test('cached tokens', async () => {
          const { usage } = await ask({ messages: say('Hi') }, 'cached=10');
          assert.equal(usage.cached, 10);
          assert.ok(usage.input > 10, JSON.stringify(usage));
        });

        for (const where of ['same', 'after', 'every', 'preview'])
          test(`usage reported ${where}`, async () => {
            const { usage } = await ask({ messages: say('Good morning') }, `usage=${where}`);
            assert.equal(usage.output, 5);
          });

        const typed = name === 'openai' ? OpenAI : Anthropic;
        test('errors are the typed ones', async () => {
          const failing = (behaviour, options = {}) => ask({ messages: say('Hi'), ...options }, behaviour);
          await assert.rejects(failing('status=429'), typed.RateLimitError);
          await assert.rejects(failing('status=404'), typed.NotFoundError);
          await assert.rejects(failing('status=500'), typed.InternalServerError);
          await assert.rejects(failing('status=401'), typed.AuthenticationError);
          await assert.rejects(failing('', { model: 'nobody' }), typed.NotFoundError);
        });

        test('a backend that cannot be reached', async () => {
          const dead = model === 'claude' ? 'deadClaude' : 'dead';
          await assert.rejects(ask({ model: dead, messages: say('Hi') }), (error) => error.status === 502);
        });

        test('an answer that is no JSON', async () => {
          await assert.rejects(ask({ messages: say('Hi') }, 'garbage'));
        });

        if (way === 'stream') {
          test('a stream that fails, and streams that are cut', async () => {
            for (const behaviour of ['error-event=2', 'no-terminal', 'cut=300']) {
              await assert.rejects(ask({ messages: say('one two three four') }, behaviour), behaviour);
            }
          });
        }
      });

describe('what both have in common', () => {
  test('the headers say who spoke what', async () => {
    for (const [path, body, protocols] of [
      ['/v1/messages', { model: 'gpt', max_tokens: 9, messages: say('x') }, ['anthropic', 'openai']],
      ['/v1/chat/completions', { model: 'claude', messages: say('x') }, ['openai', 'anthropic']],
      ['/v1/messages', { model: 'claude', max_tokens: 9, messages: say('x') }, [undefined, undefined]],
      ['/v1/chat/completions', { model: 'gpt', messages: say('x') }, [undefined, undefined]],
    ]) {
      const got = await request(vsr.port, { path, body: JSON.stringify(body), headers: key });
      assert.equal(got.status, 200, got.text());
      assert.equal(got.headers.get('x-vsr-client-protocol'), protocols[0]);
      assert.equal(got.headers.get('x-vsr-upstream-protocol'), protocols[1]);
      assert.equal(got.headers.get('x-vsr-response-path'), 'upstream');
    }
  });

  test('an error of the backend in a stream is told once', async () => {
    for (const model of ['gpt', 'claude']) {
      const got = await request(vsr.port, { path: '/v1/chat/completions', body: JSON.stringify({ model, stream: true, messages: say('one two three four') }), headers: { ...key, ...told('error-event=2') } });
      assert.equal(got.text().match(/"error":/g)?.length, 1, got.text());
    }
  });

  test('a Messages request that does not say how long the answer may be has a limit with both', async () => {
    for (const model of backends)
      for (const limit of [{}, { max_tokens: null }]) {
        const body = JSON.stringify({ model, messages: say('x'), ...limit });
        const got = await request(vsr.port, { path: '/v1/messages', body, headers: key });
        assert.equal(got.status, 200, `${model} ${got.text()}`);
      }
  });

  test('what is lost is named', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } };
    const call = { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'weather', input: {} }] };
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image] }] };
    const body = { model: 'gpt', max_tokens: 9, messages: [...say('x'), call, result], tools: [{ name: 'weather', input_schema: schema }] };
    const got = await request(vsr.port, { path: '/v1/messages', body: JSON.stringify(body), headers: key });
    assert.match(got.headers.get('x-vsr-protocol-warnings'), /lossy;tool_result_image_dropped;messages\.2/);
    const counted = /^llm_translation_lossy_total\{inbound="anthropic",outbound="openai",severity="lossy",reason="tool_result_image_dropped"\} 1$/m;
    await eventually('the loss counted', async () => counted.test((await vsr.metrics()).text()));
    const native = await request(vsr.port, { path: '/v1/messages', body: JSON.stringify({ ...body, model: 'claude' }), headers: key });
    assert.equal(native.status, 200, native.text());
    assert.equal(native.headers.get('x-vsr-protocol-warnings'), undefined);
  });

  test('nothing stays behind', async () => {
    await eventually('no request under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
  });
});
