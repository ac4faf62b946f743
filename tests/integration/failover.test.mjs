// Another model of the decision answers when the chosen one cannot, and a second endpoint beside a slow first one.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend, hang, jsonAnswer, openaiAnswer, responseBytes, sendAndClose } from './lib/backend.mjs';
import { chat, post, readChatStream, request } from './lib/http.mjs';
import { eventually, policy, startVsr, test, within } from './lib/harness.mjs';
import { startStandIn } from './lib/standin.mjs';

const ids = ['one', 'two', 'three'];

/** A decision with three candidates, each with a backend of its own; `windows` are the candidates' sizes. */
async function three(t, { fallback = true, windows = [], models = {}, listener, global } = {}) {
  const backends = {};
  for (const id of ids) backends[id] = await Backend.start(t);
  const vsr = await startVsr(
    t,
    policy({
      listener,
      global,
      default_model: 'one',
      models: { ...backends, ...models },
      cards: Object.fromEntries(ids.map((id, i) => [id, windows[i] ? { context_window_size: windows[i] } : {}])),
      decisions: [{ name: 'all', priority: 1, fallback, modelRefs: ids.map((model) => ({ model })) }],
    }),
  );
  return { vsr, ...backends };
}

const auto = (extra = {}) => ({ ...chat('hi'), model: 'auto', ...extra });
const status = (code, body = '{"error":{"message":"no","code":"c"}}') => jsonAnswer(body, { status: code, reason: 'No' });
const idle = (vsr) =>
  eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));

