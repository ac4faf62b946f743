// `vsr model`: the catalogue, directories, and downloads from a hub that behaves, breaks down, lies and attacks.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';

import { eventually, program, seconds, test } from './lib/harness.mjs';
import { Hub, commitOf } from './lib/hub.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-model-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let nextPlace = 0;

/** A directory of its own for each test. */
const place = () => {
  const dir = path.join(scratch, String((nextPlace += 1)));
  mkdirSync(dir);
  return dir;
};

/** Starts the program. `{code, out, err}` once it has ended; `child` while it runs. */
function start(args, { env = {}, cwd = scratch } = {}) {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VSR_|HF_|NO_COLOR|XDG_|https?_proxy)/i.test(name)),
  );
  const child = spawn(program, ['model', ...args], {
    cwd,
    env: { ...clean, HOME: scratch, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (bytes) => (text.out += bytes));
  child.stderr.on('data', (bytes) => (text.err += bytes));
  const ended = new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds(60));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...text, json: () => JSON.parse(text.out) });
    });
  });
  return { child, ended };
}

const vsr = (args, options) => start(args, options).ended;

/** Pulls `name` from `hub` into `dir`; the one result, with the exit code. */
async function pull(hub, dir, name = 'me/own', args = [], env = {}) {
  const run = await vsr(['pull', '--json', '-d', dir, '--endpoint', hub.url, '--timeout', '5', ...args, name], { env });
  assert.match(run.out, /^\[/, `${run.err} ${run.signal}`);
  return { code: run.code, ...run.json()[0] };
}

/** A safetensors file with one tensor of `n` bytes. */
function weights(n, seed = 1) {
  const header = Buffer.from(JSON.stringify({ w: { dtype: 'I8', shape: [n], data_offsets: [0, n] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.alloc(n);
  for (let i = 0; i < n; i += 1) data[i] = (i * 31 + seed + (i >> 8)) & 255;
  return Buffer.concat([length, header, data]);
}

const model = (n = 100_000, seed = 1) => ({
  'config.json': '{"model_type":"bert"}',
  'tokenizer.json': '{"version":"1.0"}',
  'model.safetensors': weights(n, seed),
});

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Everything below `dir`, sorted; [] when it does not exist. */
const tree = (dir) =>
  existsSync(dir)
    ? readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => path.relative(dir, path.join(entry.parentPath ?? entry.path, entry.name)))
        .sort()
    : [];

function assertPulled(dir, files) {
  for (const [name, content] of Object.entries(files)) {
    assert.deepEqual(readFileSync(path.join(dir, name)), Buffer.from(content), name);
  }
  assert.deepEqual(tree(dir), [...Object.keys(files), '.vsr-manifest.json'].sort());
  assert.deepEqual(
    tree(path.dirname(dir)).filter((name) => name.startsWith('.')),
    [],
    'nothing of the work is left',
  );
}

const fromDisk = (models) => models.filter(({ name }) => !name.startsWith('builtin/'));

describe('list, show and verify', () => {
  test('the catalogue without any model', async () => {
    const run = await vsr(['list', '--json', '-d', place()]);
    assert.equal(run.code, 0, run.err);
    const { models } = run.json();
    assert.equal(models.length, 35);
    assert.ok(models.every((entry) => entry.state === (entry.name.startsWith('builtin/') ? 'ready' : 'absent')));
    assert.equal(models.filter((entry) => entry.default).length, 9);
  });

  test('models that are here', async () => {
    const dir = place();
    for (const [name, content] of Object.entries(model())) {
      mkdirSync(path.join(dir, 'mom-embedding-light'), { recursive: true });
      mkdirSync(path.join(dir, 'mine'), { recursive: true });
      writeFileSync(path.join(dir, 'mom-embedding-light', name), content);
      if (name !== 'tokenizer.json') writeFileSync(path.join(dir, 'mine', name), content);
    }
    const run = await vsr(['list', '--installed', '--json', '-d', dir]);
    assert.deepEqual(
      fromDisk(run.json().models).map(({ name, state, model_type: type }) => [name, state, type]),
      [
        ['models/mom-embedding-light', 'ready', 'bert'],
        ['models/mine', 'incomplete', 'bert'],
      ],
    );
    const text = await vsr(['list', '-i'], { env: { VSR_MODELS_DIR: dir } });
    assert.match(text.out, /^ready +models\/mom-embedding-light +0.1 MB +semantic-similarity$/m);
    assert.match(text.out, /12 models, 11 ready/);
    const shown = await vsr(['show', 'mine', '-d', dir, '--json']);
    assert.equal(shown.code, 0);
    assert.deepEqual(
      shown.json().problems.map(({ file }) => file),
      ['tokenizer.json'],
    );
    const verified = await vsr(['verify', '-d', dir]);
    assert.equal(verified.code, 1);
    assert.match(verified.out, /mom-embedding-light: complete; .*no manifest/);
    assert.match(verified.out, /mine: 1 problems\n {2}tokenizer.json: is missing/);
  });

  test('a snapshot in the cache of the hub', async () => {
    const home = place();
    const repo = path.join(home, 'hub/models--Qwen--Qwen3-Embedding-0.6B');
    const snapshot = path.join(repo, 'snapshots', commitOf(7));
    mkdirSync(path.join(repo, 'blobs'), { recursive: true });
    mkdirSync(path.join(repo, 'refs'));
    mkdirSync(snapshot, { recursive: true });
    writeFileSync(path.join(repo, 'refs/main'), commitOf(7));
    for (const [name, content] of Object.entries(model())) {
      writeFileSync(path.join(repo, 'blobs', name), content);
      symlinkSync(`../../blobs/${name}`, path.join(snapshot, name));
    }
    const env = { HF_HOME: home };
    const run = await vsr(['show', 'qwen3', '--json', '-d', path.join(home, 'none')], { env });
    const shown = run.json();
    assert.equal(shown.state, 'ready');
    assert.equal(shown.layout, 'snapshot');
    assert.equal(shown.location, snapshot);
    assert.equal(shown.embedding_dim, 1024);
    const dir = path.join(home, 'models');
    const copied = await vsr(['pull', 'qwen3', '-d', dir, '--from', path.join(home, 'hub'), '--json'], { env });
    assert.equal(copied.code, 0, copied.out);
    assertPulled(path.join(dir, 'mom-embedding-pro'), model());
  });

  test('mistakes', async () => {
    const unknown = await vsr(['show', 'nobody-knows-it']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /nobody-knows-it.*OWNER\/NAME/);
    assert.equal((await vsr(['pull'])).code, 2);
    assert.equal((await vsr(['pull', '--as', 'x', 'a/b', 'c/d'])).code, 2);
    assert.equal((await vsr(['list', '--purpose', 'nonsense'])).code, 2);
    assert.equal((await vsr(['verify', 'gemma'])).code, 1);
    const name = await vsr(['pull', 'nobody-knows-it', '--json']);
    assert.equal(name.json()[0].error.kind, 'not_found');
    for (const bad of ['models/../../x', '../x/y/z', 'a/..', '.']) {
      const run = await vsr(['pull', bad, '--json', '-d', place()]);
      assert.equal(run.code, 1, bad);
    }
  });
});

describe('pull', () => {
  test('only what is needed, checked and recorded', async (t) => {
    const hub = await Hub.start(t);
    const files = { ...model(), '1_Pooling/config.json': '{}', 'modules.json': '[]', LICENSE: 'yes', 'empty.json': '' };
    hub.add('me/own', {
      ...files,
      'pytorch_model.bin': 'x',
      'onnx/model.onnx': 'x',
      'onnx/config.json': '{}',
      'README.md': '#',
      '.gitattributes': 'x',
      'model-00001-of-00002.safetensors': 'x',
      'model.safetensors.index.json': '{}',
      'model.fp16.safetensors': 'x',
    });
    const dir = place();
    const result = await pull(hub, dir);
    assert.equal(result.error, undefined, result.error?.message);
    assert.equal(result.state, 'ready');
    assert.equal(result.files_fetched, 7);
    assert.equal(result.commit, commitOf(1));
    assertPulled(path.join(dir, 'own'), files);
    const manifest = JSON.parse(readFileSync(path.join(dir, 'own/.vsr-manifest.json')));
    assert.equal(manifest.repo_id, 'me/own');
    assert.equal(manifest.commit, commitOf(1));
    assert.equal(manifest.revision, 'main');
    for (const file of manifest.files) assert.equal(file.sha256, sha256(path.join(dir, 'own', file.path)), file.path);
    assert.ok(hub.asked('resolve').every((request) => request.path.includes(`/resolve/${commitOf(1)}/`)));
    const shown = await vsr(['show', 'me/own', '--json', '-d', dir]);
    assert.equal(shown.json().commit, commitOf(1));
    const verified = await vsr(['verify', '-d', dir]);
    assert.equal(verified.code, 0);
    assert.equal(verified.out, `models/own: complete, 7 files as downloaded from me/own, commit ${commitOf(1)}\n`);
  });

  test('a catalogue name goes to its place', async (t) => {
    const hub = await Hub.start(t);
    hub.add('sentence-transformers/all-MiniLM-L12-v2', model());
    const dir = place();
    const result = await pull(hub, dir, 'bert-light');
    assert.equal(result.location, path.join(dir, 'mom-embedding-light'));
    assertPulled(result.location, model());
  });

  test('an adapter', async (t) => {
    const hub = await Hub.start(t);
    const files = { 'adapter_config.json': '{}', 'adapter_model.safetensors': weights(100) };
    hub.add('me/own', files);
    const dir = place();
    assert.equal((await pull(hub, dir)).state, 'ready');
    assertPulled(path.join(dir, 'own'), files);
  });

  test('the second time nothing is fetched', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    await pull(hub, dir);
    hub.requests.length = 0;
    const again = await pull(hub, dir);
    assert.equal(again.state, 'unchanged');
    assert.equal(hub.requests.length, 1);
  });

  test('an update fetches what has changed and keeps what is the user’s', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', { ...model(), 'old.json': '1' });
    const dir = place();
    await pull(hub, dir);
    writeFileSync(path.join(dir, 'own/my_mapping.json'), '{"mine":1}');
    mkdirSync(path.join(dir, 'own/notes'));
    writeFileSync(path.join(dir, 'own/notes/a.txt'), 'mine');
    const files = { ...model(), 'config.json': '{"model_type":"roberta"}' };
    hub.add('me/own', files, { commit: commitOf(2) });
    const result = await pull(hub, dir);
    assert.equal(result.state, 'ready');
    assert.equal(result.files_fetched, 1);
    assert.equal(result.commit, commitOf(2));
    assertPulled(path.join(dir, 'own'), { ...files, 'my_mapping.json': '{"mine":1}', 'notes/a.txt': 'mine' });
  });

  test('a file that was damaged since is fetched again with --force', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    await pull(hub, dir);
    const file = path.join(dir, 'own/model.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    rmSync(file);
    writeFileSync(file, bytes);
    const verified = await vsr(['verify', 'own', '--json', '-d', dir]);
    assert.equal(verified.code, 1);
    assert.equal(verified.json()[0].problems[0].file, 'model.safetensors');
    const result = await pull(hub, dir, 'me/own', ['--force']);
    assert.equal(result.files_fetched, 1);
    assertPulled(path.join(dir, 'own'), model());
  });

  test('files that others brought are taken over when they are right, and not replaced when they are not', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    mkdirSync(path.join(dir, 'own'));
    writeFileSync(path.join(dir, 'own/model.safetensors'), model()['model.safetensors']);
    const result = await pull(hub, dir);
    assert.equal(result.files_fetched, 2);
    assertPulled(path.join(dir, 'own'), model());
    mkdirSync(path.join(dir, 'other'));
    writeFileSync(path.join(dir, 'other/config.json'), '{"my":"work"}');
    const refused = await pull(hub, dir, 'me/own', ['--as', 'other']);
    assert.equal(refused.error.kind, 'local');
    assert.match(refused.error.message, /other\/config.json.*--force/);
    assert.equal(readFileSync(path.join(dir, 'other/config.json'), 'utf8'), '{"my":"work"}');
    assert.equal((await pull(hub, dir, 'me/own', ['--as', 'other', '--force'])).state, 'ready');
    assertPulled(path.join(dir, 'other'), model());
  });

  test('a directory that holds another repository', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.add('you/own', model(500));
    const dir = place();
    await pull(hub, dir);
    const refused = await pull(hub, dir, 'you/own');
    assert.equal(refused.error.kind, 'local');
    assert.match(refused.error.message, /holds me\/own.*--as/);
    assertPulled(path.join(dir, 'own'), model());
  });

  test('a hub that says neither sizes nor hashes', async (t) => {
    const hub = await Hub.start(t);
    hub.blobs = false;
    hub.add('me/own', model());
    const dir = place();
    assert.equal((await pull(hub, dir)).state, 'ready');
    assertPulled(path.join(dir, 'own'), model());
    hub.add('me/own', model(100_000, 2), { commit: commitOf(2) });
    hub.corrupt = (name, bytes) => (name === 'model.safetensors' ? Buffer.from(bytes).fill(0, 200) : bytes);
    const result = await pull(hub, dir);
    assert.equal(result.error.kind, 'corrupt', 'the headers of the redirect say what the content is');
    assert.deepEqual(readFileSync(path.join(dir, 'own/model.safetensors')), model()['model.safetensors']);
  });

  test('a file whose size nobody says, and that has no end', async (t) => {
    const hub = await Hub.start(t);
    hub.blobs = false;
    hub.add('me/own', model());
    hub.endless = (name) => name === 'tokenizer.json';
    const result = await pull(hub, place());
    assert.equal(result.error.kind, 'corrupt');
    assert.match(result.error.message, /tokenizer.json.*nobody says its size/);
  });

  test('several files at the same time, and no more than asked for', async (t) => {
    const hub = await Hub.start(t);
    const shards = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`model-0000${i + 1}-of-00008.safetensors`, weights(1000, i)]),
    );
    const index = { weight_map: Object.fromEntries(Object.keys(shards).map((name, i) => [`t${i}`, name])) };
    const { 'model.safetensors': _, ...rest } = model();
    const files = { ...rest, ...shards, 'model.safetensors.index.json': JSON.stringify(index) };
    hub.add('me/own', files);
    let open;
    hub.hold = new Promise((resolve) => (open = resolve));
    const dir = place();
    const running = pull(hub, dir, 'me/own', ['--jobs', '3']);
    await eventually('three bodies at once', () => hub.running === 3);
    open();
    assert.equal((await running).state, 'ready');
    assert.equal(hub.mostRunning, 3);
    assertPulled(path.join(dir, 'own'), files);
  });

  test('several models, one of which is not there', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    const run = await vsr(['pull', '--json', '-d', dir, '--endpoint', hub.url, 'me/none', 'me/own']);
    assert.equal(run.code, 1);
    assert.deepEqual(
      run.json().map(({ state }) => state),
      ['failed', 'ready'],
    );
    const text = await vsr(['pull', '-d', dir, '--endpoint', hub.url, 'me/none', 'me/own']);
    assert.match(text.err, /^vsr model pull: me\/none: there is no repository me\/none/m);
    assert.match(text.out, /own is up to date; commit c+/);
    assert.doesNotMatch(text.out + text.err, /\x1b|\r/, 'no bar without a terminal');
  });

  test('a directory that is a link stays one', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    mkdirSync(path.join(dir, 'disk/big'), { recursive: true });
    mkdirSync(path.join(dir, 'models'));
    symlinkSync('../disk/big', path.join(dir, 'models/own'));
    assert.equal((await pull(hub, path.join(dir, 'models'))).state, 'ready');
    assertPulled(path.join(dir, 'disk/big'), model());
    assert.ok(existsSync(path.join(dir, 'models/own/config.json')));
  });

  test('more files on request', async (t) => {
    const hub = await Hub.start(t);
    const files = { ...model(), 'onnx/model_config.json': '{}' };
    hub.add('me/own', { ...files, 'onnx/model.onnx': 'x' });
    const dir = place();
    await pull(hub, dir, 'me/own', ['--include', 'onnx/*.json']);
    assertPulled(path.join(dir, 'own'), files);
  });
});

