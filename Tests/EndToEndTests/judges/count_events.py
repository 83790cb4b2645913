"""Counts a table's events through its Delta log with four engines.

usage: count_events.py TABLE
Prints one line an engine: its name and the count.
"""

import os
import sys

import chdb
import deltalake
import duckdb
import duckdb_extension_delta
import polars


def main():
    table = os.path.abspath(sys.argv[1])
    connection = duckdb.connect()
    folder = os.path.dirname(duckdb_extension_delta.__file__)
    connection.execute(f"LOAD '{folder}/extensions/v{duckdb.__version__}/delta.duckdb_extension'")
    os.chdir(table)  # chdb reads only below its working folder
    counts = {
        "deltalake": deltalake.DeltaTable(table).count(),
        "duckdb": connection.execute(f"SELECT count(*) FROM delta_scan('{table}')").fetchone()[0],
        "polars": polars.scan_delta(table).select(polars.len()).collect().item(),
        "chdb": int(str(chdb.query(f"SELECT count() FROM deltaLakeLocal('{table}')", "CSV"))),
    }
    for name, count in counts.items():
        print(name, count)


if __name__ == "__main__":
    main()
