"""The models of the fixtures, one function each. Small in every number, real in every name and switch."""
import numpy as np

from fixture import labels

LENGTHS = (1, 2, 63, 64, 65, 129, 130)

# Weights are random, their sizes those of trained models: scores of attention differ by a few units at most, so that no
# single key takes everything, and each layer adds to the stream less than is there. Without that a layer makes every
# rounding error several times larger, and no tolerance tells a wrong result from a rounded one.
SCORES = 1.0  # of the maps to queries and keys
BRANCH = 0.5  # of the maps from which a branch joins the stream

BIO = ["O", "B-EMAIL_ADDRESS", "I-EMAIL_ADDRESS", "B-PERSON", "I-PERSON"]


def pair_types(length, first):
    return np.array([0] * first + [1] * (length - first))


# BERT and its kin


def bert_config(architecture, **more):
    return {
        "model_type": "bert",
        "architectures": [architecture],
        "vocab_size": 120,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 80,
        "hidden_act": "gelu",
        "max_position_embeddings": 160,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
    } | more


def add_bert(t, config, prefix, pooler, old=False):
    """The trunk; `old`: gamma and beta instead of weight and bias."""
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    mpnet = config["model_type"] == "mpnet"
    at = prefix + "embeddings."
    t.add(at + "word_embeddings.weight", (config["vocab_size"], hidden), 0.05)
    t.add(at + "position_embeddings.weight", (config["max_position_embeddings"], hidden), 0.03)
    if not mpnet:
        t.add(at + "token_type_embeddings.weight", (config["type_vocab_size"], hidden), 0.03)
    t.norm(at + "LayerNorm", hidden, old=old)
    for n in range(config["num_hidden_layers"]):
        at = f"{prefix}encoder.layer.{n}."
        q, k, v, o, norm = (
            ("attn.q", "attn.k", "attn.v", "attn.o", "LayerNorm")
            if mpnet
            else ("self.query", "self.key", "self.value", "output.dense", "output.LayerNorm")
        )
        t.linear(at + "attention." + q, hidden, hidden, gain=SCORES)
        t.linear(at + "attention." + k, hidden, hidden, gain=SCORES)
        t.linear(at + "attention." + v, hidden, hidden)
        t.linear(at + "attention." + o, hidden, hidden, gain=BRANCH)
        t.norm(at + "attention." + norm, hidden, old=old)
        t.linear(at + "intermediate.dense", inner, hidden)
        t.linear(at + "output.dense", hidden, inner, gain=BRANCH)
        t.norm(at + "output.LayerNorm", hidden, old=old)
    if mpnet:
        t.add(prefix + "encoder.relative_attention_bias.weight", (32, config["num_attention_heads"]), 1.0)
    if pooler:
        t.linear(prefix + "pooler.dense", hidden, hidden)


def add_classifier(t, config, n_labels, name="classifier"):
    t.linear(name, n_labels, config["hidden_size"], gain=2.0)


def typed_cases(f, vocabulary, lengths=LENGTHS, avoid=()):
    """Both forms of one text, and pairs."""
    for length in lengths:
        f.case(f"one text of {length} tokens", f.ids(length, vocabulary, avoid), np.zeros(length, np.int64), length == 65)
    for first, second in ((5, 4), (40, 30)):
        ids = f.ids(first + second, vocabulary, avoid)
        f.case(f"a pair of {first} and {second} tokens", ids, pair_types(first + second, first))


def bert_sequence(fixture):
    f = fixture("bert-sequence", "BERT classifier of one text or a pair; the old names gamma and beta, prefix bert.")
    config = bert_config("BertForSequenceClassification") | labels(["benign", "jailbreak", "other"])
    add_bert(f.tensors, config, "bert.", pooler=True, old=True)
    add_classifier(f.tensors, config, 3)
    f.write_model(config)
    f.write_json("jailbreak_type_mapping.json", {"label_to_idx": config["label2id"], "id_to_label": config["id2label"]})
    f.open()
    typed_cases(f, 120)
    f.done()


def bert_token(fixture):
    f = fixture("bert-token", "BERT tagger in f16; hidden_act is the tanh form of GELU; a spare pooler in the file")
    config = bert_config("BertForTokenClassification", hidden_act="gelu_new", num_hidden_layers=2) | labels(BIO)
    add_bert(f.tensors, config, "bert.", pooler=True)
    add_classifier(f.tensors, config, len(BIO))
    f.write_model(config, dtype="F16")
    f.write_json("pii_type_mapping.json", {"label_to_idx": config["label2id"], "idx_to_label": config["id2label"]})
    f.open()
    typed_cases(f, 120)
    f.done()


def bert_mean(fixture):
    f = fixture("bert-embed-mean", "MiniLM's layout: no prefix, mean pooling; bf16 in two shards")
    config = bert_config("BertModel", hidden_size=40, num_attention_heads=5, intermediate_size=72, max_position_embeddings=512)
    add_bert(f.tensors, config, "", pooler=True)
    f.write_model(config, dtype="BF16", shards=2)
    f.write_sentence_modules(40, "mean")
    f.open()
    for length in LENGTHS + (511, 512):
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64), length == 65, dims=(16,))
    f.pooled_case("every way of pooling", f.ids(23, 120), np.zeros(23, np.int64))
    f.done()


def bert_cls(fixture):
    f = fixture("bert-embed-cls", "BGE's layout: no prefix, the first token is the vector; eps that matters beside small embeddings")
    config = bert_config("BertModel", layer_norm_eps=1e-3)
    add_bert(f.tensors, config, "", pooler=True)
    f.write_model(config, dtype="BF16")
    f.write_sentence_modules(48, "cls")
    f.open()
    for length in LENGTHS:
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64), length == 65)
    f.done()


