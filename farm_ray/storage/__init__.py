"""Files wherever they are: local paths, file://, s3:// and http(s):// behind one small set of functions."""

from farm_ray.storage.addresses import COMPRESSION, DATA_SUFFIXES, data_suffix, file_name, join, redacted
from farm_ray.storage.listing import exists, list_files, size
from farm_ray.storage.reading import change_stamp, expansion, file_stamp, open_binary
from farm_ray.storage.writing import check_folder, open_output, remove

__all__ = [
    "COMPRESSION",
    "DATA_SUFFIXES",
    "change_stamp",
    "check_folder",
    "data_suffix",
    "exists",
    "expansion",
    "file_name",
    "file_stamp",
    "join",
    "list_files",
    "open_binary",
    "open_output",
    "redacted",
    "remove",
    "size",
]
