// What is kept of responses that backends and clients spoil: what was cut as failed or not at all, what was completed once;
// and what becomes of responses in the background.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe } from 'node:test';

import OpenAI from 'openai';

import {
  Bench,
  clients,
  cutAt,
  cuts,
  end,
  framings,
  hang,
  headFaults,
  jsonType,
  leaving,
  reset,
  sendAndClose,
  senseless,
  senselessEvents,
  servers,
  silentHeadFaults,
  sseType,
} from './lib/faults.mjs';
import { Conn, get } from './lib/http.mjs';
import { eventually, every, sleep, test, within } from './lib/harness.mjs';
import { told } from './lib/standin.mjs';

let bench, silent;
before(async () => {
  bench = await Bench.start({ store: 'sqlite' });
  silent = await Bench.start({ timeout: '1s', store: 'sqlite' });
});
after(async () => {
  await bench?.stop();
  await silent?.stop();
});

const answering = (type, body) => sendAndClose(Buffer.concat(framings.closed(type, Buffer.from(body))));

/** What the file of the store holds, as it is: [[id, status], …]. Of what is under way the object says less. */
function kept(where) {
  const program =
    'import json, sqlite3, sys\n' +
    'rows = sqlite3.connect(sys.argv[1]).execute("SELECT id, status, CAST(object AS TEXT) FROM responses WHERE status <> \'deleted\'")\n' +
    'print(json.dumps([[id, status, json.loads(object)["status"]] for id, status, object in rows]))';
  const file = path.join(where.dir, 'responses.db');
  const rows = JSON.parse(execFileSync('/usr/bin/python3', ['-c', program, file], { maxBuffer: 64 << 20 }));
  for (const [id, status, said] of rows) if (isFinal(status)) assert.equal(status, said, id);
  return rows.map(([id, status]) => [id, status]);
}

const retrieve = (where, id) => get(where.vsr.port, `/v1/responses/${id}`);

const isFinal = (status) => status !== 'queued' && status !== 'in_progress';

/** Nothing is kept as if it still ran. */
const settled = (where) => eventually('all that is kept to have ended', () => kept(where).every(([, status]) => isFinal(status)));

for (const server of Object.keys(servers))
  describe(`what is kept, ${server} backend`, () => {
    const ask = (behaviour, options) => bench.ask('responses', server, behaviour, { ...options, extra: { store: true } });

    test('of answers that are cut, and of those that are whole', async () => {
      const old = new Set(kept(bench).map(([id]) => id));
      const whole = new Set();
      const failed = new Set();
      for (const stream of [false, true]) {
        const [head, body] = await bench.recorded(server, stream, 'chunked');
        const places = [...cuts(body.length, 30), body.length, body.length];
        await every(places, 8, async (at) => {
          const got = await ask(cutAt(head, body, at, at % 2 ? end : reset), { stream });
          if (got.id === undefined) return assert.notEqual(got.status, 200);
          (got.whole ? whole : failed).add(got.id);
          const stored = (await retrieve(bench, got.id)).json();
          assert.equal(stored.status, got.whole ? 'completed' : 'failed');
          if (got.whole) assert.equal(clients.responses.text(stored), got.said);
          else assert.ok(stored.error.message.length > 0 && stored.error.code.length > 0);
        });
      }
      const rows = kept(bench).filter(([id]) => !old.has(id));
      const having = (status) => rows.filter((row) => row[1] === status).map(([id]) => id).sort();
      assert.deepEqual(having('completed'), [...whole].sort());
      assert.deepEqual(having('failed'), [...failed].sort());
      assert.equal(rows.length, whole.size + failed.size);
      assert.ok(whole.size >= 4 && failed.size >= 20, `${whole.size} whole, ${failed.size} failed`);
    });

    test('of errors, and of what makes no sense', async () => {
      const old = new Set(kept(bench).map(([id]) => id));
      for (const fault of Object.values(headFaults))
        for (const stream of [false, true]) await ask(fault.behaviour, { stream, suffix: fault.suffix });
      for (const body of Object.values(senseless)) await ask(answering(jsonType, body));
      assert.deepEqual(kept(bench).filter(([id]) => !old.has(id)), []);
      for (const body of Object.values(senselessEvents))
        await ask(answering(sseType, body), { stream: true });
      const rows = kept(bench).filter(([id]) => !old.has(id));
      assert.deepEqual(rows.filter(([, status]) => status !== 'failed'), []);
    });

    test('of clients that leave', async () => {
      const old = new Set(kept(bench).map(([id]) => id));
      for (const stream of [false, true]) {
        const [head, body] = await bench.recorded(server, stream, 'chunked');
        const terminal = stream ? Buffer.from(body).lastIndexOf('data:') : body.length;
        for (const behaviour of [hang(), ...[0, body.length >> 1, terminal - 1].map((at) => cutAt(head, body, at, hang()))])
          for (const leave of ['destroy', 'reset'])
            await leaving(bench, 'responses', server, behaviour, { stream, extra: { store: true }, leave: (conn) => conn[leave]() });
      }
      await bench.idle();
      await settled(bench);
      const rows = kept(bench).filter(([id]) => !old.has(id));
      assert.deepEqual(rows.filter(([, status]) => status === 'completed'), [], 'what nobody got whole is kept as if somebody had');
    });
  });