# ModernBERT


def modernbert_config(architecture, **more):
    return {
        "model_type": "modernbert",
        "architectures": [architecture],
        "vocab_size": 128,
        "hidden_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 3,
        "intermediate_size": 56,
        "max_position_embeddings": 8192,
        "global_attn_every_n_layers": 3,
        "local_attention": 8,
        "global_rope_theta": 160000.0,
        "local_rope_theta": 10000.0,
        "norm_eps": 1e-5,
        "layer_norm_eps": 1e-12,
        "norm_bias": False,
        "attention_bias": False,
        "mlp_bias": False,
        "classifier_bias": False,
        "decoder_bias": True,
        "hidden_activation": "gelu",
        "classifier_activation": "gelu",
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "cls_token_id": 1,
        "sep_token_id": 1,
        "position_embedding_type": "sans_pos",
        "tie_word_embeddings": True,
    } | more


def add_modernbert(t, config, prefix):
    hidden, inner, norm_bias = config["hidden_size"], config["intermediate_size"], config["norm_bias"]
    t.add(prefix + "embeddings.tok_embeddings.weight", (config["vocab_size"], hidden), 0.02)
    t.norm(prefix + "embeddings.norm", hidden, norm_bias)
    for n in range(config["num_hidden_layers"]):
        at = f"{prefix}layers.{n}."
        if n > 0:
            t.norm(at + "attn_norm", hidden, norm_bias)
        t.linear(at + "attn.Wqkv", 3 * hidden, hidden, config["attention_bias"], gain=SCORES)
        t.linear(at + "attn.Wo", hidden, hidden, config["attention_bias"], gain=BRANCH)
        t.norm(at + "mlp_norm", hidden, norm_bias)
        t.linear(at + "mlp.Wi", 2 * inner, hidden, config["mlp_bias"])
        t.linear(at + "mlp.Wo", hidden, inner, config["mlp_bias"], gain=BRANCH)
    t.norm(prefix + "final_norm", hidden, norm_bias)


def add_prediction_head(t, config):
    t.linear("head.dense", config["hidden_size"], config["hidden_size"], config["classifier_bias"], gain=1.4)
    t.norm("head.norm", config["hidden_size"], config["norm_bias"])


EDGES = (4, 5, 6, 8, 9, 10)  # about a window of 8, which sees 4 to each side


def modernbert_mean(fixture):
    f = fixture("modernbert-sequence-mean", "mmBERT's layout: prefix model., mean of the tokens, one theta; windows of 8 (4 to each side); f16")
    config = modernbert_config("ModernBertForSequenceClassification", classifier_pooling="mean", local_rope_theta=160000.0)
    config |= labels(["biology", "business", "chemistry", "computer science"])
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    add_classifier(f.tensors, config, 4)
    f.write_model(config, dtype="F16")
    mapping = {"category_to_idx": config["label2id"], "idx_to_category": config["id2label"]}
    f.write_json("category_mapping.json", mapping)
    f.open()
    for length in sorted(LENGTHS + EDGES + (511, 513)):
        f.case(f"{length} tokens", f.ids(length, 128), states=length in (10, 130))
    f.done()


def modernbert_cls(fixture):
    f = fixture(
        "modernbert-sequence-cls",
        "classifier_pooling absent, so the first token; two thetas; every bias there is; windows of 128 as published; bf16",
    )
    config = modernbert_config(
        "ModernBertForSequenceClassification", local_attention=128, norm_bias=True, attention_bias=True, mlp_bias=True,
        classifier_bias=True, num_attention_heads=4, problem_type="multi_label_classification",
    )  # fmt: skip
    config |= labels(["entailment", "neutral", "contradiction"])
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    add_classifier(f.tensors, config, 3)
    f.write_model(config, dtype="BF16")
    f.open()
    for length in LENGTHS + (66, 128, 131, 300):
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 130)
    f.done()


def modernbert_token(fixture):
    f = fixture(
        "modernbert-token",
        "tagger in the newer form: layer_types against the modulo rule, rope_parameters; SiLU and tanh activations; sharded f16",
    )
    config = modernbert_config(
        "ModernBertForTokenClassification", hidden_activation="silu", classifier_activation="tanh",
        layer_types=["sliding_attention", "full_attention", "sliding_attention", "sliding_attention"], num_hidden_layers=4,
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 40000.0},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}},
    )  # fmt: skip
    for older in ("global_rope_theta", "local_rope_theta"):
        del config[older]
    config |= labels(BIO)
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    add_classifier(f.tensors, config, len(BIO))
    f.write_model(config, dtype="F16", shards=3)
    f.write_json("pii_type_mapping.json", {"label_to_idx": config["label2id"], "idx_to_label": config["id2label"]})
    f.open()
    for length in sorted(LENGTHS + EDGES):
        f.case(f"{length} tokens", f.ids(length, 128), states=length in (10, 65))
    f.done()


def modernbert_embed(fixture):
    f = fixture("modernbert-embed", "mmBERT-embed's layout: no prefix, mean pooling, vectors from any layer and of any dimension")
    config = modernbert_config("ModernBertModel", num_hidden_layers=6, hidden_size=64, num_attention_heads=4, local_attention=16)
    config |= {"global_rope_theta": 160000.0, "local_rope_theta": None}
    add_modernbert(f.tensors, config, "")
    f.write_model(config, dtype="BF16")
    f.write_sentence_modules(64, "mean")
    f.write_json("onnx/model_config.json", {"available_layers": [2, 3, 6], "hidden_size": 64})
    f.open()
    for length in sorted(LENGTHS + (8, 9, 10, 16, 17, 18)):
        layers = range(1, 7) if length in (10, 65) else (2, 3) if length == 130 else ()
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 65, layers=tuple(layers), dims=(8, 32, 64))
    f.done()


