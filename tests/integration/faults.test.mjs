// Backends that misbehave: they refuse, hang, talk garbage, dawdle, and cut their answers at every byte. The rule
// behind all of it: a client never sees a success that was none, and always gets an end.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import {
  Backend,
  byteByByte,
  chunk,
  chunkedBytes,
  completion,
  hang,
  headBytes,
  jsonAnswer,
  openaiAnswer,
  responseBytes,
  sendAndClose,
  sseHead,
  streamEvents,
} from './lib/backend.mjs';
import { garbage } from './lib/faults.mjs';
import { chat, Conn, decorate, post, readChatStream, requestBytes, toBytes } from './lib/http.mjs';
import { every, freePort, long, policy, seconds, sleep, startVsr, test, Vsr, within } from './lib/harness.mjs';

const one = (backend, extra = {}) => policy({ default_model: 'm', models: { m: backend }, ...extra });

function assertGatewayError(answer, status, type) {
  const allowed = Array.isArray(status) ? status : [status];
  assert.ok(allowed.includes(answer.status), `status ${answer.status}, expected ${status}: ${answer.body}`);
  assert.ok(answer.complete);
  const { error } = JSON.parse(answer.body.toString());
  assert.equal(typeof error.message, 'string');
  assert.equal(error.type, type);
  assert.equal(answer.headers.get('x-vsr-response-path'), 'error');
}

test('a backend that refuses connections', async (t) => {
  const vsr = await startVsr(t, one({ endpoint: `127.0.0.1:${await freePort()}` }));
  for (const stream of [false, true]) {
    const answer = await post(vsr.port, chat('hi', { stream }));
    assertGatewayError(answer, [502, 503], 'server_error');
    assert.match(answer.headers.get('content-type'), /^application\/json/);
  }
});

test('a backend whose name does not resolve', async (t) => {
  const vsr = await startVsr(t, policy({ default_model: 'm', models: { m: { endpoint: 'no-such-host.invalid:80' } } }));
  assertGatewayError(await post(vsr.port, chat('hi')), [502, 503], 'server_error');
});

test('backends that hang', async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, one(backend, { listener: { timeout: '2s' } }));
  const json = toBytes(JSON.stringify(completion('m', 'half of this will come')));
  const half = Buffer.concat([
    headBytes({ headers: { 'Content-Type': 'application/json', 'Content-Length': json.length } }),
    json.subarray(0, 40),
  ]);
  const started = Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), chunk(streamEvents('m', ['a'])[1])]);
  const stages = {
    'before the head': [Buffer.alloc(0), false],
    'inside the head': [Buffer.from('HTTP/1.1 200 OK\r\nContent-Le'), false],
    'before the head of a stream': [Buffer.alloc(0), true],
  };
  for (const [stage, [bytes, stream]] of Object.entries(stages)) {
    await t.test(stage, async () => {
      backend.behaviour = async (exchange) => {
        if (bytes.length > 0) await exchange.write(bytes);
        await hang()(exchange);
      };
      const answer = await within('a timeout answer', post(vsr.port, chat('hi', { stream })));
      assertGatewayError(answer, 504, 'timeout_error');
      await within('the backend call to end', backend.last.gone);
    });
  }
  await t.test('inside a buffered body', async () => {
    backend.behaviour = async (exchange) => {
      await exchange.write(half);
      await hang()(exchange);
    };
    const answer = await within('a timeout answer', post(vsr.port, chat('hi')));
    if (answer.complete)
      assertGatewayError(answer, [502, 504], answer.status === 504 ? 'timeout_error' : 'server_error');
    else assert.ok(answer.body.length < json.length);
    await within('the backend call to end', backend.last.gone);
  });
  await t.test('inside a stream', async () => {
    backend.behaviour = async (exchange) => {
      await exchange.write(started);
      await hang()(exchange);
    };
    const stream = readChatStream(await within('the stream to end', post(vsr.port, chat('hi', { stream: true }))));
    assert.equal(stream.content, 'a');
    assert.equal(stream.done, false);
    assert.ok(stream.broken || stream.error, 'a stream that fell silent ended as if it were complete');
    await within('the backend call to end', backend.last.gone);
  });
  await t.test('a stream that keeps talking is not cut', async () => {
    backend.behaviour = async (exchange) => {
      await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
      for (const event of streamEvents('m', ['a', 'b', 'c', 'd', 'e', 'f'])) {
        await exchange.write(chunk(event));
        await sleep(400);
      }
      await exchange.write('0\r\n\r\n');
    };
    const stream = readChatStream(await within('the stream', post(vsr.port, chat('hi', { stream: true }))));
    assert.deepEqual([stream.content, stream.done, stream.error], ['abcdef', true, null]);
  });
});

