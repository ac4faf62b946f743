// `vsr dsl lsp`: an editor's session over the pipe.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { program, seconds, test } from './lib/harness.mjs';

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-lsp-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const children = [];
after(() => children.forEach((child) => child.kill('SIGKILL')));

/** A client: `request()` resolves to the result, `notified()` to the next notification of a method. */
function connect(args = [], env = {}) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_')));
  const child = spawn(program, ['dsl', 'lsp', '--stdio', ...args], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...clean, ...env }, cwd: scratch });
  const answers = new Map();
  const waiting = [];
  const told = [];
  let bytes = Buffer.alloc(0);
  let last = 0;
  children.push(child);
  const take = (message) => {
    if ('id' in message) return answers.get(message.id)(message);
    told.push(message);
    for (const look of [...waiting]) look();
  };
  child.stdout.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/^Content-Length: (\d+)$/.exec(bytes.subarray(0, end).toString())[1]);
      if (bytes.length < end + 4 + length) return;
      take(JSON.parse(bytes.subarray(end + 4, end + 4 + length).toString()));
      bytes = bytes.subarray(end + 4 + length);
    }
  });
  const send = (message) => {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    child.stdin.write(body);
  };
  const within = (promise, what) => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${what}`)), seconds(20));
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  return {
    child,
    notify: (method, params) => send({ method, params }),
    request(method, params) {
      const id = ++last;
      const answer = new Promise((resolve) => answers.set(id, resolve));
      send({ id, method, params });
      return within(answer, `answer to ${method}`);
    },
    notified(method) {
      const found = new Promise((resolve) => {
        const look = () => {
          const at = told.findIndex((message) => message.method === method);
          if (at < 0) return;
          if (waiting.includes(look)) waiting.splice(waiting.indexOf(look), 1);
          resolve(told.splice(at, 1)[0].params);
        };
        waiting.push(look);
        look();
      });
      return within(found, method);
    },
  };
}

const uri = 'file:///policy.dsl';
const textDocument = { uri };
const text = `SIGNAL keyword urgent { operator: "OR" keywords: ["asap"] }
ROUTE hot { PRIORITY 9 WHEN keyword("urgnt") MODEL "big" }
`;

describe('a session', () => {
  test('from initialize to exit', async () => {
    const editor = connect();
    const { result } = await editor.request('initialize', { processId: null, rootUri: null, capabilities: {} });
    assert.equal(result.capabilities.positionEncoding, 'utf-16');
    assert.equal(result.capabilities.textDocumentSync.change, 2);
    editor.notify('initialized', {});
    editor.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'vsr', version: 1, text } });

    const first = await editor.notified('textDocument/publishDiagnostics');
    assert.equal(first.version, 1);
    const finding = first.diagnostics.find(({ code }) => code === 'W201');
    assert.deepEqual(finding.range, { start: { line: 1, character: 28 }, end: { line: 1, character: 44 } });

    const actions = await editor.request('textDocument/codeAction', { textDocument, range: finding.range, context: { diagnostics: [finding], only: ['quickfix'] } });
    const [edit] = actions.result[0].edit.changes[uri];
    editor.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ range: edit.range, text: edit.newText }] });
    const second = await editor.notified('textDocument/publishDiagnostics');
    assert.equal(second.version, 2);
    assert.ok(!second.diagnostics.some(({ code }) => code === 'W201'), JSON.stringify(second));

    const position = { line: 1, character: 40 };
    const definition = await editor.request('textDocument/definition', { textDocument, position });
    assert.deepEqual(definition.result, { uri, range: { start: { line: 0, character: 15 }, end: { line: 0, character: 21 } } });
    const hover = await editor.request('textDocument/hover', { textDocument, position });
    assert.match(hover.result.contents.value, /SIGNAL keyword urgent/);
    const completion = await editor.request('textDocument/completion', { textDocument, position: { line: 2, character: 0 } });
    assert.ok(completion.result.items.some(({ label }) => label === 'ROUTE'));
    const symbols = await editor.request('textDocument/documentSymbol', { textDocument });
    assert.deepEqual(symbols.result.map(({ name }) => name), ['urgent', 'hot']);
    const layout = await editor.request('textDocument/formatting', { textDocument, options: { tabSize: 2, insertSpaces: true } });
    assert.match(layout.result[0].newText, /^SIGNAL keyword urgent \{\n {2}operator: "OR"\n/);

    assert.equal((await editor.request('no/such', {})).error.code, -32601);
    assert.equal((await editor.request('shutdown')).result, null);
    const ended = once(editor.child, 'exit');
    editor.notify('exit');
    assert.deepEqual(await ended, [0, null]);
  });

  test('that breaks off', async () => {
    for (const broken of ['', 'no header\r\n\r\n', 'Content-Length: 99999999999\r\n\r\n']) {
      const editor = connect();
      const ended = once(editor.child, 'exit');
      editor.child.stdin.end(broken);
      assert.deepEqual(await ended, [1, null]);
    }
  });
});

/** Opens a program; `said()` resolves to the codes that are published next. */
async function open(editor, text, initializationOptions) {
  await editor.request('initialize', { processId: null, rootUri: null, capabilities: {}, initializationOptions });
  editor.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'vsr', version: 1, text } });
  return async () => (await editor.notified('textDocument/publishDiagnostics')).diagnostics.map(({ code }) => code).sort();
}

describe('the base', () => {
  const write = (name, models) => writeFileSync(path.join(scratch, name), `providers: {models: [${models.map((model) => `{name: ${model}}`)}]}\n`);
  const plain = 'ROUTE r { PRIORITY 1 MODEL "big" }\n';

  test('of the command line, of the environment, and the editor knows best', async () => {
    write('small.yaml', ['small']);
    write('big.yaml', ['big']);
    for (const [args, env, options, want] of [
      [[], {}, {}, []],
      [['--base', 'small.yaml'], {}, {}, ['W205', 'W211']],
      [['--base', 'big.yaml'], {}, {}, []],
      [[], { VSR_BASE: 'small.yaml' }, {}, ['W205', 'W211']],
      [['--base', 'big.yaml'], { VSR_BASE: 'small.yaml' }, {}, []],
      [['--base', 'small.yaml'], {}, { base: 'big.yaml' }, []],
      [[], {}, { base: path.join(scratch, 'small.yaml') }, ['W205', 'W211']],
    ]) {
      const said = await open(connect(args, env), plain, options);
      assert.deepEqual(await said(), want, JSON.stringify([args, env, options]));
    }
  });

  test('is read again when it changes, and the last good one stays', async () => {
    write('live.yaml', ['small']);
    const editor = connect(['--base', 'live.yaml']);
    const said = await open(editor, plain);
    assert.deepEqual(await said(), ['W205', 'W211']);
    write('live.yaml', ['small', 'big']);
    assert.deepEqual(await said(), []);
    writeFileSync(path.join(scratch, 'live.yaml'), 'providers: [\n');
    assert.match((await editor.notified('window/showMessage')).message, /^vsr: the base is not known: .*live\.yaml/);
    editor.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ text: plain.replace('big', 'none') }] });
    assert.deepEqual(await said(), ['W205', 'W211']);
    write('live.yaml', ['none']);
    assert.deepEqual(await said(), []);
  });

  test('that is none', async () => {
    const said = spawnSync(program, ['dsl', 'lsp', '--base', 'nowhere.yaml'], { cwd: scratch, encoding: 'utf8', timeout: seconds(60) });
    assert.equal(said.status, 3);
    assert.match(said.stderr, /nowhere\.yaml/);
    const editor = connect();
    const diagnostics = await open(editor, plain, { base: 'nowhere.yaml' });
    assert.match((await editor.notified('window/showMessage')).message, /the base is not known: .*nowhere\.yaml/);
    assert.deepEqual(await diagnostics(), []);
  });
});

describe('proofs', () => {
  const shadowed = `ROUTE all { PRIORITY 9 MODEL "m" }
