// The whole list of faults.mjs for one pairing of a client's protocol with a backend's, as tests.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import {
  assertSound,
  Bench,
  clients,
  cutAt,
  cuts,
  end,
  errorEvents,
  framings,
  garbage,
  hang,
  headFaults,
  jsonType,
  leaving,
  oddities,
  passes,
  reset,
  sendAndClose,
  senseless,
  senselessEvents,
  servers,
  silentHeadFaults,
  sseType,
} from './faults.mjs';
import { Conn } from './http.mjs';
import { eventually, every, sanitized, sleep, test, within } from './harness.mjs';
import { told } from './standin.mjs';

const cutsPerTest = 70;
const width = 8; // requests at once

/** Registers the tests of a pairing. `bench()` is there when they run. */
function pairing(client, server, bench) {
  describe(`${client} client, ${server} backend`, () => {
    const ask = (behaviour, options) => bench().ask(client, server, behaviour, options);
    const sound = (got, good) => assertSound(client, server, got, good);

    for (const [what, fault] of Object.entries(headFaults))
      test(what, async () => {
        for (const stream of [false, true]) assertFault(client, server, fault, await ask(fault.behaviour, { stream, suffix: fault.suffix }));
      });

    test('what is no HTTP', async () => {
      for (const stream of [false, true])
        await every(Object.keys(garbage), width, async (what) => {
          const got = await ask(sendAndClose(Buffer.from(garbage[what])), { stream });
          sound(got, { said: '' });
          assert.ok(!got.whole, `${what}: ${got.raw}`);
        });
    });

    for (const [what, make] of Object.entries(oddities))
      test(`an answer ${what}`, async () => {
        for (const stream of [false, true]) {
          const payload = await bench().recordings.get(server, stream);
          const got = await ask(make(stream ? sseType : jsonType, payload), { stream });
          assert.ok(got.whole, got.raw);
          sound(got, await bench().good(client, server, stream));
        }
      });

    test('a stream that comes in two parts, split at many places', async () => {
      const good = await bench().good(client, server, true);
      const whole = Buffer.concat(await bench().recorded(server, true, 'chunked'));
      await every(cuts(whole.length, cutsPerTest), width, async (at) => {
        const split = async (exchange) => {
          await exchange.write(whole.subarray(0, at));
          await sleep(2);
          await exchange.write(whole.subarray(at));
        };
        const got = await ask(split, { stream: true });
        assert.deepEqual([got.whole, got.said], [true, good.said], `at ${at}: ${got.raw.slice(-300)}`);
      });
    });

    test('bytes behind an answer are nobody’s', async () => {
      for (const stream of [false, true]) {
        const good = await bench().good(client, server, stream);
        const [head, body] = await bench().recorded(server, stream, 'chunked');
        const twice = async (exchange) => void (await exchange.write(Buffer.concat([head, body, head, Buffer.from('5\r\nevil!\r\n0\r\n\r\n')])));
        for (let i = 0; i < 5; i++) {
          const got = await ask(twice, { stream });
          assert.deepEqual([got.status, got.whole, got.said], [200, true, good.said], got.raw);
          assert.doesNotMatch(got.raw, /evil/);
        }
      }
    });

    for (const framing of Object.keys(framings))
      test(`a stream that is cut at many places, ${framing}`, async () => {
        const good = await bench().good(client, server, true);
        const [head, body] = await bench().recorded(server, true, framing);
        const terminal = await bench().terminal(server, framing);
        const places = [...cuts(body.length, cutsPerTest), terminal - 1, terminal, body.length - 1];
        await every(places, width, async (at) => {
          const got = await ask(cutAt(head, body, at, at % 2 ? end : reset), { stream: true });
          sound(got, good);
          assert.ok(!got.whole || at > terminal, `whole, though cut at ${at}, before ${terminal}: ${got.raw.slice(-300)}`);
        });
      });

    for (const framing of Object.keys(framings))
      test(`a whole answer that is cut at many places, ${framing}`, async () => {
        const good = await bench().good(client, server, false);
        const [head, body] = await bench().recorded(server, false, framing);
        await every(cuts(body.length, cutsPerTest / 2), width, async (at) => {
          const got = await ask(cutAt(head, body, at, at % 2 ? end : reset), {});
          sound(got, good);
          assert.ok(!got.whole || framing !== 'measured', 'half an answer became a whole one');
        });
      });

    for (const [what, body] of Object.entries(senseless))
      test(`a whole answer of no sense: ${what}`, async () => {
        for (const frame of Object.values(framings)) {
          const answer = sendAndClose(Buffer.concat(frame(jsonType, Buffer.from(body))));
          const got = await bench().raw(client, server, answer, {});
          if (passes(client, server)) {
            assert.ok(!got.complete || got.body.equals(Buffer.from(body)), got.text());
            continue;
          }
          assert.equal(got.status, 502, got.text());
          assert.ok(got.complete && clients[client].isError(got.json()), got.text());
        }
      });

    for (const [what, body] of Object.entries(senselessEvents))
      test(`a stream of no sense: ${what}`, async () => {
        for (const frame of Object.values(framings)) {
          const answer = sendAndClose(Buffer.concat(frame(sseType, Buffer.from(body))));
          const got = await bench().raw(client, server, answer, { stream: true });
          assert.equal(got.status, 200);
          if (passes(client, server)) {
            // What was an event has gone on, and the end is an error.
            const last = got.text().trimEnd().split('\n\n').at(-1);
            assert.ok(got.complete && clients[client].isError(JSON.parse(/^data: (.*)$/m.exec(last)[1])), got.text());
            continue;
          }
          const read = clients[client].read(got.text());
          assert.deepEqual([got.complete, read.whole, read.errors.length, read.said], [true, false, 1, ''], got.text());
        }
      });

    test('what makes no sense amid a stream', async () => {
      const good = await bench().good(client, server, true);
      const events = (await bench().recordings.get(server, true)).toString().split(/(?<=\n\n)/);
      for (const odd of ['data: not json\n\n', ': a comment\n\n', 'event: brand.new\ndata: {}\n\n', 'retry: 5\n\n', '\n\n\n']) {
        if (passes(client, server) && odd.startsWith('data')) continue; // passes as it is
        const body = Buffer.from([...events.slice(0, 3), odd, ...events.slice(3)].join(''));
        const got = await ask(sendAndClose(Buffer.concat(framings.measured(sseType, body))), { stream: true });
        sound(got, good);
        if (!odd.includes('not json')) assert.deepEqual([got.status, got.whole, got.said], [200, true, good.said], `${JSON.stringify(odd)}: ${got.raw}`);
      }
    });

    if (!passes(client, server))
      test('an answer of the other kind', async () => {
        const whole = await bench().recorded(server, false, 'measured');
        const got = await ask(sendAndClose(Buffer.concat(whole)), { stream: true });
        assert.deepEqual([got.status, got.whole, got.said], [200, true, (await bench().good(client, server, true)).said], got.raw);
        const stream = await bench().recorded(server, true, 'measured');
        const read = await ask(sendAndClose(Buffer.concat(stream)), {});
        assert.deepEqual([read.status, read.whole, read.said], [200, true, (await bench().good(client, server, false)).said], read.raw);
      });

    test('streams that fail or end too early, in the words of the real server', async () => {
      const good = await bench().good(client, server, true);
      for (const behaviour of ['error-event=0', 'error-event=2', 'no-terminal', 'cut=0', 'cut=200', 'cut=500', 'garbage', 'reset', 'overloaded']) {
        if (behaviour === 'garbage' && passes(client, server)) continue; // is no stream, and passes as it is
        const got = await ask(null, { stream: true, suffix: 'Plays', more: told(`thinking=2,${behaviour}`) });
        assert.ok(!got.whole, `${behaviour}: ${got.raw}`);
        sound(got, { said: playing(good.said, server) });
      }
      // Of a chat backend it is the finish reason that tells; what passes has no other end than that.
      const got = await ask(null, { stream: true, suffix: 'Plays', more: told('thinking=2,no-done') });
      if (passes(client, server) && server === 'openai')
        return assert.deepEqual([got.complete, got.errors, got.said], [true, [], playing(good.said, server)]);
      sound(got, { said: playing(good.said, server) });
      if (server !== 'openai') assert.ok(!got.whole, got.raw);
    });

    test('a stream that tells of its failure, whatever comes then', async () => {
      for (const failed of errorEvents[server])
        for (const next of ['end', 'reset', ...(passes(client, server) ? [] : ['more'])])
          await assertToldFailure(bench(), client, server, failed, next);
    });

    test('a client that leaves while it sends its request', async () => {
      const { fields, forget } = bench().script(hang());
      const bytes = bench().bytes(client, server, fields, {});
      const asked = bench().backend.requests.length;
      for (const at of [10, bytes.length - 20, bytes.length - 1])
        for (const leave of ['destroy', 'reset']) {
          const conn = await Conn.open(bench().vsr.port);
          await conn.write(bytes.subarray(0, at));
          await sleep(5);
          conn[leave]();
        }
      await bench().idle();
      assert.equal(bench().backend.requests.length, asked);
      forget();
    });

    test('a client that leaves, in each phase of the answer', async () => {
      for (const stream of [false, true]) {
        const [head, body] = await bench().recorded(server, stream, 'chunked');
        const terminal = stream ? Buffer.from(body).lastIndexOf('data:') : body.length;
        const phases = [
          ['waiting for the head', hang(), null],
          ['inside the head', cutAt(head.subarray(0, 20), body, 0, hang()), null],
          ['behind the head', cutAt(head, body, 0, hang()), null],
          ['in the middle', cutAt(head, body, body.length >> 1, hang()), stream],
          ['right before the end', cutAt(head, body, terminal - 1, hang()), stream],
          ['before the last byte', cutAt(head, body, body.length - 1, hang()), stream],
        ];
        for (const [what, behaviour, seen] of phases)
          for (const leave of ['destroy', 'reset'])
            await leaving(bench(), client, server, behaviour, {
              stream,
              seen: seen ? (reader) => reader.until(Buffer.from('\n\n')) : null,
              leave: (conn) => conn[leave](),
            }).catch((error) => assert.fail(`${what}, ${stream ? 'stream' : 'whole'}, ${leave}: ${error.message}`));
      }
      await bench().idle();
    });

    test('errors are those that the official client knows', async () => {
      await typedErrors(client, server, bench());
    });
  });
}

