"""Judges of the Table module: other engines read a project's tables through their Delta logs.

    check_table.py PROJECT-FOLDER EXPECTED.json

EXPECTED.json: {"tables": [{"name", "version", "keys", "partitions", "transactions", "configuration", "columns":
[{"name", "kind", "cells"}]}]}. Rows stand in the order of the keys. A cell is text or null: integers, dates (days) and timestamps
(microseconds) in decimal, doubles as the hex of their bits, booleans as true or false, bytes as hex, strings as they
are, JSON as any text of the same meaning.
"""

import datetime
import json
import os
import random
import struct
import sys

import duckdb
import duckdb_extension_delta
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable

DELTA_TYPES = {
    "int64": "long", "int32": "integer", "timestampMicros": "timestamp", "date": "date", "double": "double",
    "bool": "boolean", "fixed": "binary", "string": "string", "json": "string",
}
ROW_GROUP_ROWS_MAX = 122_880


def cells(column, kind):
    """The cells of an arrow column of that kind."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kind == "timestampMicros":
        column = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    if kind == "date":
        if pa.types.is_string(column.type):
            column = column.cast(pa.date32())
        column = column.cast(pa.date32()).cast(pa.int32())
    return [None if value is None else cell(value, kind) for value in column.to_pylist()]


def cell(value, kind):
    if kind == "double":
        return format(struct.unpack("<Q", struct.pack("<d", value))[0], "x")
    if kind == "bool":
        return "true" if value else "false"
    if kind == "fixed":
        return value.hex()
    if kind in ("string", "json"):
        text = value if isinstance(value, str) else value.decode()
        return canonical(text) if kind == "json" else text
    return str(int(value))


def canonical(text):
    return None if text is None else json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True)


def duckdb_connection():
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    extension = os.path.join(folder, "extensions", "v" + duckdb.__version__, "delta.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def by_deltalake(path, version):
    return DeltaTable(path, version=version).to_pyarrow_table()


def by_duckdb(path, version):
    with duckdb_connection() as connection:
        return connection.execute(f"SELECT * FROM delta_scan('{path}', version = {version})").to_arrow_table()


def by_polars(path, version):
    import polars

    return polars.read_delta(path, version=version).to_arrow()


def by_pyarrow(path, version):
    opened = DeltaTable(path, version=version)
    partitions = [(name, pa.date32()) for name in opened.metadata().partition_columns]
    partitioning = ds.partitioning(pa.schema(partitions), flavor="hive")
    return ds.dataset(opened.file_uris(), partitioning=partitioning, partition_base_dir=path).to_table()


def by_chdb(path, version):
    import chdb

    result = chdb.query(
        f"SELECT * FROM deltaLakeLocal('{path}') SETTINGS max_threads = 1, delta_lake_snapshot_version = {version}, "
        "output_format_arrow_string_as_string = 0",
        "ArrowStream",
    )
    table = pa.ipc.open_stream(result.bytes()).read_all()
    if "event_id" not in table.column_names:
        return table
    # ClickHouse makes a String of fixed-length bytes and drops the zeros at the end.
    ids = [None if value is None else value.ljust(16, b"\0") for value in table.column("event_id").to_pylist()]
    return table.set_column(table.column_names.index("event_id"), "event_id", pa.array(ids, pa.binary()))


ENGINES = {
    "deltalake": by_deltalake, "duckdb": by_duckdb, "polars": by_polars, "pyarrow": by_pyarrow, "chdb": by_chdb,
}


def check(folder, table):
    path = os.path.join(folder, table["name"])
    columns = table["columns"]
    for column in columns:
        if column["kind"] == "json":
            column["cells"] = [canonical(text) for text in column["cells"]]
    failures = []
    for engine, read in ENGINES.items():
        try:
            found = read(path, table["version"])
        except Exception as error:
            failures.append(f"{table['name']}, {engine}: {type(error).__name__}: {error}")
            continue
        failures += [f"{table['name']}, {engine}: {text}" for text in compare(found, table)]
    failures += check_log(path, table)
    if table["name"] == "events":
        failures += check_filters(path, table)
        failures += check_files(path, table)
    return failures


def compare(found, table):
    columns = table["columns"]
    names = [column["name"] for column in columns]
    if sorted(found.column_names) != sorted(names):
        return [f"columns {sorted(set(found.column_names) ^ set(names))} are in one only"]
    by_name = {column["name"]: cells(found.column(column["name"]), column["kind"]) for column in columns}
    keys = [[order(text) for text in by_name[name]] for name in table["keys"]]
    rows = sorted(range(found.num_rows), key=lambda row: [key[row] for key in keys])
    failures = []
    for column in columns:
        ordered = [by_name[column["name"]][row] for row in rows]
        if ordered != column["cells"]:
            pairs = enumerate(zip(ordered, column["cells"]))
            row = next((i for i, (a, b) in pairs if a != b), min(len(ordered), len(column["cells"])))
            failures.append(
                f"column {column['name']} differs at row {row} of {len(ordered)}: {ordered[row:row + 1]}"
                f" is not {column['cells'][row:row + 1]} of {len(column['cells'])}"
            )
    return failures


def order(text):
    try:
        return (0, int(text), "")
    except ValueError:
        return (1, 0, text)


def check_log(path, table):
    """Protocol, metadata and transactions, as delta-rs reads them."""
    failures = []
    opened = DeltaTable(path, version=table["version"])
    protocol = opened.protocol()
    if (protocol.min_reader_version, protocol.min_writer_version) != (1, 2):
        failures.append(f"protocol {protocol}")
    metadata = opened.metadata()
    if list(metadata.partition_columns) != table["partitions"]:
        failures.append(f"partitions {metadata.partition_columns}")
    if dict(metadata.configuration) != table["configuration"]:
        failures.append(f"configuration {metadata.configuration}")
    if len(str(metadata.id)) != 36:
        failures.append(f"id {metadata.id}")
    for application, version in table["transactions"].items():
        if opened.transaction_version(application) != version:
            failures.append(f"{application} at {opened.transaction_version(application)}, not {version}")
    types = {field.name: field.type.type for field in opened.schema().fields}
    wanted = {column["name"]: DELTA_TYPES[column["kind"]] for column in table["columns"]}
    if types != wanted:
        failures.append(f"types {set(types.items()) ^ set(wanted.items())}")
    actions = pa.table(opened.get_add_actions(flatten=True))
    if sum(actions.column("num_records").to_pylist()) != len(table["columns"][0]["cells"]):
        failures.append("numRecords do not add up")
    return [f"{table['name']}: {text}" for text in failures]


def check_filters(path, table):
    """A filter must find every row: bounds that are too narrow would hide some."""
    import polars

    failures = []
    chooser = random.Random(6)
    by_name = {column["name"]: column for column in table["columns"]}
    connection = duckdb_connection()
    for name in ("user_key", "timestamp", "position", "date", "event_type", "properties_amount"):
        column = by_name[name]
        present = sorted({text for text in column["cells"] if text is not None})
        for text in chooser.sample(present, min(8, len(present))):
            count = column["cells"].count(text)
            literal = value_of(text, column["kind"])
            arrow = pa.scalar(literal, ARROW_TYPES.get(column["kind"]))
            dataset = DeltaTable(path).to_pyarrow_dataset()
            query = f"SELECT count(*) FROM delta_scan('{path}') WHERE \"{name}\" = ?"
            frame = polars.scan_delta(path).filter(polars.col(name) == literal)
            found = {
                "deltalake": dataset.count_rows(filter=pc.field(name) == arrow),
                "duckdb": connection.execute(query, [literal]).fetchone()[0],
                "polars": frame.select(polars.len()).collect().item(),
            }
            failures += [
                f"{engine}: {rows} rows where {name} = {text!r}, not {count}"
                for engine, rows in found.items()
                if rows != count
            ]
    return failures


ARROW_TYPES = {"timestampMicros": pa.timestamp("us", tz="UTC"), "date": pa.date32()}


def value_of(text, kind):
    if kind == "timestampMicros":
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return epoch + datetime.timedelta(microseconds=int(text))
    if kind == "date":
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=int(text))
    if kind == "double":
        return struct.unpack("<d", struct.pack("<Q", int(text, 16)))[0]
    return text if kind == "string" else int(text)


def check_files(path, table):
    """Order, ranges and partitions of each data file of `events`."""
    failures = []
    for file in DeltaTable(path).file_uris():
        parquet = pq.ParquetFile(file)
        metadata = parquet.metadata
        where = os.path.relpath(file, path)
        rows = parquet.read(["user_key", "timestamp", "position"])
        kinds = enumerate(["int64", "timestampMicros", "int64"])
        keys, times, positions = ([int(text) for text in cells(rows.column(i), kind)] for i, kind in kinds)
        order_of_rows = list(zip(keys, times, positions))
        if order_of_rows != sorted(order_of_rows):
            failures.append(f"{where}: rows out of order")
        day = where.split("/")[0].removeprefix("date=")
        days = {value_of(str(time // 86_400_000_000), "date").isoformat() for time in times}
        if days != {day}:
            failures.append(f"{where}: rows of {days}")
        ranges = []
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            sorting = [
                (column.column_index, column.descending, column.nulls_first) for column in group.sorting_columns
            ]
            if sorting != [(0, False, False), (1, False, False), (2, False, False)]:
                failures.append(f"{where}: sorting columns {sorting}")
            if not 0 < group.num_rows <= ROW_GROUP_ROWS_MAX:
                failures.append(f"{where}: {group.num_rows} rows in a group")
            statistics = group.column(0).statistics
            ranges.append(((statistics.min + 2**63) >> 56, (statistics.max + 2**63) >> 56))
        for index, (first, last) in enumerate(ranges):
            shared = [other for other in ranges[:index] + ranges[index + 1:] if other[0] <= last and first <= other[1]]
            if any(other[0] != other[1] or first != last for other in shared):
                failures.append(f"{where}: row groups {ranges} cut a range and hold another")
    return failures


def main():
    folder, expected = sys.argv[1:]
    os.chdir(folder)  # ClickHouse reads below its working folder only
    with open(expected, encoding="utf-8") as file:
        tables = json.load(file)["tables"]
    failures = [failure for table in tables for failure in check(folder, table)]
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


main()
