// Bodies on their way through, byte for byte: edited in place on the way in, untouched on the way back.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe } from 'node:test';

import { assertError } from './lib/asserts.mjs';
import { Backend, completion, jsonAnswer, openaiAnswer } from './lib/backend.mjs';
import { chat, Conn, post, readChatStream } from './lib/http.mjs';
import { lane, otherwise, policy, startVsr, test, Vsr, within } from './lib/harness.mjs';

describe('bodies', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(
      policy({
        default_model: 'small',
        models: {
          small: { provider_model_id: 'prov "small"/v1', backend_refs: [backend] },
          plain: backend,
          byType: {
            external_model_ids: { vllm: 'served-by-vllm', openai: 'served-by-openai' },
            backend_refs: [backend],
          },
          typed: {
            external_model_ids: { tgi: 'served-by-tgi', vllm: 'no' },
            backend_refs: [{ endpoint: backend.address, type: 'tgi' }],
          },
          byDefault: { external_model_ids: { default: 'by-default' }, backend_refs: [backend] },
        },
      }),
    );
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const forwarded = async (body, status = 200) => {
    backend.forget();
    const answer = await post(vsr.port, body);
    assert.equal(answer.status, status, answer.text());
    assert.equal(backend.requests.length, 1);
    return backend.last.body.toString('latin1');
  };
  const latin1 = (text) => Buffer.from(text).toString('latin1');

  // `@` stands for the model's name, the one thing that may change.
  const peculiar = [
    [
      'unknown members in their order',
      '{"zeta":1,"model":@,"messages":[{"role":"user","content":"x"}],"alpha":{"b":[],"a":null}}',
    ],
    [
      'number spellings',
      '{"model":@,"a":1.0,"b":1e400,"c":-0.0,"d":123456789012345678901234567890,"e":1E+2,"f":0.1000,"messages":[]}',
    ],
    ['white space', '\t{ "model" : @\r\n,\n "messages" : [ { "role":"user" , "content":"x" } ] }\n '],
    [
      'escapes',
      '{"messages":[{"role":"user","content":"\\u00e9\\ud83d\\ude00\\/\\b\\u0000 \\"q\\""}],"model":@,"k\\u0065y":1}',
    ],
    ['raw UTF-8', '{"messages":[{"role":"user","content":"größer 漢字 🌍 \u2028\u00a0"}],"model":@,"ключ":"знач"}'],
    [
      'duplicate members',
      '{"model":@,"messages":[{"role":"user","content":"x","name":"a","name":"b"}],"seed":1,"seed":2}',
    ],
    [
      'provider members',
      '{"model":@,"chat_template_kwargs":{"enable_thinking":true},"cache_control":{"type":"ephemeral"},"messages":' +
        '[{"role":"assistant","content":"y","reasoning_content":"r"},{"role":"user","content":"x"}],' +
        '"reasoning_effort":"high","extra_body":{"top_k":20}}',
    ],
    ['stream false', '{"stream":false,"model":@,"messages":[{"role":"user","content":"x"}],"stream_options":null}'],
    ['an empty message list', '{"model":@,"messages":[]}'],
    [
      'strings that look like members',
      '{"messages":[{"role":"user","content":"\\"model\\":\\"auto\\""}],"x":{"model":"auto"},"model":@}',
    ],
  ];
  for (const [what, body] of peculiar) {
    test(`${what} survive`, async () => {
      const sent = await forwarded(body.replace('@', '"auto"'));
      assert.equal(sent, latin1(body.replace('@', '"prov \\"small\\"/v1"')));
    });
    test(`${what} survive a concrete model whose name stays`, async () => {
      const named = body.replace('@', '"plain"');
      assert.equal(await forwarded(named), latin1(named));
    });
  }

  test('an escaped spelling of the key and of the name is understood', async () => {
    const body = '{"m\\u006fdel":"\\u0061uto","messages":[{"role":"user","content":"x"}]}';
    const sent = JSON.parse(await forwarded(body));
    assert.deepEqual(sent, { model: 'prov "small"/v1', messages: [{ role: 'user', content: 'x' }] });
  });

  test('a model named twice is refused: another reader might take the other one', async () => {
    const answer = await post(vsr.port, '{"model":"auto","messages":[],"model":"auto"}');
    assertError(answer, 400, { type: 'invalid_request_error' });
  });

  test('a stream gets stream_options and nothing else changes', async () => {
    const rest = '"messages":[{"role":"user","content":"x"}],"seed":1.50,"u":[1e5]';
    const untouched = ['"messages":[{"role":"user","content":"x"}]', '"seed":1.50', '"u":[1e5]', '"stream":true'];
    for (const body of [`{"model":"auto",${rest},"stream":true}`, `{"stream":true,"model":"auto",${rest}}`]) {
      const sent = await forwarded(body);
      const parsed = JSON.parse(sent);
      assert.deepEqual(parsed, {
        ...JSON.parse(body),
        model: 'prov "small"/v1',
        stream_options: { include_usage: true },
      });
      for (const member of untouched) assert.ok(sent.includes(member), `${member} in ${sent}`);
      assert.ok(
        sent.length <= body.length + ',"stream_options":{"include_usage":true}'.length + '"prov \\"small\\"/v1"'.length,
      );
    }
  });

  test('stream_options of the client keep their other members', async () => {
    const cases = ['{}', '{"x":1.0}', '{"include_usage":false,"x":1.0}', '{"x":1.0,"include_usage":true}', 'null'];
    for (const options of cases) {
      const sent = await forwarded(`{"model":"auto","messages":[],"stream":true,"stream_options":${options}}`);
      const parsed = JSON.parse(sent);
      assert.deepEqual(parsed.stream_options, { ...JSON.parse(options), include_usage: true });
      if (options.includes('"x"')) assert.ok(sent.includes('"x":1.0'));
    }
  });

  test('names for the backend: by type, by default', async () => {
    for (const [model, id] of [
      ['byType', 'served-by-vllm'],
      ['typed', 'served-by-tgi'],
      ['byDefault', 'by-default'],
    ]) {
      const sent = JSON.parse(await forwarded(`{"model":"${model}","messages":[]}`));
      assert.equal(sent.model, id);
    }
  });

  test('the length announced is the length sent', async () => {
    await forwarded('{"model":"auto","messages":[]}');
    const { headers, body } = backend.last;
    assert.equal(Number(headers.get('content-length')), body.length);
    assert.equal(headers.get('transfer-encoding'), undefined);
  });

  test('a chunked request body', async () => {
    const body = Buffer.from('{"messages":[{"role":"user","content":"größer"}],"model":"auto"}');
    backend.forget();
    for (const size of [1, 7, 4096]) {
      const conn = await Conn.open(vsr.port);
      await conn.write('POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let at = 0; at < body.length; at += size) {
        const part = body.subarray(at, at + size);
        await conn.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
      }
      await conn.write('0\r\n\r\n');
      const answer = await within('the answer', conn.response());
      assert.equal(answer.status, 200);
      conn.destroy();
    }
    for (const { body: sent } of backend.requests) {
      assert.equal(sent.toString(), body.toString().replace('"auto"', '"prov \\"small\\"/v1"'));
    }
    assert.equal(backend.requests.length, 3);
  });

  test('100-continue', async () => {
    const body = '{"model":"auto","messages":[]}';
    const conn = await Conn.open(vsr.port);
    await conn.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    assert.ok(await within('100 Continue', conn.reader.some()));
    assert.match(conn.reader.peek().toString(), /^HTTP\/1\.1 100 /);
    await conn.write(body);
    const answer = await within('the answer', conn.response());
    assert.deepEqual([answer.status, answer.informational], [200, [100]]);
    assert.equal(backend.last.headers.get('expect'), undefined);
    conn.destroy();
  });

  test('the answer of the backend is passed on byte for byte', async () => {
    const body =
      ' {"id":"x" ,"odd":1.0,"choices":[], "usage":{"prompt_tokens":1.0e1,"completion_tokens":null}, "é":"\\u00e9"}\n';
    backend.behaviour = jsonAnswer(body, {
      headers: { 'X-Custom': 'kept', 'Openai-Processing-Ms': '12', 'Set-Cookie': 'a=b' },
    });
    const answer = await post(vsr.port, chat('x'));
    backend.behaviour = openaiAnswer();
    assert.equal(answer.text(), body);
    assert.equal(answer.headers.get('x-custom'), 'kept');
    assert.equal(answer.headers.get('openai-processing-ms'), '12');
    assert.match(answer.headers.get('content-type'), /^application\/json/);
  });

  test('a stream is passed on byte for byte when the client wanted the usage', async () => {
    const frames =
      ': comment\n\ndata:{"id":"1" , "choices":[{"index":0,"delta":{"content":"\\u00e9"}}]}\n\n' +
      'event: odd\r\nid: 7\r\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\n' +
      'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\ndata: [DONE]\n\n';
    backend.behaviour = async (exchange) => {
      await exchange.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: ${frames.length}\r\n\r\n${frames}`,
      );
    };
    const answer = await post(vsr.port, chat('x', { stream: true, stream_options: { include_usage: true } }));
    assert.equal(answer.text(), frames);
    const less = await post(vsr.port, chat('x', { stream: true }));
    backend.behaviour = openaiAnswer();
    const expected = frames.replace('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n', '');
    assert.equal(less.text(), expected);
  });
});

test('projections choose between models', async (t) => {
  const backend = await Backend.start(t);
  const keyword = (name, ...keywords) => ({ name, operator: 'OR', keywords });
  const vsr = await startVsr(
    t,
    policy({
      default_model: 'easy',
      models: { easy: backend, hard: backend },
      signals: { keywords: [keyword('proof', 'prove'), keyword('rigor', 'rigorous', 'induction')] },
      projections: {
        scores: [
          {
            name: 'difficulty',
            method: 'weighted_sum',
            inputs: [
              { type: 'keyword', name: 'proof', weight: 0.4 },
              { type: 'keyword', name: 'rigor', weight: 0.4 },
            ],
          },
        ],
        mappings: [
          {
            name: 'band',
            source: 'difficulty',
            method: 'threshold_bands',
            outputs: [
              { name: 'low', lt: 0.5 },
              { name: 'high', gte: 0.5 },
            ],
          },
        ],
      },
      decisions: [lane('hard', 'projection', 'high', 'hard'), otherwise('easy')],
    }),
  );
  const routed = async (text) => (await post(vsr.port, chat(text))).headers.get('x-vsr-selected-model');
  assert.equal(await routed('prove it'), 'easy');
  assert.equal(await routed('prove it by induction'), 'hard');
  assert.equal(await routed('hello'), 'easy');
});

test('a body that only vsr could have changed has the hash of the original', async (t) => {
  const backend = await Backend.start(t, jsonAnswer(JSON.stringify(completion('m', 'ok'))));
  const vsr = await startVsr(t, policy({ models: { m: backend } }));
  const text = Array.from({ length: 60000 }, (_, i) => String.fromCodePoint(0x20 + ((i * 7919) % 0xd000))).join('');
  const body = Buffer.from(JSON.stringify(chat(text, { model: 'm' })));
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal((await post(vsr.port, body)).status, 200);
  assert.equal(hash(backend.last.body), hash(body));
});

test('a stream of a concrete model shows no usage that was not asked for', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ models: { m: backend } }));
  const stream = readChatStream(await post(vsr.port, chat('hi', { model: 'm', stream: true })));
  assert.ok(stream.done);
  assert.ok(stream.chunks.every((part) => part.choices.length === 1 && !part.usage));
  const asked = readChatStream(
    await post(vsr.port, chat('hi', { model: 'm', stream: true, stream_options: { include_usage: true } })),
  );
  assert.equal(asked.chunks.filter((part) => part.usage).length, 1);
});

test('a stream to an HTTP/1.0 client ends with the connection', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: backend } }));
  const body = JSON.stringify(chat('hi', { stream: true }));
  const conn = await Conn.open(vsr.port);
  await conn.write(`POST /v1/chat/completions HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const answer = await within('the stream', conn.response());
  assert.equal(answer.framing, 'close');
  assert.ok(readChatStream(answer).done);
  conn.destroy();
});
