// What backends and clients do wrong, for every pairing of their protocols: the client gets a whole answer or an error
// in its own words, never half of one that looks whole; and nothing stays behind.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Backend, hang, jsonAnswer, sendAndClose } from './lib/backend.mjs';
import { Conn, request, requestBytes } from './lib/http.mjs';
import { eventually, every, policy, test, Vsr, within } from './lib/harness.mjs';
import { startStandIn, told } from './lib/standin.mjs';

const say = [{ role: 'user', content: 'one two three' }];
const parse = (block) => JSON.parse(/^data: (.*)$/m.exec(block)[1]);

const protocols = {
  openai: {
    path: '/v1/chat/completions',
    body: (model, stream) => ({ model, messages: say, stream, ...(stream && { stream_options: { include_usage: true } }) }),
    isError: (value) => value.error !== undefined && typeof value.error.message === 'string' && value.type === undefined,
    text: (value) => value.choices[0].message.content,
    /** The text of a stream and how it ended: whole, or with an error. */
    read(text) {
      const blocks = text.split('\n\n').filter((block) => /^data:/m.test(block));
      const whole = blocks.at(-1) === 'data: [DONE]';
      const values = blocks.filter((block) => block !== 'data: [DONE]').map(parse);
      const said = values.map((v) => v.choices?.[0]?.delta.content ?? '').join('');
      return { whole, error: values.some((v) => this.isError(v)), said };
    },
  },
  anthropic: {
    path: '/v1/messages',
    body: (model, stream) => ({ model, messages: say, stream, max_tokens: 100 }),
    isError: (value) => value.type === 'error' && typeof value.error.type === 'string' && typeof value.error.message === 'string',
    text: (value) => value.content[0].text,
    read(text) {
      const values = text.split('\n\n').filter((block) => /^data:/m.test(block)).map(parse);
      const said = values.map((v) => v.delta?.text ?? '').join('');
      return { whole: values.at(-1)?.type === 'message_stop', error: values.some((v) => this.isError(v)), said };
    },
  },
};
const backends = { openai: 'gpt', anthropic: 'claude' };
const headers = { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' };

let standin, backend, vsr;
before(async () => {
  standin = await startStandIn(null);
  backend = await Backend.start(null);
  const refs = [{ endpoint: backend.address, api_key: 'k' }];
  vsr = await Vsr.start(
    policy({
      models: { gpt: { backend_refs: refs }, claude: { api_format: 'anthropic', backend_refs: refs } },
      listener: { timeout: '1s' },
    }),
  );
});
after(async () => {
  await vsr?.stop();
  await backend?.close();
  await standin?.stop();
});
const idle = () =>
  eventually('nothing under way', async () => /^vsr_requests_active 0$/m.test((await vsr.metrics()).text()));

/** The answer of a real server of that protocol, as bytes, with nothing but the body to tell its end. */
async function recorded(protocol, stream, chunked) {
  const { path, body } = protocols[protocol];
  const got = await request(standin.port, { path, body: JSON.stringify(body(backends[protocol], stream)), headers: { ...headers, ...told('thinking=2') } });
  assert.equal(got.status, 200);
  const type = got.headers.get('content-type');
  const payload = Buffer.from(got.text());
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n`;
  if (!chunked) return { head: Buffer.from(`${head}Connection: close\r\n\r\n`), payload };
  const size = Buffer.from(`${payload.length.toString(16)}\r\n`);
  return { head: Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), payload: Buffer.concat([size, payload, Buffer.from('\r\n0\r\n\r\n')]) };
}

for (const [client, mine] of Object.entries(protocols))
  for (const [server, model] of Object.entries(backends))
    describe(`${client} client, ${server} backend`, () => {
      const ask = (stream) => request(vsr.port, { path: mine.path, body: JSON.stringify(mine.body(model, stream)), headers });

      for (const chunked of [true, false])
        test(`a stream that is cut at any byte${chunked ? '' : ', with nothing but the connection to tell its end'}`, async () => {
          const { head, payload } = await recorded(server, true, chunked);
          backend.behaviour = sendAndClose(Buffer.concat([head, payload]));
          const good = mine.read((await ask(true)).text());
          assert.deepEqual([good.whole, good.error], [true, false]);
          const cuts = Array.from({ length: Math.floor(payload.length / 23) }, (_, i) => i * 23);
          const queue = cuts.map((cut) => Buffer.concat([head, payload.subarray(0, cut)]));
          backend.behaviour = (exchange) => sendAndClose(queue.shift())(exchange);
          await every(cuts, 1, async () => {
            const got = mine.read((await ask(true)).text());
            assert.ok(good.said.startsWith(got.said), got.said);
            assert.ok(got.whole !== got.error, JSON.stringify(got));
            if (got.whole) assert.equal(got.said, good.said);
          });
        });

      test('a whole answer that is cut at any byte', async () => {
        const { head, payload } = await recorded(server, false, false);
        backend.behaviour = sendAndClose(Buffer.concat([head, payload]));
        const good = mine.text((await ask(false)).json());
        const cuts = Array.from({ length: Math.floor(payload.length / 11) }, (_, i) => i * 11);
        const queue = cuts.map((cut) => Buffer.concat([head, payload.subarray(0, cut)]));
        backend.behaviour = (exchange) => sendAndClose(queue.shift())(exchange);
        await every(cuts, 1, async () => {
          const got = await ask(false).catch(() => null);
          if (got === null || !got.complete) return; // broken off, and seen to be
          if (got.status === 200) assert.equal(mine.text(got.json()), good);
          else assert.ok(got.status >= 500 && mine.isError(got.json()), got.text());
        });
      });

      const faults = {
        'a reset': [sendAndClose('', { reset: true }), 502],
        silence: [hang(), 504],
        'no HTTP': [sendAndClose('what?\r\n\r\n'), 502],
        'a 429': [jsonAnswer('{"error":{"message":"slow"}}', { status: 429, reason: 'No', headers: { 'Retry-After': '3' } }), 429],
        'a 500 of no sense': [jsonAnswer('<html>', { status: 500, reason: 'No' }), 500],
      };
      for (const [what, [behaviour, status]] of Object.entries(faults))
        test(what, async () => {
          for (const stream of [false, true]) {
            backend.behaviour = behaviour;
            const got = await within('an answer', ask(stream));
            assert.equal(got.status, status, got.text());
            if (client !== server || status === 502 || status === 504) assert.ok(mine.isError(got.json()), got.text());
            if (status === 429) assert.equal(got.headers.get('retry-after'), '3');
          }
        });

      test('a client that leaves, in each phase', async () => {
        const { head, payload } = await recorded(server, true, true);
        const phases = [
          hang(),
          async (exchange) => {
            await exchange.write(head);
            await hang()(exchange);
          },
          async (exchange) => {
            await exchange.write(Buffer.concat([head, payload.subarray(0, payload.length >> 1)]));
            await hang()(exchange);
          },
        ];
        for (const behaviour of phases) {
          backend.forget();
          backend.behaviour = behaviour;
          const conn = await Conn.open(vsr.port);
          await conn.write(requestBytes({ path: mine.path, body: JSON.stringify(mine.body(model, true)), headers }));
          await within('the backend to be asked', backend.received(1));
          await sleep(20);
          conn.destroy();
          await within('the backend to be let go', backend.last.gone);
        }
        await idle();
      });
    });
