// vsr_dsl - loads vsr-dsl.wasm, the routing language of vsr, in a page or in Node.
//
//     import { loadVsrDsl } from './vsr_dsl.mjs';
//     const language = await loadVsrDsl();
//     const { diagnostics, error } = language.signalValidate('ROUTE r { MODEL "m" }');
//
// Each function is synchronous, takes a text, and returns an object (docs/dsl.md lists their members). `error` is null or
// a list of messages; no input makes a function throw. Memory that a large program took is given back behind the call.

/** An instance that has grown past this many bytes is replaced by a new one: WebAssembly's memory never shrinks. */
const MEMORY_KEPT = 64 << 20;

const FUNCTIONS = ['signalCompile', 'signalValidate', 'signalParseAST', 'signalFormat', 'signalDecompile', 'signalSchema', 'signalEdit'];

const WASI_SUCCESS = 0;
const WASI_EIO = 29;
const WASI_ESPIPE = 70;

/** What the module asks of its host: somewhere to say why it aborts, and random bytes for hashing. */
function hostOf(state) {
  const view = () => new DataView(state.memory.buffer);
  return {
    fd_write(fd, vectors, n, written) {
      let total = 0;
      for (let i = 0; i < n; i++) {
        const at = view().getUint32(vectors + 8 * i, true);
        const length = view().getUint32(vectors + 8 * i + 4, true);
        state.said = (state.said + new TextDecoder().decode(new Uint8Array(state.memory.buffer, at, length))).slice(-1000);
        total += length;
      }
      view().setUint32(written, total, true);
      return WASI_SUCCESS;
    },
    fd_seek: () => WASI_ESPIPE,
    fd_close: () => WASI_SUCCESS,
    random_get(at, length) {
      try {
        globalThis.crypto.getRandomValues(new Uint8Array(state.memory.buffer, at, length));
        return WASI_SUCCESS;
      } catch {
        return WASI_EIO;
      }
    },
  };
}

function imports(state) {
  return { wasi_snapshot_preview1: hostOf(state) };
}

function begin(state, instance) {
  state.exports = instance.exports;
  state.memory = instance.exports.memory;
  instance.exports._initialize();
  return state;
}

/** The compiled module, of a URL, a Response, bytes, or a module. */
async function compile(source) {
  const given = await source;
  if (given instanceof WebAssembly.Module) return given;
  if (typeof Response === 'function' && given instanceof Response) {
    if (!given.ok) throw new Error(`cannot load ${given.url}: ${given.status} ${given.statusText}`);
    return WebAssembly.compile(await given.arrayBuffer());
  }
  if (typeof given === 'string' || given instanceof URL) {
    const url = new URL(given, import.meta.url);
    if (url.protocol !== 'file:') return compile(fetch(url));
    const { readFile } = await import('node:fs/promises');
    return WebAssembly.compile(await readFile(url));
  }
  return WebAssembly.compile(given);
}

const failure = (message) => ({ error: [message] });

function bytesOfJson(value, what) {
  try {
    return new TextEncoder().encode(JSON.stringify(value));
  } catch (cause) {
    return `${what} is no JSON: ${cause.message}`;
  }
}

/** The arguments as bytes; a message when it is none. */
function bytesOf(name, argument, op) {
  if (name === 'signalSchema') return new Uint8Array(0);
  if (name === 'signalEdit' && typeof argument === 'string') return bytesOfJson({ dsl: argument, op }, 'the edit');
  if (argument instanceof Uint8Array) return argument;
  if (typeof argument === 'string') return new TextEncoder().encode(argument);
  if (name === 'signalDecompile' && typeof argument === 'object' && argument !== null) return bytesOfJson(argument, 'the tree');
  return `${name} takes ${name === 'signalDecompile' ? 'a YAML tree' : 'a program, which is a text'}`;
}

/** The functions of the routing language. `source`: vsr-dsl.wasm, as a URL, a Response, bytes or a module. */
export async function loadVsrDsl(source = new URL('vsr-dsl.wasm', import.meta.url)) {
  const module = await compile(source);
  const starting = { said: '' };
  let state = begin(starting, await WebAssembly.instantiate(module, imports(starting)));

  let comes = false; // an instance, later

  async function startLater() {
    const next = { said: '' };
    const old = state;
    comes = true;
    try {
      begin(next, await WebAssembly.instantiate(module, imports(next)));
      if (!state || state === old) state = next;
    } catch {
      // no memory, say: the next call tries again
    }
    comes = false;
  }

  // A page's main thread may refuse to make an instance at once; then it comes a moment later. Until then a large one serves.
  function restart() {
    const next = { said: '' };
    if (state?.broken) state = null;
    try {
      state = begin(next, new WebAssembly.Instance(module, imports(next)));
    } catch {
      if (!comes) startLater();
    }
  }

  function call(name, bytes) {
    if (!state) restart();
    if (!state) return failure('the module is starting again; ask once more');
    let answer;
    try {
      const { exports, memory } = state;
      const room = exports.vsrInput(bytes.length) >>> 0;
      if (room === 0) return failure(`the input is too large: ${bytes.length} bytes`);
      new Uint8Array(memory.buffer, room, bytes.length).set(bytes);
      const length = exports[name](bytes.length) >>> 0;
      const at = exports.vsrAnswer() >>> 0;
      answer = JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, at, length)));
      exports.vsrRelease();
    } catch (cause) {
      state.broken = true;
      answer = failure(state.said.trim() || `the module failed: ${cause.message}`);
    }
    if (state.broken || state.memory.buffer.byteLength > MEMORY_KEPT) restart();
    return answer;
  }

  const language = { memoryBytes: () => state?.memory.buffer.byteLength ?? 0 };
  for (const name of FUNCTIONS) {
    language[name] = (argument, op) => {
      const bytes = bytesOf(name, argument, op);
      return typeof bytes === 'string' ? failure(bytes) : call(name, bytes);
    };
  }
  return Object.freeze(language);
}
