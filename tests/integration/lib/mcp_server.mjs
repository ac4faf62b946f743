// A classifier or an embedder as a tool server, made with the official SDK of the Model Context Protocol.
//
//   node mcp_server.mjs                 over stdio
//   node mcp_server.mjs http [json]     over streamable HTTP; prints its URL. Answers are streams of events, or plain JSON
//
// MCP_TEST_TOOLS: "usual" (list_categories and classify_text), "single" (one tool of another name, no list), "none",
// "embedder" (embed_texts: stories, sums and the rest are three directions, others with MCP_TEST_MODEL=other).
// Texts that make it behave in a special way: "slow", "throws", "exits", "huge", "asks", "changes", "environment"; an
// embedder also "lonely" (a vector too few), "wide" (one number more), "holes" (no number), "texts" (no structured content).
// Over HTTP: GET /seen tells what was sent, POST /forget drops all sessions.

import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const kind = process.env.MCP_TEST_TOOLS ?? 'usual';
let categories = ['math', 'law', 'other'];
const seen = { cancelled: 0, errors: [], embedded: [] };

const reply = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value });
const onlyText = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });

async function misbehave(text, extra) {
  if (text.includes('slow')) {
    extra.signal.addEventListener('abort', () => seen.cancelled++);
    await sleep(text.includes('very') ? 60000 : 300, undefined, { ref: false });
  }
  if (text.includes('throws')) throw new Error(`cannot classify: ${text}`);
  if (text.includes('exits')) process.exit(3);
}

async function classify(server, text, probabilities, extra) {
  await misbehave(text, extra);
  if (text.includes('huge')) return onlyText({ class: 0, confidence: 1, padding: 'x'.repeat(6 << 20) });
  if (text.includes('asks')) {
    try {
      await server.server.listRoots();
    } catch (error) {
      seen.errors.push(error.code);
    }
  }
  if (text.includes('changes') && categories[0] !== 'law') {
    categories = ['law', 'math', 'other'];
    server.sendToolListChanged();
  }
  if (text.includes('environment')) return onlyText({ class: 0, confidence: process.env.A_KEY_OF_OURS ? 1 : 0.25 });
  const wanted = ['math', 'law', 'other'].find((name) => text.includes(name)) ?? 'other';
  const index = categories.indexOf(wanted);
  const value = { class: index, confidence: 0.8, model: 'a-hint', use_reasoning: true };
  if (probabilities) value.probabilities = categories.map((_, i) => (i === index ? 0.8 : 0.1));
  return text.includes('texts') ? onlyText(value) : reply(value);
}

async function embed(texts, extra) {
  const all = texts.join(' ');
  seen.embedded.push(texts);
  await misbehave(all, extra);
  if (all.includes('huge')) return onlyText({ embeddings: texts.map(() => [1, 0, 0]), padding: 'x'.repeat(6 << 20) });
  const direction = (text) => (/story|tale/.test(text) ? [0, 2, 0] : /sum|number/.test(text) ? [2, 0, 0] : [0, 0, 2]);
  const embeddings = texts.map(direction);
  if (process.env.MCP_TEST_MODEL === 'other') embeddings.forEach((vector) => vector.push(vector.shift()));
  if (all.includes('lonely')) embeddings.pop();
  if (all.includes('wide')) embeddings[0].push(1);
  if (all.includes('holes')) embeddings[0][1] = null;
  return all.includes('texts') ? onlyText({ embeddings }) : reply({ embeddings });
}

function makeServer() {
  const server = new McpServer({ name: 'test classifier', version: '4.5.6' });
  if (kind === 'usual') {
    server.registerTool('list_categories', { description: 'What there is', inputSchema: {} }, () =>
      onlyText({ categories, category_system_prompts: { math: 'You count.' } }));
    server.registerTool(
      'classify_text',
      { description: 'Classifies', inputSchema: { text: z.string(), with_probabilities: z.boolean().optional() } },
      ({ text, with_probabilities }, extra) => classify(server, text, with_probabilities, extra));
  } else if (kind === 'single') {
    server.registerTool('sort', { description: 'Sorts', inputSchema: { text: z.string() } }, ({ text }) =>
      onlyText({ label: text.includes('law') ? 'law' : 'other', confidence: 0.6 }));
    server.registerTool('unrelated', { inputSchema: { text: z.string() } }, () => onlyText({}));
  } else if (kind === 'embedder') {
    server.registerTool(
      'embed_texts',
      { description: 'Embeds', inputSchema: { texts: z.array(z.string()) } },
      ({ texts }, extra) => embed(texts, extra));
    server.registerTool('embed_image', { inputSchema: { url: z.string() } }, () => onlyText({}));
  } else {
    server.registerTool('unrelated', { inputSchema: { url: z.string() } }, () => onlyText({}));
  }
  return server;
}

if (process.argv[2] !== 'http') {
  console.error(kind === 'embedder' ? 'a test embedder starts' : 'a test classifier starts');
  await makeServer().connect(new StdioServerTransport());
} else {
  const sessions = new Map();
  const requests = [];
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      enableJsonResponse: process.argv[3] === 'json',
      onsessioninitialized: (id) => sessions.set(id, transport),
      onsessionclosed: (id) => sessions.delete(id),
    });
    await makeServer().connect(transport);
    return transport;
  };
  const bodyOf = async (request) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    return text ? JSON.parse(text) : undefined;
  };
  const server = http.createServer(async (request, response) => {
    if (request.url === '/seen') {
      response.end(JSON.stringify({ ...seen, requests, sessions: sessions.size }));
      return;
    }
    if (request.url === '/forget') {
      sessions.clear();
      response.end();
      return;
    }
    const body = await bodyOf(request);
    const id = request.headers['mcp-session-id'];
    requests.push({
      method: request.method,
      rpc: body?.method,
      session: id,
      version: request.headers['mcp-protocol-version'],
      accept: request.headers.accept,
    });
    const transport = id ? sessions.get(id) : await open();
    if (!transport) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
      return;
    }
    await transport.handleRequest(request, response, body);
  });
  server.listen(Number(process.env.MCP_TEST_PORT ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}