def modernbert_yarn(fixture):
    f = fixture(
        "modernbert-yarn",
        "rope_parameters with yarn on the full layers and linear scaling on the others; one label, so a sigmoid; f16",
    )
    config = modernbert_config(
        "ModernBertForSequenceClassification", num_hidden_layers=3, num_attention_heads=2, local_attention=32,
        classifier_pooling="mean", max_position_embeddings=256, hidden_size=64, norm_bias=True,
        rope_parameters={
            "full_attention": {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
                               "original_max_position_embeddings": 64, "beta_fast": 32.0, "beta_slow": 1.0},
            "sliding_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 2.0}},
    )  # fmt: skip
    for older in ("global_rope_theta", "local_rope_theta"):
        del config[older]
    config |= labels(["relevant"])
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    add_classifier(f.tensors, config, 1)
    f.write_model(config, dtype="F16")
    f.open()
    for length in LENGTHS + (16, 17, 18, 200):
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 65)
    f.done()


def bert_dense(fixture):
    f = fixture("bert-embed-dense", "a Dense with a bias and no activation named, so tanh; no Normalize; newer Pooling file; prompts not pooled")
    config = bert_config("BertModel", num_hidden_layers=2, hidden_act="relu")
    add_bert(f.tensors, config, "bert.", pooler=False)
    f.write_model(config, dtype="F16")
    f.write_sentence_modules(
        48, "mean_sqrt_len_tokens", dense=[(24, True, None)], normalize=False, newer=True, include_prompt=False
    )
    f.open()
    f.prompt_case("a prompt that is not pooled", 4)
    for length in (1, 2, 30, 65):
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64), dims=(8, 24))
    f.done()


def roberta_config(model_type, architecture, **more):
    config = bert_config(
        architecture, model_type=model_type, max_position_embeddings=162, type_vocab_size=1, layer_norm_eps=1e-5,
        pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    return config | more


def roberta_sequence(fixture):
    f = fixture("roberta-sequence", "RoBERTa classifier: positions from 2, the one token type added, a head of two maps")
    config = roberta_config("roberta", "RobertaForSequenceClassification", num_hidden_layers=2)
    config |= labels(["entailment", "neutral", "contradiction"])
    add_bert(f.tensors, config, "roberta.", pooler=False)
    f.tensors.linear("classifier.dense", 48, 48)
    f.tensors.linear("classifier.out_proj", 3, 48, gain=2.0)
    f.write_model(config, dtype="BF16")
    f.open()
    for length in LENGTHS + (160,):
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64), length == 65)
    ids = f.ids(20, 120)
    ids[[6, 7, 13]] = 1
    f.case("padding's own id within the text: it keeps position 1 and is not counted", ids, np.zeros(20, np.int64))
    f.done()


def roberta_token(fixture):
    f = fixture("roberta-token", "RoBERTa tagger in bf16; hidden_act is the quick form of GELU")
    config = roberta_config("roberta", "RobertaForTokenClassification", num_hidden_layers=2, hidden_act="quick_gelu") | labels(BIO)
    add_bert(f.tensors, config, "roberta.", pooler=False)
    add_classifier(f.tensors, config, len(BIO))
    f.write_model(config, dtype="BF16")
    f.open()
    for length in (1, 2, 64, 65, 130):
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64))
    f.done()


def xlm_roberta_embed(fixture):
    f = fixture("xlm-roberta-embed", "XLM-RoBERTa without modules.json: the mean at length 1")
    config = roberta_config("xlm-roberta", "XLMRobertaModel", num_hidden_layers=2)
    add_bert(f.tensors, config, "", pooler=True)
    f.write_model(config, dtype="F16")
    f.open()
    for length in (1, 2, 64, 65, 130):
        f.case(f"{length} tokens", f.ids(length, 120), np.zeros(length, np.int64), dims=(16,))
    f.done()


def mpnet_embed(fixture):
    f = fixture("mpnet-embed", "MPNet's layout: no prefix, no token types, a bias by distance; mean pooling")
    config = bert_config(
        "MPNetModel", model_type="mpnet", max_position_embeddings=162, layer_norm_eps=1e-5, pad_token_id=1,
        relative_attention_num_buckets=32,
    )  # fmt: skip
    del config["type_vocab_size"], config["position_embedding_type"]
    add_bert(f.tensors, config, "", pooler=True)
    f.write_model(config, dtype="BF16")
    f.write_sentence_modules(48, "mean")
    f.open()
    for length in LENGTHS + (8, 9, 17, 33, 92, 93):
        f.case(f"{length} tokens", f.ids(length, 120), states=length == 65)
    ids = f.ids(20, 120)
    ids[[6, 7, 13]] = 1
    f.case("padding's own id within the text", ids)
    f.done()


# DeBERTa


def deberta_config(architecture, **more):
    return {
        "model_type": "deberta-v2",
        "architectures": [architecture],
        "vocab_size": 120,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "intermediate_size": 80,
        "hidden_act": "gelu",
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "layer_norm_eps": 1e-7,
        "pad_token_id": 0,
        "relative_attention": True,
        "max_relative_positions": -1,
        "position_buckets": 256,
        "position_biased_input": False,
        "pos_att_type": "c2p|p2c",
        "share_att_key": True,
        "norm_rel_ebd": "layer_norm",
        "pooler_dropout": 0,
        "pooler_hidden_act": "gelu",
        "pooler_hidden_size": 48,
    } | more


