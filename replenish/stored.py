"""A fitted model as bytes and back: a version, plain arrays, a checksum. Nothing in it can be run.

Layout: ``MAGIC``, SHA-256 of the rest (32 bytes), then a NumPy ``.npz`` archive without pickles.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"replenish-model-1\n"

Arrays = dict[str, NDArray[Any]]


def pack(version: str, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """``arrays`` (numbers, truths or short texts) and the ``version`` of the model they belong to, as bytes."""
    body = io.BytesIO()
    np.savez_compressed(body, allow_pickle=False, **{"version": np.array(version), **arrays})
    return MAGIC + hashlib.sha256(body.getvalue()).digest() + body.getvalue()


def unpack(data: bytes) -> tuple[str, Arrays]:
    """What ``pack`` was given. Raises ValueError for anything else, or where a single bit was changed."""
    if not data.startswith(MAGIC):
        raise ValueError("this is not a stored model")
    checksum, body = data[len(MAGIC) : len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != checksum:
        raise ValueError("the stored model is damaged: its checksum does not match")
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return str(arrays.pop("version")), arrays
