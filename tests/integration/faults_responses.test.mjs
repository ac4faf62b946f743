// What backends and clients do wrong, for every pairing of protocols that has Responses on a side: the client gets a whole
// answer or an error in its own words, and nothing stays behind.

import { after, before } from 'node:test';

import { Bench } from './lib/faults.mjs';
import { assertEndsAreEnds, assertNoGrowth, assertPatienceEnds, pairing } from './lib/fault_suite.mjs';
import { test } from './lib/harness.mjs';

const pairs = [
  ['responses', 'openai'],
  ['responses', 'anthropic'],
  ['responses', 'responses'],
  ['openai', 'responses'],
  ['anthropic', 'responses'],
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
