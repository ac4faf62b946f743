// Tool servers made with the official SDK (mcp_server.mjs), and the program that asks them (tests/tools/mcp_ask.c).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { program, within } from './harness.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
export const server = path.join(here, 'mcp_server.mjs');
const asker = path.join(path.dirname(program), 'mcp_ask');

/** The program that asks; `ask(text)` gives its answer. At the end of `t` its session ends, and it with status 0. */
export function startAsker(t, args) {
  const child = spawn(asker, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, A_KEY_OF_OURS: 'secret' } });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  let log = '';
  child.stderr.on('data', (bytes) => (log += bytes));
  const stop = async () => {
    child.stdin.end();
    assert.equal(await within('the end of the asker', exit), 0, log);
  };
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
  });
  return {
    log: () => log,
    stop,
    async ask(text) {
      child.stdin.write(`${JSON.stringify(text)}\n`);
      const { value } = await within(`an answer to ${text}`, lines.next());
      assert.ok(value, log);
      return JSON.parse(value);
    },
  };
}

export const node = process.execPath;
export const stdio = (t, options = [], env = []) =>
  startAsker(t, [...options, ...env.flatMap((pair) => ['--env', pair]), 'stdio', node, server]);

/** Starts the server over HTTP. */
export async function startServer(t, mode = 'events', env = {}) {
  const child = spawn(node, [server, 'http', mode], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  t.after(() => child.kill('SIGKILL'));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exit = new Promise((resolve) => child.on('exit', resolve));
  const { value: url } = await within('the server', lines.next());
  const base = url.replace('/mcp', '');
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
    seen: async () => (await fetch(`${base}/seen`)).json(),
    forget: () => fetch(`${base}/forget`, { method: 'POST' }),
  };
}