describe('a bad line', () => {
  test('a cut transfer goes on where it ended', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.cut = (name, nth) => (name === 'model.safetensors' ? nth * 30_000 : Infinity);
    const dir = place();
    const result = await pull(hub, dir);
    assert.equal(result.error, undefined, result.error?.message);
    assertPulled(path.join(dir, 'own'), model());
    const ranges = hub.requests.filter(({ server }) => server === 'storage').map(({ headers }) => headers.range);
    assert.equal(ranges[0], undefined);
    assert.ok(ranges.slice(1).every((range) => /^bytes=\d+-$/.test(range)), String(ranges));
    assert.ok(result.bytes_fetched < 110_000, 'nothing was fetched twice');
  });

  test('a server that cannot resume', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.ranges = false;
    hub.cut = (name, nth) => (name === 'model.safetensors' && nth === 1 ? 30_000 : Infinity);
    const dir = place();
    assert.equal((await pull(hub, dir)).state, 'ready');
    assertPulled(path.join(dir, 'own'), model());
  });

  test('a pull that was killed leaves no model, and the next one continues it', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.cut = (name) => (name === 'model.safetensors' ? 40_000 : Infinity);
    hub.hold = null;
    const dir = place();
    const args = ['pull', '-d', dir, '--endpoint', hub.url, 'me/own'];
    const first = start(args);
    const part = () => tree(path.join(dir, '.own.pull')).find((name) => /^model.safetensors.*\.part$/.test(name));
    await eventually('40,000 bytes', () => part() && statSync(path.join(dir, '.own.pull', part())).size >= 40_000);
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(!existsSync(path.join(dir, 'own')), 'nothing half-made');
    const list = await vsr(['list', '--installed', '--json', '-d', dir]);
    assert.deepEqual(fromDisk(list.json().models), []);
    hub.cut = () => Infinity;
    hub.requests.length = 0;
    const result = await pull(hub, dir);
    assert.equal(result.state, 'ready');
    assert.match(hub.requests.find(({ server }) => server === 'storage').headers.range, /^bytes=[4-9]\d{4}-$/);
    assertPulled(path.join(dir, 'own'), model());
  });

  test('an update that was killed leaves the old model', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    await pull(hub, dir);
    hub.add('me/own', model(100_000, 2), { commit: commitOf(2) });
    hub.hold = new Promise(() => {});
    const second = start(['pull', '-d', dir, '--endpoint', hub.url, 'me/own']);
    await eventually('a body', () => hub.running > 0);
    second.child.kill('SIGTERM');
    await second.ended;
    for (const [name, content] of Object.entries(model()))
      assert.deepEqual(readFileSync(path.join(dir, 'own', name)), Buffer.from(content), name);
    assert.equal((await vsr(['verify', 'own', '-d', dir])).code, 0);
  });

  test('a part of another version is not continued', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.cut = (name) => (name === 'model.safetensors' ? 40_000 : Infinity);
    const dir = place();
    const first = await pull(hub, dir);
    assert.equal(first.error.kind, 'network');
    hub.cut = () => Infinity;
    hub.add('me/own', model(100_000, 2), { commit: commitOf(2) });
    hub.requests.length = 0;
    assert.equal((await pull(hub, dir)).state, 'ready');
    assert.equal(hub.requests.find(({ server }) => server === 'storage').headers.range, undefined);
    assertPulled(path.join(dir, 'own'), model(100_000, 2));
  });

  test('a part that was damaged on the disk is fetched anew', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.cut = (name) => (name === 'model.safetensors' ? 40_000 : Infinity);
    const dir = place();
    await pull(hub, dir);
    const part = tree(path.join(dir, '.own.pull')).find((name) => name.endsWith('.part'));
    writeFileSync(path.join(dir, '.own.pull', part), Buffer.alloc(50_000));
    hub.cut = () => Infinity;
    assert.equal((await pull(hub, dir)).state, 'ready');
    assertPulled(path.join(dir, 'own'), model());
  });

  test('temporary refusals', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.status = (name, nth) => (nth === 1 ? 503 : nth === 2 && name.endsWith('config.json') ? 429 : 0);
    hub.headers = { 'retry-after': '1' };
    const dir = place();
    assert.equal((await pull(hub, dir)).state, 'ready');
    assertPulled(path.join(dir, 'own'), model());
  });

  test('a server that stays down', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.status = () => 500;
    const dir = place();
    const result = await pull(hub, dir);
    assert.equal(result.code, 1);
    assert.equal(result.error.kind, 'server');
    assert.match(result.error.message, /HTTP status 500/);
    assert.deepEqual(readdirSync(dir), []);
  });

  test('nobody listens', async (t) => {
    const hub = await Hub.start(null);
    await hub.close();
    const dir = place();
    const result = await pull(hub, dir);
    assert.equal(result.error.kind, 'network');
    assert.match(result.error.message, /HF_ENDPOINT.*--from/);
    assert.deepEqual(readdirSync(dir), []);
  });

  test('a connection that goes silent', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    let silent = true;
    Object.defineProperty(hub, 'hold', { get: () => (silent ? new Promise(() => {}) : null) });
    const running = pull(hub, place(), 'me/own', ['--timeout', '1']);
    await eventually('the first bodies', () => hub.running >= 3);
    silent = false;
    assert.equal((await running).state, 'ready');
  });
});