def add_deberta(t, config, prefix="deberta."):
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    at = prefix + "embeddings."
    t.add(at + "word_embeddings.weight", (config["vocab_size"], hidden), 0.05)
    if config["position_biased_input"]:
        t.add(at + "position_embeddings.weight", (config["max_position_embeddings"], hidden), 0.03)
    if config["type_vocab_size"]:
        t.add(at + "token_type_embeddings.weight", (config["type_vocab_size"], hidden), 0.03)
    t.norm(at + "LayerNorm", hidden)
    for n in range(config["num_hidden_layers"]):
        at = f"{prefix}encoder.layer.{n}."
        own = at + "attention.self."
        t.linear(own + "query_proj", hidden, hidden, gain=SCORES)
        t.linear(own + "key_proj", hidden, hidden, gain=SCORES)
        t.linear(own + "value_proj", hidden, hidden)
        if not config["share_att_key"]:
            if "c2p" in config["pos_att_type"]:
                t.linear(own + "pos_key_proj", hidden, hidden, gain=SCORES)
            if "p2c" in config["pos_att_type"]:
                t.linear(own + "pos_query_proj", hidden, hidden, gain=SCORES)
        t.linear(at + "attention.output.dense", hidden, hidden, gain=BRANCH)
        t.norm(at + "attention.output.LayerNorm", hidden)
        t.linear(at + "intermediate.dense", inner, hidden)
        t.linear(at + "output.dense", hidden, inner, gain=BRANCH)
        t.norm(at + "output.LayerNorm", hidden)
    span = config["position_buckets"] if config["position_buckets"] > 0 else config["max_position_embeddings"]
    t.add(prefix + "encoder.rel_embeddings.weight", (2 * span, hidden), 0.5)
    if "layer_norm" in config["norm_rel_ebd"]:
        t.norm(prefix + "encoder.LayerNorm", hidden)


def deberta_sequence(fixture):
    f = fixture("deberta-sequence", "DeBERTa-v3's layout: 256 buckets to distance 512, shared keys, normed table; f16")
    config = deberta_config("DebertaV2ForSequenceClassification") | labels(["SAFE", "INJECTION"])
    add_deberta(f.tensors, config)
    f.tensors.linear("pooler.dense", 48, 48)
    add_classifier(f.tensors, config, 2)
    f.write_model(config, dtype="F16")
    f.open()
    for length in LENGTHS + (200, 300, 511, 513):
        f.case(f"{length} tokens", f.ids(length, 120), states=length == 65)
    f.done()


def deberta_token(fixture):
    f = fixture("deberta-token", "16 buckets to distance 64, so that short texts go past both; pos_att_type as a list")
    config = deberta_config(
        "DebertaV2ForTokenClassification", position_buckets=16, max_position_embeddings=64, pos_att_type=["p2c", "c2p"]
    )
    config |= labels(BIO)
    add_deberta(f.tensors, config)
    add_classifier(f.tensors, config, len(BIO))
    f.write_model(config, dtype="BF16")
    f.open()
    for length in LENGTHS + (8, 9, 10, 17):
        f.case(f"{length} tokens", f.ids(length, 120), states=length == 65)
    f.done()


def deberta_unshared(fixture):
    f = fixture("deberta-unshared", "DeBERTa-v2 in its first form: own position maps, no buckets, absolute positions, token types, tanh")
    config = deberta_config(
        "DebertaV2ForSequenceClassification", share_att_key=False, position_buckets=-1, norm_rel_ebd="none",
        max_position_embeddings=80, position_biased_input=True, type_vocab_size=2, num_hidden_layers=2,
        pooler_hidden_act="tanh",
    )  # fmt: skip
    config |= labels(["SAFE", "INJECTION"])
    add_deberta(f.tensors, config)
    f.tensors.linear("pooler.dense", 48, 48)
    add_classifier(f.tensors, config, 2)
    f.write_model(config, dtype="BF16")
    f.open()
    typed_cases(f, 120, (1, 2, 63, 64, 65, 80))
    f.done()


def deberta_c2p(fixture):
    f = fixture("deberta-c2p", "only content to position, with a distance of 24 given; scale of two terms")
    config = deberta_config(
        "DebertaV2ForSequenceClassification", pos_att_type="C2P", position_buckets=0, max_relative_positions=24,
        num_hidden_layers=2, share_att_key=True, norm_rel_ebd="none", max_position_embeddings=24,
    )  # fmt: skip
    config |= labels(["SAFE", "INJECTION"])
    add_deberta(f.tensors, config)
    f.tensors.linear("pooler.dense", 48, 48)
    add_classifier(f.tensors, config, 2)
    f.write_model(config, dtype="F16")
    f.open()
    for length in (1, 2, 23, 24, 25, 26, 65):
        f.case(f"{length} tokens", f.ids(length, 120))
    f.done()


# Decoders that embed


def qwen3_config(**more):
    return {
        "model_type": "qwen3",
        "architectures": ["Qwen3ForCausalLM"],
        "vocab_size": 128,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "intermediate_size": 72,
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000,
        "rope_scaling": None,
        "attention_bias": False,
        "use_sliding_window": False,
        "sliding_window": None,
        "max_window_layers": 28,
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
    } | more


