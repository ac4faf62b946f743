// What the documents show is what the program takes: policies, pieces of policies, and whole examples, run as printed.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { Authority } from './lib/certificates.mjs';
import { freePort, program, seconds, test, within } from './lib/harness.mjs';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const documents = ['README.md', 'docs/usage.md', 'docs/policy.md', 'deploy/envoy/README.md'];

const scratch = mkdtempSync(path.join(tmpdir(), 'vsr-docs-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
mkdirSync(path.join(scratch, 'bin'));
symlinkSync(program, path.join(scratch, 'bin', 'vsr'));

/** Fenced blocks of that language: `{document, chapter, line, text}`. */
function blocks(language) {
  return documents.flatMap((document) => {
    const found = [];
    let chapter = '', open;
    readFileSync(path.join(top, document), 'utf8').split('\n').forEach((line, i) => {
      if (!open && line.startsWith('#')) chapter = line.replace(/^#+ /, '');
      else if (!open && line.startsWith('```')) open = { document, chapter, line: i + 1, language: line.slice(3), lines: [] };
      else if (open && line === '```') {
        if (open.language === language) found.push({ ...open, text: `${open.lines.join('\n')}\n` });
        open = undefined;
      } else if (open) open.lines.push(line);
    });
    return found;
  });
}

function environment(extra = {}) {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('VSR_'));
  return { ...Object.fromEntries(clean), PATH: `${path.join(scratch, 'bin')}:${process.env.PATH}`, ...extra };
}

function validate(text) {
  const file = path.join(scratch, 'policy.yaml');
  writeFileSync(file, text);
  const run = spawnSync(program, ['validate', '--json', file], { encoding: 'utf8', env: environment(), timeout: seconds(60) });
  assert.ok(run.stdout, run.stderr);
  return JSON.parse(run.stdout);
}

// ---- policies

const members = ['listeners', 'providers', 'routing', 'global', 'recipes', 'entrypoints'];
const ofRouting = ['modelCards', 'signals', 'projections', 'decisions', 'strategy'];
const elsewhere = ['E_REF', 'E_ASSET', 'E_NO_BACKEND']; // what a piece speaks of, and does not say itself

/** A document around a piece of one. */
function complete(piece) {
  const keys = Object.keys(piece);
  let rest = piece;
  if (keys.every((key) => ofRouting.includes(key))) rest = { routing: piece };
  else if (!keys.every((key) => members.includes(key))) rest = { routing: { signals: piece } };
  return {
    version: 'v0.3',
    listeners: [{ name: 'main', address: '127.0.0.1', port: 8899 }],
    providers: { models: [{ name: 'small', backend_refs: [{ endpoint: '127.0.0.1:8000' }] }] },
    ...rest,
    routing: { modelCards: [{ name: 'small' }], ...rest.routing },
  };
}

describe('policies in the documents', () => {
  for (const { document, line, chapter, text } of blocks('yaml')) {
    if (text.startsWith('schema_version:')) continue; // a suite of probes
    test(`${document}:${line}, ${chapter}`, (t) => {
      const whole = text.startsWith('version:');
      if (whole && text.includes('.pem')) { // the files that it names
        const files = new Authority(t).sign('any');
        for (const name of ['authority.pem', 'vsr.pem']) writeFileSync(path.join(scratch, name), readFileSync(files.cert_file));
        writeFileSync(path.join(scratch, 'vsr.key'), readFileSync(files.key_file));
      }
      const { errors } = validate(whole ? text : JSON.stringify(complete(parse(text))));
      assert.deepEqual(whole ? errors : errors.filter(({ code }) => !elsewhere.includes(code)), []);
    });
  }
});

// ---- commands and options

const help = (...words) => spawnSync(program, [...words, '--help'], { encoding: 'utf8', env: environment() }).stdout;
const names = (text) => [...text.matchAll(/^  (\w[\w-]*) +\S/gm)].map(([, name]) => name);
const listed = (text) => names(text.match(/^Commands\n((?: .*\n)+)/m)?.[1] ?? '');
const described = (text) => [...text.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name);

/** `config print` -> its help, for every command. */
function everyCommand() {
  const found = new Map();
  for (const name of listed(help())) {
    found.set(name, help(name));
    for (const member of listed(found.get(name))) found.set(`${name} ${member}`, help(name, member));
  }
  return found;
}

describe('commands in the documents', () => {
  const commands = everyCommand();
  const usage = ['docs/usage.md', 'docs/dsl.md'].map((name) => readFileSync(path.join(top, name), 'utf8')).join('\n');
  const all = documents.map((name) => readFileSync(path.join(top, name), 'utf8')).join('\n');

  test('there are commands, and every one is in usage.md or, of `vsr dsl`, in dsl.md', () => {
    assert.ok(commands.size > 20, [...commands.keys()].join());
    for (const name of commands.keys()) assert.match(usage, new RegExp(`\\bvsr ${name}\\b`), name);
  });

  test('every command explains itself', () => {
    for (const [name, text] of commands) {
      assert.match(text, new RegExp(`^vsr ${name} - [^]*^Usage\\n +vsr ${name}\\b[^]*^Options\n`, 'm'), name);
      for (const line of text.split('\n')) assert.ok(line.length <= 120 && !line.endsWith(' '), `${name}: ${line}`);
      for (const [shown, , rest] of text.matchAll(/^ +vsr (\S+)(.*)$/gm))
        for (const [, option] of rest.matchAll(/(?<=\s)--([a-z][\w-]*)/g)) assert.ok(described(text).includes(option), shown);
    }
  });

  test('every command that is shown is there', () => {
    for (const [shown, first, second] of all.matchAll(/(?:^ {4}(?:\$ )?|^\$ |`|& )vsr ([a-z]+)(?: ([a-z]+)\b(?![-./]))?/gm)) {
      assert.ok(commands.has(first), shown);
      if (listed(commands.get(first)).length && second) assert.ok(commands.has(`${first} ${second}`), shown);
    }
  });

  test('every option that is shown with a command is one of it', () => {
    for (const [shown, words, rest] of all.matchAll(/\bvsr ((?:config |model )?[a-z]+)\b([^`\n&|>#]*)/g)) {
      if (!commands.has(words)) continue;
      const known = described(commands.get(words));
      for (const [, option] of rest.matchAll(/(?<=\s)--([a-z][\w-]*)/g)) assert.ok(known.includes(option), shown);
    }
  });

  test('the variables of vsr serve', () => {
    const serve = commands.get('serve');
    const told = new Set([...serve.matchAll(/\[(VSR_\w+)\]/g)].map(([, name]) => name));
    assert.ok(told.size > 8);
    const [, paragraph] = usage.match(/^(Options of `vsr serve` have variables too: [^]*?)\n\n/m);
    assert.deepEqual(new Set([...paragraph.matchAll(/`(VSR_\w+)`/g)].map(([, name]) => name)), told);
  });
});

// ---- examples to run

/** By chapter: what an example's output has to hold. */
const prints = {
  'TLS and HTTP/2': [/^healthy\n2$/m],
  'Anthropic clients and backends': [/"type":"message".*"model":"small"/, /"object":"chat\.completion".*"model":"claude"/],
  'Where responses are stored': [/"object":"response".*"status":"completed"/, /sr:response:resp_/],
  'Rate limits and budgets': [/200 OK\r\n[^]*x-ratelimit-limit: 120\r\n[^]*200 OK\r\n[^]*429 Too Many Requests\r\n[^]*retry-after: 3600\r\n/],
  Pictures: [/x-vsr-selected-decision: draw\r\n[^]*x-vsr-response-path: image_generation\r\n|x-vsr-response-path: image_generation\r\n[^]*x-vsr-selected-decision: draw\r\n/, /"image_url"/],
};

/** The example with ports of its own, and with patience in place of sleeps. */
async function prepare(text) {
  const ports = new Map();
  for (const [, port] of text.matchAll(/(?:localhost:|\d\.\d:|port:? )(\d{4})\b/g)) if (!ports.has(port)) ports.set(port, await freePort());
  const waits = [...ports.values()].map((port) => `until (: </dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.1; done`);
  const script = text
    .replace(/(localhost:|\d\.\d:|port:? |-p )(\d{4})\b/g, (all, before, port) => before + (ports.get(port) ?? port))
    .replace(/^sleep 1$/gm, waits.join('\n'))
    .replace(/^(redis-cli .*--scan.*)$/gm, 'until $1 | grep .; do sleep 0.1; done');
  return { script, listen: `127.0.0.1:${ports.get('8000') ?? 0}` }; // 8000: where `vsr backend` listens unless told otherwise
}

async function runAsPrinted(t, text) {
  const { script, listen } = await prepare(text);
  const cwd = mkdtempSync(path.join(scratch, 'run-'));
  const env = environment({ VSR_BACKEND_LISTEN: listen, VSR_METRICS_LISTEN: 'off', VSR_MANAGEMENT_LISTEN: 'off', SHELLOPTS: 'errexit' });
  const shell = spawn('bash', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  shell.stdout.on('data', (bytes) => (said.out += bytes));
  shell.stderr.on('data', (bytes) => (said.err += bytes));
  const closed = new Promise((resolve) => shell.once('close', resolve));
  const stop = () => {
    try { process.kill(-shell.pid, 'SIGKILL'); } catch { /* all of them have ended */ }
  };
  t.after(stop);
  const code = await within(`the example to end: ${script}`, new Promise((resolve) => shell.once('exit', resolve))).catch((error) => {
    throw new Error(`${error.message}\n${said.out}\n${said.err}`);
  });
  stop(); // what it left in the background
  await closed;
  return { code, ...said };
}

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

describe('examples in the documents', () => {
  for (const { document, line, chapter, text } of blocks('sh')) {
    if (/^ *envoy |&& envoy /m.test(text)) continue; // there is none here
    const skip = text.includes('redis-server') && !hasRedis && 'no redis-server';
    test(`${document}:${line}, ${chapter}`, { skip }, async (t) => {
      assert.ok(prints[chapter], 'this table says what the example prints');
      const run = await runAsPrinted(t, text);
      assert.equal(run.code, 0, run.out + run.err);
      for (const wanted of prints[chapter]) assert.match(run.out, wanted, run.err);
    });
  }
});