describe('lies', () => {
  const lies = {
    'other content of the same length': (bytes) => Buffer.from(bytes).fill(7, bytes.length - 9),
    'fewer bytes': (bytes) => bytes.subarray(0, bytes.length - 1),
    'more bytes': (bytes) => Buffer.concat([bytes, Buffer.from('x')]),
  };
  for (const file of ['model.safetensors', 'config.json']) {
    for (const [what, lie] of Object.entries(lies)) {
      test(`${file}: ${what}`, async (t) => {
        const hub = await Hub.start(t);
        hub.add('me/own', model());
        hub.corrupt = (name, bytes) => (name === file ? lie(bytes) : bytes);
        const dir = place();
        const result = await pull(hub, dir);
        assert.equal(result.code, 1);
        assert.equal(result.error.kind, 'corrupt', result.error.message);
        assert.match(result.error.message, new RegExp(file));
        assert.ok(!existsSync(path.join(dir, 'own')));
        hub.corrupt = (name, bytes) => bytes;
        assert.equal((await pull(hub, dir)).state, 'ready');
        assertPulled(path.join(dir, 'own'), model());
      });
    }
  }

  const names = ['../evil.json', 'a/../../evil.json', '/etc/evil.json', 'a\\..\\evil.json', '..', 'evil\u0000.json', ''];
  for (const name of names) {
    test(`a file called ${JSON.stringify(name)}`, async (t) => {
      const hub = await Hub.start(t);
      hub.add('me/own', model());
      hub.listing = (body) => ({ ...body, siblings: [...body.siblings, { rfilename: name, size: 1 }] });
      const dir = place();
      const result = await pull(hub, path.join(dir, 'models'));
      assert.equal(result.code, 1);
      assert.equal(result.error.kind, 'unsuitable', result.error.message);
      assert.deepEqual(readdirSync(dir), []);
    });
  }

  const answers = {
    'no JSON': () => '<html>',
    'no object': () => [],
    'no files': (body) => ({ ...body, siblings: undefined }),
    'a commit that is a path': (body) => ({ ...body, sha: '../../../x' }),
    'a name that is no text': (body) => ({ ...body, siblings: [{ rfilename: 7 }] }),
    'a name twice': (body) => ({ ...body, siblings: [...body.siblings, ...body.siblings] }),
  };
  for (const [what, answer] of Object.entries(answers)) {
    test(`a list with ${what}`, async (t) => {
      const hub = await Hub.start(t);
      hub.add('me/own', model());
      hub.listing = answer;
      const dir = place();
      const result = await pull(hub, dir);
      assert.equal(result.error.kind, 'server', result.error.message);
      assert.deepEqual(readdirSync(dir), []);
    });
  }

  test('a repository that cannot be run', async (t) => {
    const hub = await Hub.start(t);
    const { 'model.safetensors': _, ...rest } = model();
    hub.add('me/own', { ...rest, 'pytorch_model.bin': 'x' });
    const result = await pull(hub, place());
    assert.equal(result.error.kind, 'unsuitable');
    assert.match(result.error.message, /expected model.safetensors, found pytorch_model.bin/);
    assert.equal(hub.asked('resolve').length, 0);
  });

  test('weights that are none', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', { ...model(), 'model.safetensors': 'version https://git-lfs.github.com/spec/v1' });
    const dir = place();
    const result = await pull(hub, dir);
    assert.equal(result.error.kind, 'unsuitable');
    assert.match(result.error.message, /model.safetensors .*not? a? ?safetensors file/);
    assert.ok(!existsSync(path.join(dir, 'own')));
  });
});

