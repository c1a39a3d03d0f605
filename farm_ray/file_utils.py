"""FARM's path to its helpers for files from elsewhere and for experiment files."""

from farm_ray.compat.archives import fetch_archive_from_http, http_get
from farm_ray.compat.cache_folder import (
    FARM_CACHE,
    default_cache_path,
    download_from_s3,
    filename_to_url,
    get_file_extension,
    load_from_cache,
    read_set_from_file,
    split_s3_path,
    torch_cache_home,
    url_to_filename,
)
from farm_ray.compat.experiment_files import read_config, unnestConfig

__all__ = [
    "FARM_CACHE",
    "default_cache_path",
    "download_from_s3",
    "fetch_archive_from_http",
    "filename_to_url",
    "get_file_extension",
    "http_get",
    "load_from_cache",
    "read_config",
    "read_set_from_file",
    "split_s3_path",
    "torch_cache_home",
    "unnestConfig",
    "url_to_filename",
]
