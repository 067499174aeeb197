"""Files of other kinds, as they come under any name; the pickles run a command if loaded."""

import base64
import gzip
import io
import json
import os
import pickle
import zipfile

import h5py
import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (os.system, (f"touch '{self.path}'",))


def foreign_files(sprung):
    """Contents by kind, each with what it is to be called; ``None`` where readers differ.

    Args:
        sprung: the file that shows that a pickle has been loaded.
    """
    trap = Trap(sprung)
    return {
        "empty": (b"", "an empty file"),
        "pickle": (pickle.dumps(trap), "a pickle"),
        "pickle of protocol 0": (pickle.dumps(trap, 0), "a pickle"),
        "pickle of protocol 2": (pickle.dumps(trap, 2), "a pickle"),
        "torch": (_torch(trap), "torch.save"),
        "old torch": (_torch(trap, _use_new_zipfile_serialization=False), "a pickle"),
        "stable-baselines3": (_stable_baselines3(trap), "Stable-Baselines3"),
        "zip": (_zip({"readme.txt": b"hello"}), "a zip archive"),
        "hdf5": (_hdf5(), "an HDF5 file"),
        "gzip": (gzip.compress(b"hello"), "a gzip archive"),
        "numpy": (_numpy(), "a numpy array"),
        "png": (_png(), "a picture (PNG)"),
        "text": (b"not what it is called\n", None),
        "json": (b'{"a": 1}', None),
        "utf-16": ('{"a": 1}'.encode("utf-16"), None),
        "tensors": (save({"weight": np.zeros((2, 2), np.float32)}), None),
    }


def _torch(trap, **options):
    file = io.BytesIO()
    torch.save({"policy": trap}, file, **options)
    return file.getvalue()


def _stable_baselines3(trap):
    pickled = base64.b64encode(pickle.dumps(trap)).decode()
    data = json.dumps({"policy_class": {":type:": "type", ":serialized:": pickled}})
    return _zip({"data": data.encode(), "policy.pth": _torch(trap), "system_info.txt": b"Linux"})


def _zip(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _hdf5():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["observations"] = np.zeros(3)
    return stream.getvalue()


def _numpy():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def _png():
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()
