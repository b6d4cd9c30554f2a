"""What the image is built from: a tar that is the same, byte for byte, for the same content."""

import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from esteira.bundle import Bundle
from esteira.settings import PROJECT

LIBRARY = (
    "__init__", "errors", "vocabulary", "days", "rules", "candidates", "columns", "case", "metadata",
    "bundle", "golden",
)  # fmt: skip
"""The modules of the library that the API imports."""

HOLD = "plugins/esteira/deploy/gateway/hold.py"
"""What the gateway's door runs."""

Files = Mapping[str, bytes]

_STAGE = re.compile(r"^FROM .* AS (\S+)$", re.MULTILINE)
_NEEDS = re.compile(r"(?:^FROM |--from=)(\S+)", re.MULTILINE)


def code_files(project: Path = PROJECT) -> Files:
    """The API's part of the Dockerfile, the app and its part of the library, by their path in the project."""
    app = (path for path in (project / "app").rglob("*") if path.is_file())
    paths = [
        *(path for path in app if "__pycache__" not in path.parts),
        *(project / "plugins" / "esteira" / f"{name}.py" for name in LIBRARY),
    ]
    return _with_dockerfile("api", project, paths)


def gateway_files(project: Path = PROJECT) -> Files:
    """What the gateway's image is built from."""
    folder = (project / HOLD).parent
    names = ("haproxy.cfg", "hold.py", "start.py")
    return _with_dockerfile("gateway", project, [folder / name for name in names])


def only(target: str, dockerfile: str) -> str:
    """A Dockerfile's stages that a target needs: the engine's own builder runs all that stand above it."""
    head, *stages = re.split(r"^(?=FROM )", dockerfile, flags=re.MULTILINE)
    by_name = {named[1]: stage for stage in stages if (named := _STAGE.search(stage))}
    needed, wanted = set(), [target]
    while wanted:
        name = wanted.pop()
        if name in by_name and name not in needed:
            needed.add(name)
            wanted += _NEEDS.findall(by_name[name])
    return head + "".join(stage for name, stage in by_name.items() if name in needed)


def bundle_files(bundle: Bundle) -> Files:
    """What production reads of a version, by its place in the image below `bundle`: never a pickle.

    Raises BundleError when the graph is not what was published.
    """
    case = bundle.metadata.case
    paths = {
        bundle.path("onnx"): bundle.read("onnx"),
        bundle.metadata_path: bundle.metadata_path.read_bytes(),
    }
    place = f"bundle/srv/artefatos/{case}"
    return {f"{place}/{path.relative_to(bundle.folder)}": content for path, content in paths.items()}


def digest(files: Files) -> str:
    """The SHA-256 of names and contents."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def tar(files: Files) -> io.BytesIO:
    """A tar, its folders included, without times and owners: a layer changes only with its content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in _folders(files):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def _with_dockerfile(target: str, project: Path, paths: Iterable[Path]) -> Files:
    dockerfile = only(target, (project / "Dockerfile").read_text(encoding="utf-8"))
    files = {str(path.relative_to(project)): path.read_bytes() for path in paths}
    return {"Dockerfile": dockerfile.encode(), **files}


def _folders(names: Iterable[str]) -> list[str]:
    above = {str(folder) for name in names for folder in PurePosixPath(name).parents}
    return sorted(above - {"."})
