// Reloading under load: thousands of requests under way while good and bad policies come by every way a file can change.
//
// Every policy names its models after itself and every answer says its generation, so each request can be held to three
// things: it succeeds, all of it is of one generation, and that generation was in force at some time during its life.
// VSR_TEST_LONG=1 holds 10,000 requests in flight over 50 reloads; without it both numbers are smaller.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Backend, chunk, openaiAnswer, sseHead, streamEvents } from './lib/backend.mjs';
import { chat, Conn, decorate, readChatStream, requestBytes } from './lib/http.mjs';
import { eventually, long, policy, sanitized, seconds, startVsr, test, within } from './lib/harness.mjs';

const RELOADS = long ? 50 : 12;
const IN_FLIGHT_WANTED = long ? 10000 : sanitized ? 150 : 400;
const SHORT_CLIENTS = 6;
const GROWTH_MAX = 48 << 20; // resident bytes, on top of what the same load took before

/** How many requests this process can hold: one socket of the client and one of the backend each. */
function inFlight() {
  if (IN_FLIGHT_WANTED > 4000) spawnSync('prlimit', ['--pid', String(process.pid), '--nofile=65536:65536']);
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)[1]);
  return Math.min(IN_FLIGHT_WANTED, Math.floor((files - 500) / 2));
}

const good = (n, backend) =>
  policy({
    listener: { timeout: '3600s' }, // a held stream says nothing for long
    default_model: `m${n}`,
    models: { [`m${n}`]: { provider_model_id: `prov-m${n}`, backend_refs: [backend] } },
  });

const bad = {
  syntax: () => 'version: v0.3\nrouting: [unclosed\n',
  key: (n, backend) => ({ ...good(n, backend), surprise: n }),
  reference: (n, backend) => ({ ...good(n, backend), routing: { modelCards: [{ name: `m${n}` }, { name: `m${n}` }] } }),
  empty: () => '',
};

/** The ways to bring a text to the place where vsr reads it. */
class Mount {
  n = 0;

  constructor(vsr) {
    this.vsr = vsr;
    this.put = [this.rename, this.swap, this.inPlace, this.swap, this.removeAndMake];
  }

  text(document) {
    if (typeof document === 'string') return document;
    const listeners = document.listeners.map((each) => ({ ...each, port: this.vsr.port }));
    return JSON.stringify({ ...document, listeners }, null, 2);
  }

  rename(text) {
    writeFileSync(`${this.vsr.file}.new`, text);
    renameSync(`${this.vsr.file}.new`, this.vsr.file);
  }

  /** Through the link, where there is one. */
  inPlace(text) {
    writeFileSync(this.vsr.file, text);
  }

  removeAndMake(text) {
    unlinkSync(this.vsr.file);
    writeFileSync(this.vsr.file, text);
  }

  /** As a kubelet does it: a new directory, and the link `..data` turned to it by a rename. */
  swap(text) {
    const { dir, file } = this.vsr;
    const old = `..v${this.n}`;
    this.n += 1;
    mkdirSync(path.join(dir, `..v${this.n}`));
    writeFileSync(path.join(dir, `..v${this.n}`, 'config.yaml'), text);
    symlinkSync(`..v${this.n}`, path.join(dir, '..data_tmp'));
    renameSync(path.join(dir, '..data_tmp'), path.join(dir, '..data'));
    symlinkSync('..data/config.yaml', `${file}.new`);
    renameSync(`${file}.new`, file);
    rmSync(path.join(dir, old), { recursive: true, force: true });
  }

  change(i, document) {
    this.put[i % this.put.length].call(this, this.text(document));
  }
}

/** Turns the wheel of reloads and knows which generations can be in force. */
class Reloads {
  confirmed = 1; // every worker has it
  attempted = 1; // some may have it
  steps = 0;
  policies = new Map([[1, 1]]); // generation -> the number in its names
  #waiting = [];

  constructor(vsr, backend) {
    this.vsr = vsr;
    this.backend = backend;
    this.mount = new Mount(vsr);
  }

  /** Resolves when `n` reloads have been tried. */
  reached(n) {
    return new Promise((resolve) => {
      this.#waiting.push([n, resolve]);
      this.#wake();
    });
  }

  #wake() {
    for (const [n, resolve] of this.#waiting) if (n <= this.steps) resolve();
    this.#waiting = this.#waiting.filter(([n]) => n > this.steps);
  }

  release() {
    this.steps = Number.POSITIVE_INFINITY;
    this.#wake();
  }

  async #expectGood(act) {
    const n = this.confirmed + 1;
    this.attempted = n;
    act(n);
    await this.vsr.says(new RegExp(`configuration reloaded[^\\n]*generation=${n}\\b`));
    this.confirmed = n;
  }

  async #expectBad(act) {
    const from = this.vsr.log.length;
    act();
    await this.vsr.says(new RegExp(`config_reload_failed[^\\n]*generation=${this.confirmed}\\b`), from);
  }

  async step(i) {
    if (i % 2 === 1) {
      const kinds = Object.values(bad);
      const document = kinds[(i >> 1) % kinds.length](i, this.backend);
      await this.#expectBad(() => this.mount.change(i, document));
      if (i % 7 === 0) await this.#expectBad(() => this.vsr.signal('SIGHUP'));
    } else {
      await this.#expectGood((n) => {
        this.policies.set(n, i);
        this.mount.change(i, good(i, this.backend));
      });
      if (i % 6 === 0) {
        await this.#expectGood((n) => {
          this.policies.set(n, i);
          this.vsr.signal('SIGHUP');
        });
      }
    }
    this.steps = i;
    this.#wake();
  }
}