/** A backend that says in its stream that it failed, and then does something or nothing. */
async function assertToldFailure(bench, client, server, failed, then) {
  const good = await bench.good(client, server, true);
  const events = (await bench.recordings.get(server, true)).toString().split(/(?<=\n\n)/);
  const text = events.findIndex((event) => event.includes(`${servers[server]} `)) + 1; // up to the second word
  const said = [...events.slice(0, text), failed, ...(then === 'more' ? events.slice(text) : [])];
  const [head, body] = framings.closed(sseType, Buffer.from(said.join('')));
  const next = { end, reset, more: end, hang: hang() }[then];
  const got = await bench.ask(client, server, cutAt(head, body, body.length, next), { stream: true });
  assertSound(client, server, got, good);
  assert.ok(!got.whole && got.said.length > 0, got.raw);
  assert.match(JSON.stringify(got.errors[0]), /of the backend/);
}

/** Streams that backends keep open behind their last event: neither clients nor places wait for their ends. */
async function assertEndsAreEnds(bench, pairs) {
  const keptOpen = async (client, server) => {
    const good = await bench.good(client, server, true);
    const [head, body] = framings.closed(sseType, await bench.recordings.get(server, true));
    let gone;
    const behaviour = async (exchange) => {
      gone = exchange.request.gone;
      await cutAt(head, body, body.length, hang())(exchange);
    };
    const got = await bench.ask(client, server, behaviour, { stream: true });
    assert.deepEqual([got.whole, got.said], [true, good.said], got.raw);
    await within('the backend to be let go', gone);
  };
  const translated = pairs.filter(([client, server]) => !passes(client, server));
  await Promise.all(
    translated.flatMap(([client, server]) => [
      keptOpen(client, server),
      ...errorEvents[server].map((failed) => assertToldFailure(bench, client, server, failed, 'hang')),
    ]),
  );
  await bench.idle();
}

