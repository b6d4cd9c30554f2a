"""Finds and reads case files."""

import difflib
import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from esteira.case import NAME_PATTERN, Case
from esteira.errors import EsteiraError

_TEXT = "tag:yaml.org,2002:str"


class CaseError(EsteiraError):
    """A case file is missing, is not YAML, or says something that its types do not allow."""


def names(folder: Path) -> list[str]:
    """The names of the cases in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml") if re.match(NAME_PATTERN, path.stem))


def load(folder: Path, name: str) -> Case:
    """Read `<folder>/<name>.yaml`.

    Raises CaseError with one line for each fault: the file, the key, what is wrong and what would fit.
    """
    path = folder / f"{name}.yaml"
    if not _is_there(path):
        near = difflib.get_close_matches(name, names(folder), n=1)
        hint = (
            f"did you mean {near[0]!r}?" if near else f"the cases are: {', '.join(names(folder)) or 'none'}"
        )
        raise CaseError(f"There is no case {name!r} ({path} does not exist); {hint}")
    content = _read(path)
    if not isinstance(content, dict):
        raise CaseError(f"{path} must be a YAML mapping with title, source, target, task, columns and train")
    try:
        return Case.model_validate_json(_as_json(path, {**_spelled_out(content), "name": name}))
    except ValidationError as error:
        faults = "\n".join(f"  {_sentence(fault)}" for fault in error.errors())
        raise CaseError(f"{path} is not a valid case:\n{faults}") from None


class _Loader(yaml.SafeLoader):
    """Takes keys as text only: YAML reads an unquoted No, 2020 or 2020-01-01 as something else."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        for key, _ in node.value:
            if key.tag != _TEXT:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key {key.value if isinstance(key, yaml.ScalarNode) else '?'} is no text; "
                    f"put it in quotes",
                    problem_mark=key.start_mark,
                )
        return super().construct_mapping(node, deep)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise _unreadable(path, error) from None


def _read(path: Path) -> Any:
    """What a YAML file holds; whatever keeps it from being read is a CaseError that names it."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except OSError as error:
        raise _unreadable(path, error) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CaseError(f"{path} is not YAML: {error}") from None


def _unreadable(path: Path, error: OSError) -> CaseError:
    return CaseError(f"{path} cannot be read: {error.strerror}; let the user who runs Esteira read it")


def _as_json(path: Path, content: dict[str, Any]) -> str:
    try:
        return json.dumps(content, default=str)
    except (ValueError, RecursionError):
        raise CaseError(f"{path} holds an alias (*) inside of what it stands for; write it out") from None


def _spelled_out(content: dict[str, Any]) -> dict[str, Any]:
    """Bring the list items that YAML writes shortly to what their types say."""
    train = content.get("train")
    if isinstance(train, dict) and isinstance(train.get("candidates"), list):
        content = {**content, "train": {**train, "candidates": [_kind(word) for word in train["candidates"]]}}
    if isinstance(content.get("clean"), list):
        content = {**content, "clean": [_kind(word) for word in content["clean"]]}
    return content


def _kind(word: Any) -> Any:
    """Bring `name` and `name: {option: value}` to `{kind: name, option: value}`."""
    if isinstance(word, str):
        return {"kind": word}
    if isinstance(word, dict) and len(word) == 1 and "kind" not in word:
        ((name, options),) = word.items()
        return {"kind": name, **(options if isinstance(options, dict) else {})}
    return word


def _sentence(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"]) or "case"
    sent = fault.get("input")
    match fault["type"]:
        case "extra_forbidden":
            return f"{key}: is not a known key; remove it or look for a typing error"
        case "missing":
            return f"{key}: is missing; add it"
        case "union_tag_invalid":
            context = fault["ctx"]
            return f"{key}: {context['tag']!r} is not known; it can be {context['expected_tags']}"
        case "value_error":
            prefix = "" if key == "case" else f"{key}: "
            return f"{prefix}{fault['ctx']['error']}"
        case _:
            return f"{key}: {fault['msg']}, but it is {sent!r}"
