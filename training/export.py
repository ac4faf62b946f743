"""Writes the model files: safetensors with metadata, and the table of vectors in eight bits."""
import json
import pathlib
import struct

import numpy as np
import torch

KIND = {np.dtype(np.float32): "F32", np.dtype(np.int8): "I8", np.dtype(np.float16): "F16"}
ALIGN = 64


def quantised(vectors):
    """int8 rows and the scale of each: row = scale * int8."""
    v = vectors.numpy() if isinstance(vectors, torch.Tensor) else vectors
    scale = np.abs(v).max(1) / 127
    scale[scale == 0] = 1
    return np.rint(v / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def restored(q, scale):
    return torch.from_numpy(q.astype(np.float32) * scale[:, None])


def write(path, tensors, metadata):
    """Header padded with blanks so that the data begins aligned; wide types first, so that every tensor is."""
    header, at, chunks = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, 0, []
    named = [(k, np.ascontiguousarray(v.detach().numpy() if isinstance(v, torch.Tensor) else v)) for k, v in tensors.items()]
    for name, array in sorted(named, key=lambda x: (-x[1].dtype.itemsize, x[0])):
        data = array.tobytes()
        header[name] = {"dtype": KIND[array.dtype], "shape": list(array.shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
        chunks.append(data)
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-(len(text) + 8) % ALIGN)
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def read(path):
    data = pathlib.Path(path).read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + n])
    meta = header.pop("__metadata__", {})
    types = {v: k for k, v in KIND.items()}
    found = {}
    for name, t in header.items():
        lo, hi = t["data_offsets"]
        found[name] = np.frombuffer(data[8 + n + lo : 8 + n + hi], types[t["dtype"]]).reshape(t["shape"]).copy()
    return found, meta