def add_qwen3(t, config, prefix):
    hidden, inner, d, bias = config["hidden_size"], config["intermediate_size"], config["head_dim"], config["attention_bias"]
    q, kv = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    t.add(prefix + "embed_tokens.weight", (config["vocab_size"], hidden), 0.5)
    for n in range(config["num_hidden_layers"]):
        at = f"{prefix}layers.{n}."
        t.norm(at + "input_layernorm", hidden, bias=False)
        t.linear(at + "self_attn.q_proj", q, hidden, bias)
        t.linear(at + "self_attn.k_proj", kv, hidden, bias)
        t.linear(at + "self_attn.v_proj", kv, hidden, bias)
        t.linear(at + "self_attn.o_proj", hidden, q, bias, gain=BRANCH)
        t.norm(at + "self_attn.q_norm", d, bias=False, mean=1.0)
        t.norm(at + "self_attn.k_norm", d, bias=False, mean=1.0)
        t.norm(at + "post_attention_layernorm", hidden, bias=False)
        t.linear(at + "mlp.gate_proj", inner, hidden, False)
        t.linear(at + "mlp.up_proj", inner, hidden, False)
        t.linear(at + "mlp.down_proj", hidden, inner, False, gain=BRANCH)
    t.norm(prefix + "norm", hidden, bias=False)


def qwen3_embed(fixture):
    f = fixture("qwen3-embed", "Qwen3-Embedding's layout: no prefix, 4 query heads to 2 key heads, queries wider than hidden; eps that matters; bf16")
    config = qwen3_config(rms_norm_eps=1e-3)
    add_qwen3(f.tensors, config, "")
    f.write_model(config, dtype="BF16")
    f.write_sentence_modules(48, "lasttoken")
    f.open()
    for length in LENGTHS + (511, 513):
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 65, dims=(16, 32))
    f.done()


def qwen3_sliding(fixture):
    f = fixture(
        "qwen3-sliding",
        "prefix model., biases in attention, two layers with a window of 8 behind, one key head for all; no modules.json: last token",
    )
    config = qwen3_config(
        attention_bias=True, use_sliding_window=True, sliding_window=8, max_window_layers=1, num_key_value_heads=1,
        layer_types=["full_attention", "sliding_attention", "sliding_attention"],
        rope_parameters={"rope_type": "default", "rope_theta": 50000.0},
    )  # fmt: skip
    add_qwen3(f.tensors, config, "model.")
    f.write_model(config, dtype="BF16", shards=2)
    f.open()
    for length in sorted(LENGTHS + (7, 8, 9, 10)):
        f.case(f"{length} tokens", f.ids(length, 128), states=length in (10, 65))
    f.done()


def qwen3_window(fixture):
    f = fixture(
        "qwen3-window", "no layer_types: the layers from max_window_layers on have the window; head_dim absent; theta in rope_parameters"
    )
    config = qwen3_config(
        use_sliding_window=True, sliding_window=4, max_window_layers=2, num_attention_heads=3, num_key_value_heads=3,
        intermediate_size=48,
        rope_parameters={"rope_type": "default", "rope_theta": 20000.0},
    )  # fmt: skip
    add_qwen3(f.tensors, config, "")
    del config["head_dim"]
    f.write_model(config, dtype="BF16")
    f.write_sentence_modules(48, "lasttoken")
    f.open()
    for length in (1, 2, 3, 4, 5, 6, 64, 65, 130):
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 6)
    f.done()


def qwen3_yarn(fixture):
    f = fixture("qwen3-yarn", "rope_scaling yarn at the top of config.json, with mscale and without rounding of the ramp; f16")
    config = qwen3_config(
        num_hidden_layers=2, rope_theta=10000.0, max_position_embeddings=256,
        rope_scaling={"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 16.0,
                      "beta_slow": 2.0, "mscale": 1.5, "mscale_all_dim": 0.5, "truncate": False},
    )  # fmt: skip
    add_qwen3(f.tensors, config, "")
    f.write_model(config, dtype="F16")
    f.write_sentence_modules(48, "lasttoken", newer=True)
    f.open()
    for length in (1, 2, 64, 65, 130, 200):
        f.case(f"{length} tokens", f.ids(length, 128))
    f.done()


def qwen3_sequence(fixture):
    f = fixture("qwen3-sequence", "a decoder with a classifier: `score` without a bias reads the last token; prefix model.; bf16")
    config = qwen3_config(
        architectures=["Qwen3ForSequenceClassification"], num_hidden_layers=2, hidden_size=32, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=48,
    )  # fmt: skip
    config |= labels(["simple", "complex", "other"])
    add_qwen3(f.tensors, config, "model.")
    f.tensors.linear("score", 3, 32, False, gain=2.0)
    f.write_model(config, dtype="BF16")
    f.open()
    for length in LENGTHS + (9, 30):
        f.case(f"{length} tokens", f.ids(length, 128))
    f.done()


def qwen3_token(fixture):
    f = fixture("qwen3-token", "a decoder that tags: `score` with a bias reads every token; prefix model.; bf16")
    config = qwen3_config(
        architectures=["Qwen3ForTokenClassification"], num_hidden_layers=2, hidden_size=32, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=48,
    )  # fmt: skip
    config |= labels(["supported", "hallucinated"])
    add_qwen3(f.tensors, config, "model.")
    f.tensors.linear("score", 2, 32, gain=2.0)
    f.write_model(config, dtype="BF16")
    f.open()
    for length in (1, 2, 9, 30, 65, 130):
        f.case(f"{length} tokens", f.ids(length, 128))
    f.done()


