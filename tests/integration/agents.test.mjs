// An agent that uses tools, run by OpenAI's own library through vsr: with the history kept by the server, and with all
// of it in each request.

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';

import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import OpenAI from 'openai';

import { Backend, chunk, responseBytes, sseHead, streamEvents } from './lib/backend.mjs';
import { policy, test, Vsr } from './lib/harness.mjs';

/**
 * A model of the agent's kind, by what it has read: it looks up two cities at once, adds what it was told, and says the
 * sum.
 */
function brain(exchange) {
  const { messages, stream } = exchange.request.json();
  const told = messages.filter((message) => message.role === 'tool');
  const calls = (list) => list.map(([id, name, args], index) => ({ index, id, type: 'function', function: { name, arguments: JSON.stringify(args) } }));
  let message;
  if (told.length === 0)
    message = { tool_calls: calls([['c1', 'temperature', { city: 'Ulm' }], ['c2', 'temperature', { city: 'Bonn' }]]) };
  else if (told.length === 2)
    message = { tool_calls: calls([['c3', 'add', { a: Number(told[0].content), b: Number(told[1].content) }]]) };
  else message = { content: `Together ${told.at(-1).content} degrees.` };
  const finish = message.tool_calls ? 'tool_calls' : 'stop';
  return stream ? streamed(exchange, message, finish) : whole(exchange, message, finish);
}

async function whole(exchange, message, finish_reason) {
  const body = JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1700000000,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }],
    usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
  });
  await exchange.write(responseBytes({ headers: { 'Content-Type': 'application/json' }, body }));
}

async function streamed(exchange, message, finish) {
  const pieces = message.content ? message.content.split(/(?<= )/) : message.tool_calls.map((call) => ({ tool_calls: [call] }));
  await exchange.write(sseHead({ 'Transfer-Encoding': 'chunked' }));
  for (const event of streamEvents('m', pieces, { usage: true, finish })) await exchange.write(chunk(event));
  await exchange.write('0\r\n\r\n');
}

describe('an agent', () => {
  let backend, vsr, runner;
  const asked = [];

  const agent = () =>
    new Agent({
      name: 'meteorologist',
      instructions: 'Look up temperatures and add them.',
      model: 'auto',
      tools: [
        tool({
          name: 'temperature',
          description: 'Degrees in a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false },
          strict: true,
          execute: ({ city }) => {
            asked.push(city);
            return city === 'Ulm' ? '20' : '22';
          },
        }),
        tool({
          name: 'add',
          description: 'Adds.',
          parameters: {
            type: 'object',
            properties: { a: { type: 'number' }, b: { type: 'number' } },
            required: ['a', 'b'],
            additionalProperties: false,
          },
          strict: true,
          execute: ({ a, b }) => String(a + b),
        }),
      ],
    });

  before(async () => {
    backend = await Backend.start(null, brain);
    vsr = await Vsr.start(
      policy({
        default_model: 'small',
        models: { small: backend },
        global: { services: { response_api: { store_backend: 'memory' } } },
      }),
    );
    const openAIClient = new OpenAI({ baseURL: `${vsr.base}/v1`, apiKey: 'sk-client', maxRetries: 0 });
    runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses: true }), tracingDisabled: true });
  });
  after(async () => {
    await vsr?.stop();
    await backend?.close();
  });

  const check = (result, first) => {
    assert.equal(result.finalOutput, 'Together 42 degrees.');
    assert.deepEqual(asked.splice(0).sort(), ['Bonn', 'Ulm']);
    const turns = backend.requests.slice(first).map((one) => one.json().messages);
    assert.deepEqual(
      turns.map((messages) => messages.map((message) => message.role).join(' ')),
      [
        'system user',
        'system user assistant tool tool',
        'system user assistant tool tool assistant tool',
      ],
    );
    assert.equal(turns[2][2].tool_calls.length, 2);
  };

  test('with all of its history in each request', async () => {
    const first = backend.requests.length;
    check(await runner.run(agent(), 'How warm are Ulm and Bonn together?'), first);
  });

  test('streamed', async () => {
    const first = backend.requests.length;
    const result = await runner.run(agent(), 'How warm are Ulm and Bonn together?', { stream: true });
    let text = '';
    for await (const piece of result.toTextStream()) text += piece;
    await result.completed;
    assert.equal(text, 'Together 42 degrees.');
    check(result, first);
  });

  test('with a history that the server keeps', async () => {
    backend.behaviour = async (exchange) => {
      await whole(exchange, { content: 'Hello.' }, 'stop');
    };
    const greeting = await runner.run(agent(), 'Good morning.');
    assert.equal(greeting.finalOutput, 'Hello.');
    backend.behaviour = brain;
    const first = backend.requests.length;
    const result = await runner.run(agent(), 'How warm are Ulm and Bonn together?', {
      previousResponseId: greeting.lastResponseId,
    });
    assert.equal(result.finalOutput, 'Together 42 degrees.');
    const turns = backend.requests.slice(first).map((one) => one.json().messages);
    assert.deepEqual(
      turns[0].map((message) => message.content),
      ['Look up temperatures and add them.', 'Good morning.', 'Hello.', 'How warm are Ulm and Bonn together?'],
    );
    assert.equal(turns.at(-1).filter((message) => message.role === 'tool').length, 3);
    assert.equal(turns.length, 3);
  });
});
