"""A model directory as a whole: config.json, weights, head or sentence modules, and the adapters that go on it."""
import json
import pathlib

import numpy as np

from . import adapter as adapters
from .arithmetic import sigmoid, softmax
from .bert import Bert, Mpnet, Roberta
from .deberta import Deberta
from .gemma3 import Gemma3
from .modernbert import ModernBert
from .qwen3 import Qwen3
from .sentence import Sentence
from .weights import Weights, read_directory

FAMILIES = {
    "bert": Bert,
    "roberta": Roberta,
    "xlm-roberta": Roberta,
    "mpnet": Mpnet,
    "deberta-v2": Deberta,
    "modernbert": ModernBert,
    "qwen3": Qwen3,
    "gemma3_text": Gemma3,
}

TASKS = ("ForSequenceClassification", "ForTokenClassification", "ForMaskedLM", "ForCausalLM", "Model")


class Model:
    def __init__(self, directory, adapter=None):
        self.directory = pathlib.Path(directory)
        self.config = json.loads((self.directory / "config.json").read_text())
        family = FAMILIES[self.config["model_type"]]
        tensors = read_directory(self.directory)
        architecture = self.config["architectures"][0]
        self.task = next(task for task in TASKS if architecture.endswith(task))
        if adapter is not None:
            tensors, self.task = adapters.merge(tensors, adapter, family.EMBEDDING)
        self.weights = Weights(tensors, family.EMBEDDING)
        self.encoder = family(self.config, self.weights)
        if family is Qwen3 and self.task == "ForCausalLM":  # published as a causal model, and asked for vectors only
            self.task = "Model"
        if self.task == "Model":
            self.sentence = Sentence(self.directory, "lasttoken" if family is Qwen3 else "mean")

    def states(self, ids, types=None):
        """The residual stream: after the embeddings, and after each layer."""
        ids = np.asarray(ids)
        types = np.zeros(len(ids), np.int64) if types is None else np.asarray(types)
        h = [self.encoder.embed(ids, types)]
        for n in range(self.encoder.n_layers):
            h.append(self.encoder.layer(n, h[-1]))
        return h

    def hidden(self, ids, types=None, n_layers=None):
        """What the trunk gives when it is cut after `n_layers`: the last norm is applied wherever it ends."""
        return self.encoder.final(self.states(ids, types)[n_layers or self.encoder.n_layers])

    def logits(self, ids, types=None):
        h = self.hidden(ids, types)
        return self.encoder.token_logits(h) if self.task == "ForTokenClassification" else self.encoder.sequence_logits(h)

    def probabilities(self, logits):
        if self.config.get("problem_type") == "multi_label_classification" or logits.shape[-1] == 1:
            return sigmoid(logits)
        return softmax(logits)

    def embedding(self, ids, types=None, n_layers=None, dim=None, prompt_tokens=0):
        return self.sentence.vector(self.hidden(ids, types, n_layers), dim, prompt_tokens)


def open_model(directory, adapter=None):
    """`adapter`: a PEFT directory that is put on the base in `directory`."""
    return Model(directory, adapter)