describe('backends that talk garbage', () => {
  let backend, vsr;
  before(async () => {
    backend = await Backend.start();
    vsr = await Vsr.start(one(backend, { listener: { timeout: '20s' } }));
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const json = JSON.stringify(completion('m', 'ok'));
  for (const [what, bytes] of Object.entries(garbage)) {
    test(what, async () => {
      backend.behaviour = sendAndClose(toBytes(bytes));
      const answer = await within('an answer', post(vsr.port, chat('hi')));
      if (answer.status === 200) assert.equal(answer.complete, false, 'garbage became a success');
      else assertGatewayError(answer, 502, 'server_error');
    });
  }

  test('a switch of protocols', async () => {
    backend.behaviour = sendAndClose(
      toBytes('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    );
    assertGatewayError(await within('an answer', post(vsr.port, chat('hi'))), 502, 'server_error');
  });

  test('informational answers before the real one are fine', async () => {
    backend.behaviour = sendAndClose(
      Buffer.concat([
        toBytes('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'),
        responseBytes({ body: json }),
      ]),
    );
    const answer = await post(vsr.port, chat('hi'));
    assert.deepEqual([answer.status, answer.text()], [200, json]);
  });

  test('bytes after the answer do not leak into the next one', async () => {
    backend.behaviour = async (exchange) => {
      const extra = responseBytes({ body: '{"evil":true}' });
      await exchange.write(
        Buffer.concat([responseBytes({ headers: { 'Content-Type': 'application/json' }, body: json }), extra]),
      );
    };
    const conn = await Conn.open(vsr.port);
    for (let i = 0; i < 10; i++) {
      await conn.write(requestBytes({ body: chat('hi') }));
      const answer = decorate(await within('an answer', conn.response()));
      assert.doesNotMatch(answer.text(), /evil/);
      if (answer.status === 200) assert.equal(answer.text(), json);
    }
    conn.destroy();
  });

  test('header injection through the reason and odd field values is impossible', async () => {
    backend.behaviour = sendAndClose(
      responseBytes({ reason: 'Fine \x80\xff', headers: { 'X-Odd': '\ttab\tand é\xe9' }, body: json }),
    );
    const answer = await post(vsr.port, chat('hi'));
    assert.deepEqual([answer.status, answer.text()], [200, json]);
  });

  test('a success that is not JSON goes on as it is', async () => {
    for (const body of ['not json', '', '{"usage":{"prompt_tokens":"many"}}', '{"usage":7}', '[1,2', '\xff\xfe']) {
      backend.behaviour = jsonAnswer(Buffer.from(body, 'latin1'));
      const answer = await post(vsr.port, chat('hi'));
      assert.deepEqual([answer.status, answer.body.toString('latin1')], [200, body]);
    }
  });

  test('a stream of odd events goes on as it is', async () => {
    const body =
      'data: not json\n\ndata: {"choices":7}\n\ndata: {"choices":[],"usage":"x"}\n\n: \n\ndata\n\n\n\nretry: 5\n\n' +
      `data: {"big":"${'y'.repeat(100000)}"}\n\ndata: [DONE]\n\n`;
    backend.behaviour = sendAndClose(Buffer.concat([sseHead(), toBytes(body)]));
    const answer = await post(vsr.port, chat('hi', { stream: true, stream_options: { include_usage: true } }));
    assert.equal(answer.text(), body);
  });

  test('an event larger than the accounting keeps is passed through', async () => {
    const body = `data: {"big":"${'y'.repeat(3 << 20)}"}\n\ndata: [DONE]\n\n`;
    backend.behaviour = sendAndClose(
      Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), chunkedBytes(body, [65536])]),
    );
    const answer = await post(vsr.port, chat('hi', { stream: true }));
    assert.equal(answer.text(), body);
  });

  test('an answer in HTTP/1.0', async () => {
    backend.behaviour = sendAndClose(toBytes(`HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n${json}`));
    const answer = await post(vsr.port, chat('hi'));
    assert.deepEqual([answer.status, answer.text()], [200, json]);
  });

  test('bodies that end with the connection', async () => {
    backend.behaviour = sendAndClose(
      Buffer.concat([headBytes({ headers: { 'Content-Type': 'application/json' } }), toBytes(json)]),
    );
    const answer = await post(vsr.port, chat('hi'));
    assert.deepEqual([answer.status, answer.complete, answer.text()], [200, true, json]);
  });

  test('odd chunk sizes, extensions and trailers', async () => {
    const start = headBytes({
      headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'Chunked', Trailer: 'x-t' },
    });
    for (const sizes of [[1], [2, 3, 5, 7], [16], [100000]]) {
      const plain = chunkedBytes(json, sizes, ';name="v;alue"');
      const bytes = Buffer.concat([start, plain.subarray(0, -2), toBytes('x-t: 1\r\n\r\n')]);
      backend.behaviour = sendAndClose(bytes);
      const answer = await post(vsr.port, chat('hi'));
      assert.deepEqual([answer.status, answer.complete, answer.text()], [200, true, json]);
    }
  });

  test('answers byte by byte', async () => {
    const buffered = responseBytes({ headers: { 'Content-Type': 'application/json' }, body: json });
    backend.behaviour = byteByByte(buffered);
    const answer = await within('the answer', post(vsr.port, chat('hi')));
    assert.deepEqual([answer.status, answer.text()], [200, json]);

    const events = streamEvents('m', ['grün', '🌍'], { usage: true });
    for (const body of [
      chunkedBytes(events.join(''), [1]),
      chunkedBytes(events.join(''), [7]),
      chunkedBytes(events.join('')),
    ]) {
      backend.behaviour = byteByByte(Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), body]));
      const stream = readChatStream(await within('the stream', post(vsr.port, chat('hi', { stream: true }))));
      assert.deepEqual([stream.content, stream.done, stream.error, stream.broken], ['grün🌍', true, null, false]);
      assert.ok(
        stream.chunks.every((part) => part.choices.length === 1),
        'the usage chunk was to be dropped at any split',
      );
    }
  });

  test('all is well afterwards', async () => {
    backend.behaviour = openaiAnswer();
    for (let i = 0; i < 20; i++) assert.equal((await post(vsr.port, chat('hi'))).status, 200);
  });
});

