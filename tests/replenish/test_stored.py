import numpy as np
import pytest

from replenish.stored import MAGIC, pack, unpack

ARRAYS = {"rates": np.array([0.5, 2.0]), "names": np.array(["milk", "米"]), "as_of": np.array(20_300)}


def test_arrays_come_back_as_they_were():
    version, arrays = unpack(pack("light-1", ARRAYS))
    assert version == "light-1"
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)


def test_the_same_arrays_are_the_same_bytes():
    assert pack("light-1", ARRAYS) == pack("light-1", ARRAYS)


@pytest.mark.parametrize("place", [len(MAGIC), len(MAGIC) + 40, -1])
def test_a_changed_bit_is_noticed(place):
    data = bytearray(pack("light-1", ARRAYS))
    data[place] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        unpack(bytes(data))


@pytest.mark.parametrize("data", [b"", b"{}", pack("light-1", ARRAYS)[1:]])
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match="not a stored model"):
        unpack(data)


def test_objects_are_not_stored():
    with pytest.raises(ValueError, match="allow_pickle"):
        pack("light-1", {"anything": np.array([object()])})
