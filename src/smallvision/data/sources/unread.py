"""Files that hold pictures in a form that is not read, and what to make of them instead."""

from __future__ import annotations

from pathlib import PurePath

_AS_ARRAYS = "save the images and labels as .npz (x_train, y_train, x_test, y_test)"
_AS_PICTURES = "save each as PNG"
_PACKED = (".rar", ".7z", ".xz", ".txz", ".bz2", ".tbz2", ".zst", ".z01", ".001")
# By their endings: what they are called, and what helps.
UNREAD = {
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), ("HDF5", _AS_ARRAYS)),
    **dict.fromkeys((".tfrecord", ".tfrecords", ".tfrec"), ("TFRecord", _AS_ARRAYS)),
    **dict.fromkeys((".pkl", ".pickle", ".p", ".pt", ".pth"), ("pickle", _AS_ARRAYS)),
    **dict.fromkeys((".mdb", ".lmdb", ".rec"), ("database", _AS_ARRAYS)),
    ".mat": ("Such MATLAB", _AS_ARRAYS),
    # One for each class or part is read, and one alone with images and labels.
    **dict.fromkeys((".npy", ".npz"), ("Such NumPy", f"{_AS_PICTURES}, or {_AS_ARRAYS}")),
    **dict.fromkeys((".dcm", ".dicom"), ("DICOM", _AS_PICTURES)),
    **dict.fromkeys((".heic", ".heif"), ("HEIC", "save each as JPEG")),
    **dict.fromkeys(_PACKED, ("RAR, 7z, xz, bzip2 and split archive", "unpack it first")),
    ".svg": ("SVG", _AS_PICTURES),
}


def explain_unread(name: str) -> str | None:
    """What is said of a file of such a kind; None of any other."""
    kind = UNREAD.get(PurePath(name).suffix.lower())
    return f"{kind[0]} files are not read ({name}); {kind[1]}" if kind else None
