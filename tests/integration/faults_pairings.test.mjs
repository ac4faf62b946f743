// What backends and clients do wrong, for every pairing of Chat Completions and Messages: the client gets a whole answer or
// an error in its own words, never half of one that looks whole; and nothing stays behind.

import { faultSuite } from './lib/fault_suite.mjs';

faultSuite([
  ['openai', 'openai'],
  ['openai', 'anthropic'],
  ['anthropic', 'openai'],
  ['anthropic', 'anthropic'],
]);
