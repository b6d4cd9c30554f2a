"""Makes a new case of a file: its YAML under CASOS_PATH and its profile under PROCESSED_DATA_PATH."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esteira import casefile
from esteira.case import API_PATHS, NAME_PATTERN
from esteira.data import workspace
from esteira.new import form, page, words, yamltext
from esteira.new.errors import NewCaseError
from esteira.new.look import check_target, look
from esteira.new.sketch import Sketch
from esteira.new.yamltext import Heading
from esteira.settings import Settings

_LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Written:
    """A new case: where it is, and what it was made from."""

    name: str
    case: Path
    profile: Path
    sketch: Sketch


def new(
    file: Path,
    target: str,
    settings: Settings,
    *,
    name: str | None = None,
    replace: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Written:
    """Look at a file and write its case; `name` is by default made from the file's.

    The YAML is put in place when it is a valid case, and its profile is there before it. A case of that name
    is kept unless `replace`. `say` is told what is being done.
    Raises NewCaseError where no case can be made.
    """
    file = Path(os.path.normpath(file.expanduser().absolute()))
    target = target.strip()
    called = _name(file, name)
    place = settings.CASOS_PATH / f"{called}.yaml"
    if place.exists() and not replace:
        raise NewCaseError(_exists(place, called))
    say("Looking at the file's form")
    found = form.inspect(file)
    check_target(found, target)
    folder = settings.PROCESSED_DATA_PATH / called
    with workspace.opened(folder) as work:
        sketched = look(found, target, work, say)
        heading = _heading(called, file, settings, folder / "profile.html")
        (work / "profile").write_text(page.as_page(sketched, heading), encoding="utf-8")
        workspace.put_in_place({work / "profile": heading.profile})
    _put(yamltext.as_yaml(sketched, heading), place, replace=replace)
    return Written(name=called, case=place, profile=heading.profile, sketch=sketched)


def _name(file: Path, name: str | None) -> str:
    """The name of the case. Raises NewCaseError for one that cannot be."""
    if name is None:
        stem = file.name.split(".")[0] if not file.name.startswith(".") else file.stem
        name = re.sub(r"[^a-z0-9]+", "_", words.plain(stem)).lstrip("_0123456789")[:_LONGEST].strip("_")
        if not name:
            raise NewCaseError(f"No name can be made of {file.name!r}; give one, as in --name sales")
    if not re.fullmatch(NAME_PATTERN, name):
        raise NewCaseError(
            f"{name!r} cannot be a case's name; give small letters, digits and _, beginning with a letter, "
            f"at most {_LONGEST} of them, as in --name sales_2024"
        )
    if name in API_PATHS:
        raise NewCaseError(f"{name!r} is a path of the API; give another name, as in --name {name}_2024")
    return name


def _exists(place: Path, name: str) -> str:
    return (
        f"There is a case {name!r} already ({place}); give another name with --name, "
        f"or --force to replace it, with all that was corrected in it"
    )


def _heading(name: str, file: Path, settings: Settings, profile: Path) -> Heading:
    raw = settings.RAW_DATA_PATH
    return Heading(
        name=name,
        title=_title(file, name),
        files=str(file.relative_to(raw) if file.is_relative_to(raw) else file),
        raw=raw,
        profile=profile,
    )


def _title(file: Path, name: str) -> str:
    words_of_it = re.sub(r"[\s_-]+", " ", file.name.split(".")[0]).strip() or name
    return words_of_it[0].upper() + words_of_it[1:]


def _put(text: str, place: Path, *, replace: bool) -> None:
    """Put the YAML in place, whole and valid; one that came into being meanwhile is kept."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as folder:
        written = Path(folder) / place.name
        written.write_text(text, encoding="utf-8")
        casefile.load(Path(folder), place.stem)
        if replace:
            written.replace(place)
            return
        try:
            os.link(written, place)
        except FileExistsError:
            raise NewCaseError(_exists(place, place.stem)) from None
