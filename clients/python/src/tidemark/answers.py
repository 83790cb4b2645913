"""What questions return: lists and dicts that also say what they were computed from, and turn into data frames."""

from __future__ import annotations

from typing import Any, Dict, Generic, Iterable, List, Mapping, Optional, TypeVar

Item = TypeVar("Item")


def _frame(rows: Iterable[Any], columns: Optional[List[str]]) -> Any:
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas() needs pandas: pip install 'tidemark[pandas]'") from None
    return pandas.DataFrame(list(rows), columns=columns)


class Table(List[Item], Generic[Item]):
    """A list of rows. `meta` is what the answer says about itself (docs/questions.md §1.4), `columns` their names."""

    def __init__(self, items: Iterable[Item] = (), meta: Optional[Mapping[str, Any]] = None,
                 columns: Optional[List[str]] = None) -> None:
        super().__init__(items)
        self.meta: Dict[str, Any] = dict(meta or {})
        self.columns = columns

    def to_pandas(self) -> Any:
        """A pandas DataFrame, one row an item."""
        rows = [item.to_dict() if hasattr(item, "to_dict") else item for item in self]
        return _frame(rows, self.columns)


class Answer(Dict[str, Any]):
    """A dict with the answer's fields. `meta` is what the answer says about itself."""

    def __init__(self, fields: Mapping[str, Any], meta: Optional[Mapping[str, Any]] = None,
                 rows: Optional[List[Dict[str, Any]]] = None) -> None:
        super().__init__(fields)
        self.meta: Dict[str, Any] = dict(meta or {})
        self._rows = rows

    def to_pandas(self) -> Any:
        """A pandas DataFrame: one row a step, widget or row of data, if the answer is made of these; else one row."""
        return _frame([dict(self)] if self._rows is None else self._rows, None)
