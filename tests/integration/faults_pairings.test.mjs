// What backends and clients do wrong, for every pairing of Chat Completions and Messages: the client gets a whole answer or
// an error in its own words, never half of one that looks whole; and nothing stays behind.

import { after, before } from 'node:test';

import { Bench } from './lib/faults.mjs';
import { assertEndsAreEnds, assertNoGrowth, assertPatienceEnds, pairing } from './lib/fault_suite.mjs';
import { test } from './lib/harness.mjs';

const pairs = [
  ['openai', 'openai'],
  ['openai', 'anthropic'],
  ['anthropic', 'openai'],
  ['anthropic', 'anthropic'],
];

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