def gemma_config(**more):
    return {
        "model_type": "gemma3_text",
        "architectures": ["Gemma3TextModel"],
        "vocab_size": 128,
        "hidden_size": 48,
        "num_hidden_layers": 6,
        "num_attention_heads": 3,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "intermediate_size": 72,
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0,
        "rope_scaling": None,
        "sliding_window": 16,
        "query_pre_attn_scalar": 24,
        "layer_types": (["sliding_attention"] * 2 + ["full_attention"]) * 2,
        "_sliding_window_pattern": 3,
        "attention_bias": False,
        "attn_logit_softcapping": None,
        "final_logit_softcapping": None,
        "use_bidirectional_attention": True,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
    } | more


def add_gemma(t, config, prefix):
    hidden, inner, d = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    q, kv = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    t.add(prefix + "embed_tokens.weight", (config["vocab_size"], hidden), 0.2)
    for n in range(config["num_hidden_layers"]):
        at = f"{prefix}layers.{n}."
        for norm in ("input", "pre_feedforward"):
            t.norm(f"{at}{norm}_layernorm", hidden, bias=False, mean=0.0)
        for norm in ("post_attention", "post_feedforward"):  # with the 1 that is added, how much joins the stream
            t.norm(f"{at}{norm}_layernorm", hidden, bias=False, mean=-0.625)
        t.linear(at + "self_attn.q_proj", q, hidden, False)
        t.linear(at + "self_attn.k_proj", kv, hidden, False)
        t.linear(at + "self_attn.v_proj", kv, hidden, False)
        t.linear(at + "self_attn.o_proj", hidden, q, False)
        t.norm(at + "self_attn.q_norm", d, bias=False, mean=0.0)
        t.norm(at + "self_attn.k_norm", d, bias=False, mean=0.0)
        t.linear(at + "mlp.gate_proj", inner, hidden, False)
        t.linear(at + "mlp.up_proj", inner, hidden, False)
        t.linear(at + "mlp.down_proj", hidden, inner, False)
    t.norm(prefix + "norm", hidden, bias=False, mean=0.0)


def gemma_embed(fixture):
    f = fixture("gemma-embed", "EmbeddingGemma's layout: both directions, windows of 8 to each side, mean, two Dense maps; bf16")
    config = gemma_config()
    add_gemma(f.tensors, config, "")
    f.write_model(config, dtype="BF16")
    identity = "linear.Identity"
    f.write_sentence_modules(48, "mean", dense=[(96, False, identity), (48, False, identity)])
    f.open()
    f.prompt_case("a prompt, pooled too", 5)
    for length in sorted(LENGTHS + (8, 9, 10, 16, 17, 18, 300)):
        f.case(f"{length} tokens", f.ids(length, 128), states=length in (10, 65), dims=(16, 32))
    f.done()


def gemma_causal(fixture):
    f = fixture(
        "gemma-causal",
        "plain Gemma 3: causal, every second layer full by the pattern, the others 8 keys; rope scaled on the full layers only",
    )
    config = gemma_config(
        sliding_window=8, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, sliding_window_pattern=2,
        rope_scaling={"rope_type": "linear", "factor": 8.0}, query_pre_attn_scalar=16,
    )  # fmt: skip
    del config["layer_types"], config["_sliding_window_pattern"], config["use_bidirectional_attention"]
    add_gemma(f.tensors, config, "model.")
    f.write_model(config, dtype="BF16")
    f.open()
    for length in sorted(LENGTHS + (7, 8, 9, 10)):
        f.case(f"{length} tokens", f.ids(length, 128), states=length in (10, 65))
    f.done()


def gemma_sequence(fixture):
    f = fixture("gemma-sequence", "Gemma 3 with a classifier: both directions, and the last token is what `score` reads; prefix model.; bf16")
    config = gemma_config(
        architectures=["Gemma3TextForSequenceClassification"], num_hidden_layers=2, hidden_size=32, intermediate_size=40,
        layer_types=["sliding_attention", "full_attention"],
    )  # fmt: skip
    config |= labels(["benign", "jailbreak"])
    add_gemma(f.tensors, config, "model.")
    f.tensors.linear("score", 2, 32, False, gain=2.0)
    f.write_model(config, dtype="BF16")
    f.open()
    for length in LENGTHS + (9, 30):
        f.case(f"{length} tokens", f.ids(length, 128))
    f.done()


# Adapters


def modernbert_mlm(fixture):
    f = fixture("modernbert-mlm", "a masked language model, the base of adapters: it brings the prediction head; bf16")
    config = modernbert_config("ModernBertForMaskedLM", classifier_pooling="mean")
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    f.tensors.add("decoder.bias", (config["vocab_size"],), 0.2)
    f.write_model(config, dtype="BF16")
    adapter_cases(f, 128)


def adapter_cases(f, vocabulary):
    f.open()
    for length in (1, 2, 9, 64, 65, 130):
        f.case(f"{length} tokens", f.ids(length, vocabulary), states=length == 9)
    f.done()


MODERNBERT_LINEARS = {"attn.Wqkv": (144, 48), "attn.Wo": (48, 48), "mlp.Wi": (112, 48), "mlp.Wo": (48, 56)}


def add_saved_classifier(t, n_labels, hidden):
    t.linear("base_model.model.classifier", n_labels, hidden, gain=2.0)


