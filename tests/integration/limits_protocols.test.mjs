// Limits and budgets whatever the client and the backend speak.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { request } from './lib/http.mjs';
import { eventually, policy, Vsr, test } from './lib/harness.mjs';
import { startStandIn, told } from './lib/standin.mjs';

const BUDGET = 1000000;
const messages = [{ role: 'user', content: 'Tell me something about the sea, please.' }];

/** How each client asks; `tokens(answer)` is what the answer says that it took, all in all. */
const clients = {
  chat: {
    path: '/v1/chat/completions',
    body: (model, stream) => ({ model, messages, stream, stream_options: stream ? { include_usage: true } : undefined }),
    tokens: (usage) => usage.total_tokens,
  },
  messages: {
    path: '/v1/messages',
    body: (model, stream) => ({ model, messages, stream, max_tokens: 1000 }),
    tokens: (usage) => usage.input_tokens + usage.output_tokens,
  },
  responses: {
    path: '/v1/responses',
    body: (model, stream) => ({ model, input: messages[0].content, stream, store: false }),
    tokens: (usage) => usage.total_tokens,
  },
};

describe('limits of every protocol', () => {
  let standIn, vsr;
  before(async () => {
    standIn = await startStandIn(null, ['--tokens', '40']);
    const backend_refs = [{ endpoint: standIn.addresses[0] }];
    const rules = [
      { name: 'tokens', tokens_per_unit: BUDGET, unit: 'month', match: { user: '*' } },
      { name: 'few', requests_per_unit: 1, unit: 'day', match: { group: 'few' } },
    ];
    vsr = await Vsr.start(
      policy({
        default_model: 'openai',
        models: { openai: { backend_refs }, anthropic: { api_format: 'anthropic', backend_refs: [{ ...backend_refs[0], api_key: 'k' }] } },
        listener: { trust_identity_headers: true },
        global: { services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } },
      }),
    );
  });
  after(async () => {
    await vsr?.stop();
    await standIn?.stop();
  });

  let users = 0;
  const headersOf = (user) => ({ 'x-authz-user-id': user, 'anthropic-version': '2023-06-01' });
  const ask = (kind, model, user, { stream = false, behaviour } = {}) =>
    request(vsr.port, {
      path: clients[kind].path,
      body: clients[kind].body(model, stream),
      headers: { ...headersOf(user), ...(behaviour ? told(behaviour) : {}) },
    });
  const idle = () =>
    eventually('nothing is under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));
  /** What a user has used so far: what is missing when the same short question is asked by somebody new. */
  const used = async (user) => {
    await idle();
    const left = async (who) => Number((await ask('chat', 'openai', who)).headers.get('x-ratelimit-remaining'));
    const mine = await left(user);
    return (await left(`fresh${users++}`)) - mine;
  };
  /** The last usage that an answer or its stream tells, with what earlier events of the stream told. */
  const usageOf = (answer) => {
    const found = {};
    const walk = (value) => {
      if (value === null || typeof value !== 'object') return;
      if (value.usage) Object.assign(found, value.usage);
      Object.values(value).forEach(walk);
    };
    const text = answer.text();
    if (text.startsWith('{')) walk(JSON.parse(text));
    else
      for (const line of text.split('\n'))
        if (line.startsWith('data: {')) walk(JSON.parse(line.slice(6)));
    return found;
  };

  for (const kind of Object.keys(clients))
    for (const model of ['openai', 'anthropic'])
      for (const stream of [false, true])
        test(`${kind} to ${model}${stream ? ', streamed' : ''}: settled to the token`, async () => {
          const user = `user${users++}`;
          const answer = await ask(kind, model, user, { stream });
          assert.equal(answer.status, 200, answer.text());
          const tokens = clients[kind].tokens(usageOf(answer));
          assert.ok(tokens > 40, `${tokens}: ${answer.text()}`);
          assert.equal(await used(user), tokens);
        });

  for (const kind of Object.keys(clients))
    for (const model of ['openai', 'anthropic'])
      test(`${kind} to ${model}: a stream that is cut is charged for what came`, async () => {
        const user = `user${users++}`;
        await ask(kind, model, user, { stream: true, behaviour: 'cut=4000' });
        const charged = await used(user);
        assert.ok(charged > 15 && charged < 80, `${charged}`);
      });

  test('official clients get their own exception', async () => {
    const defaultHeaders = { 'x-authz-user-id': 'sdk', 'x-authz-user-groups': 'few' };
    const openai = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'none', maxRetries: 0, defaultHeaders });
    const anthropic = new Anthropic({ baseURL: vsr.base, apiKey: 'none', maxRetries: 0, defaultHeaders });
    await openai.chat.completions.create({ model: 'openai', messages });
    await assert.rejects(openai.chat.completions.create({ model: 'openai', messages }), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, `${error}`);
      assert.equal(error.type, 'rate_limit_error');
      assert.ok(Number(error.headers.get('retry-after')) > 0);
      return true;
    });
    await assert.rejects(openai.responses.create({ model: 'openai', input: 'hi' }), OpenAI.RateLimitError);
    await assert.rejects(anthropic.messages.create({ model: 'anthropic', max_tokens: 10, messages }), (error) => {
      assert.ok(error instanceof Anthropic.RateLimitError, `${error}`);
      assert.equal(error.error.type, 'error');
      assert.equal(error.error.error.type, 'rate_limit_error');
      assert.ok(Number(error.headers.get('retry-after')) > 0);
      return true;
    });
  });
});