/** Silence in every phase, all pairings at once: each lasts as long as the patience of the listener. */
async function assertPatienceEnds(bench, pairs) {
  const checks = [];
  for (const [client, server] of pairs)
    for (const stream of [false, true]) {
      const good = await bench.good(client, server, stream);
      for (const fault of Object.values(silentHeadFaults))
        checks.push(async () => assertFault(client, server, fault, await bench.ask(client, server, fault.behaviour, { stream })));
      const [head, body] = await bench.recorded(server, stream, 'chunked');
      checks.push(async () => {
        // Who keeps talking is not silent, however long it takes.
        const slowly = async (exchange) => {
          const bytes = Buffer.concat([head, body]);
          const step = Math.ceil(bytes.length / 6);
          for (let from = 0; from < bytes.length; from += step) {
            await exchange.write(bytes.subarray(from, from + step));
            await sleep(500);
          }
        };
        const got = await bench.ask(client, server, slowly, { stream });
        assert.deepEqual([got.whole, got.said], [true, good.said], got.raw);
      });
      for (const at of [0, body.length >> 2, body.length >> 1])
        checks.push(async () => {
          const got = await bench.ask(client, server, cutAt(head, body, at, hang()), { stream });
          assertSound(client, server, got, good);
          assert.ok(!got.whole, got.raw);
          if (!passes(client, server) && !stream) assert.equal(got.status, 504, got.raw);
        });
    }
  await Promise.all(checks.map((check) => check()));
  await bench.idle();
}

/** The same words, by the name under which vsr asks the stand-in itself. */
const playing = (said, server) => said.replace(`model ${servers[server]} `, `model ${servers[server]}Plays `);

