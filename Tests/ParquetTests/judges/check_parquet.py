"""Judges of the Parquet module: other engines read what it writes, and write what it must read.

    check_parquet.py check FILE CELLS.json    every engine must see exactly the cells in the JSON
    check_parquet.py write FOLDER             files by pyarrow and DuckDB, with manifest.json of their cells

A cell is text or null: integers, dates (days) and timestamps (microseconds) in decimal, doubles as the hex of their
bits, booleans as true or false, fixed-length bytes as hex, strings as they are.
"""

import datetime
import json
import os
import random
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

MICROS = pa.timestamp("us", tz="UTC")


def cells(column, kind):
    """The cells of an arrow column whose Parquet type is `kind`."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kind == "timestampMicros":
        column = column.cast(pa.timestamp("us", tz=column.type.tz)).cast(pa.int64())
    if kind == "date":
        column = column.cast(pa.date32()).cast(pa.int32())
    return [None if value is None else cell(value, kind) for value in column.to_pylist()]


def cell(value, kind):
    if kind == "double":
        return format(struct.unpack("<Q", struct.pack("<d", value))[0], "x")
    if kind == "bool":
        return "true" if value else "false"
    if kind == "fixed":
        return value.hex()
    if kind == "string":
        return value if isinstance(value, str) else value.decode()
    return str(int(value))


def by_pyarrow(path):
    return pq.read_table(path, page_checksum_verification=True)


def by_duckdb(path):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()


def by_polars(path):
    import polars

    return polars.read_parquet(path).to_arrow()


def by_chdb(path):
    import chdb

    result = chdb.query(
        f"SELECT * FROM file('{path}', Parquet) SETTINGS max_threads = 1, "
        "output_format_arrow_string_as_string = 1, input_format_parquet_preserve_order = 1",
        "ArrowStream",
    )
    return pa.ipc.open_stream(result.bytes()).read_all()


ENGINES = {"pyarrow": by_pyarrow, "duckdb": by_duckdb, "polars": by_polars, "chdb": by_chdb}


def check(path, cells_path):
    with open(cells_path, encoding="utf-8") as file:
        expected = json.load(file)["columns"]
    failures = []
    for engine, read in ENGINES.items():
        table = read(path)
        for column in expected:
            found = cells(table.column(column["name"]), column["kind"])
            if found != column["cells"]:
                row = next((i for i, (a, b) in enumerate(zip(found, column["cells"])) if a != b), len(found))
                failures.append(
                    f"{engine}: column {column['name']} differs at row {row}: {found[row:row + 1]}"
                    f" is not {column['cells'][row:row + 1]}"
                )
    failures += check_pruning(path, expected)
    failures += check_footer(path, expected)
    return failures


def by_datafusion(path, columns):
    """A query engine over the file as a Delta table: DataFusion skips pages by the page index."""
    import deltalake

    folder = path + ".delta"
    os.makedirs(os.path.join(folder, "_delta_log"))
    os.link(path, os.path.join(folder, "part.parquet"))
    fields = [
        {"name": name, "type": {"int64": "long"}.get(kind, kind), "nullable": True, "metadata": {}}
        for name, kind in columns
    ]
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {"id": "judge", "format": {"provider": "parquet", "options": {}}, "partitionColumns": [],
                      "schemaString": json.dumps({"type": "struct", "fields": fields}), "configuration": {}}},
        {"add": {"path": "part.parquet", "partitionValues": {}, "size": os.path.getsize(path),
                 "modificationTime": 0, "dataChange": True}},
    ]
    with open(os.path.join(folder, "_delta_log", "0" * 20 + ".json"), "w", encoding="utf-8") as log:
        log.write("\n".join(json.dumps(action) for action in actions))
    return deltalake.QueryBuilder().register("events", deltalake.DeltaTable(folder))


def check_pruning(path, expected):
    """A filter must find every row: wrong statistics or page indexes would hide some."""
    import polars

    failures = []
    datafusion = by_datafusion(
        path, [(column["name"], column["kind"]) for column in expected if column["kind"] in ("int64", "string")])
    chooser = random.Random(5)
    for column in expected:
        if column["kind"] not in ("int64", "string"):
            continue
        present = sorted({value for value in column["cells"] if value is not None})
        for value in chooser.sample(present, min(6, len(present))):
            count = column["cells"].count(value)
            literal = int(value) if column["kind"] == "int64" else value
            name = column["name"]
            with duckdb.connect() as connection:
                query = f"SELECT count(*) FROM read_parquet('{path}') WHERE \"{name}\" = ?"
                by_engine = {"duckdb": connection.execute(query, [literal]).fetchone()[0]}
            frame = polars.scan_parquet(path).filter(polars.col(name) == literal)
            by_engine["polars"] = frame.select(polars.len()).collect().item()
            by_engine["pyarrow"] = pq.read_table(path, filters=[(name, "=", literal)]).num_rows
            sql_literal = value if column["kind"] == "int64" else "'" + value.replace("'", "''") + "'"
            query = f'SELECT count(*) AS n FROM events WHERE "{name}" = {sql_literal}'
            by_engine["datafusion"] = pa.table(datafusion.execute(query)).column("n")[0].as_py()
            for engine, found in by_engine.items():
                if found != count:
                    failures.append(f"{engine}: {found} rows where {name} = {value!r}, not {count}")
    return failures


def check_footer(path, expected):
    failures = []
    metadata = pq.ParquetFile(path).metadata
    if metadata.created_by != "tidemark":
        failures.append(f"created by {metadata.created_by}")
    row = 0
    for group_index in range(metadata.num_row_groups):
        group = metadata.row_group(group_index)
        for index, column in enumerate(expected):
            chunk = group.column(index)
            group_cells = column["cells"][row:row + group.num_rows]
            nulls = group_cells.count(None)
            where = f"row group {group_index}, column {column['name']}"
            if chunk.statistics is None or chunk.statistics.null_count != nulls:
                failures.append(f"{where}: null count is not {nulls}")
            if not chunk.has_offset_index:
                failures.append(f"{where}: no offset index")
            if not chunk.has_column_index and column["kind"] != "double":
                failures.append(f"{where}: no column index")
            if column["kind"] == "int64" and nulls < len(group_cells):
                values = [int(value) for value in group_cells if value is not None]
                if (chunk.statistics.min, chunk.statistics.max) != (min(values), max(values)):
                    failures.append(f"{where}: wrong minimum or maximum")
        row += group.num_rows
    return failures


def columns_of(row_count, null_chance, seed):
    """An arrow table of every type, and the kinds of its columns."""
    chooser = random.Random(seed)

    def maybe(value):
        return None if chooser.random() < null_chance else value

    words = ["", "click", "page_view", "größe", "日本", "x" * 90] + [f"word {i}" for i in range(300)]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    data = {
        "i64": ("int64", pa.int64(), lambda i: chooser.choice([i, -i, 2**63 - 1, -(2**63), chooser.getrandbits(40)])),
        "sorted": ("int64", pa.int64(), lambda i: i * 1000 + chooser.randrange(900)),
        "i32": ("int32", pa.int32(), lambda i: chooser.choice([i, -(2**31), 2**31 - 1, chooser.getrandbits(20)])),
        "day": ("date", pa.date32(), lambda i: datetime.date(2024, 1, 1) + datetime.timedelta(days=i % 900)),
        "time": ("timestampMicros", MICROS, lambda i: epoch + datetime.timedelta(microseconds=10**15 + i * 977)),
        "f64": ("double", pa.float64(), lambda i: chooser.choice([0.5 * i, -0.0, float("inf"), chooser.random()])),
        "flag": ("bool", pa.bool_(), lambda i: chooser.random() < 0.3),
        "word": ("string", pa.string(), lambda i: chooser.choice(words)),
        "text": ("string", pa.string(), lambda i: f"{chooser.getrandbits(64)} é {i}"),
        "id": ("fixed", pa.binary(16), lambda i: chooser.randbytes(16)),
        "nothing": ("int64", pa.int64(), lambda i: None),
    }
    arrays = {
        name: pa.array([maybe(make(i)) for i in range(row_count)], type=arrow)
        for name, (_, arrow, make) in data.items()
    }
    return pa.table(arrays), {name: kind for name, (kind, _, _) in data.items()}


ENCODINGS = {
    "i64": "DELTA_BINARY_PACKED", "sorted": "DELTA_BINARY_PACKED", "i32": "DELTA_BINARY_PACKED",
    "day": "DELTA_BINARY_PACKED", "time": "DELTA_BINARY_PACKED", "nothing": "DELTA_BINARY_PACKED",
    "f64": "BYTE_STREAM_SPLIT", "flag": "RLE", "word": "DELTA_LENGTH_BYTE_ARRAY", "text": "DELTA_LENGTH_BYTE_ARRAY",
    "id": "PLAIN",
}

PYARROW_FORMS = {
    "plain": dict(use_dictionary=False, compression="none"),
    "dictionary": dict(use_dictionary=True, compression="zstd"),
    "fallback": dict(use_dictionary=True, compression="zstd", dictionary_pagesize_limit=700, data_page_size=900),
    "encodings": dict(use_dictionary=False, compression="zstd", column_encoding=ENCODINGS),
    "tiny_pages": dict(use_dictionary=True, compression="none", data_page_size=64, write_batch_size=16),
    "raw_encodings": dict(use_dictionary=False, compression="none", column_encoding=ENCODINGS),
    "groups": dict(use_dictionary=True, compression="zstd", row_group_size=333),
}


def write(folder):
    manifest = []

    def add(name, table, kinds):
        manifest.append({
            "file": name,
            "columns": [
                {"name": column, "kind": kinds[column], "cells": cells(table.column(column), kinds[column])}
                for column in table.column_names
            ],
        })

    for row_count, null_chance in [(1, 0), (129, 0.5), (2500, 0), (2500, 0.15), (700, 1)]:
        table, kinds = columns_of(row_count, null_chance, row_count)
        for form, options in PYARROW_FORMS.items():
            for version in ("1.0", "2.0"):
                name = f"pyarrow-{form}-v{version}-{row_count}-{null_chance}.parquet"
                pq.write_table(
                    table, os.path.join(folder, name), data_page_version=version,
                    write_page_checksum=options["compression"] != "none", **options)
                add(name, table, kinds)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("source", table.drop_columns(["id"]))
            for version in ("V1", "V2"):
                for codec in ("zstd", "uncompressed"):
                    name = f"duckdb-{version}-{codec}-{row_count}-{null_chance}.parquet"
                    connection.execute(
                        f"COPY source TO '{os.path.join(folder, name)}'"
                        f" (FORMAT parquet, CODEC {codec}, PARQUET_VERSION {version})")
                    add(name, table.drop_columns(["id"]), kinds)
    small, _ = columns_of(10, 0, 1)
    for codec in ("snappy", "gzip"):
        pq.write_table(small, os.path.join(folder, f"refused-{codec}.parquet"), compression=codec)
    pq.write_table(pa.table({"list": [[1, 2], [3]]}), os.path.join(folder, "refused-nested.parquet"))
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file)


def main(arguments):
    if arguments[:1] == ["check"] and len(arguments) == 3:
        failures = check(arguments[1], arguments[2])
        print("\n".join(failures))
        return 1 if failures else 0
    if arguments[:1] == ["write"] and len(arguments) == 2:
        write(arguments[1])
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