ROUTE hidden { PRIORITY 5 MODEL "n" }
`;
  test('come after the checks, and go with the text that they are about', async () => {
    const editor = connect();
    const said = await open(editor, shadowed);
    assert.deepEqual(await said(), []);
    assert.deepEqual(await said(), ['W401']);
    editor.notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ text: shadowed.replace('PRIORITY 9', 'PRIORITY 1') }] });
    assert.deepEqual(await said(), []);
    assert.deepEqual(await said(), ['W401']);
  });

  const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
  const balance = path.resolve(process.env.VSR_TEST_SHARED ?? path.join(top, '../shared'), 'recipes/balance/recipe.dsl');
  test('do not keep whoever types waiting', { skip: !existsSync(balance) }, async (t) => {
    const editor = connect();
    const text = readFileSync(balance, 'utf8');
    const said = await open(editor, text);
    const waits = [];
    await said();
    /* A key each 20 ms to 600 ms: in pauses that are too short for a check, long enough for one, and in the proof. */
    for (let i = 0; i < 40; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20 + (i * 149) % 600));
      editor.notify('textDocument/didChange', { textDocument: { uri, version: i + 2 }, contentChanges: [{ range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } }, text: '#' }] });
      const begin = performance.now();
      await editor.request('textDocument/hover', { textDocument, position: { line: 5, character: 2 } });
      waits.push(performance.now() - begin);
    }
    waits.sort((a, b) => a - b);
    t.diagnostic(`answers after ${waits[20].toFixed(1)} ms (median), ${waits[39].toFixed(1)} ms (most)`);
    assert.ok(waits[39] < seconds(1), `${waits[39]} ms`);
  });
});
