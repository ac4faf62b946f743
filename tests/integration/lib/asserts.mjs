// Assertions that several test files share.

import assert from 'node:assert/strict';

/** An error of vsr's own, in OpenAI's shape. `message` is a RegExp, or how the text begins. */
export function assertError(answer, status, { message, type, code, what = '' }) {
  assert.equal(answer.status, status, `${what} ${answer.text()}`);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, what);
  const { error } = answer.json();
  if (message instanceof RegExp) assert.match(error.message, message, what);
  else if (message !== undefined) assert.ok(error.message.startsWith(message), `${what}: ${error.message}`);
  if (type !== undefined) assert.equal(error.type, type, what);
  if (code !== undefined) assert.equal(error.code, code, what);
}