// ---- in the background -------------------------------------------------------------------------------------------

/** Runs it, and waits for its end: {id, events (of a stream), stored (what a client that polls sees)}. */
async function run(where, server, behaviour, { stream = false, suffix = '', more = {} } = {}) {
  const { fields, forget } = where.script(behaviour);
  const sdk = new OpenAI({ baseURL: `${where.vsr.base}/v1`, apiKey: 'k', maxRetries: 0, defaultHeaders: { ...fields, ...more } });
  const body = clients.responses.body(servers[server] + suffix, stream, { background: true });
  try {
    const events = [];
    let made = await sdk.responses.create(body);
    if (stream) {
      for await (const event of made) events.push(event);
      events.forEach((event, i) => assert.equal(event.sequence_number, i, event.type));
      assert.deepEqual(events.slice(0, 2).map(({ type }) => type), ['response.created', 'response.queued']);
      made = events[0].response;
    } else {
      assert.equal(made.status, 'queued');
    }
    const { id } = made;
    const stored = await eventually(`the end of ${id}`, async () => {
      const one = await sdk.responses.retrieve(id);
      return isFinal(one.status) ? one : undefined;
    });
    if (stream) {
      const again = [];
      for await (const event of await sdk.responses.retrieve(id, { stream: true })) again.push(event);
      assert.deepEqual(again, events, 'the log tells another story');
    }
    return { id, events, stored };
  } finally {
    forget();
  }
}

function assertFailed({ events, stored }, stream, what) {
  assert.equal(stored.status, 'failed', what);
  assert.ok(stored.error.message.length > 0 && typeof stored.error.code === 'string', `${what}: ${JSON.stringify(stored.error)}`);
  assert.ok(stored.output_text === undefined || stored.output_text === '' || stream, what);
  if (!stream) return;
  const last = events.at(-1);
  assert.equal(last.type, 'response.failed', what);
  assert.deepEqual(last.response.error, stored.error, what);
  assert.equal(events.filter(({ type }) => /^response\.(completed|failed|incomplete|cancelled)$|^error$/.test(type)).length, 1, what);
}

