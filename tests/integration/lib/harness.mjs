// Starts the program under test with a configuration, watches it, and ends it as an operator would.
//
//   const vsr = await startVsr(t, policy({models: {small: backend}}));
//   await request(vsr.port, {body: chat('hi')});
//   // at the end of `t`: SIGTERM, exit status 0, no sanitizer report
//
// VSR_BUILD_DIR says which build (default build/debug).

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test as nodeTest } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { get, readResponse, ByteReader } from './http.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const buildDir = path.resolve(top, process.env.VSR_BUILD_DIR ?? 'build/debug');
export const program = path.join(buildDir, 'vsr');

export const sanitized = /asan|ubsan|tsan/.test(buildDir);
export const long = process.env.VSR_TEST_LONG === '1';

/** Seconds on the clock of the tests: generous, and more so under a sanitizer. Nothing asserts that things are fast. */
export const seconds = (n) => n * 1000 * (sanitized ? 4 : 1);

const FILES_MAX = 65536; // descriptors: enough for 10,000 clients and as many upstream connections
const START_TIMEOUT = seconds(30);
const STOP_TIMEOUT = seconds(45); // more than the 30 s drain

/** node:test's `test` with a time limit that only a hang reaches. */
export function test(name, options, fn) {
  if (typeof options === 'function') [options, fn] = [{}, options];
  return nodeTest(name, { timeout: seconds(90), ...options }, fn);
}

/** Polls until `probe()` is truthy and returns that; fails with `what` after a generous limit. */
export async function eventually(what, probe, limit = seconds(30)) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await probe();
    if (value) return value;
    assert.ok(Date.now() < end, `timed out waiting: ${typeof what === 'function' ? what() : what}`);
    await sleep(20);
  }
}