/** A stream whose rest comes when the reload that its prompt names has been tried. */
const heldStreams = (reloads) => async (exchange) => {
  const body = exchange.request.json();
  const held = /^hold (\d+)$/.exec(body.messages[0].content);
  if (!held) return openaiAnswer()(exchange);
  const events = streamEvents(body.model, [`model=${body.model} `, 'the ', 'rest']);
  await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
  await exchange.write(chunk(events[0]));
  await reloads.reached(Number(held[1]));
  for (const event of events.slice(1)) await exchange.write(chunk(event));
  await exchange.write('0\r\n\r\n');
};

test('requests in flight across reloads', { timeout: seconds(long ? 900 : 240) }, async (t) => {
  const backend = await Backend.start(t);
  const vsr = await startVsr(t, good(1, backend));
  const reloads = new Reloads(vsr, backend);
  backend.behaviour = heldStreams(reloads);
  const n = inFlight();
  let stop = false;
  let answered = 0;
  let open = 0;
  const seen = new Map();

  /** One request on `conn`, checked; false when the connection ended with it. */
  const ask = async (conn, content, stream) => {
    const floor = reloads.confirmed;
    void conn.write(requestBytes({ body: chat(content, { stream }) }));
    await within('the beginning of an answer', conn.reader.some(), seconds(120));
    const ceiling = reloads.attempted;
    open += 1;
    const answer = decorate(await within('an answer', conn.response(), seconds(600)));
    open -= 1;
    assert.deepEqual([answer.status, answer.complete], [200, true], `${answer.status}: ${answer.body}`);
    const generation = Number(answer.headers.get('x-vsr-config-generation'));
    assert.ok(floor <= generation && generation <= ceiling, `${floor} <= ${generation} <= ${ceiling}`);
    const name = `m${reloads.policies.get(generation)}`;
    assert.equal(answer.headers.get('x-vsr-selected-model'), name, 'the generation routed it');
    const read = stream ? readChatStream(answer) : null;
    if (read) assert.ok(read.done && !read.error && !read.broken, `a whole stream: ${answer.body}`);
    const text = read ? read.content : answer.json().choices[0].message.content;
    assert.ok(text.startsWith(`model=prov-${name}`), `mixed generations: ${name} and ${text}`);
    answered += 1;
    seen.set(generation, (seen.get(generation) ?? 0) + 1);
    return answer.keepAlive;
  };

  const holder = async (i) => {
    const conn = await Conn.open(vsr.port);
    for (let turn = 0; !stop; turn++) {
      // Short and long holds, so that at any time there are requests of many generations.
      const until = reloads.steps + 1 + ((i * 7 + turn * 3) % (RELOADS >> 1));
      await ask(conn, `hold ${until}`, true);
    }
    conn.destroy();
  };

  const short = async (i) => {
    let conn = null;
    for (let turn = 0; !stop; turn++) {
      conn ??= await Conn.open(vsr.port);
      const keep = await ask(conn, 'hi', turn % 3 === 0);
      if (keep && i % 2 === 0) continue;
      conn.destroy();
      conn = null;
    }
    conn?.destroy();
  };

  const clients = [];
  for (let i = 0; i < n; i++) {
    clients.push(holder(i));
    if (i % 200 === 199) await eventually('the streams so far to begin', () => open > i - 100, seconds(120));
  }
  for (let i = 0; i < SHORT_CLIENTS; i++) clients.push(short(i));
  const failed = Promise.all(clients); // the first failure of any ends the test at once
  await eventually('all streams to be under way', () => open >= n, seconds(300));

  let settled = 0;
  const turnAll = async () => {
    for (let i = 2; i <= RELOADS + 1; i++) {
      await reloads.step(i);
      if (i === (RELOADS >> 1)) settled = vsr.rss();
      const goal = answered + 20;
      await eventually('some load on this generation', () => answered >= goal, seconds(120));
    }
  };
  await Promise.race([turnAll(), failed]);
  const grown = vsr.rss() - settled;
  stop = true;
  reloads.release();
  await failed;

  assert.ok(seen.size >= RELOADS / 2, `generations seen: ${[...seen.keys()]}`);
  if (!sanitized) assert.ok(grown < GROWTH_MAX, `grew by ${grown >> 20} MiB over the second half`);
  await eventually('one generation in memory', async () => {
    const page = (await vsr.metrics()).body.toString();
    return /^vsr_config_snapshots 1$/m.test(page) && /^vsr_requests_active 0$/m.test(page);
  });
  t.diagnostic(
    `${n} in flight, ${answered} answered over ${RELOADS} reloads and ${seen.size} generations; ` +
      `${Math.round(settled / 2 ** 20)} MiB at half time, ${Math.round(grown / 2 ** 20)} MiB more at the end`,
  );
});
