"""Small Parquet files as the hub's datasets have them, in each compression that is met.

    python src/test/python/make_parquet_fixtures.py src/test/resources/parquet
"""

import pathlib
import sys

import pyarrow
import pyarrow.parquet

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
rows = [
    {
        "messages": [
            {"role": "user", "content": f"what is {i}? 🐙"},
            {"role": "assistant", "content": f"it is {i}", "tool_calls": None},
        ],
        "source": None if i % 2 else "made",
        "score": i / 2,
        "tags": ["a", "b"][: i % 3],
    }
    for i in range(5)
]
table = pyarrow.Table.from_pylist(rows)
for compression in ["none", "snappy", "zstd", "lz4", "gzip"]:
    pyarrow.parquet.write_table(
        table, out / f"{compression}.parquet", compression=compression, row_group_size=3
    )
