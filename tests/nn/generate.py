#!/usr/bin/python3
"""Makes tests/fixtures/nn: small models with random weights in the published layouts, and what they compute.

    generate.py            writes all of it anew
    generate.py --check    compares with what is there: weights byte for byte, results within a millionth

Everything follows from the names: the weights of a tensor are drawn from a generator seeded by "model/tensor". README.md
beside this file describes the files. Needs NumPy (Debian: python3-numpy); the tests that read the fixtures need nothing.
"""
import json
import pathlib
import shutil
import sys
import tempfile

import numpy as np

import arithmetic_fixture
import fixture_models
from fixture import Fixture
from reference import safetensors

TARGET = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "nn"


def generate(target):
    arithmetic_fixture.generate(target)
    for make in fixture_models.ALL:
        make(lambda name, about: Fixture(target, name, about))


def differences(old, new):
    """Paths and arrays that differ."""
    names = {path.relative_to(root) for root in (old, new) for path in root.rglob("*") if path.is_file()}
    for name in sorted(names):
        a, b = old / name, new / name
        if not a.exists() or not b.exists():
            yield f"{name}: only in {'the new' if b.exists() else 'the old'} set"
        elif name.name == "cases.safetensors":
            was, now = safetensors.read(a), safetensors.read(b)
            if list(was) != list(now):
                yield f"{name}: other arrays"
                continue
            for array in was:
                if was[array].shape != now[array].shape or np.abs(was[array] - now[array]).max(initial=0.0) > 1e-6:
                    yield f"{name}: {array}"
        elif a.read_bytes() != b.read_bytes():
            yield str(name)


def main():
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as scratch:
            generate(pathlib.Path(scratch))
            found = list(differences(TARGET, pathlib.Path(scratch)))
        for line in found:
            print(line)
        print(f"{len(found)} differences")
        return 1 if found else 0
    if sys.argv[1:]:
        sys.exit(__doc__)
    shutil.rmtree(TARGET, ignore_errors=True)
    generate(TARGET)
    files = [path for path in TARGET.rglob("*") if path.is_file()]
    print(json.dumps({"files": len(files), "bytes": sum(path.stat().st_size for path in files)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