export function assertFault(client, server, fault, got) {
  const allowed = [fault.status].flat();
  assert.ok(allowed.includes(got.status), `status ${got.status}, expected ${fault.status}: ${got.raw}`);
  if (fault.retryAfter) assert.equal(got.headers.get('retry-after'), fault.retryAfter);
  if (client === server && (fault.senseless || fault.cut)) return; // as the backend said it
  assert.ok(got.complete, `a broken error: ${got.raw}`);
  assert.ok(clients[client].isError(JSON.parse(got.raw)), got.raw);
  if (fault.theirs && !fault.senseless) assert.match(got.raw, /of the backend/);
}

const typed = {
  openai: (vsr) => {
    const sdk = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'k', maxRetries: 0 });
    return {
      names: OpenAI,
      ask: (model, headers) => sdk.chat.completions.create(clients.openai.body(model, false), { headers }),
      stream: async (model, headers) => {
        for await (const part of await sdk.chat.completions.create(clients.openai.body(model, true), { headers })) void part;
      },
    };
  },
  anthropic: (vsr) => {
    const sdk = new Anthropic({ baseURL: vsr.base, apiKey: 'k', maxRetries: 0 });
    return {
      names: Anthropic,
      ask: (model, headers) => sdk.messages.create(clients.anthropic.body(model, false), { headers }),
      stream: (model, headers) => sdk.messages.stream(clients.anthropic.body(model, true), { headers }).finalMessage(),
    };
  },
  responses: (vsr) => {
    const sdk = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'k', maxRetries: 0 });
    return {
      names: OpenAI,
      ask: (model, headers) => sdk.responses.create(clients.responses.body(model, false), { headers }),
      // The official client hands out the event of a failure; it does not throw it.
      stream: async (model, headers) => {
        for await (const event of await sdk.responses.create(clients.responses.body(model, true), { headers })) {
          if (event.type !== 'response.failed') continue;
          throw new OpenAI.APIError(undefined, event.response.error, event.response.error.message, undefined);
        }
      },
    };
  },
};

async function typedErrors(client, server, bench) {
  const { names, ask, stream } = typed[client](bench.vsr);
  const model = servers[server];
  const cases = [
    [headFaults['a 429'], names.RateLimitError],
    [headFaults['a 500'], names.InternalServerError],
    [headFaults['a 503'], names.InternalServerError],
    [headFaults['a reset before the head'], names.InternalServerError],
    [headFaults['no HTTP'], names.InternalServerError],
  ];
  for (const way of [ask, stream]) {
    await assert.rejects(way(`${model}Dead`, {}), names.InternalServerError);
    for (const [{ behaviour, status }, type] of cases) {
      const { fields, forget } = bench.script(behaviour);
      await assert.rejects(way(model, fields), (error) => error instanceof type && error.status === status && error.message.length > 0);
      forget();
    }
  }
  const [head, body] = await bench.recorded(server, true, 'chunked');
  for (const next of [end, reset]) {
    const { fields, forget } = bench.script(cutAt(head, body, body.length >> 1, next));
    await assert.rejects(stream(model, fields), names.APIError);
    forget();
  }
  await assert.rejects(stream(`${model}Plays`, told('error-event=2')), names.APIError);
}

/** After all of it: another round of faults makes nothing larger. */
async function assertNoGrowth(bench, pairs) {
  const round = async () => {
    for (const [client, server] of pairs)
      for (const stream of [false, true]) {
        const [head, body] = await bench.recorded(server, stream, 'closed');
        const list = [
          ...Object.values(headFaults).map(({ behaviour, suffix }) => [behaviour, suffix]),
          ...cuts(body.length, 10).map((at) => [cutAt(head, body, at, at % 2 ? end : reset)]),
        ];
        await every(list, width, ([behaviour, suffix]) => bench.ask(client, server, behaviour, { stream, suffix }));
      }
  };
  await round();
  await bench.idle();
  const before = bench.descriptors();
  const held = bench.vsr.rss();
  await round();
  await round();
  await bench.idle({ connections: true });
  await eventually(() => `${before} descriptors, not ${bench.descriptors()}`, () => bench.descriptors() <= before);
  const grown = bench.vsr.rss() - held;
  assert.ok(grown < (sanitized ? 256 << 20 : 8 << 20), `${grown} bytes more`); // a sanitizer keeps what is freed
}

// Everything above, for each [client's protocol, server's protocol]: with one vsr for all, and one that has little patience.
export function faultSuite(pairs) {
  let bench, silent;
  before(async () => {
    bench = await Bench.start();
    silent = await Bench.start({ timeout: '2s' });
  });
  after(async () => {
    await bench?.stop();
    await silent?.stop();
  });

  for (const [client, server] of pairs) pairing(client, server, () => bench);

  test('silence in every phase', () => assertPatienceEnds(silent, pairs));

  test('streams that are kept open behind their last event', () => assertEndsAreEnds(bench, pairs));

  test('nothing grows', () => assertNoGrowth(bench, pairs));
}
