// Ids by npm's @huggingface/tokenizers, and where it is known to differ from the library that the models were trained
// with. README.md has the table with the reasons; the names are the same.

import { Tokenizer } from '@huggingface/tokenizers';

const any = (texts, pattern) => texts.some((text) => pattern.test(text));
const never = () => null;
const unless = (skipped) => (ids, call) => (skipped(call) ? null : ids);

// name -> what to make of the library's ids: the ids to compare with, or null for none
const WAYS = {
  'charsmap': never,
  'prefix': never,
  'added-flags': never,
  'metaspace-first': never,
  'dropped-unknown': never,
  'near-ties': never,
  'final-sigma': unless(({ texts }) => any(texts, /Σ/)),
  'astral-ideographs': unless(({ texts }) => any(texts, /[\u{20000}-\u{2FA1F}]/u)),
  'script-space': unless(({ texts }) => any(texts, /[\u0085\uFEFF]/)),
  'prepends-to-nothing': unless(({ texts }) => any(texts, /^\s*$|<unk>/)),
  'first-after-deletion': unless(({ texts }) => any(texts, /^[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/)),
  'unigram-bytes': unless(({ ids, spec }) => ids.includes(spec.model.unk_id)),
  'template-ids': unless(({ isBare }) => !isBare),
  'second-lost': unless(({ texts }) => texts.length > 1),
  'empty-second': unless(({ texts }) => texts[1] === ''),
};

/** Ways that leave little or nothing to compare. */
export const FEW = ['template-ids', ...Object.keys(WAYS).filter((name) => WAYS[name] === never)];

// Unknown tokens of adjacent pieces are fused by the library only: both sides are fused before they are compared.
const FUSING = 'fuses-across-pieces';

function components(node, type) {
  if (node === null || typeof node !== 'object') return [];
  const inside = Object.values(node).flatMap((child) => components(child, type));
  return node.type === type ? [node, ...inside] : inside;
}

// Ways that follow from the file itself.
function implied({ normalizer, pre_tokenizer: preTokenizer, post_processor: postProcessor, model }) {
  const names = ['empty-second'];
  if (model.type === 'Unigram') names.push(FUSING);
  const bert = components(normalizer, 'BertNormalizer')[0];
  if (bert?.lowercase || components(normalizer, 'Lowercase').length) names.push('final-sigma');
  if (bert?.handle_chinese_chars) names.push('astral-ideographs');
  const spaces = [...components(preTokenizer, 'WhitespaceSplit'), ...components(preTokenizer, 'BertPreTokenizer'),
    ...components(preTokenizer, 'ByteLevel').filter((part) => part.use_regex ?? true), ...components(normalizer, 'Strip')];
  if (spaces.length && !bert?.clean_text) names.push('script-space');
  if (postProcessor?.type === 'ByteLevel') names.push('second-lost');
  return names;
}

/** Ids by the library. `said` is what the index has about the tokenizer: ways to differ, and parts to put in place. */
export class Npm {
  constructor(spec, said) {
    this.spec = spec;
    const names = [...said.ways, ...implied(spec)];
    this.ways = names.filter((name) => name !== FUSING).map((name) => WAYS[name]);
    this.isFusing = names.includes(FUSING);
    this.tokenizer = new Tokenizer({ ...spec, ...said.parts }, { unk_token: spec.model.unk_token });
  }

  /** [ours, theirs] to be compared, or null. */
  pair(ours, texts, isBare) {
    let ids = this.tokenizer.encode(texts[0], { text_pair: texts[1] ?? null, add_special_tokens: !isBare }).ids;
    for (const way of this.ways) ids = ids && way(ids, { texts, ids, isBare, spec: this.spec });
    return ids && (this.isFusing ? [this.#fused(ours), this.#fused(ids)] : [ours, ids]);
  }

  #fused(ids) {
    const { model } = this.spec;
    const unknown = model.unk_id ?? model.vocab[model.unk_token];
    return ids.filter((id, i) => !(id === unknown && ids[i - 1] === unknown));
  }
}
