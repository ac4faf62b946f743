"""One fixture: a model directory on disk, and beside its weights the cases with what the reference computes for them."""
import json
import math

import numpy as np

from draw import random_integers, random_weights
from reference import safetensors
from reference.arithmetic import PRECISIONS, l2_normalize, rounded
from reference.model import open_model
from reference.sentence import POOLINGS
from vocabulary import Vocabulary

def labels(names):
    return {"id2label": {str(n): name for n, name in enumerate(names)}, "label2id": {name: n for n, name in enumerate(names)}}


def vocabulary_of(config):
    before_text = 2 if config.get("pad_token_id") == 1 else 0  # positions that padding takes in RoBERTa and MPNet
    return Vocabulary(config["model_type"], config["vocab_size"], config["max_position_embeddings"] - before_text)


class Tensors:
    """The tensors of one file, in order; each drawn from a generator of its own."""

    def __init__(self, seed):
        self.seed = seed
        self.all = {}

    def add(self, name, shape, deviation, mean=0.0):
        self.all[name] = random_weights(f"{self.seed}/{name}", shape, deviation, mean)

    def lora(self, module, n_out, n_in, rank, scale, adapter=""):
        """An adapter that moves its matrix by about a quarter. `adapter`: ".default" in files of older versions."""
        at = "base_model.model." + module
        self.add(f"{at}.lora_A{adapter}.weight", (rank, n_in), n_in**-0.5)
        self.add(f"{at}.lora_B{adapter}.weight", (n_out, rank), 0.25 * rank**-0.5 / scale)

    def linear(self, name, n_out, n_in, bias=True, gain=1.0):
        self.add(name + ".weight", (n_out, n_in), gain / math.sqrt(n_in))
        if bias:
            self.add(name + ".bias", (n_out,), 0.2)

    def norm(self, name, n, bias=True, mean=1.0, old=False):
        self.add(name + (".gamma" if old else ".weight"), (n,), 0.15, mean)
        if bias:
            self.add(name + (".beta" if old else ".bias"), (n,), 0.15)