for (const server of Object.keys(servers))
  describe(`in the background, ${server} backend`, () => {
    test('a backend that refuses, breaks or talks no sense', async () => {
      const list = Object.entries(headFaults).map(([what, { behaviour, suffix }]) => [what, behaviour, suffix]);
      for (const stream of [false, true]) {
        const bodies = stream ? senselessEvents : senseless;
        const type = stream ? sseType : jsonType;
        const spoilt = Object.entries(bodies).map(([what, body]) => [what, answering(type, body)]);
        await every([...list, ...spoilt], 8, async ([what, behaviour, suffix]) =>
          assertFailed(await run(bench, server, behaviour, { stream, suffix }), stream, what),
        );
      }
      await bench.idle();
      await settled(bench);
    });

    test('an answer that is cut', async () => {
      for (const stream of [false, true]) {
        const [head, body] = await bench.recorded(server, stream, 'chunked');
        const until = stream ? Buffer.from(body).lastIndexOf('event:') : body.length - 8;
        const places = cuts(server === 'openai' && stream ? body.length >> 1 : until, 10);
        await every(places, 8, async (at) =>
          assertFailed(await run(bench, server, cutAt(head, body, at, at % 2 ? end : reset), { stream }), stream, `at ${at}`),
        );
        const { stored } = await run(bench, server, cutAt(head, body, body.length, end), { stream });
        assert.equal(stored.status, 'completed');
      }
      await bench.idle();
    });

    test('a stream that fails or ends too early, in the words of the real server', async () => {
      for (const behaviour of ['error-event=0', 'error-event=2', 'no-terminal', 'cut=200', 'garbage', 'reset', 'overloaded'])
        assertFailed(await run(bench, server, null, { stream: true, suffix: 'Plays', more: told(behaviour) }), true, behaviour);
    });

    test('a client that leaves its stream, or before it has any of it: the run goes on, once', async () => {
      const [head, body] = await bench.recorded(server, true, 'chunked');
      const old = new Set(kept(bench).map(([id]) => id));
      const half = body.length >> 1;
      for (const early of [false, true])
        for (const leave of ['destroy', 'reset']) {
          let release;
          const gate = new Promise((resolve) => (release = resolve));
          const { fields, came, forget } = bench.script(async (exchange) => {
            await exchange.write(Buffer.concat([head, body.subarray(0, half)]));
            await gate;
            await exchange.write(body.subarray(half));
          });
          const conn = await Conn.open(bench.vsr.port);
          void conn.write(bench.bytes('responses', server, fields, { stream: true, extra: { background: true } }));
          await within('the backend to be asked', came);
          if (!early) await within('events', conn.reader.until(Buffer.from('response.in_progress')));
          conn[leave]();
          await sleep(10);
          release();
          await bench.idle();
          forget();
        }
      await settled(bench);
      const rows = kept(bench).filter(([id]) => !old.has(id));
      assert.deepEqual(rows.map(([, status]) => status), Array(4).fill('completed'));
    });

    test('clients that leave at once leave nothing that never ends', async () => {
      const { fields } = bench.script(sendAndClose('', { reset: true })); // stays: some may be read late
      const old = new Set(kept(bench).map(([id]) => id));
      for (const stream of [false, true])
        for (const leave of ['destroy', 'reset'])
          for (let i = 0; i < 5; i++) {
            const conn = await Conn.open(bench.vsr.port);
            await conn.write(bench.bytes('responses', server, fields, { stream, extra: { background: true } }));
            if (i % 2) await sleep(i);
            conn[leave]();
          }
      // Which of them were read nobody knows; the last one is.
      const conn = await Conn.open(bench.vsr.port);
      await conn.write(bench.bytes('responses', server, fields, { extra: { background: true } }));
      await within('the last one to be answered', conn.reader.until(Buffer.from('"queued"')));
      conn.destroy();
      await bench.idle();
      await settled(bench);
      assert.ok(kept(bench).some(([id]) => !old.has(id)), 'nothing was ever asked');
    });
  });

test('silence in the background', async () => {
  const checks = [];
  for (const server of Object.keys(servers))
    for (const stream of [false, true]) {
      const [head, body] = await bench.recorded(server, stream, 'chunked');
      const silences = [
        ...Object.entries(silentHeadFaults).map(([what, { behaviour }]) => [what, behaviour]),
        ...[0, body.length >> 1].map((at) => [`silence at ${at}`, cutAt(head, body, at, hang())]),
      ];
      for (const [what, behaviour] of silences)
        checks.push(async () => assertFailed(await run(silent, server, behaviour, { stream }), stream, `${server}, ${what}`));
    }
  await Promise.all(checks.map((check) => check()));
  await silent.idle();
});

test('streams in the background that are kept open behind their last event', async () => {
  const check = async (server) => {
    const [head, body] = await bench.recorded(server, true, 'closed');
    const { stored } = await run(bench, server, cutAt(head, body, body.length, hang()), { stream: true });
    assert.equal(stored.status, 'completed');
  };
  await Promise.all(Object.keys(servers).map(check));
  await bench.idle(); // their places are free long before the patience of the listener ends
});
