"""Tables as CSV or Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.errors import MissingExtraError, UnknownFormatError

if TYPE_CHECKING:
    import pandas as pd


def as_frame(table: Any) -> pd.DataFrame:
    """Flat table of a Dataset with one main dimension; a column with a second axis becomes one column an element, name_0, name_1, …."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    columns: dict[str, Any] = {}
    for name, variable in table.data_vars.items():
        values = variable.to_numpy()
        if values.ndim == 1:
            columns[str(name)] = values
        elif values.ndim == 2:
            columns.update({f"{name}_{i}": values[:, i] for i in range(values.shape[1])})
    return pd.DataFrame(columns)


def write_table(table: Any, path: str | Path) -> None:
    """Write a table for other programs; units are part of the columns' names.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Table.
    path : str or Path
        ``.csv`` or ``.parquet`` file.

    Raises
    ------
    UnknownFormatError
        Another extension.
    MissingExtraError
        Parquet without the extra ``parquet``.

    Examples
    --------
    >>> import nanospa as ns, pandas as pd, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "particles.csv"
    >>> ns.io.write_table(pd.DataFrame({"area_px": [12.0]}), path)
    >>> path.read_text().split()
    ['area_px', '12.0']
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".csv":
        as_frame(table).to_csv(path, index=False)
    elif suffix == ".parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(f"{path}: Parquet needs the extra [parquet]: pip install 'nanospa[parquet]'") from error
        as_frame(table).to_parquet(path, index=False)
    else:
        raise UnknownFormatError(f"{path}: expected .csv or .parquet, found {suffix!r}")
