"""What can be said of a file to import."""

from typing import Literal

from pydantic import Field

from juniper_data.generators.base import GeneratorParameters, Source

FileFormat = Literal["auto", "csv", "json", "parquet", "npz"]


class ImportParameters(GeneratorParameters):
    """How a file is read. An NPZ that has its own splits keeps them in their order, whatever the ratios say."""

    file_format: FileFormat = Field("auto", description="auto: by its first bytes, then its name")
    feature_columns: tuple[str, ...] | None = Field(None, description="Names of columns; null: all but the label")
    label_column: str = Field("label", min_length=1, max_length=200, description="Name of the column to predict")
    delimiter: str = Field(
        ",",
        pattern=r"^[\t !#-~]$",
        description="Between two cells of a CSV: a printable ASCII sign but a quote, or a tab",
    )
    header: bool = Field(True, description="Whether the first line of a CSV names its columns; else they are c0, c1, …")
    one_hot_labels: bool = Field(True, description="Labels are classes; false: numbers to predict (a regression)")
    normalize_features: bool = Field(
        False,
        description="Shift and scale each feature to mean 0 and deviation 1 over the samples to train on, so that"
        " nothing of the others is in it; a feature that is constant there is only shifted, to 0",
    )
    missing_values: Literal["refuse", "drop"] = Field(
        "refuse", description="What to do about a row with an empty cell; text and NaN in place of a number are refused"
    )


class CsvImportParameters(ImportParameters):
    """A file of the import folder."""

    file_path: str = Field(min_length=1, max_length=1000, description="Relative to the import folder; never leaves it")


class UploadParameters(ImportParameters):
    """A file that was sent; its content is told by its sha256."""


CSV_IMPORT = Source("csv_import", "1.0.0", "A CSV, JSON, Parquet or NPZ file of the import folder", CsvImportParameters)
UPLOAD = Source("upload", "1.0.0", "A CSV, JSON, Parquet or NPZ file that was sent", UploadParameters)
