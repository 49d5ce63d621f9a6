"""Files of arrays, whole and damaged."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from mmragbench.errors import DataError
from mmragbench.formats.arrays import read_arrays

ROWS = np.arange(600, dtype=np.float32).reshape(100, 6)


def written(path):
    if path.suffix == ".npz":
        np.savez_compressed(path, rows=ROWS, other=np.eye(3))
    else:
        save_file({"rows": ROWS, "other": np.eye(3)}, path, {"ids": '["a"]'})
    return path


@pytest.fixture(params=["v.npz", "v.safetensors"])
def file(request, tmp_path):
    return written(tmp_path / request.param)


def test_the_arrays_asked_for_come_as_they_were_saved(file):
    """Those that the file has, and no others."""
    arrays = read_arrays(file, ["rows", "nothing"])
    assert list(arrays) == ["rows"]
    np.testing.assert_array_equal(arrays["rows"], ROWS)


def test_a_file_cut_anywhere_is_refused(file):
    """At any length, the empty file included; never another error, never fewer rows."""
    content = file.read_bytes()
    for length in range(0, len(content), 7):
        file.write_bytes(content[:length])
        with pytest.raises(DataError, match="cannot be read as"):
            read_arrays(file, ["rows"])


def test_none_of_the_names_is_an_error_that_says_what_there_is(file):
    """And a file that is not there."""
    with pytest.raises(DataError, match="none of mu, sigma; it has .*'rows'"):
        read_arrays(file, ["mu", "sigma"])
    with pytest.raises(DataError, match="there is no file"):
        read_arrays(file.with_name("nowhere.npz"), ["mu"])


@pytest.mark.parametrize("shape", ["(4000000000,)", "(2, 2000000000)", "(-1,)", "(3,)"])
def test_a_header_that_claims_too_much_or_too_little_is_refused(tmp_path, shape):
    """Before anything is allocated: 16 GB are claimed, and four numbers are there."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("rows.npy", content)
    with pytest.raises(DataError, match="claims|read"):
        read_arrays(tmp_path / "v.npz", ["rows"])


def test_one_name_twice_in_an_archive_is_refused(tmp_path):
    """A reader would take the first or the last."""
    content = io.BytesIO()
    np.save(content, ROWS)
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("rows.npy", content.getvalue())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("rows.npy", content.getvalue())
    with pytest.raises(DataError, match="'rows' twice"):
        read_arrays(tmp_path / "v.npz", ["rows"])


def test_a_changed_byte_of_an_archive_is_noticed(tmp_path):
    """A zip file has checksums."""
    file = written(tmp_path / "v.npz")
    content = bytearray(file.read_bytes())
    content[content.index(b"rows.npy") + 200] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_arrays(file, ["rows"])
