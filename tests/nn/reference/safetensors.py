"""Reads and writes the safetensors container: u64 length, JSON header, little-endian data."""
import json
import pathlib
import struct

import numpy as np

_NUMPY = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
    "BOOL": "?", "BF16": "<u2",
}  # fmt: skip


def _to_bf16(array):
    """Only for values that bf16 has exactly."""
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    if (bits & 0xFFFF).any():
        raise ValueError("a value is not exact in bf16")
    return (bits >> 16).astype("<u2")


def write(path, tensors, metadata=None):
    """`tensors` is name -> (dtype, array), written in that order; float values must be exact in their dtype."""
    header = {"__metadata__": metadata} if metadata else {}
    chunks, end = [], 0
    for name, (dtype, array) in tensors.items():
        array = np.asarray(array)
        stored = _to_bf16(array) if dtype == "BF16" else array.astype(_NUMPY[dtype])
        if dtype != "BF16" and dtype == "F16" and not (stored.astype(np.float64) == array).all():
            raise ValueError(f"{name}: a value is not exact in f16")
        data = stored.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [end, end + len(data)]}
        chunks.append(data)
        end += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def read(path):
    """name -> array; floats of every width become float64."""
    data = pathlib.Path(path).read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, about in json.loads(data[8 : 8 + n]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + n + offset for offset in about["data_offsets"])
        array = np.frombuffer(data[begin:end], _NUMPY[about["dtype"]])
        if about["dtype"] == "BF16":
            array = (array.astype("<u4") << 16).view("<f4")
        if about["dtype"] in ("BF16", "F16", "F32"):
            array = array.astype(np.float64)
        tensors[name] = array.reshape(about["shape"])
    return tensors
