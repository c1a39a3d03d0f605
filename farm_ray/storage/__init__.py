"""Files wherever they are: local paths, file://, s3:// and http(s):// behind one small set of functions."""

from farm_ray.storage.addresses import COMPRESSION, DATA_SUFFIXES, data_suffix, file_name, join, local_path, redacted
from farm_ray.storage.folders import download_folder, folder_names, is_local, remove_folder, upload_folder
from farm_ray.storage.listing import exists, file_names, list_files, size
from farm_ray.storage.reading import (
    FileState,
    change_stamp,
    expansion,
    file_stamp,
    file_state,
    file_states,
    open_binary,
)
from farm_ray.storage.writing import check_folder, check_lasting, open_output, remove

__all__ = [
    "COMPRESSION",
    "DATA_SUFFIXES",
    "FileState",
    "change_stamp",
    "check_folder",
    "check_lasting",
    "data_suffix",
    "download_folder",
    "exists",
    "expansion",
    "file_name",
    "file_names",
    "file_stamp",
    "file_state",
    "file_states",
    "folder_names",
    "is_local",
    "join",
    "list_files",
    "local_path",
    "open_binary",
    "open_output",
    "redacted",
    "remove",
    "remove_folder",
    "size",
    "upload_folder",
]