class Fixture:
    def __init__(self, target, name, about):
        self.name, self.about = name, about
        self.directory = target / name
        self.directory.mkdir(parents=True)
        self.tensors = Tensors(name)
        self.base = None  # of an adapter: the name of the model it goes on
        self.model = None
        self.cases, self.arrays = [], {}

    def write_json(self, path, value):
        path = self.directory / path
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value, indent=1) + "\n")

    def write_weights(self, path, tensors, dtype="F32"):
        path = self.directory / path
        path.parent.mkdir(exist_ok=True)
        safetensors.write(path, {name: (dtype, array) for name, array in tensors.items()}, {"format": "pt"})

    def write_model(self, config, dtype="F32", shards=1):
        """config.json and the weights collected so far; then the reference opens what lies on the disk."""
        self.write_json("config.json", config)
        self.typed = config.get("type_vocab_size", 0) > 0
        self.write_tokenizer(vocabulary_of(config))
        names = list(self.tensors.all)
        if shards == 1:
            self.write_weights("model.safetensors", self.tensors.all, dtype)
        else:
            where = {}
            for n in range(shards):
                file = f"model-{n + 1:05}-of-{shards:05}.safetensors"
                part = names[n * len(names) // shards : (n + 1) * len(names) // shards]
                self.write_weights(file, {name: self.tensors.all[name] for name in part}, dtype)
                where.update({name: file for name in part})
            total = sum(array.size for array in self.tensors.all.values()) * (4 if dtype == "F32" else 2)
            self.write_json(
                "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
            )

    def write_tokenizer(self, vocabulary):
        self.vocabulary = vocabulary
        self.write_json("tokenizer.json", vocabulary.tokenizer_json())
        self.write_json("tokenizer_config.json", vocabulary.tokenizer_config())

    def write_sentence_modules(self, hidden, pooling, dense=(), normalize=True, newer=False, include_prompt=True):
        """modules.json and what it lists; `dense` holds (n_out, bias, activation or None)."""
        modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]

        def add(kind):
            path = f"{len(modules)}_{kind}"
            modules.append(
                {"idx": len(modules), "name": str(len(modules)), "path": path, "type": "sentence_transformers.models." + kind}
            )
            return path

        modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
        config = {"word_embedding_dimension": hidden}
        if newer:
            config["pooling_mode"] = pooling
        else:
            config |= {"pooling_mode_" + mode: mode.removesuffix("_tokens").removesuffix("_token") == pooling for mode in modes}
        self.write_json(add("Pooling") + "/config.json", config | {"include_prompt": include_prompt})
        n_in = hidden
        for n_out, bias, activation in dense:
            path = add("Dense")
            config = {"in_features": n_in, "out_features": n_out, "bias": bias}
            if activation:
                config["activation_function"] = "torch.nn.modules." + activation
            self.write_json(path + "/config.json", config)
            tensors = Tensors(f"{self.name}/{path}")
            tensors.linear("linear", n_out, n_in, bias)
            self.write_weights(path + "/model.safetensors", tensors.all)
            n_in = n_out
        if normalize:
            add("Normalize")  # has no files, so no folder either
        self.write_json("modules.json", modules)
        self.write_json("sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
        self.vocabulary.max_length = 48

    def write_adapter(self, base, config, dtype="F32"):
        """The tensors collected so far are an adapter of the model `base`, which exists already."""
        self.base = base
        defaults = {"peft_type": "LORA", "base_model_name_or_path": "fixtures/" + base, "lora_dropout": 0.1, "bias": "none",
                    "fan_in_fan_out": False, "inference_mode": True, "layers_to_transform": None, "modules_to_save": None,
                    "use_rslora": False, "use_dora": False, "rank_pattern": {}, "alpha_pattern": {}}  # fmt: skip
        self.write_json("adapter_config.json", defaults | config)
        of_base = json.loads((self.directory.parent / base / "config.json").read_text())
        self.typed, self.vocabulary = of_base.get("type_vocab_size", 0) > 0, vocabulary_of(of_base)
        self.write_weights("adapter_model.safetensors", self.tensors.all, dtype)

    def open(self):
        """The reference, on what was written."""
        base = self.base and self.directory.parent / self.base
        self.model = open_model(base or self.directory, self.directory if base else None)

    # Cases

    def ids(self, length, vocabulary, avoid=()):
        """Random ids: none below 3, where the special ones are. Adapters of one base are asked the same texts."""
        drawn = random_integers(f"{self.base or self.name}/ids/{len(self.cases)}", 2 * length + 16, 3, vocabulary - 1)
        return np.array([value for value in drawn if value not in avoid][:length])

    def text_cases(self):
        """Texts and pairs from end to end; the last text is longer than what the model takes."""
        v, seed = self.vocabulary, self.base or self.name
        whole = min(v.max_length, 200)
        for about, n_words in (("a text", 9), ("a longer text", 30), ("a text that is cut", whole)):
            text, tokens = v.text(f"{seed}/{about}", n_words)
            ids, types, offsets = v.sequence(tokens, max_length=v.max_length)
            if (n_words == whole) == (len(ids) == v.max_length):
                self.text_case(about, {"text": text}, ids, types, offsets)
        if self.model.task != "Model":
            (text, first), (pair, second) = v.text(f"{seed}/first", 8), v.text(f"{seed}/second", 5)
            self.text_case("a pair", {"text": text, "pair": pair}, *v.sequence(first, second))

    def prompt_case(self, about, prompt_words):
        """A text with a prompt before it, which the directory names `query`."""
        v = self.vocabulary
        prompt, prompt_tokens = v.text(f"{self.name}/prompt", prompt_words)
        prompt += " "
        self.write_json("config_sentence_transformers.json", {"prompts": {"query": prompt}, "default_prompt_name": None})
        text, tokens = v.text(f"{self.name}/{about}", 7)
        tokens = prompt_tokens + [(token, begin + len(prompt), end + len(prompt)) for token, begin, end in tokens]
        before = v.single.split().index("A")
        self.text_case(about, {"prompt": prompt, "text": text}, *v.sequence(tokens), before + len(prompt_tokens))

    def text_case(self, about, texts, ids, types, offsets, prompt_tokens=0):
        name, _ = self.case(about, np.array(ids), np.array(types) if self.typed else None, prompt_tokens=prompt_tokens)
        self.arrays[f"{name}.offsets"] = ("I32", offsets)
        self.cases[-1] |= texts

    def case(self, about, ids, types=None, states=False, layers=(), dims=(), prompt_tokens=0):
        """Runs one sequence and keeps what a model of this task answers."""
        name = f"case{len(self.cases)}"
        keep = lambda suffix, array: self.arrays.__setitem__(f"{name}.{suffix}", ("F32", np.asarray(array)))
        model, length = self.model, len(ids)
        self.arrays[f"{name}.ids"] = ("I32", ids)
        if types is not None:
            self.arrays[f"{name}.types"] = ("I32", types)
        rows = some_rows(length)
        self.arrays[f"{name}.rows"] = ("I32", rows)
        trace = model.states(ids, types)
        hidden = model.encoder.final(trace[-1])
        keep("hidden", hidden[rows])
        keep("mean", hidden.mean(axis=0))
        if states:
            for n, state in enumerate(trace):
                keep(f"layer{n}.state", state[rows])
        if model.task in ("ForSequenceClassification", "ForTokenClassification"):
            logits = model.logits(ids, types)
            keep("logits", logits)
            keep("probabilities", model.probabilities(logits))
        elif model.task == "ForMaskedLM":
            if hasattr(model.encoder, "masked_logits"):
                keep("masked_logits", model.encoder.masked_logits(hidden[rows[-2:]]))
        else:
            keep("embedding", model.embedding(ids, types, prompt_tokens=prompt_tokens))
            for dim in dims:
                keep(f"dim{dim}.embedding", model.embedding(ids, types, dim=dim))
            for n in layers:
                keep(f"layer{n}.hidden", model.hidden(ids, types, n)[rows])
                keep(f"layer{n}.embedding", model.embedding(ids, types, n))
                keep(f"layer{n}.raw_embedding", model.sentence.vector(trace[n]))  # without the last norm
                for dim in dims:
                    keep(f"layer{n}.dim{dim}.embedding", model.embedding(ids, types, n, dim))
        self.cases.append(
            {"name": name, "about": about, "tokens": length}
            | ({"layers": list(layers)} if layers else {})
            | ({"dims": list(dims)} if dims else {})
            | ({"prompt_tokens": prompt_tokens} if prompt_tokens else {})
        )
        return name, hidden

    def pooled_case(self, about, ids, types=None):
        """A case that also has every way of pooling, before anything else is done to it."""
        name, hidden = self.case(about, ids, types)
        for mode, pool in POOLINGS.items():
            self.arrays[f"{name}.pool.{mode}"] = ("F32", pool(hidden))
            self.arrays[f"{name}.pool.{mode}.unit"] = ("F32", l2_normalize(pool(hidden)))

    def rounding(self):
        """What a lower precision costs where only the factors of products are rounded: for each, the mean over the rows of
        all cases of the distance to the exact row, relative to that row's length."""
        costs = {}
        for precision in PRECISIONS:
            distances = []
            for case in self.cases:
                arrays = {key: self.arrays.get(f"{case['name']}.{key}", (None, None))[1] for key in ("ids", "types", "rows", "hidden")}
                with rounded(precision):
                    got = self.model.hidden(arrays["ids"], arrays["types"])[arrays["rows"]]
                distances += list(np.linalg.norm(got - arrays["hidden"], axis=1) / np.linalg.norm(arrays["hidden"], axis=1))
            costs[precision] = float(f"{np.mean(distances):.3g}")
        return costs

    def done(self):
        self.text_cases()
        self.model.weights.check_used()
        for name, (dtype, array) in self.arrays.items():
            if dtype == "F32" and not np.isfinite(array).all():
                raise ValueError(f"{self.name}: {name} is not finite")
        rounded = {name: (dtype, np.asarray(array, np.float32) if dtype == "F32" else array)
                   for name, (dtype, array) in self.arrays.items()}  # fmt: skip
        safetensors.write(self.directory / "cases.safetensors", rounded)
        about = {"model": self.name} | ({"base": self.base} if self.base else {})
        about |= {"about": self.about, "task": self.model.task, "rounding": self.rounding(), "cases": self.cases}
        self.write_json("cases.json", about)


def some_rows(length):
    """All of few; of many the ends, the middle and those beside the edges of blocks."""
    if length <= 4:
        return list(range(length))
    return sorted({0, 1, length // 3, length // 2, length - 2, length - 1} | ({63, 64} if length > 65 else set()))
