// What backends and clients do wrong, for every pairing of protocols that has Responses on a side: the client gets a whole
// answer or an error in its own words, and nothing stays behind.

import { faultSuite } from './lib/fault_suite.mjs';

faultSuite([
  ['responses', 'openai'],
  ['responses', 'anthropic'],
  ['responses', 'responses'],
  ['openai', 'responses'],
  ['anthropic', 'responses'],
]);