def modernbert_lora_intent(fixture):
    f = fixture("modernbert-mlm-lora-intent", "plain: rank 4, alpha 8, all four maps of every layer; f32")
    for n in range(4):
        for name, (n_out, n_in) in MODERNBERT_LINEARS.items():
            f.tensors.lora(f"model.layers.{n}.{name}", n_out, n_in, 4, 2.0)
    names = ["biology", "business", "law", "math", "other"]
    add_saved_classifier(f.tensors, len(names), 48)
    config = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 8, "target_modules": list(MODERNBERT_LINEARS)}
    f.write_adapter("modernbert-mlm", config | {"modules_to_save": ["classifier", "score"]})
    maps = labels(names)
    f.write_json("category_mapping.json", {"category_to_idx": maps["label2id"], "idx_to_category": maps["id2label"]})
    adapter_cases(f, 128)


def modernbert_lora_guard(fixture):
    f = fixture(
        "modernbert-mlm-lora-guard",
        "begins at layer 2, scaled by the root of the rank, targets as an expression; brings a prediction head of its own; bf16",
    )
    for n in (2, 3):
        for name in ("attn.Wqkv", "attn.Wo", "mlp.Wo"):
            f.tensors.lora(f"model.layers.{n}.{name}", *MODERNBERT_LINEARS[name], 2, 4 / 2**0.5)
    f.tensors.linear("base_model.model.head.dense", 48, 48, False, gain=1.4)
    f.tensors.norm("base_model.model.head.norm", 48, False)
    add_saved_classifier(f.tensors, 2, 48)
    config = {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 4, "use_rslora": True, "layers_to_transform": [2, 3]}
    config |= {"target_modules": r".*\.(attn\.(Wqkv|Wo)|mlp\.Wo)", "modules_to_save": ["classifier", "head"]}
    f.write_adapter("modernbert-mlm", config, dtype="BF16")
    maps = labels(["benign", "jailbreak"])
    f.write_json("jailbreak_type_mapping.json", {"label_to_id": maps["label2id"], "id_to_label": maps["id2label"]})
    adapter_cases(f, 128)


def modernbert_lora_pii(fixture):
    f = fixture("modernbert-mlm-lora-pii", "tagger: ranks and alphas by module, tensor names of older versions; f16")
    ranks = {r"layers\.1\.attn\.Wqkv": 6, "mlp.Wo": 2}
    alphas = {"attn.Wo": 2, r"layers\.[13]\..*": 12}
    for n in range(4):
        for name, shape in MODERNBERT_LINEARS.items():
            rank = 6 if (n, name) == (1, "attn.Wqkv") else 2 if name == "mlp.Wo" else 3
            alpha = 2 if name == "attn.Wo" else 12 if n in (1, 3) else 6
            f.tensors.lora(f"model.layers.{n}.{name}", *shape, rank, alpha / rank, adapter=".default")
    add_saved_classifier(f.tensors, len(BIO), 48)
    config = {"task_type": "TOKEN_CLS", "r": 3, "lora_alpha": 6, "rank_pattern": ranks, "alpha_pattern": alphas}
    f.write_adapter("modernbert-mlm", config | {"target_modules": ["Wqkv", "Wo", "Wi"]}, dtype="F16")
    maps = labels(BIO)
    f.write_json("pii_type_mapping.json", {"label_to_idx": maps["label2id"], "idx_to_label": maps["id2label"]})
    adapter_cases(f, 128)


def modernbert_lora_dora(fixture):
    f = fixture("modernbert-mlm-lora-dora", "DoRA: a length for each output row; the layers 1 and 3")
    for n in (1, 3):
        for name in ("attn.Wqkv", "mlp.Wi"):
            module, shape = f"model.layers.{n}.{name}", MODERNBERT_LINEARS[name]
            f.tensors.lora(module, *shape, 2, 1.0)
            f.tensors.add(f"base_model.model.{module}.lora_magnitude_vector.weight", shape[:1], 0.25, 1.0)
    add_saved_classifier(f.tensors, 3, 48)
    config = {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 2, "use_dora": True, "layers_to_transform": [1, 3]}
    f.write_adapter("modernbert-mlm", config | {"target_modules": ["attn.Wqkv", "mlp.Wi"]})
    adapter_cases(f, 128)


def qwen3_lora_route(fixture):
    f = fixture("qwen3-embed-lora-route", "a classifier on a decoder that embeds: seven maps of two layers, `score` saved; bf16")
    q, kv = (64, 48), (32, 48)
    shapes = {"self_attn.q_proj": q, "self_attn.k_proj": kv, "self_attn.v_proj": kv, "self_attn.o_proj": q[::-1],
              "mlp.gate_proj": (72, 48), "mlp.up_proj": (72, 48), "mlp.down_proj": (48, 72)}  # fmt: skip
    for n in (1, 2):
        for name, shape in shapes.items():
            f.tensors.lora(f"model.layers.{n}.{name}", *shape, 2, 2.0)
    f.tensors.linear("base_model.model.score", 3, 48, False, gain=2.0)
    config = {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 4, "layers_to_transform": [1, 2]}
    config |= {"target_modules": [name.split(".")[1] for name in shapes], "modules_to_save": ["classifier", "score"]}
    f.write_adapter("qwen3-embed", config, dtype="BF16")
    adapter_cases(f, 128)


def bert_mlm(fixture):
    f = fixture("bert-mlm", "bert-base-uncased's layout: gamma and beta, a pooler, heads of its training that nothing uses; f16")
    config = bert_config("BertForMaskedLM", num_hidden_layers=3, max_position_embeddings=136)
    add_bert(f.tensors, config, "bert.", pooler=True, old=True)
    f.tensors.linear("cls.predictions.transform.dense", 48, 48)
    f.tensors.norm("cls.predictions.transform.LayerNorm", 48, old=True)
    f.tensors.add("cls.predictions.bias", (120,), 0.2)
    f.tensors.linear("cls.seq_relationship", 2, 48)
    f.write_model(config, dtype="F16")
    adapter_cases(f, 120)


