// yaml_tree - the tree that signalDecompile takes, made by the npm package `yaml` (version 2).
//
//     import * as YAML from 'yaml';
//     const { dsl } = language.signalDecompile(yamlTree(YAML, text));
//
// The package is the caller's. Who uses another parser makes the same tree of what that one finds: docs/dsl.md has its form.

const NODES_MAX = 1000000;
const DEPTH_MAX = 200; // signalDecompile takes less

/** Throws when the text is no YAML, when its aliases and merge keys stand for more than a million nodes, or for themselves. */
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
  const refuse = (node, message) => {
    const { line, column } = placeOf(node);
    throw new Error(`${line}:${column}: ${message}`);
  };
  const count = () => {
    if (++n > NODES_MAX) throw new Error('the document is too large');
  };

  // An alias stands for the anchor of its name that is nearest before it.
  const anchors = new Map();
  const targets = new Map();
  YAML.visit(document, (_, node) => {
    if (isAlias(node)) targets.set(node, anchors.get(node.source));
    else if (node?.anchor) anchors.set(node.anchor, node);
  });
  const resolved = (node) => (isAlias(node) ? (targets.get(node) ?? refuse(node, `alias "*${node.source}" has no anchor before it`)) : node);

  const open = new Set(); // blocks around the one that is looked at
  function within(node, look) {
    if (open.has(node)) refuse(node, 'an alias must not refer to a block that it is part of');
    if (open.size >= DEPTH_MAX) refuse(node, 'nested too deeply');
    open.add(node);
    const found = look(node);
    open.delete(node);
    return found;
  }

  // A plain scalar is its text as it was written, 0.70 and not 0.7; the parser makes a block of `|` and quotes text already.
  const textOf = (scalar) =>
    scalar.type === 'PLAIN' ? { value: scalar.source, quoted: scalar.tag === 'tag:yaml.org,2002:str' } : { value: String(scalar.value), quoted: true };

  function keyOf(pair) {
    const key = resolved(pair.key);
    return isScalar(key) ? key : refuse(key ?? pair.value, 'a mapping key must be plain or quoted text');
  }
  const isMerge = (key) => key.type === 'PLAIN' && key.source === '<<';

  // `<<: *base` and `<<: [*one, *two]` stand for the pairs of others, behind the mapping's own, which go before them.
  const known = new Map();
  function pairsOf(map) {
    if (known.has(map)) return known.get(map);
    const pairs = new Map();
    const merged = [];
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (isMerge(key)) merged.push({ key, from: resolved(pair.value) });
      else pairs.set(textOf(key).value, { key, value: pair.value });
    }
    for (const { key, from } of merged)
      for (const part of isSeq(from) ? from.items : [from]) {
        const source = resolved(part);
        if (!isMap(source)) refuse(key, 'a merge key takes a mapping or a list of mappings');
        count();
        for (const [name, pair] of within(source, pairsOf)) {
          count();
          if (!pairs.has(name)) pairs.set(name, pair);
        }
      }
    known.set(map, pairs);
    return pairs;
  }

  function treeOf(given, fallback) {
    const node = resolved(given);
    count();
    return isMap(node) || isSeq(node) ? within(node, () => nodeOf(node, fallback)) : nodeOf(node, fallback);
  }

  function nodeOf(node, fallback) {
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