// ---- cuts at every byte ------------------------------------------------------------------------------------------

describe('answers cut at every byte', () => {
  let backend, vsr;
  const answers = new Map(); // name in the prompt -> whole bytes
  before(async () => {
    // The prompt says which answer and how much of it: `cut NAME OFFSET`.
    backend = await Backend.start(null, async (exchange) => {
      const [, name, offset, how] = exchange.request.json().messages[0].content.split(' ');
      await sendAndClose(answers.get(name).subarray(0, Number(offset)), { reset: how === 'reset' })(exchange);
    });
    vsr = await Vsr.start(one(backend));
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const events = streamEvents('m', ['Hel', 'lo "q" \\', 'wörld 🌍'], { usage: true });
  const body = events.join('');
  const bytes = Buffer.byteLength(body);
  const streams = {
    chunked: [
      Buffer.concat([
        sseHead({ 'Transfer-Encoding': 'chunked' }),
        ...events.map((event) => chunk(event)),
        toBytes('0\r\n\r\n'),
      ]),
      '\r\n0\r\n\r\n'.length,
    ],
    oddChunks: [
      Buffer.concat([sseHead({ 'Transfer-Encoding': 'chunked' }), chunkedBytes(body, [13, 64, 5])]),
      '\r\n0\r\n\r\n'.length,
    ],
    closed: [Buffer.concat([sseHead(), toBytes(body)]), 0],
    measured: [Buffer.concat([sseHead({ 'Content-Length': bytes }), toBytes(body)]), 0],
  };
  const step = (name) => (long || name === 'chunked' || name === 'closed' ? 1 : 3);
  const offsets = (length, by) => Array.from({ length: Math.floor(length / by) }, (_, i) => i * by);

  for (const [name, [whole, tail]] of Object.entries(streams)) {
    for (const usage of [false, true]) {
      test(`a ${name} stream, ${usage ? 'usage wanted' : 'usage not wanted'}`, { timeout: seconds(180) }, async () => {
        answers.set(name, whole);
        const ask = async (offset, how = 'end') => {
          const extra = { stream: true, ...(usage ? { stream_options: { include_usage: true } } : {}) };
          return within(
            `the end of the answer cut at ${offset}`,
            post(vsr.port, chat(`cut ${name} ${offset} ${how}`, extra)),
          );
        };
        // `data: [DONE]` is whole here, though its frame or its framing may not be: then either ending is right.
        const doneAt = whole.length - tail - '\n\n'.length;
        await every(offsets(whole.length, step(name)), 16, async (offset) => {
          const answer = await ask(offset, offset % 5 === 4 ? 'reset' : 'end');
          const where = `cut at ${offset} of ${whole.length}: …${JSON.stringify(answer.body.subarray(-120).toString())}`;
          if (answer.status !== 200) return assertGatewayError(answer, 502, 'server_error');
          const stream = readChatStream(answer);
          if (offset < doneAt) assert.equal(stream.done, false, `success, ${where}`);
          if (stream.done) return;
          assert.ok(stream.broken || stream.error, `neither an error event nor a broken connection, ${where}`);
          if (!stream.broken) assert.equal(stream.unreadable, 0, `half an event reached the client, ${where}`);
        });
        const full = readChatStream(await ask(whole.length));
        assert.deepEqual(
          [full.content, full.done, full.error, full.broken],
          ['Hello "q" \\wörld 🌍', true, null, false],
        );
        assert.equal(full.chunks.filter((part) => part.usage).length, usage ? 1 : 0);
      });
    }
  }

  const json = toBytes(JSON.stringify(completion('m', 'grün 🌍')));
  const buffered = {
    length: responseBytes({ headers: { 'Content-Type': 'application/json' }, body: json }),
    chunks: Buffer.concat([
      headBytes({ headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' } }),
      chunkedBytes(json, [50, 7]),
    ]),
  };
  for (const [name, whole] of Object.entries(buffered)) {
    test(`a buffered answer framed by ${name}`, { timeout: seconds(180) }, async () => {
      answers.set(name, whole);
      await every(offsets(whole.length, 1), 16, async (offset) => {
        const how = offset % 5 === 4 ? 'reset' : 'end';
        const answer = await within(
          `the end of the answer cut at ${offset}`,
          post(vsr.port, chat(`cut ${name} ${offset} ${how}`)),
        );
        if (answer.status === 200) assert.equal(answer.complete, false, `success, cut at ${offset} of ${whole.length}`);
        else assertGatewayError(answer, 502, 'server_error');
      });
      const full = await post(vsr.port, chat(`cut ${name} ${whole.length} end`));
      assert.deepEqual([full.status, full.complete, full.text()], [200, true, json.toString()]);
    });
  }

  test('an event stream split in two at every byte', { timeout: seconds(180) }, async () => {
    const [whole] = streams.oddChunks;
    backend.behaviour = async (exchange) => {
      const offset = Number(exchange.request.json().messages[0].content.split(' ')[2]);
      await exchange.write(whole.subarray(0, offset));
      await sleep(2);
      await exchange.write(whole.subarray(offset));
    };
    await every(offsets(whole.length, long ? 1 : 2), 16, async (offset) => {
      const stream = readChatStream(
        await within('the stream', post(vsr.port, chat(`split x ${offset}`, { stream: true }))),
      );
      assert.deepEqual(
        [stream.content, stream.done, stream.error, stream.broken],
        ['Hello "q" \\wörld 🌍', true, null, false],
      );
      assert.ok(
        stream.chunks.every((part) => part.choices.length === 1 && !part.usage),
        `split at ${offset}`,
      );
    });
  });
});