BERT_LINEARS = {
    "attention.self.query": (48, 48), "attention.self.key": (48, 48), "attention.self.value": (48, 48),
    "attention.output.dense": (48, 48), "intermediate.dense": (80, 48), "output.dense": (48, 80),
}  # fmt: skip


def bert_lora_intent(fixture):
    f = fixture("bert-mlm-lora-intent", "all linear maps, the pooler too; lora_B has a bias of its own")
    modules = {f"bert.encoder.layer.{n}.{name}": shape for n in range(3) for name, shape in BERT_LINEARS.items()}
    for module, shape in (modules | {"bert.pooler.dense": (48, 48)}).items():
        f.tensors.lora(module, *shape, 2, 2.0)
        f.tensors.add(f"base_model.model.{module}.lora_B.bias", shape[:1], 0.05)
    add_saved_classifier(f.tensors, 4, 48)
    f.write_adapter("bert-mlm", {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 4, "target_modules": "all-linear", "lora_bias": True})
    adapter_cases(f, 120)


def bert_lora_pii(fixture):
    f = fixture("bert-mlm-lora-pii", "tagger: DoRA on queries and values, every bias of the model trained along; f16")
    for n in range(3):
        for name in ("query", "value"):
            module = f"bert.encoder.layer.{n}.attention.self.{name}"
            f.tensors.lora(module, 48, 48, 3, 2.0)
            f.tensors.add(f"base_model.model.{module}.lora_magnitude_vector", (48,), 0.25, 1.0)
        for name, shape in BERT_LINEARS.items():
            f.tensors.add(f"base_model.model.bert.encoder.layer.{n}.{name}.bias", shape[:1], 0.2)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            f.tensors.add(f"base_model.model.bert.encoder.layer.{n}.{name}.bias", (48,), 0.2)
    f.tensors.add("base_model.model.bert.embeddings.LayerNorm.bias", (48,), 0.2)
    add_saved_classifier(f.tensors, len(BIO), 48)
    config = {"task_type": "TOKEN_CLS", "r": 3, "lora_alpha": 6, "target_modules": ["query", "value"], "use_dora": True}
    f.write_adapter("bert-mlm", config | {"bias": "all"}, dtype="F16")
    maps = labels(BIO)
    f.write_json("pii_type_mapping.json", {"label_to_idx": maps["label2id"], "idx_to_label": maps["id2label"]})
    adapter_cases(f, 120)


def bert_lora_head(fixture):
    f = fixture("bert-mlm-lora-head", "the last layer only, biases of the adapted maps trained along; bf16")
    for name in ("attention.self.key", "attention.self.value", "intermediate.dense"):
        module = f"bert.encoder.layer.2.{name}"
        f.tensors.lora(module, *BERT_LINEARS[name], 4, 0.5)
        f.tensors.add(f"base_model.model.{module}.bias", BERT_LINEARS[name][:1], 0.2)
    add_saved_classifier(f.tensors, 2, 48)
    config = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 2, "layers_to_transform": 2, "bias": "lora_only"}
    f.write_adapter("bert-mlm", config | {"target_modules": ["key", "value", "intermediate.dense"]}, dtype="BF16")
    adapter_cases(f, 120)


def bert_lora_domain(fixture):
    f = fixture("bert-embed-mean-lora-domain", "an embedder's adapter; like its base without a prefix")
    for n in range(3):
        for name in ("attention.self.query", "attention.self.value"):
            f.tensors.lora(f"encoder.layer.{n}.{name}", 40, 40, 4, 2.0)
    config = {"task_type": "FEATURE_EXTRACTION", "r": 4, "lora_alpha": 8}
    f.write_adapter("bert-embed-mean", config | {"target_modules": ["query", "value"]})
    adapter_cases(f, 120)


def bert_lora_topic(fixture):
    f = fixture("bert-embed-mean-lora-topic", "a classifier's adapter that says bert. on a base that does not; its first layer only")
    for name in ("intermediate.dense", "attention.output.dense"):
        f.tensors.lora(f"bert.encoder.layer.0.{name}", 72 if name[0] == "i" else 40, 40, 2, 1.0)
    add_saved_classifier(f.tensors, 3, 40)
    config = {"task_type": "SEQ_CLS", "r": 2, "lora_alpha": 2, "layers_to_transform": [0]}
    f.write_adapter("bert-embed-mean", config | {"target_modules": ["intermediate.dense", "attention.output.dense"]})
    adapter_cases(f, 120)


ALL = [
    bert_sequence,
    bert_token,
    bert_mean,
    bert_cls,
    bert_dense,
    roberta_sequence,
    roberta_token,
    xlm_roberta_embed,
    mpnet_embed,
    deberta_sequence,
    deberta_token,
    deberta_unshared,
    deberta_c2p,
    modernbert_mean,
    modernbert_cls,
    modernbert_token,
    modernbert_embed,
    modernbert_yarn,
    qwen3_embed,
    qwen3_sliding,
    qwen3_window,
    qwen3_yarn,
    qwen3_sequence,
    qwen3_token,
    gemma_embed,
    gemma_causal,
    gemma_sequence,
    modernbert_mlm,
    modernbert_lora_intent,
    modernbert_lora_guard,
    modernbert_lora_pii,
    modernbert_lora_dora,
    qwen3_lora_route,
    bert_mlm,
    bert_lora_intent,
    bert_lora_pii,
    bert_lora_head,
    bert_lora_domain,
    bert_lora_topic,
]