describe('another model answers', () => {
  for (const [name, behaviour, reason] of [
    ['429', status(429), '429'],
    ['503', status(503), '5xx'],
    ['a reset before the head', sendAndClose('', { reset: true }), 'reset'],
  ])
    test(`after ${name}`, async (t) => {
      const { vsr, one, two, three: third } = await three(t);
      one.behaviour = behaviour;
      const answer = await post(vsr.port, auto());
      assert.equal(answer.status, 200, answer.text());
      assert.equal(answer.json().choices[0].message.content, 'model=two');
      assert.equal(answer.headers.get('x-vsr-fallback-model'), 'one');
      assert.equal(answer.headers.get('x-vsr-selected-model'), 'two');
      assert.deepEqual([one.requests.length, two.requests.length, third.requests.length], [1, 1, 0]);
      assert.equal(two.last.headers.get('x-selected-model'), 'two');
      const page = (await vsr.metrics()).text();
      assert.match(page, new RegExp(`^llm_model_failover_total\\{from="one",to="two",reason="${reason}"\\} 1$`, 'm'));
      assert.match(page, /^llm_model_inflight_requests\{model="one"\} 0$/m);
      await idle(vsr);
    });

  test('when nobody listens, and streams as well', async (t) => {
    const { vsr, one } = await three(t);
    await one.close();
    const answer = await post(vsr.port, auto({ stream: true }));
    assert.equal(answer.status, 200);
    assert.match(readChatStream(answer).content, /^model=two/);
  });

  test('once per model, and the last error is the answer', async (t) => {
    const { vsr, ...backends } = await three(t);
    for (const id of ids) backends[id].behaviour = status(500, `{"error":{"message":"${id}"}}`);
    const answer = await post(vsr.port, auto());
    assert.equal(answer.status, 500);
    assert.equal(answer.text(), '{"error":{"message":"three"}}');
    assert.deepEqual(ids.map((id) => backends[id].requests.length), [1, 1, 1]);
    await idle(vsr);
  });

  for (const code of [400, 401, 404])
    test(`not after ${code}`, async (t) => {
      const { vsr, one, two } = await three(t);
      one.behaviour = status(code);
      assert.equal((await post(vsr.port, auto())).status, code);
      assert.equal(two.requests.length, 0);
    });

  test('not where the decision does not say so, nor for a model that was named', async (t) => {
    const plain = await three(t, { fallback: false });
    plain.one.behaviour = status(503);
    assert.equal((await post(plain.vsr.port, auto())).status, 503);
    assert.equal(plain.two.requests.length, 0);
    const named = await three(t);
    named.one.behaviour = status(503);
    assert.equal((await post(named.vsr.port, auto({ model: 'one' }))).status, 503);
    assert.equal(named.two.requests.length, 0);
  });

  test('not once the answer has begun', async (t) => {
    const { vsr, one, two } = await three(t);
    one.behaviour = sendAndClose(responseBytes({ headers: { 'Content-Length': 5000 }, body: 'x'.repeat(400) }));
    await post(vsr.port, auto()).catch(() => {});
    await sleep(50);
    assert.ok(two.requests.length <= 1);
    await idle(vsr);
  });

  test('within one deadline', async (t) => {
    const { vsr, one, two } = await three(t, { listener: { timeout: '1s' } });
    one.behaviour = async (exchange) => {
      await sleep(400);
      await status(503)(exchange);
    };
    two.behaviour = hang();
    const began = Date.now();
    assertError(await post(vsr.port, auto()), 504, { type: 'timeout_error' });
    assert.ok(Date.now() - began < 1400, 'the second model got what the first had left');
  });

  const tooLong = status(400, '{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}');
  test('a prompt that is too long goes to a larger model, and to no other', async (t) => {
    const { vsr, one, two, three: third } = await three(t, { windows: [8000, 4000, 32000] });
    one.behaviour = tooLong;
    const answer = await post(vsr.port, auto());
    assert.equal(answer.status, 200, answer.text());
    assert.equal(answer.headers.get('x-vsr-selected-model'), 'three');
    assert.equal(two.requests.length, 0);
    third.behaviour = tooLong;
    const refused = await post(vsr.port, auto());
    assert.equal(refused.status, 400);
    assert.equal(refused.json().error.code, 'context_length_exceeded');
    one.behaviour = status(400);
    const other = await post(vsr.port, auto());
    assert.equal(other.text(), '{"error":{"message":"no","code":"c"}}', 'an error that was held is passed on as it is');
  });

  test('a model that speaks another protocol', async (t) => {
    const standin = await startStandIn(t);
    const dead = { endpoint: '127.0.0.1:1', api_key: 'k' };
    const vsr = await startVsr(
      t,
      policy({
        models: {
          claude: { api_format: 'anthropic', backend_refs: [dead] },
          gpt: { backend_refs: [{ endpoint: standin.addresses[0] }] },
        },
        decisions: [{ name: 'all', priority: 1, fallback: true, modelRefs: [{ model: 'claude' }, { model: 'gpt' }] }],
      }),
    );
    const answer = await request(vsr.port, { path: '/v1/messages', body: JSON.stringify({ model: 'auto', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }) });
    assert.equal(answer.status, 200, answer.text());
    assert.equal(answer.json().content[0].text, 'model gpt answering: Hi');
    assert.equal(answer.headers.get('x-vsr-upstream-protocol'), 'openai');
  });

  const limiter = (...rules) => ({ services: { ratelimit: { providers: [{ type: 'local-limiter', rules }] } } });
  test('by the limits of the model that answers, not of the one that failed', async (t) => {
    const { vsr, one, two, three: third } = await three(t, {
      global: limiter(
        { name: 'of-one', match: { model: 'one' }, tokens_per_unit: 1000, unit: 'day' },
        { name: 'of-two', match: { model: 'two' }, requests_per_unit: 1, unit: 'day' },
      ),
    });
    one.behaviour = status(503);
    const first = await post(vsr.port, auto());
    assert.equal(first.headers.get('x-vsr-selected-model'), 'two', first.text());
    assert.equal(first.headers.get('x-ratelimit-limit'), '1');
    const second = await post(vsr.port, auto());
    assert.equal(second.headers.get('x-vsr-selected-model'), 'three', 'two is passed over');
    assert.equal(second.headers.get('x-ratelimit-limit'), undefined, 'nobody counts three');
    third.behaviour = status(503);
    assert.equal((await post(vsr.port, auto())).status, 503, 'nobody is left');
    assert.equal(two.requests.length, 1);
    one.behaviour = openaiAnswer();
    const last = await post(vsr.port, auto());
    assert.ok(Number(last.headers.get('x-ratelimit-remaining')) > 980, 'one has paid for nobody');
    await idle(vsr);
  });

  test('what the first model began is forgotten in times and usage', async (t) => {
    const { vsr, one, two, three: third } = await three(t, { windows: [8000, 4000, 32000] });
    one.behaviour = tooLong;
    await two.close();
    await third.close();
    assert.equal((await post(vsr.port, auto())).status, 502);
    const page = (await vsr.metrics()).text();
    for (const [, sum] of page.matchAll(/^llm_model_\S*_seconds_sum\{\S*\} (\S+)$/gm)) assert.ok(Number(sum) < 1e4, sum);
    await idle(vsr);
  });

  test('hosted tools go on to a model that has them', async (t) => {
    const response = { id: 'r', object: 'response', status: 'completed', model: 'x', created_at: 1, output: [{ type: 'message', id: 'm', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'found', annotations: [] }] }], usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } };
    const native = await Backend.start(t, jsonAnswer(JSON.stringify(response)));
    const responses = (backend) => ({ api_format: 'openai-responses', backend_refs: [backend] });
    const { vsr, two } = await three(t, { models: { one: responses({ endpoint: '127.0.0.1:1', api_key: 'k' }), three: responses(native) } });
    const ask = (tools) => request(vsr.port, { path: '/v1/responses', body: JSON.stringify({ model: 'auto', input: 'Hi', tools }) });
    const answer = await ask([{ type: 'web_search' }]);
    assert.equal(answer.status, 200, answer.text());
    assert.equal(answer.headers.get('x-vsr-selected-model'), 'three');
    assert.equal(answer.json().model, 'three', 'the object says who has answered');
    assert.equal(two.requests.length, 0);
    const plain = await ask([{ type: 'function', name: 'f', parameters: { type: 'object', properties: {} } }]);
    assert.equal(plain.headers.get('x-vsr-selected-model'), 'two');
    assert.equal(plain.json().model, 'two');
  });

  test('names that no header can hold are encoded', async (t) => {
    const good = await Backend.start(t);
    const vsr = await startVsr(
      t,
      policy({
        models: { 模型: { backend_refs: [{ endpoint: '127.0.0.1:1', api_key: 'k' }] }, good },
        decisions: [{ name: 'all', priority: 1, fallback: true, modelRefs: [{ model: '模型' }, { model: 'good' }] }],
      }),
    );
    const answer = await post(vsr.port, auto());
    assert.equal(answer.status, 200, answer.text());
    assert.equal(decodeURIComponent(answer.headers.get('x-vsr-fallback-model')), '模型');
  });

  test('a client that leaves in between', async (t) => {
    const { vsr, one, two } = await three(t);
    one.behaviour = status(503);
    two.behaviour = hang();
    const controller = new AbortController();
    const asked = fetch(`${vsr.base}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(auto()), signal: controller.signal }).catch(() => {});
    await two.received(1);
    controller.abort();
    await asked;
    await within('the second model to be let go', two.last.gone);
    await idle(vsr);
  });
});

describe('a second attempt beside a slow one', () => {
  async function pair(t, after = '50ms') {
    const slow = await Backend.start(t, hang());
    const quick = await Backend.start(t);
    const vsr = await startVsr(
      t,
      policy({
        default_model: 'm',
        models: { m: { reliability: { hedge: { after, max_percent: 100 } }, backend_refs: [slow, quick].map((b, i) => ({ name: `e${i}`, endpoint: b.address })) } },
      }),
    );
    return { vsr, slow, quick };
  }
  const outcome = async (vsr, name) =>
    Number(new RegExp(`^vsr_hedges_total\\{model="m",outcome="${name}"\\} (\\d+)$`, 'm').exec((await vsr.metrics()).text())?.[1] ?? 0);

  test('wins when the first hangs; the first is let go', async (t) => {
    const { vsr, slow } = await pair(t);
    for (let i = 0; i < 4; i++) {
      const answer = await post(vsr.port, { ...chat('hi'), model: 'm' });
      assert.equal(answer.status, 200, answer.text());
      assert.equal(answer.json().choices[0].message.content, 'model=m');
    }
    assert.ok(slow.requests.length >= 1);
    for (const asked of slow.requests) await within('the slow one to be let go', asked.gone);
    assert.equal(await outcome(vsr, 'won'), slow.requests.length);
    await idle(vsr);
  });

  test('streams, too', async (t) => {
    const { vsr } = await pair(t);
    for (let i = 0; i < 2; i++) {
      const answer = await post(vsr.port, { ...chat('hi'), model: 'm', stream: true });
      assert.match(readChatStream(answer).content, /^model=m/);
    }
    await idle(vsr);
  });

  test('loses, or fails, and nobody notices', async (t) => {
    const { vsr, slow, quick } = await pair(t);
    const later = async (exchange) => {
      await sleep(300);
      await openaiAnswer()(exchange);
    };
    slow.behaviour = later;
    quick.behaviour = status(503);
    // Whichever is asked first: the good answer is the one that comes.
    for (let i = 0; i < 4; i++) {
      if ((await post(vsr.port, { ...chat('hi'), model: 'm' })).status === 200) continue;
    }
    slow.behaviour = later;
    quick.behaviour = hang();
    for (let i = 0; i < 2; i++) assert.equal((await post(vsr.port, { ...chat('hi'), model: 'm' })).status, 200);
    assert.ok((await outcome(vsr, 'failed')) + (await outcome(vsr, 'lost')) + (await outcome(vsr, 'won')) >= 2);
    await idle(vsr);
  });

  test('a client that leaves while two are asked', async (t) => {
    const { vsr, slow, quick } = await pair(t);
    quick.behaviour = hang();
    const controller = new AbortController();
    const asked = fetch(`${vsr.base}/v1/chat/completions`, { method: 'POST', body: JSON.stringify({ ...chat('hi'), model: 'm' }), signal: controller.signal }).catch(() => {});
    await within('both to be asked', Promise.all([slow.received(1), quick.received(1)]));
    controller.abort();
    await asked;
    await within('both to be let go', Promise.all([slow.last.gone, quick.last.gone]));
    await idle(vsr);
  });
});
