"""The models of the fixtures, one function each. Small in every number, real in every name and switch."""
import numpy as np

from fixture import labels

LENGTHS = (1, 2, 63, 64, 65, 129, 130)

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
        t.linear(at + "attention." + q, hidden, hidden, gain=1.5)
        t.linear(at + "attention." + k, hidden, hidden, gain=1.5)
        t.linear(at + "attention." + v, hidden, hidden)
        t.linear(at + "attention." + o, hidden, hidden)
        t.norm(at + "attention." + norm, hidden, old=old)
        t.linear(at + "intermediate.dense", inner, hidden)
        t.linear(at + "output.dense", hidden, inner)
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
    f.write_model(config)
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
        "num_hidden_layers": 5,
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
        t.linear(at + "attn.Wqkv", 3 * hidden, hidden, config["attention_bias"], gain=1.4)
        t.linear(at + "attn.Wo", hidden, hidden, config["attention_bias"])
        t.norm(at + "mlp_norm", hidden, norm_bias)
        t.linear(at + "mlp.Wi", 2 * inner, hidden, config["mlp_bias"], gain=1.3)
        t.linear(at + "mlp.Wo", hidden, inner, config["mlp_bias"])
    t.norm(prefix + "final_norm", hidden, norm_bias)


def add_prediction_head(t, config):
    t.linear("head.dense", config["hidden_size"], config["hidden_size"], config["classifier_bias"], gain=1.4)
    t.norm("head.norm", config["hidden_size"], config["norm_bias"])


EDGES = (4, 5, 6, 8, 9, 10)  # about a window of 8, which sees 4 to each side


def modernbert_mean(fixture):
    f = fixture("modernbert-sequence-mean", "mmBERT's layout: prefix model., mean of the tokens, one theta; windows of 8 (4 to each side)")
    config = modernbert_config("ModernBertForSequenceClassification", classifier_pooling="mean", local_rope_theta=160000.0)
    config |= labels(["biology", "business", "chemistry", "computer science"])
    add_modernbert(f.tensors, config, "model.")
    add_prediction_head(f.tensors, config)
    add_classifier(f.tensors, config, 4)
    f.write_model(config)
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
        classifier_bias=True, num_hidden_layers=4, num_attention_heads=4, problem_type="multi_label_classification",
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
        "tagger in the newer form: layer_types against the modulo rule, rope_parameters; SiLU and tanh activations; sharded f32",
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
    f.write_model(config, shards=3)
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
    f.write_model(config)
    f.write_sentence_modules(64, "mean")
    f.write_json("onnx/model_config.json", {"available_layers": [2, 3, 6], "hidden_size": 64})
    f.open()
    for length in sorted(LENGTHS + (8, 9, 10, 16, 17, 18)):
        layers = range(1, 7) if length in (10, 65) else (2, 3) if length == 130 else ()
        f.case(f"{length} tokens", f.ids(length, 128), states=length == 65, layers=tuple(layers), dims=(8, 32, 64))
    f.done()


ALL = [
    bert_sequence,
    bert_token,
    bert_mean,
    bert_cls,
    modernbert_mean,
    modernbert_cls,
    modernbert_token,
    modernbert_embed,
]
