"""docs/seed.md has a row for each name of the seed, and what the rows name is there."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import pytest

from tidemark import dashboard, engine, tracker

ROOT = Path(__file__).resolve().parents[3]
NAMES = ROOT / "docs" / "seed-names.txt"
DOCUMENT = ROOT / "docs" / "seed.md"
MODULES = (tracker, engine, dashboard)
TICKED = re.compile(r"`([^`]+)`")


class Row(NamedTuple):
    section: str
    name: str
    where: str
    test: str


def read_names(text: str) -> List[Tuple[str, str]]:
    """Section and name of each line."""
    section = ""
    found: List[Tuple[str, str]] = []
    for line in text.splitlines():
        heading = re.fullmatch(r"\[(.+)\]", line)
        if heading:
            section = heading[1]
        elif line:
            found.append((section, line))
    return found


def read_rows(text: str) -> List[Row]:
    section = ""
    found: List[Row] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| `") else []
        if cells:
            assert len(cells) == 3, line
            found.append(Row(section, cells[0].strip("`"), cells[1], cells[2]))
    return found


def faults(names: List[Tuple[str, str]], rows: List[Row], root: Path) -> List[str]:
    """What is wrong with the rows."""
    made = [f"no row: {section}: {name}" for section, name in names
            if sum((row.section, row.name) == (section, name) for row in rows) != 1]
    made += [f"no name: {row.section}: {row.name}" for row in rows if (row.section, row.name) not in names]
    texts: Dict[Path, str] = {}
    for row in rows:
        if re.fullmatch(r"(later|outside): \w+", row.where):
            made += [f"a test of nothing: {row.name}"] if row.test else []
            continue
        places, tests = TICKED.findall(row.where), TICKED.findall(row.test)
        if not places or not tests:
            made.append(f"no place or no test: {row.section}: {row.name}")
        made += [f"no such file: {row.name}: {one}" for one in places if not (root / one).exists()]
        for test in tests:
            file, _, name = test.partition("::")
            path = root / file
            if not path.is_file():
                made.append(f"no such file: {row.name}: {test}")
                continue
            text = texts.setdefault(path, path.read_text(encoding="utf-8"))
            if name and not re.search(rf"\b(def|func) {re.escape(name)}\(", text):
                made.append(f"no such test: {row.name}: {test}")
    return made


def test_every_name_has_a_row_and_every_row_names_what_is_there() -> None:
    names = read_names(NAMES.read_text(encoding="utf-8"))
    found = faults(names, read_rows(DOCUMENT.read_text(encoding="utf-8")), ROOT)
    assert not found, "\n".join(found)
    assert len(names) > 400 and len(set(names)) == len(names)


@pytest.mark.parametrize("line, fault", [
    ("", "no row: A: x"), ("| `y` | `a.py` | `a.py::t` |", "no name: A: y"),
    ("| `x` | `b.py` | `a.py::t` |", "no such file: x: b.py"),
    ("| `x` | `a.py` | `b.py::t` |", "no such file: x: b.py::t"),
    ("| `x` | `a.py` | `a.py::u` |", "no such test: x: a.py::u"), ("| `x` | `a.py` | |", "no place or no test: A: x"),
    ("| `x` | later: two words | |", "no place or no test: A: x"),
    ("| `x` | later: word | `a.py::t` |", "a test of nothing: x"), ("| `x` | later: word | |", ""),
    ("| `x` | here: `a.py` | `a.py::t` |", ""),
])
def test_a_fault_is_found(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "a.py").write_text("def t():\n    pass\n")
    found = faults([("A", "x")], read_rows(f"## A\n\n| name | where | test |\n|---|---|---|\n{line}\n"), tmp_path)
    assert fault in found if fault else not found, found


# The names themselves are in the package.


def names_of(section: str) -> List[str]:
    return [name for where, name in read_names(NAMES.read_text(encoding="utf-8")) if where == section]


def class_of(name: str) -> Any:
    (found,) = {getattr(module, name) for module in MODULES if name in module.__all__}
    return found


def test_every_class_is_in_its_module() -> None:
    for name in names_of("Classes"):
        assert inspect.isclass(class_of(name)), name


def test_every_call_takes_its_arguments_in_their_order() -> None:
    for text in names_of("Methods"):
        match = re.fullmatch(r"(\w+)\.(\w+)\((.*)\)", text)
        assert match is not None, text
        if match[2].startswith("_") and match[2] != "__init__":
            continue
        wanted = [one for one in match[3].split(", ") if one]
        call = getattr(class_of(match[1]), match[2])
        positional = [one.name for one in inspect.signature(call).parameters.values()
                      if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD][1:]
        assert positional[:len(wanted)] == wanted, text
        assert inspect.iscoroutinefunction(call) == (match[2] not in ("__init__", "build_query")), text


def test_every_field_is_there_in_its_order() -> None:
    wanted: Dict[str, List[str]] = {}
    for text in names_of("Fields"):
        owner, _, field = text.partition(".")
        wanted.setdefault(owner, []).append(field)
    for owner, fields in wanted.items():
        assert [one.name for one in dataclasses.fields(class_of(owner))][:len(fields)] == fields


def test_every_event_type_has_its_value() -> None:
    assert [f"{one.name} = {one.value}" for one in tracker.EventType] == names_of("Event types")
