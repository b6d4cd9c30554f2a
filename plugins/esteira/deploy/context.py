"""What the image is built from: a tar that is the same, byte for byte, for the same content."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from esteira.bundle import Bundle
from esteira.settings import PROJECT

LIBRARY = ("__init__", "errors", "vocabulary", "days", "rules", "candidates", "case", "bundle", "golden")
"""The modules of the library that the API imports."""

Files = Mapping[str, bytes]


def code_files(project: Path = PROJECT) -> Files:
    """The Dockerfile, the app and its part of the library, by their path in the project."""
    app = (path for path in (project / "app").rglob("*") if path.is_file())
    paths = [
        project / "Dockerfile",
        *(path for path in app if "__pycache__" not in path.parts),
        *(project / "plugins" / "esteira" / f"{name}.py" for name in LIBRARY),
    ]
    return {str(path.relative_to(project)): path.read_bytes() for path in paths}


def bundle_files(bundle: Bundle) -> Files:
    """What production reads of a version: the ONNX graph and the metadata, never a pickle.

    Raises BundleError when the graph is not what was published.
    """
    case = bundle.metadata.case
    paths = {
        bundle.path("onnx"): bundle.read("onnx"),
        bundle.metadata_path: bundle.metadata_path.read_bytes(),
    }
    return {f"artefatos/{case}/{path.relative_to(bundle.folder)}": content for path, content in paths.items()}


def digest(files: Files) -> str:
    """The SHA-256 of names and contents."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def tar(files: Files) -> io.BytesIO:
    """A tar without times and owners, so that a layer changes only with its content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream
