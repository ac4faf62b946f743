// wasm_check - how long an editor in a page waits when a program is checked at each keystroke: `node wasm_check.mjs FILE`.
//
// From the text to the objects of the answer, on one core; prints JSON. A line is typed into a comment, and wrong ones in between.

import { readFileSync } from 'node:fs';

import { loadVsrDsl } from '../wasm/vsr_dsl.mjs';

const KEYSTROKES = 500;
const file = new URL('../build/wasm/vsr-dsl.wasm', import.meta.url);
const text = readFileSync(process.argv[2], 'utf8');

const begin = performance.now();
const language = await loadVsrDsl(file);
const first = language.signalValidate(text);
const firstMs = performance.now() - begin;
if (first.error || first.errorCount > 0) throw new Error(`the program has errors: ${JSON.stringify(first.error ?? first.diagnostics[0])}`);

const times = [];
for (let i = 0; i < KEYSTROKES; i++) {
  const typed = `${text}\n# ${'typing '.repeat(9).slice(0, i % 60)}${i % 5 === 0 ? `\nROUTE r${i} {` : ''}\n`;
  const start = performance.now();
  const { errorCount } = language.signalValidate(typed);
  times.push(performance.now() - start);
  if (errorCount !== (i % 5 === 0 ? 1 : 0)) throw new Error(`keystroke ${i}: ${errorCount} errors`);
}
times.sort((a, b) => a - b);
const at = (part) => times[Math.floor((times.length - 1) * part)];
console.log(JSON.stringify({ p50_ms: at(0.5), p99_ms: at(0.99), first_ms: firstMs, kib: readFileSync(file).length / 1024 }));
