// yaml_tree - the tree that signalDecompile takes, made by the npm package `yaml` (version 2).
//
//     import * as YAML from 'yaml';
//     const { dsl } = language.signalDecompile(yamlTree(YAML, text));
//
// The package is the caller's. Who uses another parser makes the same tree of what that one finds: docs/dsl.md has its form.

const NODES_MAX = 1000000;

/** Throws when the text is no YAML, or when its aliases stand for more than a million nodes. */
export function yamlTree(YAML, text) {
  const { isAlias, isMap, isScalar, isSeq } = YAML;
  const lines = new YAML.LineCounter();
  const document = YAML.parseDocument(text, { lineCounter: lines, merge: true });
  let n = 0;
  if (document.errors.length > 0) throw document.errors[0];

  const placeOf = (node) => {
    const { line, col } = node?.range ? lines.linePos(node.range[0]) : { line: 0, col: 0 };
    return { line, column: col };
  };
  const resolved = (node) => (isAlias(node) ? node.resolve(document) : node);
  // A plain scalar is its text as it was written, 0.70 and not 0.7; the parser makes a block of `|` and quotes text already.
  const textOf = (scalar) =>
    scalar.type === 'PLAIN' ? { value: scalar.source, quoted: scalar.tag === 'tag:yaml.org,2002:str' } : { value: String(scalar.value), quoted: true };

  // `<<: *base` and `<<: [*one, *two]` stand for the pairs of others, which the mapping's own go before.
  function pairsOf(map) {
    const pairs = new Map();
    const add = (source, own) => {
      for (const pair of source.items) {
        const key = resolved(pair.key);
        if (isScalar(key) && key.type === 'PLAIN' && key.source === '<<') {
          const from = resolved(pair.value);
          for (const part of isSeq(from) ? from.items : [from]) add(resolved(part), false);
        } else {
          const name = isScalar(key) ? textOf(key).value : String(key);
          if (own || !pairs.has(name)) pairs.set(name, { key, value: pair.value });
        }
      }
    };
    add(map, true);
    return pairs;
  }

  function treeOf(given, fallback) {
    const node = resolved(given);
    if (++n > NODES_MAX) throw new Error('the document is too large');
    if (isMap(node)) {
      const entries = [...pairsOf(node)].map(([name, { key, value }]) => ({
        key: { ...textOf(key), value: name, ...placeOf(key) },
        ...treeOf(value, key),
      }));
      return { kind: 'mapping', ...placeOf(node), entries };
    }
    if (isSeq(node)) return { kind: 'sequence', ...placeOf(node), items: node.items.map((item) => treeOf(item, node)) };
    if (isScalar(node) && (node.type !== 'PLAIN' || node.source)) return { kind: 'scalar', ...placeOf(node), ...textOf(node) };
    return { kind: 'null', ...placeOf(node ?? fallback) };
  }
  return treeOf(document.contents, null);
}