describe('tokens and redirects', () => {
  test('the token goes to the hub only', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model(), { gated: true });
    const result = await pull(hub, place(), 'me/own', [], { HF_TOKEN: 'good\n' });
    assert.equal(result.error, undefined, result.error?.message);
    for (const { server, headers } of hub.requests)
      assert.equal(headers.authorization, server === 'hub' ? 'Bearer good' : undefined, server);
    assert.ok(hub.requests.some(({ server }) => server === 'storage'));
  });

  test('the same address under another name is another host', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.redirect = () => `${hub.url.replace('127.0.0.1', 'localhost')}/me/own/resolve/${commitOf(1)}/config.json`;
    await pull(hub, place(), 'me/own', [], { HF_TOKEN: 'good' });
    const others = hub.requests.filter(({ headers }) => headers.host.startsWith('localhost'));
    assert.ok(others.length > 0);
    for (const { headers } of others) assert.equal(headers.authorization, undefined);
  });

  test('gated without a token, and with one that has no access', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model(), { gated: true });
    const dir = place();
    const without = await pull(hub, dir);
    assert.equal(without.error.kind, 'gated');
    assert.match(without.error.message, /me\/own is gated: accept its terms at http.*\/me\/own, then set HF_TOKEN/);
    const wrong = await pull(hub, dir, 'me/own', [], { HF_TOKEN: 'bad' });
    assert.equal(wrong.error.kind, 'gated');
    assert.match(wrong.error.message, /token in HF_TOKEN has no access/);
    assert.ok(!existsSync(path.join(dir, 'own')));
  });

  test('no such repository, revision or file', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    const repo = await pull(hub, dir, 'me/none');
    assert.equal(repo.error.kind, 'not_found');
    assert.match(repo.error.message, /no repository me\/none .*or it is private/);
    const revision = await pull(hub, dir, 'me/own', ['--revision', 'refs/pr/1']);
    assert.equal(revision.error.kind, 'not_found');
    assert.match(revision.error.message, /no such revision/);
    assert.ok(hub.asked('refs%2Fpr%2F1').length > 0);
    hub.listing = (body) => ({ ...body, siblings: [...body.siblings, { rfilename: 'gone.json' }] });
    const file = await pull(hub, dir);
    assert.equal(file.error.kind, 'not_found');
    assert.match(file.error.message, /gone.json/);
    assert.equal((await pull(hub, dir, 'me/own', ['--revision', commitOf(1)])).code, 1);
    hub.listing = (body) => body;
    assert.equal((await pull(hub, dir, 'me/own', ['--revision', commitOf(1)])).state, 'ready');
  });

  const targets = {
    'in a circle': (hub) => () => `${hub.url}/me/own/resolve/${commitOf(1)}/model.safetensors`,
    'to a file': () => () => 'file:///etc/passwd',
    'to another protocol': () => () => 'gopher://127.0.0.1/x',
  };
  for (const [what, target] of Object.entries(targets)) {
    test(`a redirect ${what}`, async (t) => {
      const hub = await Hub.start(t);
      hub.add('me/own', model());
      hub.redirect = target(hub);
      const dir = place();
      const result = await pull(hub, dir);
      assert.equal(result.code, 1);
      assert.match(result.error.message, /redirect/);
      assert.ok(!existsSync(path.join(dir, 'own')));
    });
  }

  test('a mirror by HF_ENDPOINT, with a path of its own', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    const run = await vsr(['pull', '-d', dir, 'me/own'], { env: { HF_ENDPOINT: `${hub.url}/` } });
    assert.equal(run.code, 0, run.err);
    assertPulled(path.join(dir, 'own'), model());
    for (const bad of ['ftp://127.0.0.1', 'nonsense', '']) {
      const failed = await vsr(['pull', '--json', '-d', dir, '--endpoint', bad, 'me/x'], {
        env: { HF_HUB_OFFLINE: bad ? '' : '1' },
      });
      assert.equal(failed.code, 1, bad);
    }
  });
});