/** `promise`, or a failure that says what was awaited. */
export async function within(what, promise, limit = seconds(30)) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting: ${what}`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `check(item)` for all items, `width` at a time, and fails with the count and the first few of its failures. */
export async function every(items, width, check) {
  const failures = [];
  await pool(items, width, async (item) => {
    try {
      await check(item);
    } catch (error) {
      failures.push([item, error.message]);
    }
  });
  if (failures.length === 0) return;
  failures.sort(([a], [b]) => a - b);
  const shown = failures.slice(0, 5).map(([item, message]) => `${item}: ${message}`);
  assert.fail(
    `${failures.length} of ${items.length} failed (${failures.slice(0, 40).map(([item]) => item)}):\n${shown.join('\n')}`,
  );
}

/** Runs `fn(item)` for all items, `width` at a time. */
export async function pool(items, width, fn) {
  const queue = [...items];
  const lane = async () => {
    while (queue.length > 0) await fn(queue.shift());
  };
  await Promise.all(Array.from({ length: width }, lane));
}

const taken = new Set();

/** A port nobody listens on, below the range the kernel hands to outgoing connections. */
export async function freePort() {
  for (;;) {
    const port = 12000 + Math.floor(Math.random() * 18000);
    if (taken.has(port)) continue;
    taken.add(port);
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

// ---- configuration -----------------------------------------------------------------------------------------------

/**
 * A configuration document from its interesting parts.
 *
 * `models` is `{name: backend | ref | [refs] | {…provider model fields}}`; a card is made for each. Everything else is
 * put where the contract wants it: `signals`, `projections`, `decisions`, `strategy` under `routing`, `families` and
 * `default_model` under `providers.defaults`, `listener` over the one listener.
 */
export function policy({
  models = {},
  cards = {},
  default_model,
  families,
  effort,
  listener = {},
  signals,
  projections,
  decisions,
  strategy,
  ...rest
}) {
  const defaults = {};
  if (default_model !== undefined) defaults.default_model = default_model;
  if (families) defaults.reasoning_families = families;
  if (effort) defaults.default_reasoning_effort = effort;
  const routing = { modelCards: Object.keys(models).map((name) => ({ name, ...cards[name] })) };
  for (const [key, value] of Object.entries({ strategy, signals, projections, decisions })) {
    if (value !== undefined) routing[key] = value;
  }
  return {
    version: 'v0.3',
    listeners: [{ name: 'test', address: '127.0.0.1', port: 0, timeout: '60s', ...listener }],
    providers: { defaults, models: Object.entries(models).map(([name, spec]) => providerModel(name, spec)) },
    routing,
    ...rest,
  };
}

function providerModel(name, spec) {
  const isRef = (value) =>
    value?.address !== undefined || value?.endpoint !== undefined || value?.base_url !== undefined;
  const ref = (value) => (value.address !== undefined ? { endpoint: value.address } : value);
  if (Array.isArray(spec)) return { name, backend_refs: spec.map(ref) };
  if (isRef(spec)) return { name, backend_refs: [ref(spec)] };
  return { name, ...spec, backend_refs: (spec.backend_refs ?? []).map(ref) };
}

/** A decision that sends requests with a given signal to a model: `lane('code', 'keyword', 'code_words', 'coder')`. */
export function lane(name, type, signal, model, extra = {}) {
  return {
    name,
    priority: 100,
    rules: { operator: 'AND', conditions: [{ type, name: signal }] },
    modelRefs: [{ model }],
    ...extra,
  };
}

/** The unconditional last decision. */
export const otherwise = (model, name = 'otherwise') => ({ name, priority: 1, modelRefs: [{ model }] });

// ---- the process -------------------------------------------------------------------------------------------------

const running = new Set();
process.on('exit', () => {
  for (const vsr of running) vsr.kill();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const dieWithParent = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export class Vsr {
  #child;
  #exited;
  #stopped = null;
  log = '';

  /**
   * Starts vsr on a free port and waits until it is ready. Options: `env`, `args`, `ready` (false: do not wait),
   * `beside` (`{name: text}` of further files in its folder), `policy` (which file is served, config.yaml if left out).
   */
  static async start(document, { env = {}, args = [], ready = true, beside = {}, policy = 'config.yaml' } = {}) {
    assert.ok(existsSync(program), `${program} does not exist: build it first, or set VSR_BUILD_DIR`);
    const vsr = new Vsr();
    vsr.dir = mkdtempSync(path.join(tmpdir(), 'vsr-test-'));
    vsr.file = path.join(vsr.dir, 'config.yaml');
    vsr.policy = path.join(vsr.dir, policy);
    vsr.port = await freePort();
    vsr.metricsPort = await freePort();
    vsr.write(document);
    for (const [name, text] of Object.entries(beside)) vsr.writeBeside(name, text);
    vsr.#spawn(args, env);
    if (ready) await vsr.ready();
    return vsr;
  }

  #spawn(args, env) {
    const command = [program, 'serve', '-c', this.policy, '--metrics-listen', `127.0.0.1:${this.metricsPort}`, ...args];
    const prefix = dieWithParent ? 'setpriv --pdeathsig KILL ' : '';
    const script = `ulimit -n ${FILES_MAX} 2>/dev/null || ulimit -n $(ulimit -H -n); exec ${prefix}"$@"`;
    // Two workers whatever the machine, so that per-worker state shows and counts stay predictable.
    const variables = { ...process.env, VSR_WORKERS: '2', VSR_MANAGEMENT_LISTEN: 'off', NO_COLOR: '1', ...env };
    const child = spawn('sh', ['-c', script, 'sh', ...command], {
      env: variables,
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.dir,
    });
    this.#child = child;
    running.add(this);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => (this.log += text));
    }
    // 'close' and not 'exit': the pipes are drained by then, so a sanitizer report is complete.
    this.#exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    void this.#exited.then((end) => {
      this.ended = end;
      running.delete(this);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  get base() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Writes the configuration file; an object gets this instance's port, a string is written as it is. */
  write(document) {
    let text = document;
    if (typeof document !== 'string') {
      const listeners = document.listeners?.map((one) => ({ ...one, port: one.port || this.port }));
      this.token = listeners?.[0]?.api_keys?.[0];
      text = JSON.stringify({ ...document, listeners }, null, 2);
    }
    this.writeBeside('config.yaml', text);
  }

  /** Writes another file of its folder, whole or not at all. */
  writeBeside(name, text) {
    const file = path.join(this.dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  async ready() {
    const probe = async () => {
      if (this.ended) assert.fail(`vsr ended at start: ${JSON.stringify(this.ended)}\n${this.log}`);
      try {
        const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
        return (await get(this.port, '/ready', headers)).status === 200;
      } catch {
        return false;
      }
    };
    await eventually(() => `vsr ready; it said:\n${this.log}`, probe, START_TIMEOUT);
  }

  /** Waits until the log, from position `from` on, matches. */
  async says(pattern, from = 0) {
    const probe = () => {
      if (pattern.test(this.log.slice(from))) return true;
      if (this.ended) assert.fail(`vsr ended: ${JSON.stringify(this.ended)}\n${this.log.slice(-6000)}`);
      return false;
    };
    await eventually(() => `${pattern} in the log:\n${this.log.slice(from)}`, probe);
  }

  signal(name) {
    this.#child.kill(name);
  }

  get exited() {
    return this.#exited;
  }

  /** The metrics page. */
  async metrics() {
    return get(this.metricsPort, '/metrics');
  }

  /** Resident bytes. */
  rss() {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return Number(match[1]) * 1024;
  }

  /** Ends vsr with SIGTERM and checks that it went well. Safe to call again. */
  stop() {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop() {
    if (!this.ended) this.signal('SIGTERM');
    try {
      const { code, signal } = await within('vsr to end after SIGTERM', this.#exited, STOP_TIMEOUT);
      assert.equal(sanitizerReport(this.log), '', 'sanitizer report');
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, `exit status; vsr said:\n${this.log.slice(-4000)}`);
    } finally {
      this.kill();
      rmSync(this.dir, { recursive: true, force: true });
    }
  }

  kill() {
    if (!this.ended) this.#child.kill('SIGKILL');
    running.delete(this);
  }
}

/** The part of a log that a sanitizer wrote, or ''. */
export function sanitizerReport(log) {
  const at = log.search(/(ERROR|WARNING): (Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error: /);
  return at < 0 ? '' : log.slice(at, at + 6000);
}

/** Starts vsr for one test; it ends with it. */
export async function startVsr(t, document, options) {
  const vsr = await Vsr.start(document, options);
  t.after(() => vsr.stop());
  return vsr;
}

export { sleep, ByteReader, readResponse };