describe('without a network', () => {
  test('offline, nobody is asked', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const dir = place();
    const refused = await pull(hub, dir, 'me/own', [], { HF_HUB_OFFLINE: '1' });
    assert.equal(refused.error.kind, 'offline');
    assert.match(refused.error.message, /--from/);
    assert.equal((await pull(hub, dir, 'me/own', ['--offline'])).error.kind, 'offline');
    assert.equal(hub.requests.length, 0);
    await pull(hub, dir);
    hub.requests.length = 0;
    assert.equal((await pull(hub, dir, 'me/own', ['--offline'])).state, 'unchanged');
    assert.equal(hub.requests.length, 0);
  });

  test('from a directory that vsr filled', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    const from = place();
    await pull(hub, from);
    const dir = place();
    const run = await vsr(['pull', '--offline', '--json', '-d', dir, '--from', from, 'me/own']);
    assert.equal(run.code, 0, run.out);
    assert.equal(run.json()[0].commit, commitOf(1));
    assertPulled(path.join(dir, 'own'), model());
    assert.deepEqual(
      readFileSync(path.join(dir, 'own/.vsr-manifest.json')),
      readFileSync(path.join(from, 'own/.vsr-manifest.json')),
    );
    const file = path.join(from, 'own/model.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(file, bytes);
    const damaged = await vsr(['pull', '--json', '-d', place(), '--from', path.join(from, 'own'), 'me/own']);
    assert.equal(damaged.json()[0].error.kind, 'corrupt');
    assert.match(damaged.json()[0].error.message, /model.safetensors.*source is damaged/);
  });

  test('from a directory with links that lead out of it', async () => {
    const from = place();
    const secret = path.join(place(), 'id');
    writeFileSync(secret, 'secret');
    for (const [name, content] of Object.entries(model())) writeFileSync(path.join(from, name), content);
    symlinkSync(secret, path.join(from, 'LICENSE-x'));
    const dir = place();
    const run = await vsr(['pull', '--json', '-d', dir, '--from', from, 'gemma']);
    assert.equal(run.code, 1, run.out);
    assert.match(run.json()[0].error.message, /LICENSE-x.*leads out/);
    rmSync(path.join(from, 'LICENSE-x'));
    symlinkSync('config.json', path.join(from, 'LICENSE-x'));
    assert.equal((await vsr(['pull', '--json', '-d', dir, '--from', from, 'gemma'])).code, 0, 'within it they may');
  });

  test('from a directory of somebody else', async () => {
    const from = place();
    for (const [name, content] of Object.entries({ ...model(), 'notes.txt': 'x', 'pytorch_model.bin': 'x' }))
      writeFileSync(path.join(from, name), content);
    const dir = place();
    const run = await vsr(['pull', '--json', '-d', dir, '--from', from, 'gemma']);
    assert.equal(run.code, 0, run.out);
    assertPulled(path.join(dir, 'mom-embedding-flash'), model());
    const none = await vsr(['pull', '--json', '-d', dir, '--from', path.join(from, 'nowhere'), 'gemma']);
    assert.equal(none.json()[0].error.kind, 'not_found');
    rmSync(path.join(from, 'tokenizer.json'));
    const incomplete = await vsr(['pull', '--json', '-d', dir, '--from', from, 'qwen3']);
    assert.equal(incomplete.json()[0].error.kind, 'unsuitable');
  });
});

describe('two at the same time', () => {
  test('the second one says who is at work, another model goes ahead', async (t) => {
    const hub = await Hub.start(t);
    hub.add('me/own', model());
    hub.add('me/two', model());
    let open;
    hub.hold = new Promise((resolve) => (open = resolve));
    const dir = place();
    const first = start(['pull', '-d', dir, '--endpoint', hub.url, 'me/own']);
    await eventually('the first one', () => hub.running > 0);
    const second = await pull(hub, dir);
    assert.equal(second.error.kind, 'busy');
    assert.match(second.error.message, new RegExp(`process ${first.child.pid} is at work`));
    const other = pull(hub, dir, 'me/two');
    await eventually('the other one', () => hub.running > 3);
    open();
    assert.equal((await first.ended).code, 0);
    assert.equal((await other).state, 'ready');
    assertPulled(path.join(dir, 'own'), model());
  });
});
